import { by, holds } from './about.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_COUNTER, SEEN_NOWHERE, SEEN_STALE } from './seen.ts';
import type { Steps } from './steps.ts';
import type { Store } from './store.ts';

/**
 * How the DMA API ends translations. Strict: the IOTLB forgets them at once. Lazy: ranges wait in a queue,
 * and until it is flushed a device may still use what the IOTLB holds, so their addresses are not given out
 * again. After Linux 6.1 drivers/iommu/dma-iommu.c.
 */
export class FlushQueue {
  /** At domain * ioPages + ioPage: (page + 1) << 2 | rights of what awaits a flush. No words when strict. */
  readonly stale: Column;
  /** One word: flushes since boot, begun or done: a device uses nothing any more that waited when one began. */
  readonly flushes: Column;
  /** Domain + 1 of each entry, or 0; entries in use come first. */
  private readonly domain: Column;
  private readonly ioPage: Column;
  private readonly count: Column;
  /** Flushes before it was queued: a later one covers it. */
  private readonly queuedAfter: Column;
  private readonly iommu: Iommu;
  private readonly lazy: boolean;

  constructor(store: Store, config: Config, iommu: Iommu) {
    this.iommu = iommu;
    this.lazy = config.policies.invalidation === 'lazy';
    const entries = this.lazy ? config.flushEntries : 0;
    const stale = this.lazy ? config.contexts * iommu.ioPages : 0;
    this.stale = store.column(stale, SEEN_STALE, by('context', iommu.ioPages));
    this.flushes = store.column(1, SEEN_COUNTER);
    this.domain = store.column(entries, SEEN_NOWHERE, holds('context'));
    this.ioPage = store.column(entries, SEEN_NOWHERE);
    this.count = store.column(entries, SEEN_NOWHERE);
    this.queuedAfter = store.column(entries, SEEN_NOWHERE);
  }

  /** Unmaps a range of a domain of the DMA API, and gives its addresses back: at once, or with a flush. */
  release(domain: number, ioPage: number, count: number): void {
    if (this.unmap(domain, ioPage, count)) this.freeAddresses(domain, ioPage, count);
  }

  /** The first half of {@link release}. Returns whether the addresses are the caller's to give back. */
  unmap(domain: number, ioPage: number, count: number): boolean {
    if (this.lazy) this.releaseLater(domain, ioPage, count);
    else this.iommu.unmapRange(domain, ioPage, count);
    return !this.lazy;
  }

  /** Ends all that waits. An empty queue is not flushed. Returns the flushes since boot. */
  flush(): number {
    const flush = this.begin();
    this.complete(flush);
    return flush;
  }

  /** {@link flush}, interruptible while the IOMMU is at it: what is queued meanwhile waits for another one. */
  *flushSteps(): Steps {
    const flush = this.begin();
    yield 1;
    this.complete(flush);
    return flush;
  }

  /** Has the IOTLB forget all that waits. Returns the number of this flush, or of the last one. */
  begin(): number {
    const length = this.length();
    for (let entry = 0; entry < length; entry++)
      this.invalidate(this.domain.get(entry) - 1, this.ioPage.get(entry), this.count.get(entry));
    return this.flushes.add(0, Math.min(length, 1));
  }

  /** Gives back the addresses of all that a flush covers. */
  complete(flush: number): void {
    this.finishAll((entry) => this.isCovered(entry, flush));
  }

  /** Whether an entry had been queued when a flush began. */
  isCovered(entry: number, flush: number): boolean {
    return this.queuedAfter.get(entry) < flush;
  }

  /** Forgets what waits in a domain, whose end flushes it. */
  forget(domain: number): void {
    this.finishAll((entry) => this.domain.get(entry) === domain + 1);
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
    this.record(this.length(), domain + 1, ioPage, count, this.flushes.get(0));
  }

  private keepStale(domain: number, ioPage: number, count: number): void {
    const { tables, ioPages } = this.iommu;
    const root = this.iommu.rootOf(domain);
    for (let at = ioPage; at < ioPage + count; at++)
      this.stale.set(domain * ioPages + at, tables.walk(root, at));
  }

  private finishAll(isDone: (entry: number) => boolean): void {
    const length = this.length();
    let kept = 0;
    for (let entry = 0; entry < length; entry++) {
      if (isDone(entry)) this.finish(entry);
      else this.shift(entry, kept++);
    }
  }

  private finish(entry: number): void {
    const domain = this.domain.get(entry) - 1;
    const ioPage = this.ioPage.get(entry);
    const count = this.count.get(entry);
    this.freeAddresses(domain, ioPage, count);
    for (let at = ioPage; at < ioPage + count; at++) this.stale.set(domain * this.iommu.ioPages + at, 0);
    this.record(entry, 0, 0, 0, 0);
  }

  private shift(from: number, to: number): void {
    if (from === to) return;
    const queuedAfter = this.queuedAfter.get(from);
    this.record(to, this.domain.get(from), this.ioPage.get(from), this.count.get(from), queuedAfter);
    this.record(from, 0, 0, 0, 0);
  }

  private record(entry: number, domain: number, ioPage: number, count: number, queuedAfter: number): void {
    this.domain.set(entry, domain);
    this.ioPage.set(entry, ioPage);
    this.count.set(entry, count);
    this.queuedAfter.set(entry, queuedAfter);
  }
}
