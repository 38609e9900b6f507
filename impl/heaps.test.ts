import { expect } from 'chai';
import type { Config } from './config.ts';
import { ENODEV, ENOMEM } from './errno.ts';
import { FAULT_SITES } from './faults.ts';
import { FLAG_CACHED, HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_BUFFER, OWNER_DEFERRED, OWNER_POOLED } from './owners.ts';

/** Pages that are free or parked. */
const freeOf = ({ pages }: Kernel): number => pages.freeCount.get(0) + pages.parked.count.get(0);

const ownedBy = ({ pages }: Kernel, owner: number): number =>
  pages.owner.values.filter((each) => each === owner).length;

/** A machine with one client. */
function booted(fields: Partial<Config> = {}, policies: Partial<Config['policies']> = {}): Kernel {
  const kernel = boot(fields, policies);
  kernel.ion.createClient();
  return kernel;
}

const allocate = ({ ion }: Kernel, pages: number, heaps: number, flags = 0): number =>
  ion.allocate(0, pages * 64, heaps, flags);

function pagesOf({ ion, buffers }: Kernel, handle: number): number[] {
  const buffer = ion.lookUp(0, handle);
  return Array.from({ length: buffers.count.get(buffer) }, (_, i) => buffers.pageAt(buffer, i));
}

/** A buffer of the system heap that waits to be freed. Returns its pages. */
function deferred(kernel: Kernel, pages: number): number[] {
  const handle = allocate(kernel, pages, HEAP_SYSTEM);
  const freed = pagesOf(kernel, handle);
  kernel.ion.free(0, handle);
  return freed;
}

describe('heaps', () => {
  it('are tried in order, until one has a buffer', () => {
    const every = HEAP_IOMMU | HEAP_SYSTEM_CONTIG | HEAP_SYSTEM;
    const kernel = booted();
    const handles = [HEAP_IOMMU, HEAP_SYSTEM_CONTIG, HEAP_SYSTEM, every].map((heaps) =>
      allocate(kernel, 2, heaps),
    );
    for (const handle of handles) kernel.ion.free(0, handle);
    expect(ownedBy(kernel, OWNER_DEFERRED)).to.equal(2);
    expect(allocate(kernel, 2, 8)).to.equal(-ENODEV);
    expect(allocate(kernel, 9, HEAP_SYSTEM_CONTIG)).to.equal(-ENOMEM);
    expect(allocate(kernel, 33, HEAP_SYSTEM)).to.equal(-ENOMEM);
    expect(allocate(kernel, 33, HEAP_SYSTEM_CONTIG | HEAP_SYSTEM)).to.equal(-ENOMEM);
    const handle = allocate(kernel, 9, HEAP_SYSTEM_CONTIG | HEAP_SYSTEM);
    expect(pagesOf(kernel, handle)).to.have.length(9);
  });

  it('refuse what is more than all pages', () => {
    const kernel = booted();
    for (const heap of [HEAP_IOMMU, HEAP_SYSTEM_CONTIG, HEAP_SYSTEM]) {
      expect(kernel.ion.allocate(0, 2 ** 60, heap)).to.equal(-ENOMEM);
    }
    expect(freeOf(kernel)).to.equal(64);
  });

  it('have contiguous buffers if asked, out of the only block there is', () => {
    const occupied = Array.from({ length: 28 }, (_, i) => [2 * i, 1] as const);
    for (const parked of [0, 2]) {
      const kernel = booted({ occupied, parked });
      const handle = allocate(kernel, 5, HEAP_SYSTEM_CONTIG);
      expect(pagesOf(kernel, handle)).to.deep.equal([56, 57, 58, 59, 60]);
      expect(allocate(kernel, 5, HEAP_SYSTEM_CONTIG)).to.equal(-ENOMEM);
      kernel.ion.free(0, handle);
      expect(freeOf(kernel)).to.equal(36);
    }
  });
});

