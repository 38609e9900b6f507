import { expect } from 'chai';
import fc from 'fast-check';
import { ENOMEM } from './errno.ts';
import { SITE_KMALLOC, SITE_KMALLOC_LARGE, SITE_PAGE, SITE_TABLE, SITE_VMALLOC } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_META, OWNER_TABLE } from './pages.ts';
import { ZERO_SIZE_POINTER } from './slab.ts';

/** Takes all pages and gives back every second, so that no two free pages touch. */
function crumble({ pages }: Kernel): void {
  const taken = Array.from({ length: pages.pages }, () => pages.allocate(0));
  for (const page of taken) if (page % 2 === 0) pages.freeToLists(page, 0);
}

/** Free pages once nothing is parked. */
function freePages(kernel: Kernel): number {
  kernel.pages.drain();
  return kernel.freePages;
}

const countOf = ({ pages }: Kernel, owner: number): number =>
  pages.owner.values.filter((each) => each === owner).length;

describe('metadata', () => {
  it('returns the zero-size pointer for no bytes', () => {
    const kernel = boot();
    expect(kernel.metadata.kvmalloc(0)).to.equal(ZERO_SIZE_POINTER);
    expect(kernel.metadata.kmalloc(0)).to.equal(ZERO_SIZE_POINTER);
    expect(kernel.metadata.vmalloc(0)).to.equal(-ENOMEM);
    kernel.metadata.kvfree(ZERO_SIZE_POINTER);
    kernel.metadata.kfree(ZERO_SIZE_POINTER);
    expect(kernel.freePages).to.equal(64);
  });

  it('refuses sizes that wrapped, or are more than there is', () => {
    const { metadata } = boot();
    for (const bytes of [-1, 2 ** 31, 2 ** 64, Number.NaN, 64 * 64 + 1]) {
      expect(metadata.kvmalloc(bytes)).to.equal(-ENOMEM);
      expect(metadata.kmalloc(bytes)).to.equal(-ENOMEM);
      expect(metadata.vmalloc(bytes)).to.equal(-ENOMEM);
    }
    expect(metadata.kmalloc(8 * 64 + 1)).to.equal(-ENOMEM);
  });

  it('refuses a machine whose pointers no word holds', () => {
    expect(() => boot({ pages: 32_768, pageBytes: 65_536, ioBits: 20 })).to.throw('a word holds a pointer');
  });

  it('takes a page for up to a page, exactly the pages above', () => {
    const kernel = boot();
    expect(kernel.metadata.kvmalloc(64)).to.equal(0);
    expect(kernel.freePages).to.equal(63);
    expect(kernel.metadata.kvmalloc(65)).to.equal(128);
    expect(kernel.freePages).to.equal(61);
    for (const allocate of ['kvmalloc', 'kmalloc'] as const) {
      const five = kernel.metadata[allocate](5 * 64);
      expect(five).to.equal(8 * 64);
      expect(freePages(kernel)).to.equal(56);
      kernel.metadata.kvfree(five);
      expect(freePages(kernel)).to.equal(61);
    }
  });

  it('goes through vmalloc in crumbs, and above the largest block', () => {
    for (const bytes of [2 * 64, 9 * 64]) {
      const kernel = boot();
      crumble(kernel);
      expect(kernel.metadata.kmalloc(bytes)).to.equal(-ENOMEM);
      const pointer = kernel.metadata.kvmalloc(bytes);
      expect(pointer).to.be.at.least(64 * 64);
      kernel.metadata.kvfree(pointer);
      expect(freePages(kernel)).to.equal(32);
      expect(kernel.metadata.scattered.largestHole()).to.equal(64);
    }
  });

  it('moves pages for kmalloc, but not for what vmalloc can do', () => {
    const movable = Array.from({ length: 30 }, (_, i) => [2 * i, 1] as const);
    const kernel = boot({ pages: 60, movable });
    expect(kernel.metadata.kvmalloc(128)).to.be.at.least(60 * 64);
    expect(kernel.pages.owner.get(0)).not.to.equal(0);
    expect(kernel.metadata.kmalloc(8 * 64)).to.be.below(60 * 64);
  });

  it('fails without address space, however much memory there is', () => {
    const kernel = boot({ vmallocPages: 10, orderMax: 0 });
    expect(kernel.metadata.kvmalloc(10 * 64)).to.equal(-ENOMEM);
    expect(kernel.metadata.kvmalloc(9 * 64)).to.equal(-ENOMEM);
    expect(freePages(kernel)).to.equal(64);
    expect(kernel.metadata.kvmalloc(8 * 64)).to.be.above(0);
  });

  it('does not list pages in an array that is as long', () => {
    expect(boot({ orderMax: 0, pageArrayEntryBytes: 64 }).metadata.kvmalloc(128)).to.equal(-ENOMEM);
  });

  it('leaves nothing behind when a step fails', () => {
    for (const site of [SITE_PAGE, SITE_KMALLOC, SITE_VMALLOC, SITE_TABLE]) {
      let fired = 0;
      for (let n = 1; n < 100; n++) {
        const kernel = boot({ orderMax: 0 });
        kernel.faults.arm(site, n);
        if (kernel.metadata.kvmalloc(20 * 64) >= 0) break;
        fired++;
        expect(freePages(kernel), `${site} ${n}`).to.equal(64);
        expect(countOf(kernel, 0)).to.equal(64);
        expect(kernel.metadata.scattered.largestHole()).to.equal(64);
      }
      expect(fired).to.be.above(0).and.below(99);
    }
    const kernel = boot({ orderMax: 0 });
    expect(kernel.metadata.kvmalloc(63 * 64)).to.equal(-ENOMEM);
    expect(freePages(kernel)).to.equal(64);
  });

  it('recovers from a contiguous allocation that fails', () => {
    const kernel = boot();
    kernel.faults.arm(SITE_KMALLOC_LARGE, 1);
    expect(kernel.metadata.kvmalloc(128)).to.equal(64 * 64);
    kernel.faults.arm(SITE_KMALLOC, 1);
    expect(kernel.metadata.kmalloc(128)).to.equal(-ENOMEM);
  });

  for (const pageArrayEntryBytes of [4, 8, 16]) {
    it(`keeps arrays of entries of ${pageArrayEntryBytes} bytes, from any allocator`, () => {
      const allocators = fc.constantFrom('kvmalloc', 'kmalloc', 'vmalloc');
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 40 }), fc.boolean(), allocators, (count, crumbs, by) => {
          const kernel = boot({ pageArrayEntryBytes, vmallocPages: 128, orderMax: 4 });
          const { metadata } = kernel;
          if (crumbs) crumble(kernel);
          const [array, other] = [metadata.allocateArray(count, by), metadata.allocateArray(count)];
          if (array < 0) expect([by, crumbs]).to.deep.equal(['kmalloc', true]);
          if (array < 0 || other < 0) return;
          for (let i = 0; i < count; i++) metadata.writeArray(array, i, 3 * i);
          for (let i = 0; i < count; i++) metadata.writeArray(other, i, 3 * i + 1);
          for (let i = 0; i < count; i++) {
            expect(metadata.readArray(array, i)).to.equal(3 * i);
            expect(kernel.pages.owner.get(metadata.scattered.frameOfEntry(array, i))).to.equal(OWNER_META);
          }
          metadata.free(array);
          metadata.free(other);
          expect(freePages(kernel)).to.equal(crumbs ? 32 : 64);
        }),
      );
    });
  }

  it('gives everything back, whichever way it was had', () => {
    const step = fc.tuple(fc.constantFrom('kmalloc', 'vmalloc', 'kvmalloc'), fc.nat(700));
    fc.assert(
      fc.property(
        fc.array(step, { size: 'max', maxLength: 40 }),
        fc.infiniteStream(fc.nat(9)),
        (steps, odds) => {
          const kernel = boot({ pages: 128 });
          const words = kernel.store.words.slice(128 << kernel.memory.pageShift);
          const held: number[] = [];
          for (const [allocate, bytes] of steps) {
            const pointer = kernel.metadata[allocate](bytes);
            if (pointer >= 0) held.push(pointer);
            const [gone] = held.splice(odds.next().value, 1);
            if (gone !== undefined) kernel.metadata.kvfree(gone);
          }
          for (const pointer of held) kernel.metadata.kvfree(pointer);
          kernel.pages.drain();
          expect(kernel.store.words.slice(128 << kernel.memory.pageShift)).to.deep.equal(words);
        },
      ),
    );
  });
});

