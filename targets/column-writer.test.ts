import { expect } from 'chai';
import type { View } from '../model/target.ts';
import { ColumnWriter } from './column-writer.ts';

const NUMBER = 1;
const BIT = 1 << NUMBER;

function makeView(): View & { readonly from: Int32Array; readonly to: Int32Array } {
  const columns = [new Int32Array(0), Int32Array.of(1, 2, 3, 4, 5)];
  return { columns, shown: 0, touched: 0, from: new Int32Array(2), to: Int32Array.of(0, 5) };
}

function write(
  view: View,
  values: readonly (readonly [index: number, value: number])[],
  whole = false,
): void {
  const writer = new ColumnWriter().open(view, NUMBER);
  for (const [index, value] of values) writer.put(index, value);
  writer.close(view, NUMBER, whole);
}

describe('a writer of a column', () => {
  it('says what it changed, and nothing when all is as it was', () => {
    const view = makeView();
    write(view, [
      [0, 1],
      [3, 4],
    ]);
    expect(view.touched).to.equal(0);
    write(view, [
      [3, 9],
      [1, 9],
      [4, 5],
    ]);
    expect([view.touched, view.from[NUMBER], view.to[NUMBER]]).to.deep.equal([BIT, 1, 4]);
  });

  it('adds to what nobody has looked at yet', () => {
    const view = makeView();
    write(view, [[1, 9]]);
    write(view, [[3, 9]]);
    expect([view.from[NUMBER], view.to[NUMBER]]).to.deep.equal([1, 4]);
  });

  it('says that all changed when what was there before counts for nothing', () => {
    const view = makeView();
    write(view, [[1, 9]]);
    write(view, [], true);
    expect([view.touched, view.from[NUMBER], view.to[NUMBER]]).to.deep.equal([BIT, 0, 5]);
  });

  it('serves views without ranges', () => {
    const { columns, shown, touched } = makeView();
    const view = { columns, shown, touched };
    write(view, [[1, 9]]);
    expect([view.touched, columns[NUMBER]?.[1]]).to.deep.equal([BIT, 9]);
  });
});
