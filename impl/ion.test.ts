import { expect } from 'chai';
import { EBADF, EINVAL, EMFILE, ENODEV, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_ID, SITE_TABLE, SITE_VMALLOC } from './faults.ts';
import { FLAG_CACHED, HEAP_IOMMU, HEAP_SYSTEM } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';

const pagesOf = ({ ion, buffers }: Kernel, client: number, handle: number): number[] => {
  const buffer = ion.lookUp(client, handle);
  return Array.from({ length: buffers.count.get(buffer) }, (_, i) => buffers.pageAt(buffer, i));
};

/** Pages that are free or parked. */
const freeOf = ({ pages }: Kernel): number => pages.freeCount.get(0) + pages.parked.count.get(0);

/** A client with a buffer of three pages. */
function user(kernel: Kernel, flags = 0): { client: number; handle: number; buffer: number } {
  const client = kernel.ion.createClient();
  const handle = kernel.ion.allocate(client, 3 * 64, HEAP_IOMMU, flags);
  return { client, handle, buffer: kernel.ion.lookUp(client, handle) };
}

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
      expect(ion.mapKernel(other, 1)).to.equal(-EBADF);
      expect(ion.query(other)).to.equal(-EBADF);
    }
    for (const handle of [0, 1, -1, 9, 1.5]) expect(ion.free(client, handle)).to.equal(-EINVAL);
  });

  it('takes the first heap that can, also where the buffer starts at page 0', () => {
    const kernel = boot();
    const client = kernel.ion.createClient();
    const first = kernel.pages.allocate(0);
    kernel.ion.allocate(client, 64, HEAP_IOMMU);
    kernel.pages.free(first, 0);
    const free = freeOf(kernel);
    const handle = kernel.ion.allocate(client, 64, HEAP_IOMMU | HEAP_SYSTEM);
    expect(pagesOf(kernel, client, handle)).to.deep.equal([0]);
    expect(freeOf(kernel), 'its page, and that of its list of segments').to.equal(free - 2);
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
        expect(freeOf(kernel)).to.equal(64);
      }
      kernel.ion.allocate(client, 1, HEAP_IOMMU);
      kernel.ion.destroyClient(client);
      expect(freeOf(kernel)).to.equal(64);
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
    const kernel = boot();
    const { ion } = kernel;
    const client = ion.createClient();
    const handle = ion.allocate(client, 64, HEAP_IOMMU);
    const buffer = ion.lookUp(client, handle);
    expect(kernel.buffers.frameOfEntry(buffer, 0)).to.not.equal(buffer);
    ion.takeReference(buffer);
    ion.free(client, handle);
    expect(kernel.buffers.refs.get(buffer)).to.equal(1);
    expect(freeOf(kernel)).to.equal(61);
    ion.dropReference(buffer);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('takes back what it had when memory runs out on the way', () => {
    for (const pages of [1, 2, 3, 10, 17]) {
      const kernel = boot({ pages });
      kernel.ion.createClient();
      expect(kernel.ion.allocate(0, pages * 64, HEAP_IOMMU)).to.equal(-ENOMEM);
      expect(freeOf(kernel)).to.equal(pages);
    }
  });

  it('skips what is no page when a page array was overwritten', () => {
    const kernel = boot();
    kernel.ion.createClient();
    kernel.ion.allocate(0, 128, HEAP_IOMMU);
    kernel.memory.write(0, 1, -1);
    kernel.ion.free(0, 1);
    expect(freeOf(kernel)).to.equal(63);
  });
});

