import { expect } from 'chai';
import * as fc from 'fast-check';
import { Rows, type Span } from './rows.ts';

const span: fc.Arbitrary<Span> = fc
  .record({ space: fc.constantFrom('a', 'b'), start: fc.nat(60), size: fc.integer({ min: 1, max: 20 }) })
  .map(({ space, start, size }) => ({ space, start, end: start + size }));
const spans = fc.array(span, { maxLength: 12 });

const meet = <T extends { from: number; to: number }>(some: readonly T[], others: readonly T[]): boolean =>
  some.some((one) => others.some((other) => one.from < other.to && other.from < one.to));

describe('web: rows', () => {
  it('two ranges share a row exactly when they share an address', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const rows = new Rows(all);
        for (const one of all)
          for (const other of all)
            expect(meet(rows.stripes(one), rows.stripes(other))).to.equal(
              one.space === other.space && one.start < other.end && other.start < one.end,
            );
      }),
    );
  });

  it('gives each range one stripe of its own, above what has lower addresses', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const rows = new Rows(all);
        for (const one of all) {
          const [stripe, ...others] = rows.stripes(one);
          expect(others).to.deep.equal([]);
          expect(stripe).to.have.property('to').that.is.at.most(rows.height);
          for (const other of all.filter(({ space, end }) => space === one.space && end <= one.start))
            expect(rows.stripes(other)[0])
              .to.have.property('to')
              .that.is.at.most(stripe?.from ?? -1);
        }
      }),
    );
  });

  it('tells the addresses of a row', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const rows = new Rows(all);
        for (const { space, start, end } of all) {
          const [stripe = { from: -1, to: -1 }] = rows.stripes({ space, start, end });
          expect(rows.at(stripe.from)).to.deep.include({ space, start });
          expect(rows.at(stripe.to - 0.5)).to.deep.include({ space, end });
        }
      }),
    );
  });

  it('labels some rows, evenly, and no more than there is room for', () => {
    const rows = new Rows(Array.from({ length: 30 }, (_, at) => ({ space: '', start: at, end: at + 1 })));
    expect(rows.labelled({ from: 0, to: 30 }, 10)).to.deep.equal(
      [0, 3, 6, 9, 12, 15, 18, 21, 24, 27].map((at) => at + 0.5),
    );
    expect(rows.labelled({ from: 4.2, to: 8.2 }, 10)).to.deep.equal([5.5, 6.5, 7.5]);
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 8 }), (all, most) => {
        const some = new Rows(all);
        const labels = some.labelled({ from: 0, to: some.height }, most);
        expect(labels.length).to.be.at.most(most);
        expect(labels.filter((row) => some.at(row) === undefined)).to.deep.equal([]);
      }),
    );
  });

  it('gives a large range that is used as a whole one row, and none to what nothing used', () => {
    const rows = new Rows([
      { space: '', start: 0, end: 2 ** 30 },
      { space: '', start: 2 ** 40, end: 2 ** 40 + 4096 },
    ]);
    expect(rows.height).to.be.within(2, 3);
    expect(rows.stripes({ space: '', start: 2 ** 31, end: 2 ** 32 })).to.deep.equal([]);
    expect(rows.stripes({ space: '', start: 0, end: 2 ** 41 })).to.have.length(2);
    expect(rows.stripes({ space: 'other', start: 0, end: 1 })).to.deep.equal([]);
  });

  it('has neither rows nor addresses without a range', () => {
    const rows = new Rows([]);
    expect([rows.height, rows.bands, rows.at(0)]).to.deep.equal([0, [], undefined]);
  });
});
