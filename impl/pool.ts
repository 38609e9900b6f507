import { BitTree } from './bit-tree.ts';
import type { Config } from './config.ts';
import { OWNER_POOLED, type PageAllocator } from './pages.ts';
import type { Store } from './store.ts';

/**
 * Single pages that the system heap keeps for its next buffer. After the ION page pool, order 0 only: which
 * page comes next is nobody's business, so it is the lowest.
 */
export class PagePool {
  private readonly members: BitTree;
  private readonly pages: PageAllocator;

  constructor(store: Store, config: Config, pages: PageAllocator) {
    this.pages = pages;
    this.members = new BitTree(store, config.pages);
  }

  /** Takes a page out. Returns it, owned by nobody, or -1 when the pool is empty. */
  take(): number {
    const page = this.members.first();
    if (page < 0) return -1;
    this.members.remove(page);
    this.pages.disown(page, 1);
    return page;
  }

  /** Keeps a page that nobody owns and that is not free. */
  give(page: number): void {
    this.pages.own(page, 1, OWNER_POOLED);
    this.members.add(page);
  }
}
