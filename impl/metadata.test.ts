import { expect } from 'chai';
import fc from 'fast-check';
import { ENOMEM } from './errno.ts';
import { SITE_KMALLOC, SITE_KMALLOC_LARGE, SITE_VMALLOC } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { ZERO_SIZE_POINTER } from './metadata.ts';

/** Takes all pages and gives back every second, so that no two free pages touch. */
function crumble({ pages }: Kernel): void {
  const taken = Array.from({ length: pages.pages }, () => pages.allocate(0));
  for (const page of taken) if (page % 2 === 0) pages.free(page, 0);
}

describe('metadata', () => {
  it('returns the zero-size pointer for no bytes', () => {
    const kernel = boot();
    expect(kernel.metadata.kvmalloc(0)).to.equal(ZERO_SIZE_POINTER);
    kernel.metadata.kvfree(ZERO_SIZE_POINTER);
    expect(kernel.freePages).to.equal(64);
  });

  it('refuses sizes that wrapped', () => {
    const { metadata } = boot();
    for (const bytes of [-1, 2 ** 31, 2 ** 64, Number.NaN]) {
      expect(metadata.kvmalloc(bytes)).to.equal(-ENOMEM);
    }
  });

  it('takes a page for up to a page, exactly the pages above', () => {
    const kernel = boot();
    expect(kernel.metadata.kvmalloc(64)).to.equal(0);
    expect(kernel.freePages).to.equal(63);
    expect(kernel.metadata.kvmalloc(65)).to.equal(128);
    expect(kernel.freePages).to.equal(61);
    const five = kernel.metadata.kvmalloc(5 * 64);
    expect(five).to.equal(8 * 64);
    expect(kernel.freePages).to.equal(56);
    kernel.metadata.kvfree(five);
    expect(kernel.freePages).to.equal(61);
  });

  it('goes through vmalloc in crumbs, and above the largest block', () => {
    for (const bytes of [2 * 64, 9 * 64]) {
      const kernel = boot();
      crumble(kernel);
      const pointer = kernel.metadata.kvmalloc(bytes);
      expect(pointer).to.be.at.least(64 * 64);
      kernel.metadata.kvfree(pointer);
      expect(kernel.freePages).to.equal(32);
      expect(kernel.metadata.scattered.largestHole()).to.equal(64);
    }
  });

  it('puts a guard page behind each area', () => {
    const kernel = boot({ orderMax: 0 });
    const first = kernel.metadata.kvmalloc(2 * 64);
    expect(kernel.metadata.kvmalloc(2 * 64)).to.equal(first + 3 * 64);
    expect(kernel.metadata.scattered.largestHole()).to.equal(58);
    kernel.metadata.kvfree(first);
    expect(kernel.metadata.kvmalloc(2 * 64)).to.equal(first);
  });

  it('fails without address space, however much memory there is', () => {
    const kernel = boot({ vmallocPages: 10, orderMax: 0 });
    expect(kernel.metadata.kvmalloc(10 * 64)).to.equal(-ENOMEM);
    expect(kernel.metadata.kvmalloc(9 * 64)).to.equal(-ENOMEM);
    expect(kernel.freePages).to.equal(64);
    expect(kernel.metadata.kvmalloc(8 * 64)).to.be.above(0);
  });

  it('does not list pages in an array that is as long', () => {
    expect(boot({ orderMax: 0, pageArrayEntryBytes: 64 }).metadata.kvmalloc(128)).to.equal(-ENOMEM);
  });

  it('leaves nothing behind when a step fails', () => {
    for (const [site, n] of [
      [SITE_KMALLOC, 1],
      [SITE_VMALLOC, 1],
      [SITE_VMALLOC, 2],
    ] as const) {
      const kernel = boot({ orderMax: 0 });
      kernel.faults.arm(site, n);
      expect(kernel.metadata.kvmalloc(20 * 64), `${site} ${n}`).to.equal(-ENOMEM);
      expect(kernel.freePages).to.equal(64);
      expect(kernel.metadata.scattered.largestHole()).to.equal(64);
    }
    const kernel = boot({ orderMax: 0 });
    expect(kernel.metadata.kvmalloc(63 * 64)).to.equal(-ENOMEM);
    expect(kernel.freePages).to.equal(64);
  });

  it('recovers from a contiguous allocation that fails', () => {
    const kernel = boot();
    kernel.faults.arm(SITE_KMALLOC_LARGE, 1);
    expect(kernel.metadata.kvmalloc(128)).to.equal(64 * 64);
  });

  for (const pageArrayEntryBytes of [4, 8, 16]) {
    it(`keeps arrays of entries of ${pageArrayEntryBytes} bytes, contiguous or not`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 40 }), fc.boolean(), (count, crumbs) => {
          const { metadata, ...kernel } = boot({ pageArrayEntryBytes, vmallocPages: 128 });
          if (crumbs) crumble({ metadata, ...kernel } as Kernel);
          const array = metadata.allocateArray(count);
          expect(array).to.be.at.least(0);
          for (let i = 0; i < count; i++) metadata.writeArray(array, i, 3 * i);
          for (let i = 0; i < count; i++) expect(metadata.readArray(array, i)).to.equal(3 * i);
        }),
      );
    });
  }

  it('skips what is no page when an array was overwritten', () => {
    const kernel = boot({ orderMax: 0 });
    const pointer = kernel.metadata.kvmalloc(128);
    kernel.memory.write(0, 0, 1 << 20);
    kernel.metadata.kvfree(pointer);
    expect(kernel.freePages).to.equal(63);
  });
});
