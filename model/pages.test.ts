import { expect } from 'chai';
import fc from 'fast-check';
import { KIND, SPEC } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { take } from './memory.ts';
import { isBlock } from './pages.ts';
import { mapPages, unmapPages } from './translations.ts';
import { READ } from './units.ts';

const { FREE, BLOCK, BUFFER, META, MOVABLE, PARKED, POOLED, DEFERRED } = KIND;

describe('alloc_pages', () => {
  it('leaves the choice of block open', () => {
    const judged = new Judged();
    for (const pfn of [0, 2, 6, 14])
      expect(judged.to('alloc_pages', { order: 1 }, { pfn })).to.equal('content');
  });

  it('gives blocks aligned to their own size, where pages have numbers', () => {
    const unaligned = 'a block aligned to its own size (S1)';
    expect(new Judged().to('alloc_pages', { order: 1 }, { pfn: 3 })).to.equal(unaligned);
    expect(new Judged().to('alloc_pages', { order: 2 }, { pfn: 2 })).to.equal(unaligned);
    expect(new Judged({}, false).to('alloc_pages', { order: 1 }, { pfn: 3 })).to.equal('content');
  });

  it('gives no page that somebody holds, and none that does not exist', () => {
    const judged = new Judged({ occupied: [[8, 1]] });
    judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
    judged.make('kvmalloc', { bytes: 8 }, { memory: 3 * 64 });
    take(judged.world, [12], BUFFER, 'zeroed by a CPU');
    for (const pfn of [2, 4, 8, 12, 16, -2, 2 ** 40]) {
      expect(judged.to('alloc_pages', { order: 1 }, { pfn })).to.equal('a block that nobody holds (C1)');
    }
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 5 })).to.equal('a block that nobody holds (C1)');
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 13 })).to.equal('content');
  });

  it('refuses orders that there are none of', () => {
    const judged = new Judged();
    expect(judged.errnos('alloc_pages', { order: -1 })).to.deep.equal(['EINVAL']);
    expect(judged.errnos('alloc_pages', { order: 3 })).to.deep.equal(['EINVAL']);
    for (const order of [60, 0.5, -60, 2 ** 60]) {
      expect(judged.errnos('alloc_pages', { order }, NOTHING)).to.deep.equal(['EINVAL']);
    }
    expect(judged.errnos('alloc_pages', { order: 2 })).to.deep.equal([]);
    expect(judged.to('alloc_pages', { order: 3 }, { pfn: 0 })).to.equal('refuse EINVAL (P1)');
  });

  it('must fail when memory is free but not contiguous', () => {
    const judged = new Judged({ pages: 4 });
    judged.hold(1, 3);
    expect(judged.to('alloc_pages', { order: 1 }, { pfn: 0 })).to.equal('refuse ENOMEM (P1)');
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('alloc_pages', { order: 0 })).to.deep.equal([]);
  });

  it('must fail when only pages are free that lie across the alignment', () => {
    const judged = new Judged({ pages: 4 });
    judged.hold(0, 3);
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal(['ENOMEM']);
    expect(new Judged({ pages: 3 }).errnos('alloc_pages', { order: 2 })).to.deep.equal(['ENOMEM']);
    const last = new Judged({ pages: 4 });
    last.hold(0);
    expect(last.errnos('alloc_pages', { order: 1 })).to.deep.equal([]);
  });

  it('leaves the reserve alone', () => {
    const judged = new Judged({ pages: 4, reserve: 2 });
    expect(judged.errnos('alloc_pages', { order: 2 })).to.deep.equal(['ENOMEM']);
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 0 })).to.equal('refuse ENOMEM (P1)');
  });

  it('may fail only if the target itself shows no block, or too few pages above the reserve', () => {
    const judged = new Judged({ reserve: 2 });
    const errnos = (free: number, orders: readonly number[] | undefined, order = 1): string[] =>
      judged.errnos('alloc_pages', { order }, seen({ free, hole: 0, orders }));
    expect(errnos(4, [2])).to.deep.equal([]);
    expect(errnos(4, [0, 0, 3])).to.deep.equal([]);
    expect(errnos(4, [1, 1])).to.deep.equal(['ENOMEM']);
    expect(errnos(3, [2])).to.deep.equal(['ENOMEM']);
    expect(errnos(9, undefined)).to.deep.equal(['ENOMEM']);
    expect(errnos(3, undefined, 0)).to.deep.equal([]);
    expect(errnos(2, undefined, 0)).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('alloc_pages', { order: 0 }, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('must succeed with what is parked, in pools, or deferred', () => {
    const judged = new Judged({ reserve: 1 });
    const errnos = (order: number, kept: readonly [number, number, number]): string[] =>
      judged.errnos('alloc_pages', { order }, seen({ free: 1, hole: 0, orders: [3], kept }));
    for (const kept of [[1, 0, 0] as const, [0, 1, 0] as const, [0, 0, 1] as const]) {
      expect(errnos(0, kept)).to.deep.equal([]);
      expect(errnos(1, kept)).to.deep.equal(['ENOMEM']);
    }
    expect(errnos(0, [0, 0, 0])).to.deep.equal(['ENOMEM']);
    expect(errnos(1, [0, 1, 1])).to.deep.equal([]);
  });

  it('must succeed where pages can be given up or moved, and others are free for those that move', () => {
    const judged = new Judged({ pages: 4 });
    const errnos = (free: number, kinds: readonly number[], order = 1): string[] =>
      judged.errnos('alloc_pages', { order }, seen({ free, hole: 0, orders: [1], kinds }));
    for (const kind of [FREE, PARKED, POOLED, DEFERRED, MOVABLE]) {
      expect(errnos(2, [META, FREE, kind, FREE]), `kind ${kind}`).to.deep.equal([]);
    }
    expect(errnos(2, [FREE, META, META, FREE])).to.deep.equal(['ENOMEM']);
    expect(errnos(2, [META, FREE, FREE, META])).to.deep.equal(['ENOMEM']);
    expect(errnos(1, [META, META, MOVABLE, FREE])).to.deep.equal(['ENOMEM']);
    expect(errnos(2, [MOVABLE, MOVABLE, FREE, META])).to.deep.equal([]);
    expect(errnos(4, [FREE, FREE, FREE], 2)).to.deep.equal(['ENOMEM']);
  });

  it('must fail when movable pages leave no room, wherever they are', () => {
    const judged = new Judged({ pages: 4, movable: [[0, 3]] });
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal(['ENOMEM']);
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 1 })).to.equal('content');
  });

  it('owes M1, and names it when an errno comes for nothing', () => {
    expect(new Judged().toErrno('alloc_pages', { order: 0 }, 'ENOMEM')).to.equal('no ENOMEM (M1)');
    expect(new Judged().toErrno('alloc_pages', { order: 0 }, 'EFAULT')).to.equal('no EFAULT (M1)');
  });

  it('may fail for a fault that fired, in the words of its site', () => {
    const fired = (site: string): string[] =>
      new Judged().errnos('alloc_pages', { order: 0 }, seen({ ...PLENTY, fired: [site] }));
    expect(fired('page')).to.deep.equal(['ENOMEM']);
    expect(fired('kmalloc_large')).to.deep.equal([]);
    expect(fired('iova')).to.deep.equal(['ENOMEM', 'ENOSPC']);
  });

  it('takes every page of the block, about whose content nothing is known', () => {
    const judged = new Judged({ pages: 4 });
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    const { kind, head, index, line } = judged.world;
    expect([...kind.values]).to.deep.equal([KIND.FREE, KIND.FREE, KIND.BLOCK, KIND.BLOCK]);
    expect([...head.values]).to.deep.equal([0, 0, 3, 3]);
    expect([...index.values]).to.deep.equal([0, 0, 0, 1]);
    expect(new Set(line.values)).to.deep.equal(new Set([-1]));
  });

  it('counts pages where they have no numbers', () => {
    const judged = new Judged({ pages: 4 }, false);
    judged.make('alloc_pages', { order: 0 }, { pfn: 1 });
    judged.make('alloc_pages', { order: 0 }, { pfn: 3 });
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal([]);
    judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
    expect(judged.errnos('alloc_pages', { order: 0 })).to.deep.equal(['ENOMEM']);
  });

  it('has no name for a page without a number when all are held, and the rule says so', () => {
    const judged = new Judged({ pages: 2 }, false);
    judged.hold(0, 1);
    const { pfn } = named(judged, 0);
    expect(judged.to('alloc_pages', { order: 0 }, { pfn })).to.equal('refuse ENOMEM (P1)');
  });

  it('always finds names for pages without numbers', () => {
    const order = fc.nat({ max: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(order, fc.nat()), { maxLength: 40 }), (steps) => {
        const judged = new Judged({ pages: 8 }, false);
        for (const [order, drop] of steps) {
          if (judged.errnos('alloc_pages', { order }).length === 0)
            judged.make('alloc_pages', { order }, named(judged, order));
          else giveBack(judged, drop);
        }
      }),
    );
  });
});

