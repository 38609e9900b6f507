import { by, holds } from './about.ts';
import type { CpuCache } from './cache.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { Devices } from './devices.ts';
import { ENOMEM } from './errno.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { SgTables } from './sg.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Steps } from './steps.ts';
import type { Store } from './store.ts';
import { WRITE } from './tables.ts';

/**
 * The DMA API over an IOMMU, after Linux 6.1 drivers/iommu/dma-iommu.c. A table is mapped once at a time, at
 * one range of addresses in which its segments lie one behind the other; none are merged. While it is mapped
 * the device owns its memory, but for the time between a sync for the CPU and the next for the device.
 */
export class DmaMapping {
  /** Domain + 1 that each table is mapped in, or 0. */
  private readonly domain: Column;
  /** First I/O page of each mapping. */
  private readonly start: Column;
  /** I/O pages of each mapping. */
  private readonly count: Column;
  /** What the device may do with each mapping, which is its direction. */
  private readonly rights: Column;
  private readonly iommu: Iommu;
  private readonly devices: Devices;
  private readonly queue: FlushQueue;
  private readonly cache: CpuCache;
  private readonly tables: SgTables;
  private readonly reader: SgReader;
  private readonly pageBytes: number;

  constructor(
    store: Store,
    config: Config,
    iommu: Iommu,
    devices: Devices,
    queue: FlushQueue,
    cache: CpuCache,
    tables: SgTables,
    reader: SgReader,
  ) {
    this.iommu = iommu;
    this.devices = devices;
    this.queue = queue;
    this.cache = cache;
    this.tables = tables;
    this.reader = reader;
    this.pageBytes = config.pageBytes;
    this.domain = store.column(config.sgTables, SEEN_NOWHERE, { ...by('table'), ...holds('context') });
    this.start = store.column(config.sgTables, SEEN_NOWHERE, by('table'));
    this.count = store.column(config.sgTables, SEEN_NOWHERE, by('table'));
    this.rights = store.column(config.sgTables, SEEN_NOWHERE, by('table'));
  }

  /**
   * `dma_map_sgtable()` of a table that is not mapped.
   *
   * @param device - an initiator that is attached to a domain of type DMA
   * @param rights - of READ and WRITE, as the direction asks: to the device is READ
   * @returns the device address of the first segment in bytes, or -ENOMEM
   */
  map(device: number, table: number, rights: number): number {
    const domain = this.devices.contextOf(device);
    const space = this.iommu.spaceOf(domain);
    const count = this.tables.countPages(table, this.reader);
    const ioPage = this.iommu.iova.allocate(space, count);
    if (ioPage < 0) return -ENOMEM;
    this.tables.open(table, this.reader);
    if (this.iommu.mapSegments(domain, ioPage, this.reader, rights) < 0) {
      this.iommu.iova.free(space, ioPage, count);
      return -ENOMEM;
    }
    this.record(table, domain + 1, ioPage, count, rights);
    this.syncForDevice(table);
    return ioPage * this.pageBytes;
  }

  /** `dma_unmap_sgtable()` of a table that is mapped. Returns the flushes since boot. */
  unmap(table: number): number {
    const domain = this.domain.get(table) - 1;
    this.queue.release(domain, this.start.get(table), this.count.get(table));
    return this.forget(table);
  }

  /** {@link unmap}, interruptible when no access lands any more; a strict machine gives the addresses back last. */
  *unmapSteps(table: number): Steps {
    const domain = this.domain.get(table) - 1;
    const start = this.start.get(table);
    const count = this.count.get(table);
    const isOver = this.queue.unmap(domain, start, count);
    const flushes = this.forget(table);
    yield 1;
    if (isOver) this.queue.freeAddresses(domain, start, count);
    return flushes;
  }

  /** A table that is unmapped belongs to CPUs. Returns the flushes since boot. */
  forget(table: number): number {
    this.syncForCpu(table);
    this.record(table, 0, 0, 0, 0);
    return this.queue.flushes.get(0);
  }

  /** `dma_sync_sg_for_device()`: what the CPU wrote is in memory, whichever way the data goes. */
  syncForDevice(table: number): void {
    this.tables.open(table, this.reader);
    while (this.reader.next())
      for (let i = 0; i < this.reader.length; i++) this.cache.cleanPage(this.reader.page + i);
  }

  /** `dma_sync_sg_for_cpu()`: the CPU reads what is in memory, if the device may have written it. */
  syncForCpu(table: number): void {
    if ((this.rights.get(table) & WRITE) === 0) return;
    this.tables.open(table, this.reader);
    while (this.reader.next())
      for (let i = 0; i < this.reader.length; i++) this.cache.invalidatePage(this.reader.page + i);
  }

  /** `iommu_domain_free()` of a domain that no device is attached to: what is left mapped in it goes. */
  freeDomain(domain: number): void {
    this.queue.forget(domain);
    this.iommu.destroy(domain);
  }

  /**
   * `iommu_map_sg()`: a whole table at consecutive addresses of the caller's choice. The DMA API knows
   * nothing of it.
   *
   * @returns bytes mapped, or an error of {@link Iommu.mapList}
   */
  mapAt(domain: number, iova: number, table: number, rights: number): number {
    const count = this.tables.countPages(table, this.reader);
    this.tables.open(table, this.reader);
    return this.iommu.mapList(domain, iova, this.reader, count, rights);
  }

  private record(table: number, domain: number, ioPage: number, count: number, rights: number): void {
    this.domain.set(table, domain);
    this.start.set(table, ioPage);
    this.count.set(table, count);
    this.rights.set(table, rights);
  }
}
