import { expect } from 'chai';
import { EBUSY, EEXIST, EFAULT, EINVAL, ENODEV, ENOENT, ENOMEM, ENOSPC, ERANGE } from './errno.ts';
import { SITE_ID, SITE_TABLE } from './faults.ts';
import { CONTEXT_DMA, CONTEXT_GPU, CONTEXT_UNMANAGED } from './iommu.ts';
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
    expect(map(0xfc0, phys, 64)).to.equal(-ERANGE);
    expect(map(0xf80, phys, 64)).to.equal(0);
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
    kernel.pages.drain();
    expect(kernel.freePages).to.equal(free);
  });

  it('maps a block where it can, and takes a part of it away', () => {
    const { kernel, domain, phys } = mapped();
    expect(kernel.iommu.tables.leafLevel(kernel.iommu.rootOf(domain), 0x400 / 64, phys / 64, 4)).to.equal(1);
    kernel.faults.arm(SITE_TABLE, 1);
    expect(kernel.iommu.unmap(domain, 0x440, 128)).to.equal(0);
    expect(kernel.engine.read(domain, 0x400, 256)).to.equal(16);
    expect(kernel.iommu.unmap(domain, 0x440, 128)).to.equal(128);
    expect(kernel.engine.read(domain, 0x400, 256)).to.equal(4);
    expect(kernel.engine.read(domain, 0x4c0, 64)).to.equal(4);
  });

  it('takes no more of a block than is left of the range', () => {
    const { kernel, domain, phys } = mapped();
    expect(kernel.iommu.map(domain, 0x380, phys, 128, BOTH)).to.equal(0);
    expect(kernel.iommu.unmap(domain, 0x380, 192)).to.equal(192);
    expect(kernel.engine.read(domain, 0x400, 64)).to.equal(0);
    expect(kernel.engine.read(domain, 0x440, 192)).to.equal(12);
  });

  it('says what byte is behind an address', () => {
    const { kernel, domain, phys } = mapped();
    const { iommu } = kernel;
    kernel.iommu.map(domain, 0x800, phys + 128, 64, READ);
    expect([0x400, 0x4bf, 0x813].map((iova) => iommu.iovaToPhys(domain, iova))).to.deep.equal([
      phys,
      phys + 0xbf,
      phys + 128 + 0x13,
    ]);
    for (const iova of [0, 0x500, -64, 2 ** 12, 2 ** 64]) expect(iommu.iovaToPhys(domain, iova)).to.equal(0);
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
    kernel.pages.drain();
    expect(kernel.freePages).to.equal(60);
    expect(kernel.engine.read(domain, 0x400, 64)).to.equal(-ENOENT);
    expect(kernel.iommu.create(CONTEXT_UNMANAGED)).to.equal(domain);
    expect(kernel.engine.read(domain, 0x400, 64)).to.equal(0);
  });
});

describe('a space that GPU contexts share', () => {
  for (const policies of [{ mapping: 'heap' }, { contexts: 'shared' }] as const) {
    it(`is there for whoever maps before there is a context: ${Object.keys(policies)}`, () => {
      const kernel = boot({}, policies);
      const { iommu, engine } = kernel;
      const page = kernel.pages.allocateBlock(0);
      kernel.faults.arm(SITE_TABLE, 1);
      expect(iommu.openShared()).to.equal(-ENOMEM);
      expect(iommu.openShared()).to.equal(0);
      expect(iommu.mapRange(iommu.shared, 5, page, 1, BOTH)).to.equal(0);
      const context = iommu.create(CONTEXT_GPU);
      expect(engine.write(context, 5 * 64, 64, 3)).to.equal(4);
      iommu.closeShared();
      expect(engine.read(context, 5 * 64, 64)).to.equal(4);
      iommu.unmapRange(iommu.shared, 5, 1);
      expect(engine.read(context, 5 * 64, 64)).to.equal(0);
      iommu.destroy(context);
      kernel.pages.drain();
      expect(kernel.freePages).to.equal(63);
    });
  }
});

describe('devices', () => {
  it('reach what is mapped in their domain, while they are attached', () => {
    const { kernel, domain } = mapped();
    const { devices, engine } = kernel;
    expect(engine.write(4, 0x400, 64, 7)).to.equal(0);
    expect(devices.attach(domain, 0)).to.equal(4);
    expect(devices.attach(domain, 0)).to.equal(-EBUSY);
    expect(devices.attach(domain, 1)).to.equal(5);
    expect(engine.write(4, 0x400, 64, 7)).to.equal(4);
    expect(engine.read(5, 0x400, 16)).to.equal(1);
    devices.detach(4);
    expect(engine.read(4, 0x400, 16)).to.equal(0);
    expect(engine.read(5, 0x400, 16)).to.equal(1);
    expect(devices.attach(kernel.iommu.create(CONTEXT_DMA), 0)).to.equal(4);
    expect(engine.read(4, 0x400, 16)).to.equal(0);
  });

  it('are so many', () => {
    const { kernel, domain } = mapped();
    for (const none of [-1, 2, 0.5, 99]) expect(kernel.devices.attach(domain, none)).to.equal(-ENODEV);
    for (const none of [-1, 1, 6, 4.5]) {
      expect(kernel.engine.read(none, 0x400, 16)).to.equal(-ENOENT);
      expect(kernel.engine.probe(none)).to.equal(-ENOENT);
    }
  });

  it('probe the whole address space', () => {
    const { kernel, domain, phys } = mapped();
    const { engine, devices, iommu } = kernel;
    iommu.map(domain, 0x800, phys, 64, WRITE);
    engine.write(domain, 0x400, 16, 7);
    expect(engine.probe(4)).to.equal(0);
    expect(engine.probed.every((tag) => tag === -1)).to.equal(true);
    devices.attach(domain, 0);
    for (const initiator of [4, domain]) {
      expect(engine.probe(initiator)).to.equal(0);
      const readable = [...engine.probed].flatMap((tag, ioPage) => (tag < 0 ? [] : [[ioPage, tag]]));
      expect(readable).to.deep.equal([
        [16, 7],
        [17, 0xa5],
        [18, 0xa5],
        [19, 0xa5],
      ]);
    }
  });

  it('probe what the IOTLB holds, stale or not', () => {
    const { kernel, domain } = mapped();
    kernel.engine.read(domain, 0x400, 16);
    kernel.iommu.clearEntries(domain, 16, 4);
    kernel.engine.probe(domain);
    expect([...kernel.engine.probed.subarray(15, 18)]).to.deep.equal([-1, 0xa5, -1]);
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
    const { kernel, domain, phys } = mapped();
    const { engine, iommu } = kernel;
    expect(engine.write(domain, 0, 16, 1)).to.equal(0);
    iommu.map(domain, 0, phys, 64, READ | WRITE);
    for (const at of [-1, -64, 2 ** 12, 2 ** 13, 2 ** 64, Number.NaN])
      expect(engine.write(domain, at, 16, 1)).to.equal(0);
    for (const bytes of [0, -1, 8 * 64 + 1]) expect(engine.write(domain, 0x400, bytes, 1)).to.equal(-EINVAL);
    for (const context of [-1, 1, 0.5, 99, 6]) expect(engine.read(context, 0x400, 16)).to.equal(-ENOENT);
    expect(engine.read(domain, 0x400, 0)).to.equal(-EINVAL);
    expect(engine.linesOf(2 ** 64, 17)).to.equal(2);
    expect(engine.linesOf(0x40f, 2)).to.equal(2);
  });
});
