import { expect } from 'chai';
import * as fc from 'fast-check';
import { mixed, NumberTable } from './number-table.ts';

/** Few of them, so that they meet: neighbours, multiples of blocks, and what needs more than 32 bits. */
const key = fc
  .tuple(fc.constantFrom(0, 1, 2 ** 12, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52), fc.nat(20), fc.nat(3))
  .map(([base, factor, more]) => Math.min(base * factor + more, Number.MAX_SAFE_INTEGER));

const step = fc.oneof(
  fc.record({ act: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ act: fc.constant('delete' as const), key, value: fc.constant(0) }),
);

describe('a table of numbers', () => {
  it('holds what a map holds, whatever came and went', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.array(key), (steps, asked) => {
        const table = new NumberTable<number>();
        const map = new Map<number, number>();
        for (const { act, key: at, value } of steps) {
          if (act === 'set') {
            table.set(at, value);
            map.set(at, value);
          } else {
            table.delete(at);
            map.delete(at);
          }
          expect(table.size).to.equal(map.size);
        }
        for (const at of [...asked, ...map.keys()]) expect(table.get(at)).to.equal(map.get(at));
        expect([...table.entries()]).to.have.deep.members([...map]);
      }),
    );
  });

  it('finds what others stand in the way of, also when some of these go', () => {
    // The upper ten bits choose the slot of a table that is large enough for all.
    const crowd = Array.from({ length: 400_000 }, (_, at) => at).filter((at) => mixed(at) >>> 22 === 1023);
    expect(crowd).to.have.lengthOf.above(300);
    const table = new NumberTable<number>();
    for (const at of crowd) table.set(at, at);
    for (const [index, at] of crowd.entries()) if (index % 3 === 0) table.delete(at);
    const left = crowd.filter((_, index) => index % 3 !== 0);
    expect(left.filter((at) => table.get(at) !== at)).to.deep.equal([]);
    expect(crowd.filter((at, index) => index % 3 === 0 && table.get(at) !== undefined)).to.deep.equal([]);
    expect(table.size).to.equal(left.length);
  });

  it('mixes the upper digits in, too', () => {
    const all = Array.from({ length: 1000 }, (_, at) => mixed(at * 2 ** 33));
    expect(new Set(all).size).to.be.above(990);
  });
});
