import { expect } from 'chai';
import * as fc from 'fast-check';
import { RangeIndex, type Span } from './range-index.ts';

const PAGE = 4096;

/** From a byte to terabytes, near borders of blocks. */
const span: fc.Arbitrary<Span> = fc
  .tuple(
    fc.constantFrom(12, 21, 30, 39),
    fc.nat(3),
    fc.integer({ min: -64, max: 64 }),
    fc.nat(44),
    fc.nat(99),
  )
  .map(([shift, block, nudge, order, more]) => ({
    start: Math.max(0, block * 2 ** shift + nudge),
    size: 2 ** order + more,
  }));

const overlaps = (a: Span, b: Span): boolean => a.start < b.start + b.size && b.start < a.start + a.size;

describe('an index of ranges', () => {
  it('finds exactly what overlaps, whatever was added and removed', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 40 }), fc.array(span), fc.nat(), (ranges, asked, kept) => {
        const index = new RangeIndex<Span>();
        for (const range of ranges) index.add(range);
        const left = ranges.slice(kept % (ranges.length + 1));
        for (const range of ranges) if (!left.includes(range)) index.remove(range);
        expect(index.all()).to.have.lengthOf(left.length).and.to.have.members(left);
        for (const at of asked) {
          const expected = left.filter((range) => overlaps(range, at));
          const found = index.overlapping(at.start, at.size, Number.POSITIVE_INFINITY);
          expect(found).to.have.lengthOf(expected.length).and.to.have.members(expected);
          expect(index.overlapping(at.start, at.size, 2)).to.have.lengthOf(Math.min(2, expected.length));
          const accepted = index.find(at.start, at.size, ({ size }) => size > PAGE);
          expect(accepted !== undefined).to.equal(expected.some(({ size }) => size > PAGE));
        }
      }),
    );
  });

  it('ends where addresses end, in bounded time', () => {
    const index = new RangeIndex<Span>();
    const all = { start: 0, size: 2 ** 52 };
    index.add(all);
    expect(index.overlapping(2 ** 51, 2 ** 51, 2)).to.deep.equal([all]);
    index.remove(all);
    expect(index.all()).to.deep.equal([]);
  });
});
