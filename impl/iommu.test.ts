import { expect } from 'chai';
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, ERANGE } from './errno.ts';
import { SITE_ID, SITE_IOVA, SITE_TABLE } from './faults.ts';
import { CONTEXT_DMA, CONTEXT_UNMANAGED } from './iommu.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;

/** A domain with four pages of a block mapped at 0x400, for reading and writing. */
function mapped(): { kernel: Kernel; domain: number; phys: number } {
  const kernel = boot();
  const domain = kernel.iommu.create(CONTEXT_UNMANAGED);
  const phys = kernel.pages.allocateBlock(2) * 64;
  expect(kernel.iommu.map(domain, 0x400, phys, 256, BOTH)).to.equal(0);
  return { kernel, domain, phys };
}

describe('iommu', () => {
  it('has so many ids', () => {
    const { iommu, faults } = boot({ contexts: 2 });
    expect([1, 2, 3].map(() => iommu.create(CONTEXT_UNMANAGED))).to.deep.equal([0, 1, -ENOSPC]);
    iommu.destroy(0);
    faults.arm(SITE_ID, 1);
    expect(iommu.create(CONTEXT_DMA)).to.equal(-ENOSPC);
    faults.arm(SITE_TABLE, 1);
    expect(iommu.create(CONTEXT_DMA)).to.equal(-ENOMEM);
    expect(iommu.create(CONTEXT_DMA)).to.equal(0);
  });

  it('refuses what it cannot map', () => {
    const { kernel, domain, phys } = mapped();
    const map = (iova: number, at: number, bytes: number, rights = READ): number =>
      kernel.iommu.map(domain, iova, at, bytes, rights);
    expect(map(0x401, phys, 64)).to.equal(-EINVAL);
    expect(map(0x800, phys + 1, 64)).to.equal(-EINVAL);
    expect(map(0x800, phys, 65)).to.equal(-EINVAL);
    expect(map(0x800, phys, 64, 0)).to.equal(-EINVAL);
    expect(map(0x800, phys, 0, 0)).to.equal(0);
    expect(map(0xfc0, phys, 128)).to.equal(-ERANGE);
    expect(map(-64, phys, 64)).to.equal(-ERANGE);
    expect(map(2 ** 64, phys, 64)).to.equal(-ERANGE);
    expect(map(0x800, 64 * 64, 64)).to.equal(-ERANGE);
  });

  it('maps all or nothing', () => {
    const { kernel, domain, phys } = mapped();
    const free = kernel.freePages;
    expect(kernel.iommu.map(domain, 0x3c0, phys, 128, READ)).to.equal(-EEXIST);
    expect(kernel.engine.read(domain, 0x3c0, 64)).to.equal(0);
    kernel.faults.arm(SITE_TABLE, 2);
    expect(kernel.iommu.map(domain, 0x7c0, phys, 128, READ)).to.equal(-ENOMEM);
    expect(kernel.freePages).to.equal(free);
  });

  it('unmaps up to the first hole, and nothing misaligned or outside', () => {
    const { kernel, domain } = mapped();
    const { iommu } = kernel;
    expect(iommu.unmap(domain, 0x401, 64)).to.equal(0);
    expect(iommu.unmap(domain, 0x400, 2)).to.equal(0);
    expect(iommu.unmap(domain, 0xfc0, 128)).to.equal(0);
    expect(iommu.unmap(domain, 0x440, 64)).to.equal(64);
    expect(iommu.unmap(domain, 0x400, 256)).to.equal(64);
    expect(iommu.unmap(domain, 0x400, 256)).to.equal(0);
  });

  it('reaches nothing any more when unmap returns, cached or not', () => {
    const { kernel, domain } = mapped();
    expect(kernel.engine.write(domain, 0x400, 256, 7)).to.equal(16);
    kernel.iommu.unmap(domain, 0x400, 128);
    expect(kernel.engine.read(domain, 0x400, 16)).to.equal(0);
    expect(kernel.engine.read(domain, 0x480, 128)).to.equal(8);
  });

  it('gives everything back with the domain', () => {
    const { kernel, domain } = mapped();
    kernel.engine.read(domain, 0x400, 64);
    kernel.dma.freeDomain(domain);
    expect(kernel.freePages).to.equal(60);
    expect(kernel.engine.read(domain, 0x400, 64)).to.equal(-ENOENT);
    expect(kernel.iommu.create(CONTEXT_UNMANAGED)).to.equal(domain);
    expect(kernel.engine.read(domain, 0x400, 64)).to.equal(0);
  });
});

