import { expect } from 'chai';
import type { Config } from './config.ts';
import { FAULT_SITES } from './faults.ts';
import { CONTEXT_DMA, CONTEXT_UNMANAGED } from './iommu.ts';
import { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;

/** Every call that can fail, on a machine that {@link prepare} has made ready for it. */
const CALLS: Readonly<Record<string, (kernel: Kernel) => number>> = {
  alloc_pages: ({ pages }) => pages.allocateBlock(1),
  'kvmalloc of a page': ({ metadata }) => metadata.kvmalloc(40),
  'kvmalloc of three pages': ({ metadata }) => metadata.kvmalloc(130),
  'kvmalloc of ten pages': ({ metadata }) => metadata.kvmalloc(640),
  'kmalloc of an object': ({ metadata }) => metadata.kmalloc(3),
  'kmalloc of three pages': ({ metadata }) => metadata.kmalloc(130),
  'vmalloc of three pages': ({ metadata }) => metadata.vmalloc(130),
  vmap: ({ metadata }) => metadata.vmap([0]),
  occupy: ({ pages }) => pages.occupy(100, 3, true),
  sg_alloc_table_from_pages: ({ sg }) => sg.allocateFromPages([0], 64),
  iommu_domain_alloc: ({ iommu }) => iommu.create(CONTEXT_UNMANAGED),
  iommu_map: ({ iommu }) => iommu.map(0, 0x7c0, 0, 128, BOTH),
  iommu_map_sg: ({ dma }) => dma.mapAt(0, 0x780, 0, BOTH),
  dma_map_sg: ({ dma }) => dma.map(4, 0, READ),
  dma_alloc_coherent: ({ coherent }) => coherent.allocate(4, 192),
  ion_client_create: ({ ion }) => ion.createClient(),
  'ion_alloc of a page': ({ ion }) => ion.allocate(0, 1, HEAP_IOMMU),
  'ion_alloc of twelve pages': ({ ion }) => ion.allocate(0, 12 * 64, HEAP_IOMMU),
  'ion_alloc of a block': ({ ion }) => ion.allocate(0, 5 * 64, HEAP_SYSTEM_CONTIG),
  'ion_alloc of pooled pages': ({ ion }) => ion.allocate(0, 12 * 64, HEAP_SYSTEM),
  ion_share: ({ sharing }) => sharing.share(0, 1),
  ion_import: ({ sharing }) => sharing.import(1, 0),
  fd_send: ({ sharing }) => sharing.send(1, 0, 0),
  ion_map_kernel: ({ ion }) => ion.mapKernel(0, 1),
  gpu_context_create: ({ gpu }) => gpu.createContext(0),
  gpu_bind: ({ gpu }) => gpu.bind(2, 1, BOTH),
  gpu_submit: ({ gpu }) => gpu.submit(2, 0, 16, 0),
};

/**
 * A block at page 0, a table of it, domains 0 and 1, device 4 in the latter, a client 0 with buffer 1 and
 * context 2, a client 1 with a descriptor 0 of that buffer, three pages in the pool of the system heap.
 */
function prepare(fields: Partial<Config>, policies: Partial<Config['policies']>): Kernel {
  const kernel = boot({ pages: 128, parked: 0, ...fields }, policies);
  kernel.pages.allocateBlock(3);
  kernel.sg.allocateFromPages([0], 64);
  kernel.iommu.create(CONTEXT_UNMANAGED);
  kernel.devices.attach(kernel.iommu.create(CONTEXT_DMA), 0);
  kernel.ion.createClient();
  kernel.ion.allocate(0, 7 * 64, HEAP_IOMMU);
  kernel.gpu.createContext(0);
  kernel.sharing.send(0, kernel.sharing.share(0, 1), kernel.ion.createClient());
  kernel.ion.free(1, kernel.ion.allocate(1, 3 * 64, HEAP_SYSTEM));
  kernel.buffers.work();
  return kernel;
}

/** What must be the same after a call that failed: owners, free blocks, references, ids. */
function footprint({ pages, buffers, sg, iommu, ion, gpu, jobs, metadata, coherent }: Kernel): number[][] {
  const columns = [
    pages.owner,
    pages.run,
    pages.block,
    pages.freeOrder,
    buffers.refs,
    buffers.count,
    sg.segments,
    iommu.type,
  ];
  const more = [
    ion.client,
    ion.handle,
    gpu.bound,
    jobs.left,
    metadata.scattered.area,
    metadata.contiguous.slabs.shift,
    coherent.count,
  ];
  const shared = [ion.handleCount, ion.kernelMapCount, ion.fds.fd, metadata.scattered.mapped];
  return [...columns, ...more, ...shared].map((column) => Array.from(column.values));
}

/** Lets the n-th question of a site fail, for every n that is asked. Returns how many were asked. */
function sweep(kernel: Kernel, site: number, call: (kernel: Kernel) => number): number {
  const before = footprint(kernel);
  const saved = kernel.store.attachJournal();
  for (let n = 1; ; n++) {
    saved.mark();
    kernel.faults.arm(site, n);
    const result = call(kernel);
    const fired = kernel.faults.fired !== 0;
    kernel.faults.disarm();
    if (result < 0) expect(footprint(kernel), `question ${n}`).to.deep.equal(before);
    saved.undo();
    saved.drop();
    if (!fired) return n - 1;
  }
}

describe('faults', () => {
  for (const layout of ['scattered', 'contiguous'] as const) {
    for (const [name, call] of Object.entries(CALLS)) {
      it(`leave nothing of ${name} behind, ${layout}`, () => {
        const orderMax = layout === 'scattered' ? 3 : 4;
        expect(call(prepare({ orderMax }, { layout }))).to.be.at.least(0);
        let asked = 0;
        for (const site of FAULT_SITES.keys()) asked += sweep(prepare({ orderMax }, { layout }), site, call);
        expect(asked).to.be.above(0);
      });
    }
  }
});

describe('kernel', () => {
  for (const placement of ['lowest', 'lifo'] as const) {
    it(`resets to the moment after boot, placement ${placement}`, () => {
      const kernel = prepare({ occupied: [[70, 3]] }, { placement });
      const fresh = boot({ pages: 128, parked: 0, occupied: [[70, 3]] }, { placement });
      kernel.faults.arm(0, 1);
      kernel.reset();
      expect(kernel.store.words).to.deep.equal(fresh.store.words);
      expect(kernel.pages.allocateBlock(0)).to.equal(fresh.pages.allocateBlock(0));
    });
  }

  it('gives everything back when all is closed', () => {
    const kernel = prepare({}, {});
    const address = kernel.gpu.bind(2, 1, BOTH);
    kernel.dma.map(4, 0, READ);
    const cpu = kernel.coherent.allocate(4, 192);
    kernel.engine.write(2, address, 64, 1);
    kernel.dma.unmap(0);
    kernel.coherent.free(cpu);
    kernel.devices.detach(4);
    kernel.sg.free(0);
    kernel.dma.freeDomain(0);
    kernel.dma.freeDomain(1);
    kernel.pages.freeBlock(0);
    kernel.ion.mapKernel(0, 1);
    kernel.gpu.destroyClient(0);
    kernel.sharing.mmap(1, 0, 0, 64);
    kernel.gpu.destroyClient(1);
    kernel.buffers.shrink();
    expect(kernel.freePages).to.equal(128);
    expect(kernel.pages.owner.values.every((owner) => owner === 0)).to.equal(true);
  });
});
