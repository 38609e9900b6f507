import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { FreeLists } from './free-lists.ts';
import { SEEN_COUNTER, SEEN_KIND } from './seen.ts';
import type { Store } from './store.ts';

/**
 * Free single pages that were not merged, because the next to ask will have them back. After the per-CPU
 * lists of Linux 6.1 mm/page_alloc.c, one CPU.
 */
export class Parked {
  /** 1 for each page that is parked, else 0. */
  readonly isParked: Column;
  /** One word: how many pages are parked. */
  readonly count: Column;
  private readonly list: FreeLists;
  private readonly countMax: number;

  /** @param list - decides which page comes first; only its order 0 is used */
  constructor(store: Store, config: Config, list: FreeLists) {
    this.list = list;
    this.countMax = config.parked;
    this.isParked = store.column(config.pages, SEEN_KIND);
    this.count = store.column(1, SEEN_COUNTER);
  }

  hasRoom(): boolean {
    return this.count.get(0) < this.countMax;
  }

  push(page: number): void {
    this.list.insert(page, 0);
    this.isParked.set(page, 1);
    this.count.add(0, 1);
  }

  /** The page to take next, which is parked no more, or -1. */
  pop(): number {
    const page = this.count.get(0) > 0 ? this.list.first(0) : -1;
    if (page < 0) return page;
    this.list.remove(page, 0);
    this.isParked.set(page, 0);
    this.count.add(0, -1);
    return page;
  }
}