describe('the system heap', () => {
  it('frees later what nobody refers to, the oldest first, into its pool', () => {
    const kernel = booted();
    const { buffers, pages } = kernel;
    const [first, second] = [deferred(kernel, 2), deferred(kernel, 3)];
    expect([...first, ...second].map((page) => pages.owner.get(page))).to.deep.equal(
      Array(5).fill(OWNER_DEFERRED),
    );
    for (const column of [buffers.refs, buffers.count]) {
      expect(column.values.every((value) => value === 0)).to.equal(true);
    }
    buffers.work();
    expect(first.map((page) => pages.owner.get(page))).to.deep.equal([OWNER_POOLED, OWNER_POOLED]);
    expect(second.map((page) => pages.owner.get(page))).to.deep.equal(Array(3).fill(OWNER_DEFERRED));
    buffers.work();
    buffers.work();
    expect(ownedBy(kernel, OWNER_POOLED)).to.equal(5);
    expect(freeOf(kernel)).to.equal(59);
  });

  it('takes pooled pages first', () => {
    const kernel = booted();
    const pooled = deferred(kernel, 3);
    kernel.buffers.work();
    const handle = allocate(kernel, 4, HEAP_SYSTEM);
    expect(pagesOf(kernel, handle).slice(0, 3)).to.have.members(pooled);
    expect(ownedBy(kernel, OWNER_POOLED)).to.equal(0);
    expect(ownedBy(kernel, OWNER_BUFFER)).to.equal(4);
  });

  it('gives all that it keeps to the buddy lists when asked', () => {
    const kernel = booted({ parked: 0 });
    deferred(kernel, 2);
    kernel.buffers.work();
    deferred(kernel, 3);
    deferred(kernel, 1);
    expect(kernel.buffers.shrink()).to.equal(true);
    expect(kernel.freePages).to.equal(64);
    expect(kernel.pages.freeOrder.values.filter((order) => order !== 0)).to.have.length(8);
    expect(kernel.buffers.shrink()).to.equal(false);
  });

  it('gives it when an allocation would fail, by any caller', () => {
    const kernel = booted({ orderMax: 6 });
    for (let i = 0; i < 4; i++) deferred(kernel, 8);
    kernel.buffers.work();
    kernel.buffers.work();
    const block = kernel.pages.allocateBlock(6);
    expect(block).to.equal(0);
    expect(allocate(kernel, 1, HEAP_IOMMU)).to.equal(-ENOMEM);
    kernel.pages.freeBlock(block);
    deferred(kernel, 30);
    expect(pagesOf(kernel, allocate(kernel, 40, HEAP_IOMMU))).to.have.length(40);
  });

  it('has its pool as before when a buffer cannot be made', () => {
    for (const site of FAULT_SITES.keys()) {
      const kernel = booted();
      const pooled = deferred(kernel, 3);
      kernel.buffers.work();
      const free = freeOf(kernel);
      for (let n = 1; ; n++) {
        kernel.faults.arm(site, n);
        const handle = allocate(kernel, 9, HEAP_SYSTEM);
        const { fired } = kernel.faults;
        kernel.faults.disarm();
        if (fired === 0 || handle > 0) break;
        expect(pooled.map((page) => kernel.pages.owner.get(page))).to.deep.equal(Array(3).fill(OWNER_POOLED));
        expect(freeOf(kernel)).to.equal(free);
      }
    }
  });

  it('skips what is no page when a page array was overwritten', () => {
    for (const end of ['work', 'shrink'] as const) {
      const kernel = booted();
      const buffer = kernel.ion.lookUp(0, allocate(kernel, 2, HEAP_SYSTEM));
      kernel.memory.write(kernel.buffers.frameOfEntry(buffer, 1), 1, -1);
      kernel.buffers.clean(buffer);
      kernel.buffers.invalidate(buffer);
      kernel.ion.free(0, 1);
      kernel.buffers[end]();
      expect(freeOf(kernel)).to.equal(end === 'work' ? 62 : 63);
    }
  });
});

describe('the policy of page arrays', () => {
  it('decides whether an array of a page takes address space', () => {
    for (const [pageArray, hole] of [
      ['kvmalloc', 64],
      ['kmalloc', 64],
      ['vmalloc', 62],
    ] as const) {
      const kernel = booted({}, { pageArray });
      expect(pagesOf(kernel, allocate(kernel, 8, HEAP_IOMMU))).to.have.length(8);
      expect(kernel.metadata.scattered.largestHole()).to.equal(hole);
    }
  });

  it('decides whether a longer one must be contiguous', () => {
    for (const [pageArray, works] of [
      ['kvmalloc', true],
      ['vmalloc', true],
      ['kmalloc', false],
    ] as const) {
      const occupied = Array.from({ length: 32 }, (_, at) => [2 * at, 1] as const);
      const kernel = booted({ occupied }, { pageArray });
      expect(allocate(kernel, 9, HEAP_IOMMU) > 0).to.equal(works);
      kernel.ion.destroyClient(0);
      expect(freeOf(kernel)).to.equal(32);
    }
  });

  it('does not concern other heaps', () => {
    const kernel = booted({ vmallocPages: 2, orderMax: 4 }, { pageArray: 'vmalloc' });
    expect(allocate(kernel, 9, HEAP_IOMMU)).to.equal(-ENOMEM);
    expect(allocate(kernel, 9, HEAP_SYSTEM)).to.equal(1);
    expect(allocate(kernel, 9, HEAP_SYSTEM_CONTIG)).to.equal(2);
  });
});

