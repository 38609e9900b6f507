import { expect } from 'chai';
import * as fc from 'fast-check';
import { REMEMBERED, Recent } from './recent.ts';

const key = fc.tuple(fc.constantFrom(1, 2 ** 20, 2 ** 40), fc.nat(5)).map(([base, factor]) => base * factor);

describe('what came lately', () => {
  it('is found by number, the last first, if it is accepted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.nat(9)), { maxLength: 60 }),
        key,
        fc.nat(9),
        (added, asked, least) => {
          const recent = new Recent<number>();
          for (const [at, value] of added) recent.add(at, value);
          const accepts = (value: number): boolean => value >= least;
          const expected = added.findLast(([at, value]) => at === asked && accepts(value));
          expect(recent.at(recent.find(asked, accepts))).to.equal(expected?.[1]);
          expect(recent.at(recent.findAny(accepts))).to.equal(
            added.findLast(([, value]) => accepts(value))?.[1],
          );
        },
      ),
    );
  });

  it('is forgotten when as much came after it as is remembered, and nothing else is', () => {
    const recent = new Recent<number>();
    const all = (): boolean => true;
    for (let at = 0; at < 3 * REMEMBERED; at += 1) recent.add(at, at);
    for (const old of [0, REMEMBERED, 2 * REMEMBERED - 1])
      expect(recent.find(old, all), String(old)).to.equal(0);
    for (const young of [2 * REMEMBERED, 3 * REMEMBERED - 1])
      expect(recent.at(recent.find(young, all))).to.equal(young);
    recent.add(7, -1);
    expect(recent.find(2 * REMEMBERED, all)).to.equal(0);
    expect(recent.at(recent.findAny((value) => value >= 0))).to.equal(3 * REMEMBERED - 1);
    expect(recent.findAny((value) => value < -1)).to.equal(0);
  });
});