describe('handles', () => {
  it('count what their users refer to, and go with the last', () => {
    const kernel = boot();
    const { ion, sharing, buffers } = kernel;
    const { client, handle, buffer } = user(kernel);
    const fd = sharing.share(client, handle);
    expect([sharing.import(client, fd), sharing.import(client, fd)]).to.deep.equal([handle, handle]);
    expect(ion.handleCount.get(ion.placeOf(client, handle))).to.equal(3);
    expect(buffers.refs.get(buffer)).to.equal(2);
    for (let i = 0; i < 3; i++) expect(ion.free(client, handle)).to.equal(0);
    expect(ion.free(client, handle)).to.equal(-EINVAL);
    expect(buffers.refs.get(buffer)).to.equal(1);
    expect(ion.handleCount.values.every((count) => count === 0)).to.equal(true);
  });

  it('know their buffer’s segments', () => {
    const kernel = boot({ occupied: [[3, 1]] });
    const { client, handle, buffer } = user(kernel);
    const segments: number[] = [];
    expect(kernel.ion.openSgTable(client, handle, kernel.reader)).to.equal(0);
    while (kernel.reader.next()) segments.push(kernel.reader.page, kernel.reader.length);
    expect(segments).to.deep.equal([buffer, 2, 4, 1]);
    expect(kernel.ion.openSgTable(client, handle + 1, kernel.reader)).to.equal(-EINVAL);
    expect(kernel.ion.openSgTable(client + 1, handle, kernel.reader)).to.equal(-EBADF);
    expect(kernel.ion.query(client)).to.equal(3);
  });
});

describe('kernel mappings of buffers', () => {
  const mappedOf = (kernel: Kernel): number[] =>
    Array.from(kernel.metadata.scattered.mapped.values).filter((mapping) => mapping !== 0);

  for (const flags of [0, FLAG_CACHED]) {
    it(`are one for all who ask, and as cached as the buffer is: ${flags}`, () => {
      const kernel = boot();
      const { ion, sharing } = kernel;
      const alice = user(kernel, flags);
      const bob = ion.createClient();
      const theirs = sharing.import(
        bob,
        sharing.send(alice.client, sharing.share(alice.client, alice.handle), bob),
      );
      const address = ion.mapKernel(alice.client, alice.handle);
      expect(address % 64).to.equal(0);
      expect(ion.mapKernel(bob, theirs)).to.equal(address);
      expect(ion.mapKernel(alice.client, alice.handle)).to.equal(address);
      const pages = pagesOf(kernel, alice.client, alice.handle);
      expect(mappedOf(kernel)).to.deep.equal(pages.map((page) => ((page + 1) << 1) | flags));
      ion.unmapKernel(alice.client, alice.handle);
      expect(ion.kernelMapCount.get(ion.placeOf(alice.client, alice.handle))).to.equal(1);
      ion.free(alice.client, alice.handle);
      expect(mappedOf(kernel)).to.have.length(3);
      ion.unmapKernel(bob, theirs);
      expect(mappedOf(kernel)).to.deep.equal([]);
      expect(ion.kernelMapCount.values.every((count) => count === 0)).to.equal(true);
    });
  }

  it('end with the handle that asked for them', () => {
    const kernel = boot();
    const before = freeOf(kernel);
    const { client, handle } = user(kernel);
    for (let i = 0; i < 2; i++) expect(kernel.ion.mapKernel(client, handle)).to.be.above(0);
    kernel.ion.free(client, handle);
    expect(mappedOf(kernel)).to.deep.equal([]);
    expect(freeOf(kernel)).to.equal(before);
    expect(kernel.ion.mapKernel(client, handle)).to.equal(-EINVAL);
  });

  it('leave nothing behind when they fail', () => {
    const kernel = boot();
    const { client, handle } = user(kernel);
    const free = freeOf(kernel);
    for (const site of [SITE_VMALLOC, SITE_TABLE]) {
      kernel.faults.arm(site, 1);
      expect(kernel.ion.mapKernel(client, handle)).to.equal(-ENOMEM);
      expect(mappedOf(kernel)).to.deep.equal([]);
      expect(freeOf(kernel)).to.equal(free);
    }
    expect(kernel.ion.mapKernel(client, handle)).to.be.above(0);
    const { ion } = boot({ vmallocPages: 3 });
    expect(ion.mapKernel(ion.createClient(), ion.allocate(0, 3 * 64, HEAP_IOMMU))).to.equal(-ENOMEM);
  });
});