describe('small kernel objects', () => {
  it('share pages with others of their size', () => {
    const kernel = boot();
    const { metadata } = kernel;
    expect([32, 17, 30].map((bytes) => metadata.kmalloc(bytes))).to.deep.equal([0, 32, 64]);
    expect([9, 16, 12].map((bytes) => metadata.kmalloc(bytes))).to.deep.equal([128, 144, 160]);
    expect([1, 8].map((bytes) => metadata.kmalloc(bytes))).to.deep.equal([192, 200]);
    expect(metadata.kmalloc(33)).to.equal(256);
    expect(metadata.kmalloc(16.5)).to.equal(96);
    expect(countOf(kernel, OWNER_META)).to.equal(5);
  });

  it('fill a page before the next one, and the lowest gap first', () => {
    const { metadata } = boot({ pageBytes: 1024, tableBits: 2, ioBits: 16 });
    metadata.kmalloc(1024);
    const objects = Array.from({ length: 129 }, () => metadata.kmalloc(8));
    expect(objects).to.deep.equal(Array.from({ length: 129 }, (_, i) => 1024 + 8 * i));
    for (const gap of [1024 + 8 * 99, 1024 + 8 * 40]) metadata.kfree(gap);
    expect([0, 0, 0].map(() => metadata.kmalloc(8))).to.deep.equal([1024 + 320, 1024 + 792, 2056]);
  });

  it('never are the zero-size pointer', () => {
    for (const bytes of [8, 16]) {
      const { metadata } = boot();
      const objects = Array.from({ length: 64 / bytes }, () => metadata.kmalloc(bytes));
      expect(objects.at(-1)).to.equal(64);
      expect(objects).not.to.include(ZERO_SIZE_POINTER);
    }
  });

  it('take their page with them when the last goes', () => {
    const kernel = boot();
    const words = kernel.store.words.slice();
    const objects = Array.from({ length: 20 }, (_, i) => kernel.metadata.kmalloc(8 << (i % 3)));
    for (const object of objects) kernel.metadata.kfree(object);
    expect(freePages(kernel)).to.equal(64);
    expect(kernel.store.words).to.deep.equal(words);
  });

  it('fail when told to, and when there is no page for them', () => {
    const kernel = boot({ pages: 1 });
    kernel.faults.arm(SITE_KMALLOC, 1);
    expect([0, 0, 0].map(() => kernel.metadata.kmalloc(32))).to.deep.equal([-ENOMEM, 0, 32]);
    expect([32, 8, 64].map((bytes) => kernel.metadata.kmalloc(bytes))).to.deep.equal(Array(3).fill(-ENOMEM));
  });
});

