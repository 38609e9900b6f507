import { ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_KMALLOC, SITE_KMALLOC_LARGE } from './faults.ts';
import { OWNER_META, type PageAllocator } from './pages.ts';

/** Contiguous memory for the kernel itself, by page frames. No slabs yet: what fits a page takes a page. */
export class Kmalloc {
  private readonly pages: PageAllocator;
  private readonly faults: FaultPoints;

  constructor(pages: PageAllocator, faults: FaultPoints) {
    this.pages = pages;
    this.faults = faults;
  }

  /** One page. Returns it, or -ENOMEM. */
  page(): number {
    if (this.faults.ask(SITE_KMALLOC)) return -ENOMEM;
    return this.take(1);
  }

  /** `count` contiguous pages. Returns the first, or -ENOMEM, which the caller should survive. */
  large(count: number): number {
    if (this.faults.ask(SITE_KMALLOC_LARGE)) return -ENOMEM;
    return this.take(count);
  }

  /** Frees what {@link page} or {@link large} returned. */
  free(page: number): void {
    const count = this.pages.run.get(page);
    this.pages.run.set(page, 0);
    this.pages.disown(page, count);
    this.pages.freeRun(page, count);
  }

  private take(count: number): number {
    const page = this.pages.takeExact(count);
    if (page < 0) return page;
    this.pages.own(page, count, OWNER_META);
    this.pages.run.set(page, count);
    return page;
  }
}
