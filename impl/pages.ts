import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_PAGE } from './faults.ts';
import { type FreeLists, LifoLists, LowestLists } from './free-lists.ts';
import { SEEN_COUNTER, SEEN_FREE_ORDER, SEEN_KIND, SEEN_NOWHERE, SEEN_PLACE } from './seen.ts';
import type { Store } from './store.ts';

/** Who owns a page. Nobody: 0. Owners say so themselves, so that a page can be free and owned, or neither. */
export const OWNER_OCCUPIED = 1;
export const OWNER_BLOCK = 2;
export const OWNER_BUFFER = 3;
export const OWNER_META = 4;
export const OWNER_TABLE = 5;

/**
 * Blocks of 2^order pages, aligned to their size: a binary buddy allocator that merges at once. After Linux
 * 6.1 mm/page_alloc.c, one zone, no per-CPU lists.
 */
export class PageAllocator {
  readonly pages: number;
  readonly orderMax: number;
  /** Order + 1 of the free block that starts at a page, else 0. */
  readonly freeOrder: Column;
  /** Pages of the block that {@link allocateBlock} handed out from a page on; else 0. */
  readonly block: Column;
  /** How many pages were handed out together from a page on, where another owner keeps that here; else 0. */
  readonly run: Column;
  /** One of the `OWNER_` numbers for each page. */
  readonly owner: Column;
  /** One word: how many pages are free. */
  readonly freeCount: Column;
  private readonly lists: FreeLists;
  private readonly faults: FaultPoints;
  private readonly reserve: number;
  private readonly occupied: Config['occupied'];

  constructor(store: Store, config: Config, faults: FaultPoints) {
    const { pages, orderMax, policies } = config;
    this.pages = pages;
    this.orderMax = orderMax;
    this.reserve = config.reserve;
    this.occupied = config.occupied;
    this.faults = faults;
    this.freeOrder = store.column(pages, SEEN_FREE_ORDER | SEEN_KIND);
    this.block = store.column(pages, SEEN_PLACE);
    this.run = store.column(pages, SEEN_NOWHERE);
    this.owner = store.column(pages, SEEN_KIND | SEEN_COUNTER);
    this.freeCount = store.column(1, SEEN_COUNTER);
    const Lists = policies.placement === 'lifo' ? LifoLists : LowestLists;
    this.lists = new Lists(store, pages, orderMax);
  }

  /** Frees all that is not occupied, from the top down, so that the lowest block comes to stand first. */
  boot(): void {
    for (const [first, count] of this.occupied) this.own(first, count, OWNER_OCCUPIED);
    let end = this.pages;
    while (end > 0) {
      if (this.owner.get(end - 1) !== 0) end--;
      else end -= this.bootBlock(end);
    }
  }

  /**
   * Takes 2^order contiguous pages, for whoever calls: an order from 0 to `orderMax`.
   *
   * @returns the first page, or -ENOMEM when no block is large enough or the reserve would be touched
   */
  allocate(order: number): number {
    if (this.faults.ask(SITE_PAGE)) return -ENOMEM;
    return this.take(order);
  }

  /** As {@link allocate}, for callers with a fault site of their own. */
  take(order: number): number {
    if (this.freeCount.get(0) - (1 << order) < this.reserve) return -ENOMEM;
    let found = order;
    let page = this.lists.first(order);
    while (page < 0 && found < this.orderMax) page = this.lists.first(++found);
    if (page < 0) return -ENOMEM;
    this.unlist(page, found);
    this.split(page, found, order);
    this.freeCount.add(0, -(1 << order));
    return page;
  }

  /** Takes `count` contiguous pages, as {@link take}: the tail of a larger block is given back at once. */
  takeExact(count: number): number {
    const order = ceilLog2(count);
    if (order > this.orderMax) return -ENOMEM;
    const page = this.take(order);
    if (page >= 0) this.freeRun(page + count, (1 << order) - count);
    return page;
  }

  /** Gives any number of contiguous pages back. */
  freeRun(first: number, count: number): void {
    for (let page = first; page < first + count; page++) this.free(page, 0);
  }

  /** Gives 2^order pages back, aligned to their size. They need not have been taken in one block. */
  free(page: number, order: number): void {
    this.freeCount.add(0, 1 << order);
    this.merge(page, order);
  }

  /** Says who owns a run of pages. */
  own(first: number, count: number, owner: number): void {
    for (let page = first; page < first + count; page++) this.owner.set(page, owner);
  }

  /** Says that nobody owns a run of pages any more; they are not free yet. */
  disown(first: number, count: number): void {
    this.own(first, count, 0);
  }

  /**
   * `alloc_pages()` as a kernel caller sees it. Returns the first page, -EINVAL for an order there is not,
   * -ENOMEM.
   */
  allocateBlock(order: number): number {
    if (order < 0 || order > this.orderMax) return -EINVAL;
    const page = this.allocate(order);
    if (page < 0) return page;
    this.own(page, 1 << order, OWNER_BLOCK);
    this.block.set(page, 1 << order);
    return page;
  }

  /** `__free_pages()` of what {@link allocateBlock} returned. */
  freeBlock(page: number): void {
    const count = this.block.get(page);
    this.disown(page, count);
    this.block.set(page, 0);
    this.free(page, ceilLog2(count));
  }

  /** Frees the upper halves of a block until 2^order pages are left at its start. */
  split(page: number, from: number, order: number): void {
    for (let k = from - 1; k >= order; k--) this.list(page + (1 << k), k);
  }

  /** Puts a block in its list, joined with its buddy for as long as that is free as a whole. */
  merge(page: number, order: number): void {
    const buddy = page ^ (1 << order);
    if (!this.canMerge(buddy, order)) {
      this.list(page, order);
      return;
    }
    this.unlist(buddy, order);
    this.merge(page < buddy ? page : buddy, order + 1);
  }

  /** Whether the buddy is one free block of exactly this order. */
  canMerge(buddy: number, order: number): boolean {
    return order < this.orderMax && buddy < this.pages && this.freeOrder.get(buddy) === order + 1;
  }

  private list(page: number, order: number): void {
    this.lists.insert(page, order);
    this.freeOrder.set(page, order + 1);
  }

  private unlist(page: number, order: number): void {
    this.lists.remove(page, order);
    this.freeOrder.set(page, 0);
  }

  /** Frees the largest aligned block that ends before `end`. Returns its pages. */
  private bootBlock(end: number): number {
    let order = 0;
    while (order < this.orderMax && this.isBootBlock(end, order + 1)) order++;
    this.list(end - (1 << order), order);
    this.freeCount.add(0, 1 << order);
    return 1 << order;
  }

  /** Given that the lower orders are: whether 2^order unoccupied pages end here, aligned. */
  private isBootBlock(end: number, order: number): boolean {
    const size = 1 << order;
    if ((end & (size - 1)) !== 0) return false;
    for (let page = end - size; page < end - (size >> 1); page++)
      if (this.owner.get(page) !== 0) return false;
    return true;
  }
}
