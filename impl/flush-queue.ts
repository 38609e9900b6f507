import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_COUNTER, SEEN_NOWHERE, SEEN_STALE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * How the DMA API ends translations. Strict: the IOTLB forgets them at once. Lazy: ranges wait in a queue,
 * and until it is flushed a device may still use what the IOTLB holds, so their addresses are not given out
 * again. After Linux 6.1 drivers/iommu/dma-iommu.c.
 */
export class FlushQueue {
  /** At domain * ioPages + ioPage: (page + 1) << 2 | rights of what awaits a flush. No words when strict. */
  readonly stale: Column;
  /** One word: flushes since boot. */
  readonly flushes: Column;
  /** Domain + 1 of each entry, or 0; entries in use come first. */
  private readonly domain: Column;
  private readonly ioPage: Column;
  private readonly count: Column;
  private readonly iommu: Iommu;
  private readonly lazy: boolean;

  constructor(store: Store, config: Config, iommu: Iommu) {
    this.iommu = iommu;
    this.lazy = config.policies.invalidation === 'lazy';
    const entries = this.lazy ? config.flushEntries : 0;
    this.stale = store.column(this.lazy ? config.contexts * iommu.ioPages : 0, SEEN_STALE);
    this.flushes = store.column(1, SEEN_COUNTER);
    this.domain = store.column(entries, SEEN_NOWHERE);
    this.ioPage = store.column(entries, SEEN_NOWHERE);
    this.count = store.column(entries, SEEN_NOWHERE);
  }

  /** Unmaps a range of a domain of the DMA API, and gives its addresses back: at once, or with a flush. */
  release(domain: number, ioPage: number, count: number): void {
    if (this.lazy) this.releaseLater(domain, ioPage, count);
    else {
      this.iommu.unmapRange(domain, ioPage, count);
      this.freeAddresses(domain, ioPage, count);
    }
  }

  /** Ends all that waits. An empty queue is not flushed. */
  flush(): void {
    if (this.length() === 0) return;
    for (let entry = 0; entry < this.domain.count && this.domain.get(entry) !== 0; entry++)
      this.finish(entry);
    this.flushes.add(0, 1);
  }

  /** Forgets what waits in a domain, whose end flushes it. */
  forget(domain: number): void {
    let kept = 0;
    for (let entry = 0; entry < this.domain.count; entry++) {
      if (this.domain.get(entry) === domain + 1) this.finish(entry);
      else if (this.domain.get(entry) !== 0) this.shift(entry, kept++);
    }
  }

  /** Entries in use. */
  length(): number {
    let length = 0;
    while (length < this.domain.count && this.domain.get(length) !== 0) length++;
    return length;
  }

  /** Makes room in a full queue. */
  flushIfFull(): void {
    if (this.length() === this.domain.count) this.flush();
  }

  /** Drops what the IOTLB may hold of a range. */
  invalidate(domain: number, ioPage: number, count: number): void {
    this.iommu.iotlb.invalidate(this.iommu.spaceOf(domain), ioPage, count);
  }

  freeAddresses(domain: number, ioPage: number, count: number): void {
    this.iommu.iova.free(this.iommu.spaceOf(domain), ioPage, count);
  }

  private releaseLater(domain: number, ioPage: number, count: number): void {
    this.flushIfFull();
    this.keepStale(domain, ioPage, count);
    this.iommu.clearEntries(domain, ioPage, count);
    this.record(this.length(), domain + 1, ioPage, count);
  }

  private keepStale(domain: number, ioPage: number, count: number): void {
    const { tables, ioPages } = this.iommu;
    const root = this.iommu.rootOf(domain);
    for (let at = ioPage; at < ioPage + count; at++)
      this.stale.set(domain * ioPages + at, tables.walk(root, at));
  }

  private finish(entry: number): void {
    const domain = this.domain.get(entry) - 1;
    const ioPage = this.ioPage.get(entry);
    const count = this.count.get(entry);
    this.invalidate(domain, ioPage, count);
    this.freeAddresses(domain, ioPage, count);
    for (let at = ioPage; at < ioPage + count; at++) this.stale.set(domain * this.iommu.ioPages + at, 0);
    this.record(entry, 0, 0, 0);
  }

  private shift(from: number, to: number): void {
    if (from === to) return;
    this.record(to, this.domain.get(from), this.ioPage.get(from), this.count.get(from));
    this.record(from, 0, 0, 0);
  }

  private record(entry: number, domain: number, ioPage: number, count: number): void {
    this.domain.set(entry, domain);
    this.ioPage.set(entry, ioPage);
    this.count.set(entry, count);
  }
}
