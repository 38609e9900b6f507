import { expect } from 'chai';
import * as fc from 'fast-check';
import { bootedBlocks } from './booted-memory.test.ts';
import {
  type Blocks,
  crowded,
  inOrders,
  joinCrowded,
  obtainable,
  pagesFor,
  scaleBlocks,
} from './memory-blocks.ts';
import { pagesOf } from './proc-memory.ts';

const ORDERS = 4;

/** Free blocks of machines of each size, whichever pages are held. */
function reachable(pages: number): Set<string> {
  const found = new Set<string>();
  for (let bits = 0; bits < 2 ** pages; bits++) {
    const isFree = Array.from({ length: pages }, (_, page) => (bits >>> page) % 2 === 1);
    found.add(bootedBlocks(isFree, ORDERS - 1).join(' '));
  }
  return found;
}

/** All numbers of blocks that are no more pages than these. */
function* candidates(pages: number, order = ORDERS - 1): Generator<number[]> {
  if (order < 0) yield [];
  else
    for (let count = 0; count * 2 ** order <= pages; count++)
      for (const rest of candidates(pages - count * 2 ** order, order - 1)) yield [...rest, count];
}

const blocksOf = (orders: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(40), { minLength: orders, maxLength: orders });

const anyBlocks: fc.Arbitrary<number[]> = fc.integer({ min: 1, max: 11 }).chain(blocksOf);

describe('a naive buddy allocator', () => {
  it('joins what is free', () => {
    const free = (text: string): boolean[] => [...text].map((page) => page === '.');
    expect(bootedBlocks(free('.#.#.'), 2)).to.deep.equal([3, 0, 0]);
    expect(bootedBlocks(free('#..#....'), 2)).to.deep.equal([2, 0, 1]);
    expect(bootedBlocks(free('...........'), 2)).to.deep.equal([1, 1, 2]);
  });
});

describe('free blocks have room', () => {
  it('exactly when some map of memory boots with them', () => {
    for (let pages = 1; pages <= 12; pages++) {
      const booted = reachable(pages);
      for (const blocks of candidates(pages))
        expect(crowded(blocks, pages) === undefined, `${blocks} in ${pages}`).to.equal(
          booted.has(blocks.join(' ')),
        );
    }
  });

  it('in the pages asked for, or in the least that are enough', () => {
    expect(pagesFor([1, 0, 0], 4)).to.equal(4);
    expect(pagesFor([3, 0, 0], 4)).to.equal(5);
    expect(pagesFor([0, 0, 3], 4)).to.equal(12);
    fc.assert(
      fc.property(anyBlocks, fc.integer({ min: 1, max: 5_000 }), (blocks, pages) => {
        const enough = pagesFor(blocks, pages);
        expect(crowded(blocks, enough)).to.equal(undefined);
        if (enough > pages) expect(crowded(blocks, enough - 1)).to.not.equal(undefined);
      }),
    );
  });

  it('once pairs are joined', () => {
    expect(joinCrowded([4, 0, 0], 4)).to.deep.equal([0, 0, 1]);
    expect(joinCrowded([4, 0, 0], 5)).to.deep.equal([2, 1, 0]);
    fc.assert(
      fc.property(anyBlocks, fc.nat(500), (blocks, more) => {
        const pages = Math.max(1, pagesOf(blocks) + more);
        const joined = joinCrowded(blocks, pages);
        expect(crowded(joined, pages)).to.equal(undefined);
        expect(pagesOf(joined)).to.equal(pagesOf(blocks));
        expect(Math.min(...joined)).to.be.at.least(0);
      }),
    );
    expect(() => joinCrowded([9], 4)).to.throw('internal error');
  });
});

describe('free blocks in proportion', () => {
  it('keep their orders, and the free pages to half of the least block', () => {
    expect(scaleBlocks([10, 0, 4], 100, 50)).to.deep.equal([5, 0, 2]);
    expect(scaleBlocks([10, 0, 4], 100, 10)).to.deep.equal([3, 0, 0]);
    fc.assert(
      fc.property(anyBlocks, fc.nat(9_000), fc.integer({ min: 1, max: 9_000 }), (blocks, more, to) => {
        const from = pagesOf(blocks) + more + 1;
        const scaled = scaleBlocks(blocks, from, to);
        const error = Math.abs(pagesOf(scaled) - (pagesOf(blocks) * to) / from);
        const least = blocks.findIndex((count) => count > 0);
        expect(error).to.be.at.most(least < 0 ? 0 : 2 ** least);
        expect(pagesOf(scaled)).to.be.at.most(to);
        for (const [order, count] of scaled.entries()) {
          expect(count).to.be.at.least(0);
          if (blocks[order] === 0) expect(count).to.equal(0);
        }
      }),
    );
  });

  it('are the same at the same size', () => {
    fc.assert(
      fc.property(anyBlocks, fc.nat(100), (blocks, more) => {
        const pages = pagesOf(blocks) + more + 1;
        expect(scaleBlocks(blocks, pages, pages)).to.deep.equal(blocks);
      }),
    );
  });

  it('stand in fewer orders, or in more', () => {
    expect(inOrders([1, 2, 3, 4], 1)).to.deep.equal([1, 2 + 6 + 16]);
    expect(inOrders([1, 2], 3)).to.deep.equal([1, 2, 0, 0]);
  });
});

/** Takes block after block as a buddy allocator does. */
function taken(blocks: Blocks, order: number, reserve: number): number {
  const left = [...blocks];
  for (let times = 0; ; times++) {
    const from = left.findIndex((count, k) => k >= order && count > 0);
    if (from < 0 || pagesOf(left) - 2 ** order < reserve) return times;
    left[from] = (left[from] ?? 0) - 1;
    for (let k = from - 1; k >= order; k--) left[k] = (left[k] ?? 0) + 1;
  }
}

describe('what can be obtained', () => {
  it('is what an allocator gives, one after the other', () => {
    fc.assert(
      fc.property(blocksOf(5), fc.nat(300), (blocks, reserve) => {
        for (const order of blocks.keys())
          expect(obtainable(blocks, order, reserve)).to.equal(taken(blocks, order, reserve));
      }),
    );
  });
});
