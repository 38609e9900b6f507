import { expect } from 'chai';
import * as fc from 'fast-check';
import { around, moved, type View, zoomed } from './view.ts';

const whole: View = { min: -10, max: 1010 };
const view = fc
  .tuple(fc.integer({ min: -10, max: 1000 }), fc.integer({ min: 1, max: 500 }))
  .map(([min, size]): View => ({ min: Math.min(min, 1010 - size), max: Math.min(min, 1010 - size) + size }));

const isInside = ({ min, max }: View): boolean =>
  min >= whole.min - 1e-9 && max <= whole.max + 1e-9 && min < max;

describe('web: view', () => {
  it('never leaves the whole, whatever is done', () => {
    const move = fc.tuple(
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
    );
    fc.assert(
      fc.property(view, fc.array(move, { maxLength: 10 }), (start, moves) => {
        let now = start;
        for (const [factor, share] of moves) {
          now = moved(zoomed(now, whole, factor, now.min + (now.max - now.min) / 3, 1), whole, share);
          expect(now).to.satisfy(isInside);
        }
      }),
    );
  });

  it('leaves the place that is pointed at where it is', () => {
    fc.assert(
      fc.property(view, fc.double({ min: 0, max: 1, noNaN: true }), (start, share) => {
        const at = start.min + (start.max - start.min) * share;
        const { min, max } = zoomed(start, whole, 0.5, at, 0);
        expect(max - min).to.be.closeTo((start.max - start.min) / 2, 1e-6);
        expect((at - min) / (max - min)).to.be.closeTo(share, 1e-6);
      }),
    );
  });

  it('goes no nearer than it may, and no nearer than it was is no way back', () => {
    expect(zoomed({ min: 0, max: 8 }, whole, 0.01, 4, 4)).to.deep.equal({ min: 2, max: 6 });
    expect(zoomed({ min: 0, max: 2 }, whole, 0.5, 1, 4)).to.deep.equal({ min: 0, max: 2 });
  });

  it('shows values with a margin, at the edge too', () => {
    expect(around([100, 300], whole, 1)).to.deep.equal({ min: 70, max: 330 });
    expect(around([5], whole, 100)).to.deep.equal({ min: -10, max: 90 });
    expect(around([0, 1000], whole, 1)).to.deep.equal(whole);
  });
});
