import { by } from './about.ts';
import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import { type Config, ioPagesOf } from './config.ts';
import { ENOSPC } from './errno.ts';
import { type FaultPoints, SITE_IOVA } from './faults.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/** The bits from `from` to the end of their word, at most `count` of them. */
const maskOf = (from: number, count: number): number =>
  count >= 32 ? -1 << from : ((1 << count) - 1) << from;

/**
 * Ranges of I/O pages, one set for each address space: the lowest range aligned to the power of two that is
 * not smaller. I/O page 0 and the reserved ones at the end are never given out. After Linux 6.1
 * drivers/iommu/iova.c, which searches from the top.
 */
export class IovaSpace {
  /** A bit for each I/O page of each space; a word belongs to one space. */
  private readonly used: Column;
  /** I/O pages from here on are reserved. */
  readonly end: number;
  private readonly spaceWords: number;
  private readonly faults: FaultPoints;

  /** @param spaces - how many address spaces there are */
  constructor(store: Store, config: Config, spaces: number, faults: FaultPoints) {
    this.faults = faults;
    this.end = ioPagesOf(config) - config.reservedIoPages;
    this.spaceWords = (ioPagesOf(config) + 31) >>> 5;
    this.used = store.column(spaces * this.spaceWords, SEEN_NOWHERE, by('context', this.spaceWords));
  }

  /** Takes `count` I/O pages. Returns the first, or -ENOSPC. */
  allocate(space: number, count: number): number {
    if (count >= this.end || this.faults.ask(SITE_IOVA)) return -ENOSPC;
    const align = 1 << ceilLog2(count);
    for (let first = this.searchFrom(space, align); first + count <= this.end; first += align) {
      if (!this.isFree(space, first, count)) continue;
      this.mark(space, first, count, true);
      return first;
    }
    return -ENOSPC;
  }

  /** Where the search for an aligned range starts: I/O page 0 is in none. */
  searchFrom(_space: number, align: number): number {
    return align;
  }

  /** Gives a range back, as it was taken. */
  free(space: number, first: number, count: number): void {
    this.mark(space, first, count, false);
  }

  /** Gives back all that is taken in a space. */
  clear(space: number): void {
    for (let i = 0; i < this.spaceWords; i++) {
      const word = space * this.spaceWords + i;
      if (this.used.get(word) !== 0) this.used.set(word, 0);
    }
  }

  /** The first I/O page from `from` on that is taken, or -1. */
  nextUsed(space: number, from: number): number {
    let i = from >>> 5;
    let left = i < this.spaceWords ? this.used.get(space * this.spaceWords + i) & (-1 << (from & 31)) : 0;
    while (left === 0) {
      if (++i >= this.spaceWords) return -1;
      left = this.used.get(space * this.spaceWords + i);
    }
    return (i << 5) | (31 - Math.clz32(left & -left));
  }

  private isFree(space: number, first: number, count: number): boolean {
    const end = first + count;
    for (let at = first; at < end; at = (at | 31) + 1) {
      const mask = maskOf(at & 31, end - at);
      if ((this.used.get(space * this.spaceWords + (at >>> 5)) & mask) !== 0) return false;
    }
    return true;
  }

  private mark(space: number, first: number, count: number, taken: boolean): void {
    const end = first + count;
    for (let at = first; at < end; at = (at | 31) + 1) {
      const word = space * this.spaceWords + (at >>> 5);
      const mask = maskOf(at & 31, end - at);
      this.used.set(word, taken ? this.used.get(word) | mask : this.used.get(word) & ~mask);
    }
  }
}