describe('engine', () => {
  it('moves whole lines, as far as it has the right', () => {
    const { kernel, domain, phys } = mapped();
    const { engine, iommu } = kernel;
    iommu.map(domain, 0x500, phys, 64, READ);
    expect(engine.write(domain, 0x4ff, 2, 9)).to.equal(1);
    expect(engine.read(domain, 0x4f0, 32)).to.equal(2);
    expect([...engine.data.subarray(0, 2)]).to.deep.equal([9, 0xa5]);
    expect(engine.readLine(domain, 0)).to.equal(-EFAULT);
  });

  it('faults where there is no address, and refuses what is no access', () => {
    const { kernel, domain } = mapped();
    const { engine } = kernel;
    for (const at of [-1, -64, 0, 2 ** 12, 2 ** 64, Number.NaN])
      expect(engine.write(domain, at, 16, 1)).to.equal(0);
    for (const bytes of [0, -1, 8 * 64 + 1]) expect(engine.write(domain, 0x400, bytes, 1)).to.equal(-EINVAL);
    for (const context of [-1, 1, 0.5, 99]) expect(engine.read(context, 0x400, 16)).to.equal(-ENOENT);
    expect(engine.read(domain, 0x400, 0)).to.equal(-EINVAL);
    expect(engine.linesOf(2 ** 64, 17)).to.equal(2);
    expect(engine.linesOf(0x40f, 2)).to.equal(2);
  });
});

describe('dma mapping', () => {
  /** A table of two segments, of 3 pages in all, and a domain for it. */
  function prepared(): { kernel: Kernel; domain: number; table: number } {
    const kernel = boot();
    const blocks = [
      kernel.pages.allocateBlock(1),
      kernel.pages.allocateBlock(3),
      kernel.pages.allocateBlock(0),
    ];
    kernel.pages.freeBlock(blocks[1] ?? 0);
    const table = kernel.sg.allocateFromPages([blocks[2] ?? 0, blocks[0] ?? 0], 128);
    return { kernel, domain: kernel.iommu.create(CONTEXT_DMA), table };
  }

  it('maps segments one behind the other, with the rights of the direction', () => {
    const { kernel, domain, table } = prepared();
    const at = kernel.dma.map(domain, table, READ);
    expect(at).to.equal(4 * 64);
    expect(kernel.engine.read(domain, at, 4 * 64)).to.equal(12);
    expect(kernel.engine.write(domain, at, 16, 1)).to.equal(0);
    kernel.dma.unmap(table);
    expect(kernel.engine.read(domain, at, 16)).to.equal(0);
    expect(kernel.dma.map(domain, table, WRITE)).to.equal(at);
  });

  it('leaves nothing behind when it fails', () => {
    const { kernel, domain, table } = prepared();
    const free = kernel.freePages;
    for (const [site, n] of [
      [SITE_IOVA, 1],
      [SITE_TABLE, 1],
      [SITE_TABLE, 2],
    ] as const) {
      kernel.faults.arm(site, n);
      expect(kernel.dma.map(domain, table, READ)).to.equal(-ENOMEM);
      kernel.faults.disarm();
      expect(kernel.freePages).to.equal(free);
    }
    kernel.iommu.map(domain, 6 * 64, 0, 64, READ);
    const before = kernel.freePages;
    expect(kernel.dma.map(domain, table, READ)).to.equal(-ENOMEM);
    expect(kernel.freePages).to.equal(before);
    expect(kernel.engine.read(domain, 4 * 64, 64)).to.equal(0);
  });

  it('forgets what was mapped in a domain that has gone', () => {
    const { kernel, domain, table } = prepared();
    kernel.dma.map(domain, table, READ);
    kernel.dma.freeDomain(domain);
    kernel.dma.unmap(table);
    expect(kernel.dma.map(kernel.iommu.create(CONTEXT_DMA), table, READ)).to.equal(4 * 64);
  });
});
