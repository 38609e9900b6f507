import { expect } from 'chai';
import { EBADF, EINVAL, EMFILE, ENODEV, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_ID } from './faults.ts';
import { HEAP_IOMMU } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';

const pagesOf = ({ ion, buffers }: Kernel, client: number, handle: number): number[] => {
  const buffer = ion.lookUp(client, handle);
  return Array.from({ length: buffers.count.get(buffer) }, (_, i) => buffers.pageAt(buffer, i));
};

describe('ion', () => {
  it('has so many clients and handles', () => {
    const { ion, faults } = boot({ clients: 2, handles: 2 });
    expect([1, 2, 3].map(() => ion.createClient())).to.deep.equal([0, 1, -EMFILE]);
    const make = (): number => ion.allocate(1, 64, HEAP_IOMMU);
    expect([make(), make(), make()]).to.deep.equal([1, 2, -ENOSPC]);
    ion.free(1, 1);
    faults.arm(SITE_ID, 1);
    expect([make(), make()]).to.deep.equal([-ENOSPC, 1]);
    ion.destroyClient(0);
    faults.arm(SITE_ID, 1);
    expect([ion.createClient(), ion.createClient()]).to.deep.equal([-EMFILE, 0]);
  });

  it('refuses sizes that are none, heaps that are not there, ids that are not in the table', () => {
    const { ion } = boot();
    const client = ion.createClient();
    for (const bytes of [0, -1, 2 ** 64, 2 ** 80, Number.NaN]) {
      expect(ion.allocate(client, bytes, HEAP_IOMMU)).to.equal(-EINVAL);
    }
    expect(ion.allocate(client, 2 ** 63, HEAP_IOMMU)).to.equal(-ENOMEM);
    expect(ion.allocate(client, 64, 0)).to.equal(-ENODEV);
    for (const other of [1, -1, 0.5, 2 ** 60]) {
      expect(ion.allocate(other, 64, HEAP_IOMMU)).to.equal(-EBADF);
      expect(ion.free(other, 1)).to.equal(-EBADF);
    }
    for (const handle of [0, 1, -1, 9, 1.5]) expect(ion.free(client, handle)).to.equal(-EINVAL);
  });

  for (const layout of ['scattered', 'contiguous'] as const) {
    it(`hands out zeroed memory and takes all of it back, ${layout}`, () => {
      const kernel = boot({}, { layout });
      const client = kernel.ion.createClient();
      for (let count = 1; count <= 8; count++) {
        const handle = kernel.ion.allocate(client, count * 64 - 63, HEAP_IOMMU);
        const pages = pagesOf(kernel, client, handle);
        expect(new Set(pages).size).to.equal(count);
        for (const page of pages) expect(kernel.memory.readLine(page, 3)).to.equal(0);
        kernel.memory.writeLine(pages[0] ?? 0, 0, 77);
        expect(kernel.ion.free(client, handle)).to.equal(0);
        expect(kernel.freePages).to.equal(64);
      }
      kernel.ion.allocate(client, 1, HEAP_IOMMU);
      kernel.ion.destroyClient(client);
      expect(kernel.freePages).to.equal(64);
      expect(kernel.ion.isClient(client)).to.equal(false);
    });
  }

  it('needs no contiguous memory when buffers are scattered', () => {
    const occupied = Array.from({ length: 32 }, (_, i) => [2 * i, 1] as const);
    for (const [layout, expected] of [
      ['scattered', 1],
      ['contiguous', -ENOMEM],
    ] as const) {
      const kernel = boot({ occupied }, { layout });
      expect(kernel.ion.allocate(kernel.ion.createClient(), 9 * 64, HEAP_IOMMU)).to.equal(expected);
      expect(kernel.ion.allocate(0, 3 * 64, HEAP_IOMMU)).to.equal(expected === 1 ? 2 : expected);
    }
  });

  it('keeps a buffer for as long as anybody refers to it', () => {
    const { ion, ...kernel } = boot();
    const client = ion.createClient();
    const handle = ion.allocate(client, 64, HEAP_IOMMU);
    const buffer = ion.lookUp(client, handle);
    expect(kernel.buffers.frameOfEntry(buffer, 0)).to.not.equal(buffer);
    ion.takeReference(buffer);
    ion.free(client, handle);
    expect(kernel.buffers.refs.get(buffer)).to.equal(1);
    expect(kernel.pages.freeCount.get(0)).to.equal(61);
    ion.dropReference(buffer);
    expect(kernel.pages.freeCount.get(0)).to.equal(64);
  });

  it('takes back what it had when memory runs out on the way', () => {
    for (const pages of [1, 2, 3, 10, 17]) {
      const kernel = boot({ pages });
      kernel.ion.createClient();
      expect(kernel.ion.allocate(0, pages * 64, HEAP_IOMMU)).to.equal(-ENOMEM);
      expect(kernel.freePages).to.equal(pages);
    }
  });

  it('skips what is no page when a page array was overwritten', () => {
    const kernel = boot();
    kernel.ion.createClient();
    kernel.ion.allocate(0, 128, HEAP_IOMMU);
    kernel.memory.write(0, 1, -1);
    kernel.ion.free(0, 1);
    expect(kernel.freePages).to.equal(63);
  });
});
