import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { SgTables } from './sg.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';

/**
 * The DMA API over an IOMMU, after Linux 6.1 drivers/iommu/dma-iommu.c. A table is mapped once at a time, at
 * one range of addresses in which its segments lie one behind the other; none are merged.
 */
export class DmaMapping {
  /** Domain + 1 that each table is mapped in, or 0. */
  private readonly domain: Column;
  /** First I/O page of each mapping. */
  private readonly start: Column;
  /** I/O pages of each mapping. */
  private readonly count: Column;
  private readonly iommu: Iommu;
  private readonly tables: SgTables;
  private readonly reader: SgReader;
  private readonly pageBytes: number;

  constructor(store: Store, config: Config, iommu: Iommu, tables: SgTables, reader: SgReader) {
    this.iommu = iommu;
    this.tables = tables;
    this.reader = reader;
    this.pageBytes = config.pageBytes;
    this.domain = store.column(config.sgTables, SEEN_NOWHERE);
    this.start = store.column(config.sgTables, SEEN_NOWHERE);
    this.count = store.column(config.sgTables, SEEN_NOWHERE);
  }

  /**
   * `dma_map_sgtable()` of a table that is not mapped.
   *
   * @param rights - of READ and WRITE, as the direction asks: to the device is READ
   * @returns the device address of the first segment in bytes, or -ENOMEM
   */
  map(domain: number, table: number, rights: number): number {
    const count = this.countPages(table);
    const space = this.iommu.spaceOf(domain);
    const ioPage = this.iommu.iova.allocate(space, count);
    if (ioPage < 0) return -ENOMEM;
    this.tables.open(table, this.reader);
    if (this.iommu.mapSegments(domain, ioPage, this.reader, rights) < 0) {
      this.iommu.iova.free(space, ioPage, count);
      return -ENOMEM;
    }
    this.record(table, domain + 1, ioPage, count);
    return ioPage * this.pageBytes;
  }

  /** `dma_unmap_sgtable()`. Nothing happens when the domain has gone, and the mapping with it. */
  unmap(table: number): void {
    const domain = this.domain.get(table) - 1;
    if (domain < 0) return;
    const ioPage = this.start.get(table);
    const count = this.count.get(table);
    this.iommu.unmapRange(domain, ioPage, count);
    this.iommu.iova.free(this.iommu.spaceOf(domain), ioPage, count);
    this.record(table, 0, 0, 0);
  }

  /** `iommu_domain_free()`: what is left mapped in the domain goes. */
  freeDomain(domain: number): void {
    for (let table = 0; table < this.domain.count; table++) {
      if (this.domain.get(table) === domain + 1) this.record(table, 0, 0, 0);
    }
    this.iommu.destroy(domain);
  }

  private record(table: number, domain: number, ioPage: number, count: number): void {
    this.domain.set(table, domain);
    this.start.set(table, ioPage);
    this.count.set(table, count);
  }

  private countPages(table: number): number {
    let count = 0;
    this.tables.open(table, this.reader);
    while (this.reader.next()) count += this.reader.length;
    return count;
  }
}
