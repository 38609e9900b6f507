import { expect } from 'chai';
import { leftBehind } from './atomicity.ts';
import { FIELDS, type Machine } from './machine.ts';
import type { View } from './target.ts';
import { COUNTER, KIND, VIEW, VIEW_COLUMNS } from './view.ts';

const PAGES = 4;

const MACHINE: Machine = {
  ...(Object.fromEntries(
    Object.entries(FIELDS).map(([name, field]) => [name, field.default]),
  ) as unknown as Machine),
  pages: PAGES,
  policies: {},
  occupied: [],
  movable: [],
};

/** Values of some columns by index; all others are 0, and pages 0 and 1 are a block's. */
type Values = Readonly<Partial<Record<keyof typeof VIEW, Readonly<Record<number, number>>>>>;

function columnsOf(values: Values): Int32Array[] {
  const columns = VIEW_COLUMNS.map(({ length }) => new Int32Array(length(MACHINE)));
  const all: Values = { ...values, kind: { 0: KIND.BLOCK, 1: KIND.BLOCK, ...values.kind } };
  for (const [name, entries] of Object.entries(all)) {
    for (const [index, value] of Object.entries(entries)) {
      const column = columns[VIEW[name as keyof typeof VIEW]] ?? expect.fail(`there is no column ${name}`);
      column[Number(index)] = value;
    }
  }
  return columns;
}

const ALL = 2 ** VIEW_COLUMNS.length - 1;

/** The column that a call may not leave so, or an empty text. */
function changed(before: Values, after: Values, shown = ALL): string {
  const view: View = { columns: columnsOf(after), shown, touched: 0 };
  return leftBehind(columnsOf(before), view, MACHINE)?.clause ?? '';
}

/** Memory, copy, and whether it is dirty. */
const line = (memory: number, copy?: number, isDirty = false): number =>
  memory | ((copy ?? 0) << 9) | ((copy === undefined ? 0 : isDirty ? 2 : 1) << 18);

/** Columns in which nothing may change. */
const FIXED = Object.keys(VIEW).filter(
  (name) => !['kind', 'freeOrder', 'line', 'iotlb', 'stale', 'counter'].includes(name),
) as (keyof typeof VIEW)[];

describe('leftBehind', () => {
  for (const name of FIXED) {
    it(`allows no change of ${name}`, () => {
      expect(changed({}, { [name]: { 0: 1 } })).to.equal(name);
      expect(changed({ [name]: { 0: 1 } }, {})).to.equal(name);
      expect(changed({ [name]: { 0: 1 } }, { [name]: { 0: 1 } })).to.equal('');
    });
  }

  it('says what has changed, in words', () => {
    const view: View = { columns: columnsOf({ client: { 2: 1 } }), shown: ALL, touched: 0 };
    expect(leftBehind(columnsOf({}), view, MACHINE)).to.deep.equal({
      serves: 'C4',
      clause: 'client',
      detail: 'client[2] was 0 before the call, and is 1 after it',
    });
  });

  it('lets pages that nobody holds change hands, and no others', () => {
    const kinds = [KIND.FREE, KIND.TABLE, KIND.PARKED, KIND.POOLED, KIND.DEFERRED, KIND.MOVABLE, KIND.META];
    for (const from of kinds)
      for (const to of kinds) expect(changed({ kind: { 2: from } }, { kind: { 2: to } })).to.equal('');
    for (const to of [KIND.LOST, KIND.BOTH, KIND.BUFFER, KIND.OCCUPIED, KIND.COHERENT]) {
      expect(changed({}, { kind: { 2: to } })).to.equal('kind');
      expect(changed({ kind: { 2: to } }, {})).to.equal('kind');
    }
    expect(changed({}, { freeOrder: { 2: 1 } })).to.equal('');
  });

  it('lets translations go, and none come', () => {
    for (const name of ['iotlb', 'stale'] as const) {
      expect(changed({ [name]: { 1: 5 } }, {})).to.equal('');
      expect(changed({}, { [name]: { 1: 5 } })).to.equal(name);
      expect(changed({ [name]: { 1: 5 } }, { [name]: { 1: 9 } })).to.equal(name);
    }
  });

  it('lets dirty copies be written back and clean ones go', () => {
    const allowed: readonly (readonly [before: number, after: number])[] = [
      [line(1, 2, true), line(2, 2)],
      [line(1, 2, true), line(2)],
      [line(1, 2), line(1)],
      [line(1), line(1, 1)],
    ];
    for (const [before, after] of allowed)
      expect(changed({ line: { 0: before } }, { line: { 0: after } })).to.equal('');
    const refused: readonly (readonly [before: number, after: number])[] = [
      [line(1), line(2)],
      [line(1, 2, true), line(1)],
      [line(1, 2, true), line(1, 3, true)],
      [line(1, 2), line(2)],
      [line(1), line(1, 2)],
      [line(1, 2), line(3, 2)],
    ];
    for (const [before, after] of refused)
      expect(changed({ line: { 0: before } }, { line: { 0: after } }), `${before} ${after}`).to.equal('line');
  });

  it('does not look at the contents of pages that nobody holds', () => {
    const first = (2 * MACHINE.pageBytes) / MACHINE.lineBytes;
    expect(changed({}, { line: { [first]: 3 } })).to.equal('');
    expect(changed({}, { line: { [first - 1]: 3 } })).to.equal('line');
  });

  it('wants all pages and kernel addresses that were to be had; tables may stay', () => {
    const counter = (free: number, table = 0, used = 0): Values => ({
      counter: { [COUNTER.free]: free, [COUNTER.table]: table, [COUNTER.vmallocUsed]: used },
    });
    expect(changed(counter(5), counter(4, 1))).to.equal('');
    expect(changed(counter(4, 1), counter(5))).to.equal('');
    expect(changed(counter(5), counter(6))).to.equal('');
    expect(changed(counter(5), counter(4))).to.equal('counter');
    expect(changed(counter(5, 0, 3), counter(5, 0, 2))).to.equal('');
    expect(changed(counter(5, 0, 2), counter(5, 0, 3))).to.equal('counter');
  });

  it('looks at nothing that is not shown', () => {
    const after: Values = { client: { 0: 1 }, counter: { [COUNTER.vmallocUsed]: 1 } };
    expect(changed({}, after, 0)).to.equal('');
    expect(changed({}, after, 1 << VIEW.counter)).to.equal('counter');
  });
});
