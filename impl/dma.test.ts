import { expect } from 'chai';
import type { Config } from './config.ts';
import { EEXIST, EINVAL, ENOMEM, ERANGE } from './errno.ts';
import { SITE_IOVA, SITE_TABLE } from './faults.ts';
import { CONTEXT_DMA, CONTEXT_UNMANAGED } from './iommu.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;

interface Prepared {
  readonly kernel: Kernel;
  readonly domain: number;
  readonly device: number;
  readonly table: number;
  /** The table's pages, in its order. */
  readonly pages: readonly number[];
}

/** A table of two segments, of 3 pages in all, and a device in a domain for it. */
function prepared(fields: Partial<Config> = {}, policies: Partial<Config['policies']> = {}): Prepared {
  const kernel = boot(fields, policies);
  const [first, gap, last] = [1, 3, 0].map((order) => kernel.pages.allocateBlock(order));
  if (first === undefined || gap === undefined || last === undefined) throw new Error('no memory');
  kernel.pages.freeBlock(gap);
  const table = kernel.sg.allocateFromPages([last, first], 128);
  const domain = kernel.iommu.create(CONTEXT_DMA);
  const device = kernel.devices.attach(domain, 0);
  return { kernel, domain, device, table, pages: [last, first, first + 1] };
}

function freeAfterDrain(kernel: Kernel): number {
  kernel.pages.drain();
  return kernel.freePages;
}

describe('dma mapping', () => {
  it('maps segments one behind the other, with the rights of the direction', () => {
    const { kernel, device, table } = prepared();
    const at = kernel.dma.map(device, table, READ);
    expect(at).to.equal(4 * 64);
    expect(kernel.engine.read(device, at, 4 * 64)).to.equal(12);
    expect(kernel.engine.write(device, at, 16, 1)).to.equal(0);
    expect(kernel.dma.unmap(table)).to.equal(0);
    expect(kernel.engine.read(device, at, 16)).to.equal(0);
    expect(kernel.dma.map(device, table, WRITE)).to.equal(at);
  });

  it('leaves nothing behind when it fails', () => {
    const { kernel, domain, device, table } = prepared();
    const free = freeAfterDrain(kernel);
    for (const [site, n] of [
      [SITE_IOVA, 1],
      [SITE_TABLE, 1],
      [SITE_TABLE, 2],
    ] as const) {
      kernel.faults.arm(site, n);
      expect(kernel.dma.map(device, table, READ)).to.equal(-ENOMEM);
      kernel.faults.disarm();
      expect(freeAfterDrain(kernel)).to.equal(free);
    }
    kernel.iommu.map(domain, 6 * 64, 0, 64, READ);
    const before = freeAfterDrain(kernel);
    expect(kernel.dma.map(device, table, READ)).to.equal(-ENOMEM);
    expect(freeAfterDrain(kernel)).to.equal(before);
    expect(kernel.engine.read(device, 4 * 64, 64)).to.equal(0);
  });

  it('shows the device what the CPU wrote, whichever way the data goes', () => {
    for (const rights of [READ, WRITE, BOTH]) {
      const { kernel, device, table, pages } = prepared();
      for (const page of pages) kernel.cpu.write(page * 64, 64, 7);
      kernel.dma.map(device, table, rights);
      for (const page of pages) expect(kernel.memory.readLine(page, 3)).to.equal(7);
      kernel.cpu.write((pages[1] ?? 0) * 64, 16, 8);
      expect(kernel.memory.readLine(pages[1] ?? 0, 0)).to.equal(7);
      kernel.dma.syncForDevice(table);
      expect(kernel.memory.readLine(pages[1] ?? 0, 0)).to.equal(8);
    }
  });

  for (const rights of [READ, WRITE, BOTH]) {
    it(`shows the CPU what the device may have written, rights ${rights}`, () => {
      const { kernel, device, table, pages } = prepared();
      const [, page = 0] = pages;
      const line = (): number => {
        kernel.cpu.read(page * 64, 16);
        return kernel.cpu.data[0] ?? -1;
      };
      kernel.cpu.write(page * 64, 64, 7);
      kernel.dma.map(device, table, rights);
      kernel.memory.writeLine(page, 0, 9);
      expect(line()).to.equal(7);
      kernel.dma.syncForCpu(table);
      expect(line()).to.equal(rights === READ ? 7 : 9);
      kernel.memory.writeLine(page, 0, 11);
      kernel.dma.unmap(table);
      expect(line()).to.equal(rights === READ ? 7 : 11);
    });
  }
});

