import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_KMALLOC, SITE_KMALLOC_LARGE } from './faults.ts';
import { OWNER_META, type PageAllocator } from './pages.ts';
import { type SlabPages, Slabs } from './slab.ts';
import type { Store } from './store.ts';

/**
 * Contiguous memory for the kernel itself: small objects by pointer out of slabs, the rest in whole pages, by
 * page frame or by pointer. After Linux 6.1 mm/slab_common.c.
 */
export class Kmalloc implements SlabPages {
  readonly slabs: Slabs;
  private readonly pages: PageAllocator;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;

  constructor(store: Store, config: Config, pages: PageAllocator, faults: FaultPoints) {
    this.pages = pages;
    this.faults = faults;
    this.pageBytes = config.pageBytes;
    this.slabs = new Slabs(store, config, this);
  }

  /** Memory for at least one byte. Returns a pointer, or -ENOMEM. */
  allocate(bytes: number): number {
    if (bytes <= this.pageBytes / 2) return this.small(bytes);
    const count = Math.ceil(bytes / this.pageBytes);
    const page = count === 1 ? this.page() : this.large(count);
    return page < 0 ? page : page * this.pageBytes;
  }

  /** Frees what {@link allocate} returned. */
  release(pointer: number): void {
    const page = Math.floor(pointer / this.pageBytes);
    if (this.slabs.isSlab(page)) this.slabs.free(pointer);
    else this.free(page);
  }

  /** An object of at most half a page. Returns a pointer, or -ENOMEM. */
  small(bytes: number): number {
    if (this.faults.ask(SITE_KMALLOC)) return -ENOMEM;
    return this.slabs.allocate(bytes);
  }

  /** One page. Returns it, or -ENOMEM. */
  page(): number {
    if (this.faults.ask(SITE_KMALLOC)) return -ENOMEM;
    return this.own(this.pages.take(0), 1);
  }

  /** `count` contiguous pages, with all effort. Returns the first, or -ENOMEM. */
  large(count: number): number {
    if (this.faults.ask(SITE_KMALLOC)) return -ENOMEM;
    return this.own(this.pages.takeExact(count), count);
  }

  /** As {@link large}, for callers who can do without: nothing is shrunk or moved for it. */
  tryLarge(count: number): number {
    if (this.faults.ask(SITE_KMALLOC_LARGE)) return -ENOMEM;
    return this.own(this.pages.tryTakeExact(count), count);
  }

  /** Frees what {@link page} or {@link large} returned. */
  free(page: number): void {
    const count = this.pages.run.get(page);
    this.pages.run.set(page, 0);
    this.pages.disown(page, count);
    if (count === 1) this.pages.free(page, 0);
    else this.pages.freeRun(page, count);
  }

  takeSlab(): number {
    return this.own(this.pages.take(0), 1);
  }

  freeSlab(page: number): void {
    this.free(page);
  }

  /** Notes whose the pages are. Returns the first, or the error that it is. */
  private own(page: number, count: number): number {
    if (page < 0) return page;
    this.pages.own(page, count, OWNER_META);
    this.pages.run.set(page, count);
    return page;
  }
}
