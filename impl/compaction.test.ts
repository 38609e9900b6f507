import { expect } from 'chai';
import fc from 'fast-check';
import { ENOMEM } from './errno.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_MOVABLE, OWNER_OCCUPIED } from './pages.ts';

const ORDER_MAX = 3;

type Run = readonly [first: number, count: number];

const pagesOf = ({ pages }: Kernel, owner: number): number[] =>
  Array.from(pages.owner.values.keys()).filter((page) => pages.owner.get(page) === owner);

/** Free blocks of each order, the largest first. */
function blockCounts({ pages }: Kernel): number[] {
  const counts: number[] = Array(ORDER_MAX + 1).fill(0);
  for (const order of pages.freeOrder.values)
    if (order > 0) counts[ORDER_MAX + 1 - order] = (counts[ORDER_MAX + 1 - order] ?? 0) + 1;
  return counts;
}

/** What lines hold, through the CPU's eyes or not, of all movable pages, in any order. */
function contents(kernel: Kernel): string[] {
  const pages = pagesOf(kernel, OWNER_MOVABLE);
  return pages.map((page) => `${kernel.memory.readLine(page, 0)} ${kernel.memory.readLine(page, 3)}`).sort();
}

/** Whether some place for a block has no page that can be neither taken nor moved. */
function hasPlace(kernel: Kernel, order: number): boolean {
  const fixed = pagesOf(kernel, OWNER_OCCUPIED);
  for (let first = 0; first + 2 ** order <= kernel.pages.pages; first += 2 ** order)
    if (!fixed.some((page) => page >= first && page < first + 2 ** order)) return true;
  return false;
}

/** A machine whose pages are free (0), held (1) or movable (2). */
function layOut(kinds: readonly number[]): Kernel {
  const runsOf = (kind: number): Run[] =>
    kinds.flatMap((each, page): Run[] => (each === kind ? [[page, 1]] : []));
  const kernel = boot({ pages: kinds.length, occupied: runsOf(1), movable: runsOf(2) });
  for (const page of pagesOf(kernel, OWNER_MOVABLE)) {
    kernel.memory.writeLine(page, 0, page);
    kernel.memory.writeLine(page, 3, 2 * page);
  }
  return kernel;
}

describe('compaction', () => {
  it('makes every block that moving pages can make, and breaks up none as large', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 40, size: 'max' }), (kinds) => {
        const kernel = layOut(kinds);
        const [before, fixed] = [blockCounts(kernel), pagesOf(kernel, OWNER_OCCUPIED)];
        const [held, free] = [contents(kernel), kernel.freePages];
        kernel.pages.compact();
        const after = blockCounts(kernel);
        expect(pagesOf(kernel, OWNER_OCCUPIED)).to.deep.equal(fixed);
        expect([contents(kernel), kernel.freePages]).to.deep.equal([held, free]);
        const changed = after.findIndex((count, i) => count !== before[i]);
        if (changed >= 0) expect(after[changed]).to.be.above(before[changed] ?? 0);
        for (let order = 0; order <= ORDER_MAX; order++) {
          if (free < 2 ** order || !hasPlace(kernel, order)) continue;
          expect(Math.max(...kernel.pages.freeOrder.values), `order ${order}`).to.be.above(order);
        }
      }),
    );
  });

  it('has nothing left to do a second time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 40, size: 'max' }), (kinds) => {
        const kernel = layOut(kinds);
        kernel.pages.compact();
        const words = kernel.store.words.slice();
        kernel.pages.compact();
        expect(kernel.store.words).to.deep.equal(words);
      }),
    );
  });

  it('moves the lowest pages to the highest', () => {
    const kernel = layOut([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
    kernel.pages.compact();
    expect(pagesOf(kernel, OWNER_MOVABLE)).to.deep.equal([15]);
  });

  it('moves nothing in vain', () => {
    for (const kinds of [
      [2, 0, 2, 0],
      [0, 1, 2, 1],
      [2, 2, 2, 2],
    ]) {
      const kernel = layOut(kinds);
      const order = Math.max(...kernel.pages.freeOrder.values);
      const movable = pagesOf(kernel, OWNER_MOVABLE);
      kernel.pages.compact();
      if (Math.max(...kernel.pages.freeOrder.values) === order)
        expect(pagesOf(kernel, OWNER_MOVABLE)).to.deep.equal(movable);
    }
  });

  it('runs before an allocation fails, above order 0', () => {
    const kernel = layOut([2, 0, 2, 0]);
    expect(kernel.pages.tryTake(1)).to.equal(-ENOMEM);
    expect(kernel.pages.take(1)).to.equal(0);
    expect(pagesOf(kernel, OWNER_MOVABLE)).to.deep.equal([2, 3]);
    expect(kernel.pages.take(0)).to.equal(-ENOMEM);
  });

  it('lets an occupant keep its number of pages', () => {
    const kernel = boot({ pages: 16, orderMax: 2 });
    const [kept, moved] = [kernel.pages.occupy(9, 1, false), kernel.pages.occupy(2, 3, true)];
    kernel.pages.compact();
    const movable = pagesOf(kernel, OWNER_MOVABLE);
    expect(movable).to.have.length(3).and.not.deep.equal([2, 3, 4]);
    kernel.pages.release(moved);
    expect(kernel.freePages).to.equal(15);
    expect(pagesOf(kernel, OWNER_OCCUPIED)).to.deep.equal([9]);
    kernel.pages.release(kept);
  });

  it('gives up when free blocks are not what they seem', () => {
    const kernel = layOut([2, 0, 0, 2, 1, 1, 1, 1]);
    kernel.pages.freeOrder.set(5, 2);
    kernel.pages.compact();
    expect(pagesOf(kernel, OWNER_MOVABLE)).to.have.length(2);
  });
});