describe('iommu_map_sg', () => {
  it('maps a whole table where it is asked to', () => {
    const { kernel, table, pages } = prepared();
    const domain = kernel.iommu.create(CONTEXT_UNMANAGED);
    expect(kernel.dma.mapAt(domain, 0x7c0, table, BOTH)).to.equal(3 * 64);
    const phys = pages.map((_, index) => kernel.iommu.iovaToPhys(domain, 0x7c0 + index * 64) / 64);
    expect(phys).to.deep.equal(pages);
    expect(kernel.iommu.unmap(domain, 0x7c0, 256)).to.equal(3 * 64);
  });

  it('leaves nothing behind when it fails', () => {
    const { kernel, table } = prepared();
    const domain = kernel.iommu.create(CONTEXT_UNMANAGED);
    kernel.iommu.map(domain, 0x800, 0, 64, READ);
    const free = freeAfterDrain(kernel);
    const map = (iova: number, rights = READ): number => kernel.dma.mapAt(domain, iova, table, rights);
    expect([map(0x401), map(0x400, 0)]).to.deep.equal([-EINVAL, -EINVAL]);
    expect([0xf40, -64, 2 ** 64].map((iova) => map(iova))).to.deep.equal([-ERANGE, -ERANGE, -ERANGE]);
    expect(map(0x780)).to.equal(-EEXIST);
    for (const n of [1, 2]) {
      kernel.faults.arm(SITE_TABLE, n);
      expect(map(0x3c0)).to.equal(-ENOMEM);
    }
    expect(freeAfterDrain(kernel)).to.equal(free);
    for (const iova of [0x3c0, 0x400, 0x780, 0x7c0])
      expect(kernel.iommu.iovaToPhys(domain, iova)).to.equal(0);
  });
});

describe('lazy invalidation', () => {
  const lazily = (fields: Partial<Config> = {}): Prepared => prepared(fields, { invalidation: 'lazy' });

  it('lets a device use what the IOTLB holds until the queue is flushed', () => {
    const { kernel, device, table } = lazily();
    const { dma, engine, flushQueue } = kernel;
    const at = dma.map(device, table, BOTH);
    engine.read(device, at, 16);
    expect(dma.unmap(table)).to.equal(0);
    expect(engine.read(device, at, 192)).to.equal(4);
    expect(dma.map(device, table, BOTH)).to.not.equal(at);
    flushQueue.flush();
    expect(flushQueue.flushes.get(0)).to.equal(1);
    expect(engine.read(device, at, 16)).to.equal(0);
    flushQueue.flush();
    expect(flushQueue.flushes.get(0)).to.equal(1);
    dma.unmap(table);
    expect(dma.map(device, table, BOTH)).to.equal(at);
  });

  it('says what awaits a flush', () => {
    const { kernel, domain, device, table, pages } = lazily();
    kernel.dma.map(device, table, READ);
    const stale = (): number[] => [...kernel.flushQueue.stale.values].filter((entry) => entry !== 0);
    expect(stale()).to.deep.equal([]);
    kernel.dma.unmap(table);
    expect(stale()).to.deep.equal(pages.map((page) => ((page + 1) << 2) | READ));
    expect(kernel.flushQueue.stale.get(domain * 64 + 4)).to.not.equal(0);
    kernel.flushQueue.flush();
    expect(stale()).to.deep.equal([]);
  });

  it('flushes a full queue before it queues more', () => {
    const { kernel, device, table } = lazily({ flushEntries: 2 });
    const cycle = (): number => {
      kernel.dma.map(device, table, READ);
      return kernel.dma.unmap(table);
    };
    expect([cycle(), cycle(), cycle(), cycle(), cycle()]).to.deep.equal([0, 0, 1, 1, 2]);
    expect(kernel.flushQueue.length()).to.equal(1);
  });

  it('ends with the domain, for that domain alone', () => {
    const { kernel, domain, device, table } = lazily({ flushEntries: 3 });
    const other = kernel.iommu.create(CONTEXT_DMA);
    const second = kernel.devices.attach(other, 1);
    for (const each of [device, second, device]) {
      kernel.engine.read(each, kernel.dma.map(each, table, READ), 16);
      kernel.dma.unmap(table);
    }
    kernel.devices.detach(device);
    kernel.dma.freeDomain(domain);
    expect(kernel.flushQueue.length()).to.equal(1);
    expect(kernel.engine.read(second, 4 * 64, 16)).to.equal(1);
    expect([...kernel.flushQueue.stale.values].filter((entry) => entry !== 0).length).to.equal(3);
    kernel.flushQueue.forget(domain);
    kernel.flushQueue.flush();
    expect(kernel.engine.read(second, 4 * 64, 16)).to.equal(0);
    expect(kernel.flushQueue.flushes.get(0)).to.equal(1);
  });

  it('leaves unmanaged domains strict', () => {
    const { kernel } = lazily();
    const domain = kernel.iommu.create(CONTEXT_UNMANAGED);
    kernel.iommu.map(domain, 0x400, 0, 64, BOTH);
    kernel.engine.read(domain, 0x400, 16);
    kernel.iommu.unmap(domain, 0x400, 64);
    expect(kernel.engine.read(domain, 0x400, 16)).to.equal(0);
  });

  it('finds no address that waits', () => {
    const { kernel, device, table } = lazily({ ioBits: 9 });
    expect(kernel.dma.map(device, table, READ)).to.equal(4 * 64);
    kernel.dma.unmap(table);
    expect(kernel.dma.map(device, table, READ)).to.equal(-ENOMEM);
    kernel.flushQueue.flush();
    expect(kernel.dma.map(device, table, READ)).to.equal(4 * 64);
  });
});