describe('buffers out of the DMA allocator', () => {
  it('take kernel address space for their life, unless told not to', () => {
    for (const [backing, hole] of [
      ['pages', 64],
      ['dma-alloc-no-kernel-mapping', 64],
      ['dma-alloc', 58],
    ] as const) {
      const kernel = booted({}, { backing });
      const handle = allocate(kernel, 5, HEAP_IOMMU);
      allocate(kernel, 5, HEAP_SYSTEM);
      expect(kernel.metadata.scattered.largestHole()).to.equal(hole);
      kernel.ion.free(0, handle);
      expect(kernel.metadata.scattered.largestHole()).to.equal(64);
    }
  });

  it('fail for want of it while memory is free, and leave nothing behind', () => {
    const kernel = booted({ vmallocPages: 8 }, { backing: 'dma-alloc' });
    expect(allocate(kernel, 7, HEAP_IOMMU)).to.equal(1);
    const free = freeOf(kernel);
    expect(allocate(kernel, 2, HEAP_IOMMU)).to.equal(-ENOMEM);
    expect(freeOf(kernel)).to.equal(free);
    expect(Array.from(kernel.buffers.count.values).filter((count) => count !== 0)).to.deep.equal([7]);
    expect(allocate(kernel, 2, HEAP_SYSTEM)).to.equal(2);
  });
});

describe('zeroing', () => {
  /** What a device and a CPU find in a page that a client wrote 7 to and freed, once it is another's. */
  function recycled(policies: Partial<Config['policies']>, heap: number, flags: number): number[] {
    const kernel = booted({ pages: 16, parked: 0 }, policies);
    const first = allocate(kernel, 4, heap, flags);
    const page = pagesOf(kernel, first)[0] ?? 0;
    kernel.cache.write(page, 2, 7);
    kernel.cache.cleanPage(page);
    kernel.ion.free(0, first);
    kernel.buffers.work();
    expect(pagesOf(kernel, allocate(kernel, 4, heap, flags))).to.include(page);
    return [kernel.memory.readLine(page, 2), kernel.cache.cachedLine(page, 2)];
  }

  for (const heap of [HEAP_IOMMU, HEAP_SYSTEM_CONTIG, HEAP_SYSTEM]) {
    it(`leaves nothing of the last owner, in memory or behind the cache: heap ${heap}`, () => {
      for (const zeroing of ['on-alloc', 'on-free'] as const) {
        expect(recycled({ zeroing }, heap, 0)).to.deep.equal([0, 0]);
        expect(recycled({ zeroing }, heap, FLAG_CACHED)).to.deep.equal([7, 2 << 9]);
        expect(recycled({ zeroing, coherent: 'yes' }, heap, FLAG_CACHED)).to.deep.equal([0, 0]);
      }
      expect(recycled({ zeroing: 'none' }, heap, 0)).to.deep.equal([7, 0]);
    });
  }

  it('leaves dirty lines behind uncached mappings, if nobody minds the aliases', () => {
    expect(recycled({ aliasing: 'ignore' }, HEAP_IOMMU, 0)).to.deep.equal([7, 2 << 9]);
  });

  it('gives zeros at first, whenever it happens', () => {
    for (const zeroing of ['on-alloc', 'on-free'] as const) {
      const kernel = booted({}, { zeroing });
      expect(kernel.memory.readLine(pagesOf(kernel, allocate(kernel, 1, HEAP_SYSTEM))[0] ?? 0, 0)).to.equal(
        0,
      );
    }
  });

  it('clears what comes back, whoever had it, with zeroing on free alone', () => {
    for (const [zeroing, left] of [
      ['on-free', 0],
      ['on-alloc', 7],
    ] as const) {
      for (const order of [0, 2]) {
        const kernel = booted({}, { zeroing });
        const page = kernel.pages.allocateBlock(order);
        kernel.cache.write(page, 1, 7);
        kernel.pages.freeBlock(page);
        expect(kernel.cache.read(page, 1)).to.equal(left);
      }
    }
  });
});
