import { Buffers } from './buffers.ts';
import { CpuCache } from './cache.ts';
import { CacheLines } from './cache-lines.ts';
import { ceilLog2 } from './check.ts';
import { CoherentMemory } from './coherent.ts';
import { type Config, checkConfig, smallConfig } from './config.ts';
import { Cpu } from './cpu.ts';
import { Devices } from './devices.ts';
import { DmaMapping } from './dma.ts';
import { Engine } from './engine.ts';
import { FaultPoints } from './faults.ts';
import { Fds } from './fds.ts';
import { FlushQueue } from './flush-queue.ts';
import { Gpu } from './gpu.ts';
import { HeapSpace } from './heap-space.ts';
import { Iommu, spacesOf } from './iommu.ts';
import { Ion } from './ion.ts';
import { Iotlb } from './iotlb.ts';
import { IovaSpace } from './iova.ts';
import { Jobs } from './jobs.ts';
import { KernelMaps } from './kernel-maps.ts';
import { Memory, wordBytesOf } from './memory.ts';
import { Metadata } from './metadata.ts';
import { PageAllocator } from './pages.ts';
import { SgTables } from './sg.ts';
import { SgChunks, SgReader } from './sg-chunks.ts';
import { SgCopy } from './sg-copy.ts';
import { Sharing } from './sharing.ts';
import { Store } from './store.ts';
import { Syncs } from './syncs.ts';
import { PageTables } from './tables.ts';
import { UserMaps } from './user-maps.ts';
import { UserSpaces } from './user-space.ts';

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
  readonly cache: CpuCache;
  readonly pages: PageAllocator;
  readonly metadata: Metadata;
  readonly users: UserSpaces;
  readonly chunks: SgChunks;
  readonly reader: SgReader;
  readonly sg: SgTables;
  readonly sgCopy: SgCopy;
  readonly tables: PageTables;
  readonly iotlb: Iotlb;
  readonly iommu: Iommu;
  readonly devices: Devices;
  readonly flushQueue: FlushQueue;
  readonly dma: DmaMapping;
  readonly coherent: CoherentMemory;
  readonly cpu: Cpu;
  readonly buffers: Buffers;
  readonly ion: Ion;
  readonly sharing: Sharing;
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
    const copies = new CacheLines(store, config);
    this.memory = new Memory(store, config, copies);
    this.cache = new CpuCache(config, this.memory, copies);
    this.pages = new PageAllocator(store, config, faults, (from, to) => this.moveContents(from, to));
    if (config.policies.zeroing === 'on-free')
      this.pages.clearFreed = (first, count) => this.zeroRun(first, count);
    this.metadata = new Metadata(store, config, this.memory, this.pages, faults);
    this.users = new UserSpaces(store, config);
    this.chunks = new SgChunks(config, this.memory, this.metadata);
    this.reader = new SgReader(this.memory, this.chunks);
    this.sg = new SgTables(store, config, this.pages, this.chunks, faults);
    this.sgCopy = new SgCopy(config, this.sg, this.reader, this.cache);
    this.tables = new PageTables(config, this.memory, this.pages, faults);
    this.iotlb = new Iotlb(store, config);
    const iova = new IovaSpace(store, config, spacesOf(config), faults);
    this.iommu = new Iommu(store, config, this.tables, this.iotlb, iova, faults);
    this.devices = new Devices(store, config, this.iommu);
    this.flushQueue = new FlushQueue(store, config, this.iommu);
    this.dma = new DmaMapping(
      store,
      config,
      this.iommu,
      this.devices,
      this.flushQueue,
      this.cache,
      this.sg,
      this.reader,
    );
    this.coherent = new CoherentMemory(
      store,
      config,
      this.pages,
      this.metadata.scattered,
      this.cache,
      this.iommu,
      this.devices,
      this.flushQueue,
    );
    this.cpu = new Cpu(config, this.memory, this.cache, this.metadata.scattered, this.users);
    this.buffers = new Buffers(
      store,
      config,
      this.memory,
      this.cache,
      this.pages,
      this.metadata,
      this.chunks,
      new HeapSpace(store, config, this.iommu, this.reader),
    );
    const fds = new Fds(store, config, this.buffers, faults);
    const userMaps = new UserMaps(store, config, this.buffers, this.users);
    const kernelMaps = new KernelMaps(store, config, this.buffers, this.metadata.scattered);
    this.ion = new Ion(store, config, this.buffers, fds, userMaps, kernelMaps, faults);
    this.sharing = new Sharing(config, this.ion);
    this.engine = new Engine(config, this.iommu, this.devices, this.memory);
    this.jobs = new Jobs(store, config, this.engine, faults);
    const syncs = new Syncs(config, this.buffers);
    this.gpu = new Gpu(store, config, this.ion, this.iommu, this.engine, this.jobs, this.reader, syncs);
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
  }

  private moveContents(from: number, to: number): void {
    this.memory.copy(from, to);
    this.cache.move(from, to);
  }

  private zeroRun(first: number, count: number): void {
    for (let page = first; page < first + count; page++) this.cache.zeroPage(page);
  }

  private boot(): void {
    this.store.seal();
    this.memory.boot();
    this.pages.boot();
    this.store.keepImage();
  }
}