/** Frees a block, or splits one: the pages of a split go one at a time. */
function giveBack(judged: Judged, at: number): void {
  const block = nth(blocks(judged), at);
  const count = judged.world.size.get(block);
  if (count > 1 && at % 2 === 0) judged.make('split_page', { block }, { pfn: block, count });
  else judged.make('free_pages', { block }, {});
}

const blocks = ({ world }: Judged): number[] =>
  [...world.size.values.keys()].filter((page) => isBlock(world, page));

const nth = (list: readonly number[], at: number): number => list[at % list.length] ?? -1;

const named = (judged: Judged, order: number): { pfn: number } => ({
  pfn: Number(judged.fresh('alloc_pages', { order })?.['pfn']),
});

describe('free_pages', () => {
  it('is sent for blocks alone, by their first page', () => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    for (const block of [-1, 0, 3, 4, 16, 0.5, 2 ** 60]) {
      expect(judged.undue('free_pages', { block })).to.equal('the block is allocated');
    }
    expect(judged.undue('free_pages', { block: 2 })).to.equal(undefined);
  });

  it('is not sent while a device reaches one of the pages', () => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    mapPages(judged.world, 1, 5, [3], READ);
    expect(judged.undue('free_pages', { block: 2 })).to.equal('no device reaches it');
    unmapPages(judged.world, 1, 5, 1);
    expect(judged.undue('free_pages', { block: 2 })).to.equal(undefined);
  });

  it('is not sent while a table lists one of the pages', () => {
    const judged = new Judged();
    judged.hold(5);
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    judged.make('sg_alloc_table_from_pages', { pages: [5, 2], maxSegment: 64 }, { table: 1, segments: 3 });
    judged.hold(0, 6);
    expect(judged.undue('free_pages', { block: 2 })).to.equal('no table lists it');
    for (const block of [0, 6]) expect(judged.undue('free_pages', { block })).to.equal(undefined);
    judged.make('sg_free_table', { table: 1 }, {});
    expect(judged.undue('free_pages', { block: 2 })).to.equal(undefined);
  });

  it('is not sent while kernel addresses lead to one of the pages', () => {
    const judged = new Judged();
    judged.hold(1);
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    judged.make('vmap', { pages: [2] }, { address: 20 * 64 });
    expect(judged.undue('free_pages', { block: 2 })).to.equal('no mapping leads to it');
    expect(judged.undue('free_pages', { block: 1 })).to.equal(undefined);
    judged.make('vunmap', { address: 20 * 64 }, {});
    expect(judged.undue('free_pages', { block: 2 })).to.equal(undefined);
  });

  it('never fails', () => {
    const judged = new Judged();
    judged.hold(5);
    expect(judged.errnos('free_pages', { block: 5 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('free_pages', { block: 5 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });

  it('gives back all that was taken, whatever its order', () => {
    const judged = new Judged();
    judged.hold(0);
    judged.make('alloc_pages', { order: 2 }, { pfn: 4 });
    judged.make('free_pages', { block: 4 }, {});
    expect(SPEC.live(judged.world, 'block')).to.deep.equal([0]);
    for (const page of [4, 5, 6, 7]) expect(judged.world.kind.get(page)).to.equal(KIND.FREE);
    expect(judged.undue('free_pages', { block: 4 })).to.equal('the block is allocated');
  });
});

describe('split_page', () => {
  const split = (): Judged => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 2 }, { pfn: 4 });
    judged.make('split_page', { block: 4 }, { pfn: 4, count: 4 });
    return judged;
  };

  it('makes every page a block of its own', () => {
    const judged = split();
    const { kind, head, index, next, size, held } = judged.world;
    expect(blocks(judged)).to.deep.equal([4, 5, 6, 7]);
    expect(SPEC.live(judged.world, 'block'), 'they go with the split').to.deep.equal([]);
    expect([...head.values].slice(3, 9)).to.deep.equal([0, 5, 6, 7, 8, 0]);
    for (const page of [4, 5, 6, 7]) {
      expect([kind, index, next, size].map((column) => column.get(page))).to.deep.equal([BLOCK, 0, 0, 1]);
    }
    expect(held.get(0)).to.equal(4);
  });

  it('gives the pages of the block', () => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
    for (const [pfn, count] of [
      [4, 1],
      [5, 2],
      [4, 4],
    ] as const) {
      const said = judged.to('split_page', { block: 4 }, { pfn, count });
      expect(said).to.equal('the pages of the block (P1)');
    }
    expect(judged.fresh('split_page', { block: 4 })).to.deep.equal({ pfn: 4 });
    expect(judged.toErrno('split_page', { block: 4 }, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });

  it('is sent for a block, once', () => {
    const judged = split();
    for (const block of [0, 8, -1, 0.5]) {
      expect(judged.undue('split_page', { block })).to.equal('the block is allocated');
    }
    for (const block of [4, 7]) expect(judged.undue('split_page', { block })).to.equal('it is not split');
    judged.make('alloc_pages', { order: 1 }, { pfn: 8 });
    judged.make('split_page', { block: 8 }, { pfn: 8, count: 2 });
    judged.hold(3, 10);
    for (const block of [3, 10]) expect(judged.undue('split_page', { block })).to.equal(undefined);
  });

  it('ends when one of its pages is freed; the others are blocks', () => {
    const judged = split();
    judged.make('free_pages', { block: 6 }, {});
    expect(judged.undue('free_pages_exact', { split: 4 })).to.equal('the pages are allocated');
    expect(judged.undue('split_page', { block: 7 })).to.equal(undefined);
    for (const block of [4, 5, 7]) judged.make('free_pages', { block }, {});
    judged.expectBooted();
  });
});

describe('free_pages_exact', () => {
  it('gives all pages of a split back', () => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 2 }, { pfn: 4 });
    for (const pages of [4, 5, 99, -1, 0.5]) {
      expect(judged.undue('free_pages_exact', { split: pages })).to.equal('the pages are allocated');
    }
    judged.make('split_page', { block: 4 }, { pfn: 4, count: 4 });
    expect(judged.undue('free_pages_exact', { split: 5 })).to.equal('the pages are allocated');
    expect(judged.errnos('free_pages_exact', { split: 4 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('free_pages_exact', { split: 4 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('free_pages_exact', { split: 4 }, {});
    judged.expectBooted();
  });

  it('is not sent while one of the pages is in use', () => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
    judged.make('split_page', { block: 4 }, { pfn: 4, count: 2 });
    mapPages(judged.world, 0, 1, [5], READ);
    expect(judged.undue('free_pages_exact', { split: 4 })).to.equal('no device reaches it');
    unmapPages(judged.world, 0, 1, 1);
    judged.make('vmap', { pages: [5] }, { address: 20 * 64 });
    expect(judged.undue('free_pages_exact', { split: 4 })).to.equal('no mapping leads to it');
    judged.make('vunmap', { address: 20 * 64 }, {});
    judged.make('sg_alloc_table_from_pages', { pages: [5], maxSegment: 64 }, { table: 0, segments: 1 });
    expect(judged.undue('free_pages_exact', { split: 4 })).to.equal('no table lists it');
    judged.make('sg_free_table', { table: 0 }, {});
    expect(judged.undue('free_pages_exact', { split: 4 })).to.equal(undefined);
  });
});