describe('vmap', () => {
  it('gives pages of blocks consecutive addresses, and a guard page', () => {
    const kernel = boot();
    const [a, b] = [kernel.pages.allocateBlock(1), kernel.pages.allocateBlock(0)];
    const pointer = kernel.metadata.vmap([b, a]);
    expect(pointer).to.equal(64 * 64);
    const { scattered } = kernel.metadata;
    const found = [0, 1, 2, 3].map((i) => scattered.translate(64 + i));
    expect(found).to.deep.equal([b, a, a + 1].map((page) => ((page + 1) << 1) | 1).concat(0));
    expect(Array.from(scattered.mapped.values.subarray(0, 4))).to.deep.equal(found);
    expect(kernel.metadata.vmap([a])).to.equal((64 + 4) * 64);
    kernel.metadata.vunmap(pointer);
    expect(scattered.translate(64)).to.equal(0);
    expect(scattered.mapped.get(0)).to.equal(0);
    expect(countOf(kernel, OWNER_TABLE)).to.equal(3);
    kernel.metadata.vunmap((64 + 4) * 64);
    expect(countOf(kernel, OWNER_TABLE)).to.equal(0);
    expect(freePages(kernel)).to.equal(61);
  });

  it('fails for nothing at all, and for more than there is', () => {
    const { metadata, pages } = boot({ pages: 8 });
    const block = pages.allocateBlock(2);
    expect(metadata.vmap([])).to.equal(-ENOMEM);
    expect(metadata.vmap([block, block, block])).to.equal(-ENOMEM);
  });
});
