import { holds } from './about.ts';
import type { Column } from './column.ts';
import { type Config, ioPagesOf } from './config.ts';
import { SEEN_IOTLB, SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * The IOMMU's cache of translations: fully associative, replaced in turn, tagged by address space. Nothing
 * leaves it but by replacement and invalidation, so a forgotten invalidation shows.
 */
export class Iotlb {
  /** space * ioPages + ioPage + 1, or 0. */
  private readonly key: Column;
  /** (page + 1) << 2 | rights. */
  private readonly entry: Column;
  /** One word: which place is filled next. */
  private readonly turn: Column;
  private readonly ioPages: number;

  constructor(store: Store, config: Config) {
    this.ioPages = ioPagesOf(config);
    this.key = store.column(config.iotlbEntries, SEEN_IOTLB, holds('context', this.ioPages));
    this.entry = store.column(config.iotlbEntries, SEEN_IOTLB);
    this.turn = store.column(1, SEEN_NOWHERE);
  }

  /** Places it has. */
  get size(): number {
    return this.key.count;
  }

  /** What is cached for an I/O page, or 0. */
  lookUp(space: number, ioPage: number): number {
    const key = space * this.ioPages + ioPage + 1;
    for (let i = 0; i < this.key.count; i++) if (this.key.get(i) === key) return this.entry.get(i);
    return 0;
  }

  /** Caches what a walk has found. */
  fill(space: number, ioPage: number, entry: number): void {
    const place = this.turn.get(0);
    this.key.set(place, space * this.ioPages + ioPage + 1);
    this.entry.set(place, entry);
    this.turn.set(0, place + 1 === this.key.count ? 0 : place + 1);
  }

  /** Drops what is cached for a range of I/O pages. */
  invalidate(space: number, ioPage: number, count: number): void {
    const first = space * this.ioPages + ioPage + 1;
    for (let i = 0; i < this.key.count; i++) {
      const key = this.key.get(i);
      if (key >= first && key < first + count) this.drop(i);
    }
  }

  /** Drops what is cached for a whole address space. */
  flush(space: number): void {
    this.invalidate(space, 0, this.ioPages);
  }

  /** The (n modulo their number)-th translation, by place, leaves by itself. */
  evict(n: number): void {
    let valid = 0;
    for (let i = 0; i < this.key.count; i++) if (this.key.get(i) !== 0) valid++;
    let left = valid === 0 ? -1 : n % valid;
    for (let i = 0; left >= 0; i++) if (this.key.get(i) !== 0 && left-- === 0) this.drop(i);
  }

  /** The address space of what is cached at a place, or -1. */
  spaceAt(place: number): number {
    const key = this.key.get(place);
    return key === 0 ? -1 : Math.floor((key - 1) / this.ioPages);
  }

  /** The I/O page of what is cached at a place. */
  ioPageAt(place: number): number {
    return (this.key.get(place) - 1) & (this.ioPages - 1);
  }

  /** What is cached at a place: (page + 1) << 2 | rights, or 0. */
  entryAt(place: number): number {
    return this.entry.get(place);
  }

  private drop(place: number): void {
    this.key.set(place, 0);
    this.entry.set(place, 0);
  }
}
