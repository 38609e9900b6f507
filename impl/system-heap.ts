import type { Config } from './config.ts';
import { Deferred } from './deferred.ts';
import type { PageAllocator } from './pages.ts';
import { PagePool } from './pool.ts';
import type { Store } from './store.ts';

/**
 * Where the system heap keeps pages between buffers: some wait in buffers that are not freed yet, some in its
 * pool. After Linux 4.4 ion_system_heap.c.
 */
export class SystemHeap {
  readonly pool: PagePool;
  readonly deferred: Deferred;
  /** Pages that {@link takePage} has got out of the pool since {@link begin}: the first that it returned. */
  fromPool = 0;
  private readonly pages: PageAllocator;

  constructor(store: Store, config: Config, pages: PageAllocator) {
    this.pages = pages;
    this.pool = new PagePool(store, config, pages);
    this.deferred = new Deferred(store, config);
  }

  /** Whether a buffer of so many pages is not more than half of all there are. */
  mayTake(count: number): boolean {
    return 2 * count <= this.pages.pages;
  }

  /** Starts to take the pages of a buffer. */
  begin(): void {
    this.fromPool = 0;
  }

  /** The next page, which nobody owns, or -ENOMEM: pooled ones first. */
  takePage(): number {
    const page = this.pool.take();
    if (page < 0) return this.pages.allocate(0);
    this.fromPool++;
    return page;
  }

  /** Gives all pooled pages to the page allocator. Returns whether there was one. */
  emptyPool(): boolean {
    let any = false;
    for (let page = this.pool.take(); page >= 0; page = this.pool.take()) {
      this.pages.freeToLists(page, 0);
      any = true;
    }
    return any;
  }
}
