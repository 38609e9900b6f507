import { Buffers } from './buffers.ts';
import { ceilLog2 } from './check.ts';
import { type Config, checkConfig, smallConfig } from './config.ts';
import { DmaMapping } from './dma.ts';
import { Engine } from './engine.ts';
import { FaultPoints } from './faults.ts';
import { Gpu } from './gpu.ts';
import { Iommu, spacesOf } from './iommu.ts';
import { Ion } from './ion.ts';
import { Iotlb } from './iotlb.ts';
import { IovaSpace } from './iova.ts';
import { Jobs } from './jobs.ts';
import { Memory, wordBytesOf } from './memory.ts';
import { Metadata } from './metadata.ts';
import { PageAllocator } from './pages.ts';
import { SgTables } from './sg.ts';
import { SgChunks, SgReader } from './sg-chunks.ts';
import { Store } from './store.ts';
import { PageTables } from './tables.ts';

/** Boots a small machine, with some fields of it otherwise. */
export const boot = (fields: Partial<Config> = {}, policies: Partial<Config['policies']> = {}): Kernel =>
  new Kernel(smallConfig(fields, policies));

/**
 * A machine and its kernel, booted. Everything that outlives a call is in the store; the layers are public,
 * each knows those below it.
 */
export class Kernel {
  readonly store: Store;
  readonly faults: FaultPoints;
  readonly memory: Memory;
  readonly pages: PageAllocator;
  readonly metadata: Metadata;
  readonly chunks: SgChunks;
  readonly reader: SgReader;
  readonly sg: SgTables;
  readonly tables: PageTables;
  readonly iotlb: Iotlb;
  readonly iommu: Iommu;
  readonly dma: DmaMapping;
  readonly buffers: Buffers;
  readonly ion: Ion;
  readonly engine: Engine;
  readonly jobs: Jobs;
  readonly gpu: Gpu;

  /** @throws Error when the machine cannot be built: see {@link checkConfig} */
  constructor(config: Config) {
    checkConfig(config);
    const store = new Store(config.pages, ceilLog2(config.pageBytes / wordBytesOf(config)));
    const faults = new FaultPoints();
    this.store = store;
    this.faults = faults;
    this.memory = new Memory(store, config);
    this.pages = new PageAllocator(store, config, faults);
    this.metadata = new Metadata(store, config, this.memory, this.pages, faults);
    this.chunks = new SgChunks(config, this.memory, this.metadata);
    this.reader = new SgReader(this.memory, this.chunks);
    this.sg = new SgTables(store, config, this.pages, this.chunks, faults);
    this.tables = new PageTables(config, this.memory, this.pages, faults);
    this.iotlb = new Iotlb(store, config);
    const iova = new IovaSpace(store, config, spacesOf(config), faults);
    this.iommu = new Iommu(store, config, this.tables, this.iotlb, iova, faults);
    this.dma = new DmaMapping(store, config, this.iommu, this.sg, this.reader);
    this.buffers = new Buffers(store, config, this.memory, this.pages, this.metadata, this.chunks);
    this.ion = new Ion(store, config, this.buffers, faults);
    this.engine = new Engine(config, this.iommu, this.memory);
    this.jobs = new Jobs(store, config, this.engine, faults);
    this.gpu = new Gpu(store, config, this.ion, this.iommu, this.engine, this.jobs, this.reader);
    this.boot();
  }

  /** Pages that are free, by the page allocator's own count. */
  get freePages(): number {
    return this.pages.freeCount.get(0);
  }

  /** Back to the moment after boot: one copy of the store, whatever went before. */
  reset(): void {
    this.store.reset();
    this.faults.disarm();
    this.gpu.reset();
  }

  private boot(): void {
    this.store.seal();
    this.memory.boot();
    this.pages.boot();
    this.store.keepImage();
  }
}
