import { expect } from 'chai';
import { KIND } from './index.ts';
import { Judged, NOTHING, seen } from './judged.test.ts';
import { mapForCpu, unmapForCpu } from './mappings.ts';
import { release, take } from './memory.ts';

const HOLE = 'kernel addresses that nobody has, and a guard page (S3)';

describe('vmap', () => {
  const withBlocks = (): Judged => {
    const judged = new Judged();
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    judged.hold(7);
    return judged;
  };

  it('maps blocks, in order, cached; they stay where they are', () => {
    const judged = withBlocks();
    judged.make('vmap', { pages: [7, 2] }, { address: 20 * 64 });
    expect([...judged.world.mapped.values].slice(3, 8)).to.deep.equal([0, 17, 7, 9, 0]);
    expect(judged.world.kind.get(7)).to.equal(KIND.BLOCK);
    expect(judged.world.held.get(0)).to.equal(3);
  });

  it('is sent for blocks, at least one', () => {
    const judged = withBlocks();
    expect(judged.undue('vmap', { pages: [] })).to.equal('there is a page to map');
    for (const page of [3, 0, 99, -1]) {
      expect(judged.undue('vmap', { pages: [2, page] })).to.equal('every block is allocated');
    }
    expect(judged.undue('vmap', { pages: [2, 2] })).to.equal(undefined);
  });

  it('gives kernel addresses with a guard page behind', () => {
    const judged = withBlocks();
    judged.make('vmap', { pages: [7, 2] }, { address: 20 * 64 });
    judged.make('vmalloc', { bytes: 1 }, { memory: 27 * 64 });
    for (const page of [18, 19, 20, 22, 25, 26, 27, 30, 2, 99, 24.5]) {
      expect(judged.to('vmap', { pages: [2] }, { address: page * 64 }), `page ${page}`).to.equal(HOLE);
    }
    for (const page of [17, 24, 29]) {
      expect(judged.to('vmap', { pages: [2] }, { address: page * 64 })).to.equal('content');
    }
  });

  it('may fail only for want of addresses and tables, or for more pages than there are', () => {
    const judged = withBlocks();
    const errnos = (pages: readonly number[], free: number, hole: number): string[] =>
      judged.errnos('vmap', { pages }, seen({ free, hole, orders: [] }));
    expect(errnos([2], 3, 3)).to.deep.equal([]);
    expect(errnos([2], 2, 3)).to.deep.equal(['ENOMEM']);
    expect(errnos([2], 3, 2)).to.deep.equal(['ENOMEM']);
    expect(judged.toErrno('vmap', { pages: [2] }, 'ENOMEM')).to.equal('no ENOMEM (M3)');
    const small = new Judged({ pages: 2 });
    small.make('alloc_pages', { order: 1 }, { pfn: 0 });
    expect(small.errnos('vmap', { pages: [0] })).to.deep.equal([]);
    expect(small.errnos('vmap', { pages: [0, 0] })).to.deep.equal(['ENOMEM']);
  });
});

describe('vunmap', () => {
  it('ends a mapping of vmap, by its first address', () => {
    const judged = new Judged();
    judged.hold(2, 7);
    const before = judged.world.state.save();
    judged.make('vmap', { pages: [7, 2] }, { address: 20 * 64 });
    for (const page of [2, 19, 21, 22, 99, 20.5, -1]) {
      expect(judged.undue('vunmap', { address: page * 64 })).to.equal('the mapping exists');
    }
    take(judged.world, [9], KIND.BUFFER, 'anything');
    mapForCpu(judged.world, 28 * 64, [9], true);
    expect(judged.undue('vunmap', { address: 28 * 64 })).to.equal('the mapping exists');
    unmapForCpu(judged.world, 28 * 64);
    release(judged.world, [9]);
    expect(judged.errnos('vunmap', { address: 20 * 64 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('vunmap', { address: 20 * 64 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('vunmap', { address: 20 * 64 }, {});
    expect(judged.world.state.words).to.deep.equal(before);
  });
});
