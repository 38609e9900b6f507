import { by, holds } from './about.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EBUSY, EINVAL, ENOSPC } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import { OWNER_MOVABLE, OWNER_OCCUPIED } from './owners.ts';
import type { PageAllocator } from './pages.ts';
import { SEEN_COUNTER, SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * Pages in the hands of others: of the rest of the system, which makes memory scarce and crumbled. Those who
 * do not mind are moved by compaction: they keep their number of pages, not the pages.
 */
export class Occupants {
  /** Pages of each occupant, 0 where there is none. */
  readonly count: Column;
  /** One word: how many pages are movable. */
  readonly movableCount: Column;
  /** Occupant + 1 of each page, 0 where there is none, as for those who were there at boot. */
  private readonly holder: Column;
  private readonly pages: PageAllocator;
  private readonly faults: FaultPoints;
  private readonly atBoot: Pick<Config, 'occupied' | 'movable'>;

  constructor(store: Store, config: Config, pages: PageAllocator, faults: FaultPoints) {
    this.pages = pages;
    this.faults = faults;
    this.atBoot = config;
    this.count = store.column(config.occupants, SEEN_NOWHERE, by('occupant'));
    this.movableCount = store.column(1, SEEN_COUNTER);
    this.holder = store.column(config.pages, SEEN_NOWHERE, holds('occupant'));
  }

  /** Takes what is held from boot, before the rest is freed. */
  boot(): void {
    for (const [first, count] of this.atBoot.occupied) this.pages.own(first, count, OWNER_OCCUPIED);
    for (const [first, count] of this.atBoot.movable) {
      this.pages.own(first, count, OWNER_MOVABLE);
      this.movableCount.add(0, count);
    }
  }

  /**
   * Takes exactly these pages, whatever the reserve; parked ones are drained first.
   *
   * @returns an id, -EINVAL when there are no such pages, -EBUSY when one of them is in use, -ENOSPC no id
   */
  occupy(first: number, count: number, movable: boolean): number {
    if (!isIndex(first, this.pages.pages) || !isIndex(count - 1, this.pages.pages - first)) return -EINVAL;
    this.pages.drain();
    if (!this.isFree(first, count)) return -EBUSY;
    const id = this.newId();
    if (id < 0) return id;
    for (let page = first; page < first + count; page++) {
      this.pages.carve(page);
      this.hold(page, id + 1, movable ? OWNER_MOVABLE : OWNER_OCCUPIED);
    }
    this.count.set(id, count);
    if (movable) this.movableCount.add(0, count);
    return id;
  }

  /** Frees all pages of an occupant, wherever they are by now. */
  release(id: number): void {
    let left = this.count.get(id);
    this.count.set(id, 0);
    for (let page = 0; left > 0; page++) {
      if (this.holder.get(page) !== id + 1) continue;
      this.releasePage(page);
      left--;
    }
  }

  /** Gives a movable page's place to another, free page; the old one is free then. */
  move(from: number, to: number): void {
    this.pages.carve(to);
    this.pages.moveContents(from, to);
    this.hold(to, this.holder.get(from), OWNER_MOVABLE);
    this.hold(from, 0, 0);
    this.pages.freeToLists(from, 0);
  }

  isMovable(page: number): boolean {
    return this.pages.owner.get(page) === OWNER_MOVABLE;
  }

  private releasePage(page: number): void {
    if (this.isMovable(page)) this.movableCount.add(0, -1);
    this.hold(page, 0, 0);
    this.pages.freeToLists(page, 0);
  }

  private hold(page: number, holder: number, owner: number): void {
    this.holder.set(page, holder);
    this.pages.owner.set(page, owner);
  }

  private isFree(first: number, count: number): boolean {
    for (let page = first; page < first + count; page++) if (this.pages.freeOrderAt(page) < 0) return false;
    return true;
  }

  /** The lowest id that is not in use, or -ENOSPC. */
  private newId(): number {
    if (this.faults.ask(SITE_ID)) return -ENOSPC;
    for (let id = 0; id < this.count.count; id++) if (this.count.get(id) === 0) return id;
    return -ENOSPC;
  }
}
