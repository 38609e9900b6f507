import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import { Compaction } from './compaction.ts';
import type { Config } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_PAGE } from './faults.ts';
import { type FreeLists, LifoLists, LowestLists } from './free-lists.ts';
import { Occupants } from './occupants.ts';
import { OWNER_BLOCK } from './owners.ts';
import { Parked } from './parked.ts';
import { SEEN_COUNTER, SEEN_FREE_ORDER, SEEN_KIND, SEEN_NOWHERE, SEEN_PLACE } from './seen.ts';
import type { Store } from './store.ts';

export * from './owners.ts';

/**
 * Blocks of 2^order pages, aligned to their size: a binary buddy allocator that merges at once, with a short
 * list of single pages in front that are parked unmerged. After Linux 6.1 mm/page_alloc.c, one zone, one CPU.
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
  /** One word: how many pages are in free blocks. Parked pages are not. */
  readonly freeCount: Column;
  readonly parked: Parked;
  readonly occupants: Occupants;
  /** Asks those who keep pages for later to free some, to the buddy lists. Says whether any came. */
  reclaim: () => boolean = () => false;
  /** What is done to pages that come back, as with init_on_free. */
  clearFreed: (first: number, count: number) => void = () => {};
  /** Takes the contents of one page to another, when compaction moves its owner. */
  moveContents: (from: number, to: number) => void;
  private readonly compaction: Compaction;
  private readonly lists: FreeLists;
  private readonly faults: FaultPoints;
  private readonly reserve: number;

  constructor(
    store: Store,
    config: Config,
    faults: FaultPoints,
    moveContents: (from: number, to: number) => void,
  ) {
    const { pages, orderMax, policies } = config;
    this.pages = pages;
    this.orderMax = orderMax;
    this.reserve = config.reserve;
    this.faults = faults;
    this.moveContents = moveContents;
    this.freeOrder = store.column(pages, SEEN_FREE_ORDER | SEEN_KIND);
    this.block = store.column(pages, SEEN_PLACE);
    this.run = store.column(pages, SEEN_NOWHERE);
    this.owner = store.column(pages, SEEN_KIND | SEEN_COUNTER);
    this.freeCount = store.column(1, SEEN_COUNTER);
    const Lists = policies.placement === 'lifo' ? LifoLists : LowestLists;
    this.lists = new Lists(store, pages, orderMax);
    this.parked = new Parked(store, config, new Lists(store, pages, 0));
    this.occupants = new Occupants(store, config, this, faults);
    this.compaction = new Compaction(this, this.occupants);
  }

  /** Frees all that is not occupied, from the top down, so that the lowest block comes to stand first. */
  boot(): void {
    this.occupants.boot();
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
    const page = this.tryTake(order);
    return page < 0 ? this.takeHard(order) : page;
  }

  /** As {@link take}, out of what is free now, and no other effort: after GFP_NORETRY. */
  tryTake(order: number): number {
    const page = order === 0 ? this.takeParked() : -1;
    return page < 0 ? this.takeBlock(order) : page;
  }

  /** Takes `count` contiguous pages, as {@link take}: the tail of a larger block is given back at once. */
  takeExact(count: number): number {
    if (count > 1 << this.orderMax) return -ENOMEM;
    return this.trim(this.take(ceilLog2(count)), count);
  }

  /** As {@link takeExact}, with the effort of {@link tryTake}. */
  tryTakeExact(count: number): number {
    if (count > 1 << this.orderMax) return -ENOMEM;
    return this.trim(this.tryTake(ceilLog2(count)), count);
  }

  /** Gives any number of contiguous pages back, past the parked list. */
  freeRun(first: number, count: number): void {
    for (let page = first; page < first + count; page++) this.freeToLists(page, 0);
  }

  /**
   * Gives 2^order pages back, aligned to their size. They need not have been taken in one block. A single
   * page is parked while there is room.
   */
  free(page: number, order: number): void {
    if (order !== 0 || !this.parked.hasRoom()) this.freeToLists(page, order);
    else {
      this.clearFreed(page, 1);
      this.parked.push(page);
    }
  }

  /** As {@link free}, but never parked. */
  freeToLists(page: number, order: number): void {
    this.clearFreed(page, 1 << order);
    this.freeCount.add(0, 1 << order);
    this.merge(page, order);
  }

  /** Gives the parked pages to the buddy lists, where they merge. */
  drain(): void {
    for (let page = this.parked.pop(); page >= 0; page = this.parked.pop()) this.freeToLists(page, 0);
  }

  /** Moves movable pages out of the way of larger free blocks. */
  compact(): void {
    this.compaction.run();
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
    this.run.set(page, 0);
    this.free(page, ceilLog2(count));
  }

  /** `split_page()`: each page of a block becomes a block of its own. Returns how many they are. */
  splitBlock(first: number): number {
    const count = this.block.get(first);
    for (let page = first; page < first + count; page++) this.block.set(page, 1);
    this.run.set(first, count);
    return count;
  }

  /** `free_pages_exact()` of the pages that {@link splitBlock} made blocks of their own. */
  freeExact(first: number): void {
    const count = this.run.get(first);
    this.run.set(first, 0);
    for (let page = first; page < first + count; page++) this.freeBlock(page);
  }

  /** Holds exactly these pages for somebody outside: see {@link Occupants}. Returns an id, or an errno. */
  occupy(first: number, count: number, movable: boolean): number {
    return this.occupants.occupy(first, count, movable);
  }

  /** Gives back what {@link occupy} holds under an id. */
  release(id: number): void {
    this.occupants.release(id);
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

  /** The order of the free block that a page lies in, or -1. */
  freeOrderAt(page: number): number {
    for (let order = 0; order <= this.orderMax; order++)
      if (this.freeOrder.get(startOf(page, order)) === order + 1) return order;
    return -1;
  }

  /** Takes exactly this page out of the free block that it lies in, which falls to pieces around it. */
  carve(page: number): void {
    const order = this.freeOrderAt(page);
    this.unlist(startOf(page, order), order);
    for (let k = order - 1; k >= 0; k--) this.list(startOf(page, k) ^ (1 << k), k);
    this.freeCount.add(0, -1);
  }

  /** A parked page, unless the reserve is touched as it is; else -1. */
  private takeParked(): number {
    return this.freeCount.get(0) < this.reserve ? -1 : this.parked.pop();
  }

  private takeBlock(order: number): number {
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

  /** Everything that may help, from the cheap to the dear. */
  private takeHard(order: number): number {
    let page: number;
    do {
      this.drain();
      page = this.takeBlock(order);
    } while (page < 0 && this.reclaim());
    if (page >= 0 || order === 0) return page;
    this.compact();
    return this.takeBlock(order);
  }

  /** Gives back what a block has beyond `count` pages. Returns the block, or the error that it is. */
  private trim(page: number, count: number): number {
    if (page >= 0) this.freeRun(page + count, (1 << ceilLog2(count)) - count);
    return page;
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

/** The first page of the aligned block of an order that a page lies in. */
export const startOf = (page: number, order: number): number => page & -(1 << order);
