import { expect } from 'chai';
import type { Config } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { FAULT_SITES, SITE_IOVA } from './faults.ts';
import { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;

/** Pages that are free or parked. */
const freeOf = ({ pages }: Kernel): number => pages.freeCount.get(0) + pages.parked.count.get(0);

/** A machine whose heap maps, with one client. */
function booted(fields: Partial<Config> = {}): Kernel {
  const kernel = boot(fields, { mapping: 'heap' });
  kernel.ion.createClient();
  return kernel;
}

/** Where the one buffer there is starts for devices. */
const addressOf = ({ ion, buffers }: Kernel, handle: number): number =>
  64 * buffers.space.startOf(ion.lookUp(0, handle));

describe('a heap that maps', () => {
  for (const heap of [HEAP_IOMMU, HEAP_SYSTEM_CONTIG, HEAP_SYSTEM]) {
    it(`lets every context reach a buffer for all its life: heap ${heap}`, () => {
      const kernel = booted();
      const handle = kernel.ion.allocate(0, 3 * 64, heap);
      const contexts = [0, kernel.ion.createClient()].map((client) => kernel.gpu.createContext(client));
      const address = addressOf(kernel, handle);
      for (const context of contexts) expect(kernel.engine.write(context, address, 192, 5)).to.equal(12);
      kernel.ion.free(0, handle);
      for (const context of contexts) expect(kernel.engine.read(context, address, 192)).to.equal(0);
      kernel.buffers.shrink();
      for (const context of contexts) kernel.gpu.destroyContext(context);
      expect(freeOf(kernel)).to.equal(64);
    });
  }

  it('is asked for an address by whoever binds, and keeps the buffer for them', () => {
    const kernel = booted();
    const { gpu, ion, buffers } = kernel;
    const handle = ion.allocate(0, 64, HEAP_IOMMU);
    const buffer = ion.lookUp(0, handle);
    const context = gpu.createContext(0);
    const address = addressOf(kernel, handle);
    for (const rights of [READ, BOTH, BOTH]) expect(gpu.bind(context, handle, rights)).to.equal(address);
    expect(buffers.refs.get(buffer)).to.equal(4);
    ion.free(0, handle);
    expect(gpu.unbind(context, address)).to.equal(0);
    expect(kernel.engine.write(context, address, 64, 5)).to.equal(4);
    expect(gpu.unbind(context, address)).to.equal(0);
    expect(gpu.unbind(context, address)).to.equal(0);
    expect(gpu.unbind(context, address)).to.equal(-EINVAL);
    expect(kernel.engine.read(context, address, 64)).to.equal(0);
  });

  it('loses its bindings with their context, not its mappings', () => {
    const kernel = booted();
    const { gpu, ion, buffers } = kernel;
    const handle = ion.allocate(0, 64, HEAP_IOMMU);
    const [first, second] = [gpu.createContext(0), gpu.createContext(0)];
    for (let i = 0; i < 2; i++) gpu.bind(first, handle, BOTH);
    gpu.bind(second, handle, BOTH);
    gpu.destroyContext(first);
    expect(buffers.refs.get(ion.lookUp(0, handle))).to.equal(2);
    expect(kernel.engine.write(second, addressOf(kernel, handle), 64, 5)).to.equal(4);
    gpu.destroyClient(0);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('makes no buffer that it cannot map, and leaves nothing behind', () => {
    const kernel = booted();
    let refused = 0;
    for (const site of FAULT_SITES.keys()) {
      for (let n = 1; ; n++) {
        kernel.faults.arm(site, n);
        const handle = kernel.ion.allocate(0, 9 * 64, HEAP_IOMMU);
        const { fired } = kernel.faults;
        kernel.faults.disarm();
        if (handle > 0) kernel.ion.free(0, handle);
        else refused++;
        expect(freeOf(kernel)).to.equal(64);
        if (fired === 0) break;
      }
    }
    expect(refused).to.be.above(FAULT_SITES.length);
    kernel.faults.arm(SITE_IOVA, 1);
    expect(kernel.ion.allocate(0, 64, HEAP_SYSTEM)).to.equal(-ENOMEM);
    const small = booted({ ioBits: 8 });
    expect(small.ion.allocate(0, 4 * 64, HEAP_IOMMU)).to.equal(-ENOMEM);
    expect(freeOf(small)).to.equal(64);
  });

  it('may get its buffers out of the DMA allocator too', () => {
    const kernel = boot({}, { mapping: 'heap', backing: 'dma-alloc' });
    kernel.ion.createClient();
    kernel.faults.arm(SITE_IOVA, 1);
    expect(kernel.ion.allocate(0, 64, HEAP_IOMMU)).to.equal(-ENOMEM);
    expect(kernel.metadata.scattered.largestHole()).to.equal(64);
  });
});
