import { expect } from 'chai';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import { SITE_IOVA, SITE_PAGE, SITE_TABLE, SITE_VMALLOC } from './faults.ts';
import { CONTEXT_DMA } from './iommu.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_COHERENT } from './owners.ts';

function attached(policies: Partial<Config['policies']> = {}): { kernel: Kernel; device: number } {
  const kernel = boot({}, policies);
  return { kernel, device: kernel.devices.attach(kernel.iommu.create(CONTEXT_DMA), 0) };
}

function freeAfterDrain(kernel: Kernel): number {
  kernel.pages.drain();
  return kernel.freePages;
}

describe('coherent memory', () => {
  it('is zeroed, and CPU and device see it alike without any sync', () => {
    const { kernel, device } = attached();
    const cpu = kernel.coherent.allocate(device, 130);
    const dma = kernel.coherent.addressOf(cpu);
    expect(kernel.engine.read(device, dma, 192)).to.equal(12);
    expect(kernel.engine.data.subarray(0, 12).every((tag) => tag === 0)).to.equal(true);
    expect(kernel.cpu.write(cpu * 64 + 48, 32, 7)).to.equal(2);
    expect(kernel.engine.read(device, dma + 48, 32)).to.equal(2);
    expect([...kernel.engine.data.subarray(0, 2)]).to.deep.equal([7, 7]);
    kernel.engine.write(device, dma + 128, 16, 9);
    kernel.cpu.read(cpu * 64 + 128, 16);
    expect(kernel.cpu.data[0]).to.equal(9);
    for (const page of kernel.coherent.framesOf(cpu)) {
      expect(kernel.pages.owner.get(page)).to.equal(OWNER_COHERENT);
      for (let line = 0; line < 4; line++) expect(kernel.cache.cachedLine(page, line)).to.equal(0);
    }
  });

  it('ends at its last page', () => {
    const { kernel, device } = attached();
    const cpu = kernel.coherent.allocate(device, 64);
    expect(kernel.cpu.write(cpu * 64, 128, 7)).to.equal(4);
    expect(kernel.engine.write(device, kernel.coherent.addressOf(cpu), 128, 7)).to.equal(4);
  });

  it('is refused where there is no such size', () => {
    const { kernel, device } = attached();
    for (const bytes of [0, -1, 64 * 64 + 1, 2 ** 64, Number.NaN])
      expect(kernel.coherent.allocate(device, bytes)).to.equal(-ENOMEM);
    expect(kernel.coherent.allocate(device, 64 * 64)).to.equal(-ENOMEM);
  });

  it('leaves nothing behind when it fails', () => {
    const { kernel, device } = attached();
    const free = freeAfterDrain(kernel);
    for (const [site, questions] of [
      [SITE_PAGE, 3],
      [SITE_VMALLOC, 1],
      [SITE_IOVA, 1],
      [SITE_TABLE, 5],
    ] as const) {
      for (let n = 1; n <= questions; n++) {
        kernel.faults.arm(site, n);
        expect(kernel.coherent.allocate(device, 192), `site ${site}, ${n}`).to.equal(-ENOMEM);
        kernel.faults.disarm();
        expect(freeAfterDrain(kernel)).to.equal(free);
        expect(kernel.metadata.scattered.largestHole()).to.equal(64);
        expect(kernel.iommu.iova.nextUsed(0, 0)).to.equal(-1);
      }
    }
  });

  it('is reached by nobody when it has been freed', () => {
    const { kernel, device } = attached();
    const free = freeAfterDrain(kernel);
    const cpu = kernel.coherent.allocate(device, 128);
    const dma = kernel.coherent.addressOf(cpu);
    kernel.engine.read(device, dma, 128);
    expect(kernel.coherent.free(cpu)).to.equal(0);
    expect(kernel.engine.read(device, dma, 16)).to.equal(0);
    expect(kernel.cpu.read(cpu * 64, 16)).to.equal(0);
    kernel.devices.detach(device);
    kernel.dma.freeDomain(0);
    expect(freeAfterDrain(kernel)).to.equal(free + 1);
    expect(kernel.coherent.framesOf(cpu)).to.deep.equal([]);
  });

  it('is unmapped lazily where domains are', () => {
    const { kernel, device } = attached({ invalidation: 'lazy' });
    const cpu = kernel.coherent.allocate(device, 64);
    const dma = kernel.coherent.addressOf(cpu);
    kernel.engine.read(device, dma, 16);
    expect(kernel.coherent.free(cpu)).to.equal(0);
    expect(kernel.engine.read(device, dma, 16)).to.equal(1);
    kernel.flushQueue.flush();
    expect(kernel.engine.read(device, dma, 16)).to.equal(0);
  });
});
