import { expect } from 'chai';
import fc from 'fast-check';
import { EBUSY, EINVAL, ENOSPC } from './errno.ts';
import { SITE_ID } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_MOVABLE, OWNER_OCCUPIED } from './pages.ts';

const ownersOf = ({ pages }: Kernel): number[] => Array.from(pages.owner.values);

describe('occupants', () => {
  it('take exactly the pages that they name', () => {
    const kernel = boot({ pages: 16 });
    expect(kernel.pages.occupy(3, 6, false)).to.equal(0);
    expect(kernel.pages.occupy(15, 1, true)).to.equal(1);
    const expected = Array.from({ length: 16 }, (_, page) =>
      page >= 3 && page < 9 ? OWNER_OCCUPIED : page === 15 ? OWNER_MOVABLE : 0,
    );
    expect(ownersOf(kernel)).to.deep.equal(expected);
    expect(kernel.freePages).to.equal(9);
    expect([1, 2, 3].map((order) => kernel.pages.allocate(order))).to.deep.equal([0, 10 - 1 + 3, -12]);
  });

  it('are refused pages that there are not', () => {
    const { pages } = boot({ pages: 16 });
    for (const [first, count] of [
      [-1, 1],
      [16, 1],
      [15, 2],
      [0, 0],
      [0, -1],
      [0, 17],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
    ] as const) {
      expect(pages.occupy(first, count, false), `${first} ${count}`).to.equal(-EINVAL);
    }
  });

  it('are refused pages in use, but parked ones are not', () => {
    const kernel = boot({ pages: 16 });
    const block = kernel.pages.allocateBlock(0);
    kernel.pages.occupy(8, 1, true);
    const owners = ownersOf(kernel);
    expect(kernel.pages.occupy(0, 4, false)).to.equal(-EBUSY);
    expect(kernel.pages.occupy(4, 8, true)).to.equal(-EBUSY);
    expect(ownersOf(kernel)).to.deep.equal(owners);
    kernel.pages.freeBlock(block);
    expect(kernel.pages.parked.isParked.get(block)).to.equal(1);
    expect(kernel.pages.occupy(0, 4, false)).to.equal(1);
  });

  it('have so many ids, and take the lowest', () => {
    const { faults, pages } = boot({ occupants: 2 });
    faults.arm(SITE_ID, 1);
    expect(pages.occupy(0, 1, false)).to.equal(-ENOSPC);
    expect([2, 1, 0].map((page) => pages.occupy(page, 1, false))).to.deep.equal([0, 1, -ENOSPC]);
    pages.release(0);
    expect(pages.occupy(0, 1, false)).to.equal(0);
  });

  it('may take the reserve', () => {
    const kernel = boot({ pages: 8, reserve: 8 });
    expect(kernel.pages.occupy(0, 8, false)).to.equal(0);
    expect(kernel.freePages).to.equal(0);
  });

  it('leave nothing behind', () => {
    const run = fc.tuple(fc.nat(23), fc.integer({ min: 1, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), fc.boolean(), (runs, compacts) => {
        const kernel = boot({ pages: 24, movable: [[20, 2]] });
        const words = kernel.store.words.slice();
        const ids = runs.map((args) => kernel.pages.occupy(...args)).filter((id) => id >= 0);
        if (compacts) kernel.pages.compact();
        for (const id of ids) kernel.pages.release(id);
        expect(kernel.freePages).to.equal(22);
        expect(ownersOf(kernel).filter((owner) => owner === OWNER_MOVABLE)).to.have.length(2);
        if (!compacts) expect(kernel.store.words).to.deep.equal(words);
      }),
    );
  });
});
