import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_VMALLOC } from './faults.ts';
import type { Kmalloc } from './kmalloc.ts';
import type { Memory } from './memory.ts';
import { OWNER_META, type PageAllocator } from './pages.ts';
import { SEEN_COUNTER, SEEN_NOWHERE, SEEN_PLACE } from './seen.ts';
import type { Store } from './store.ts';

/** In the page of an area that has no page frame yet, and in the guard page behind it. */
const UNBACKED = -1;

/**
 * Single pages behind consecutive kernel addresses, with an unused guard page behind each area. After Linux
 * 6.1 mm/vmalloc.c: the pages are listed in an array, which is kernel memory in turn.
 *
 * A *kernel page* names memory: below `pages` a page frame (the linear map), from there on a page of this
 * address space. What this class returns and takes are kernel pages.
 */
export class Vmalloc {
  /** For each page of address space: page frame + 1, 0 where nothing is, -1 for a guard page. */
  readonly area: Column;
  /** At the first page of an area: kernel page + 1 of the array that lists its pages, else 0. */
  private readonly arrayOf: Column;
  private readonly memory: Memory;
  private readonly pages: PageAllocator;
  private readonly kmalloc: Kmalloc;
  private readonly faults: FaultPoints;
  private readonly entriesPerPage: number;
  private readonly entryWords: number;

  constructor(
    store: Store,
    config: Config,
    memory: Memory,
    pages: PageAllocator,
    kmalloc: Kmalloc,
    faults: FaultPoints,
  ) {
    this.memory = memory;
    this.pages = pages;
    this.kmalloc = kmalloc;
    this.faults = faults;
    this.entriesPerPage = config.pageBytes / config.pageArrayEntryBytes;
    this.entryWords = config.pageArrayEntryBytes / memory.wordBytes;
    this.area = store.column(config.vmallocPages, SEEN_PLACE | SEEN_COUNTER);
    this.arrayOf = store.column(config.vmallocPages, SEEN_NOWHERE);
  }

  /** `count` pages. Returns the first kernel page, or -ENOMEM with nothing left behind. */
  allocate(count: number): number {
    const start = this.reserve(count);
    if (start < 0) return start;
    const array = this.allocateArray(count);
    if (array < 0) {
      this.release(start, count);
      return array;
    }
    this.arrayOf.set(start, array + 1);
    const backed = this.back(start, array, count);
    if (backed === count) return this.memory.pages + start;
    this.drop(start, backed, count);
    return -ENOMEM;
  }

  /** Frees what {@link allocate} returned. */
  free(kernelPage: number): void {
    const start = kernelPage - this.memory.pages;
    const count = this.pagesOf(start);
    this.drop(start, count, count);
  }

  /** Finds a hole for `count` pages and a guard page. Returns its first page of address space, or -ENOMEM. */
  reserve(count: number): number {
    if (count > this.memory.pages || this.faults.ask(SITE_VMALLOC)) return -ENOMEM;
    const start = this.findHole(count + 1);
    if (start < 0) return -ENOMEM;
    for (let page = start; page <= start + count; page++) this.area.set(page, UNBACKED);
    return start;
  }

  /** Gives address space back, guard page included. */
  release(start: number, count: number): void {
    for (let page = start; page <= start + count; page++) this.area.set(page, 0);
  }

  /** The array that lists `count` pages. It must be shorter than what it lists, or this would have no end. */
  allocateArray(count: number): number {
    const arrayPages = Math.ceil(count / this.entriesPerPage);
    if (arrayPages === 1) return this.kmalloc.page();
    return arrayPages < count ? this.allocate(arrayPages) : -ENOMEM;
  }

  freeArray(array: number): void {
    if (array < this.memory.pages) this.kmalloc.free(array);
    else this.free(array);
  }

  /** Takes pages one by one and lists them. Returns how many could be had. */
  back(start: number, array: number, count: number): number {
    for (let done = 0; done < count; done++) {
      const page = this.pages.allocate(0);
      if (page < 0) return done;
      this.pages.own(page, 1, OWNER_META);
      this.writeArray(array, done, page);
      this.area.set(start + done, page + 1);
    }
    return count;
  }

  /** Frees the first `count` pages that an array lists. */
  unback(array: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = this.readArray(array, i);
      if (!this.memory.isPage(page)) continue;
      this.pages.disown(page, 1);
      this.pages.free(page, 0);
    }
  }

  /** Entry `index` of a page array at a kernel page, as it stands in RAM. */
  readArray(array: number, index: number): number {
    const word = index * this.entryWords;
    return this.memory.readWord(this.frameOf(array, word), word & this.memory.wordMask);
  }

  /** Writes an entry of a page array. */
  writeArray(array: number, index: number, page: number): void {
    const word = index * this.entryWords;
    this.memory.writeWord(this.frameOf(array, word), word & this.memory.wordMask, page);
  }

  /** The page frame that holds entry `index` of a page array. */
  frameOfEntry(array: number, index: number): number {
    return this.frameOf(array, index * this.entryWords);
  }

  /** Pages of the largest hole, which must hold a guard page too. */
  largestHole(): number {
    let largest = 0;
    let length = 0;
    for (let page = 0; page < this.area.count; page++) {
      length = this.area.values[page] === 0 ? length + 1 : 0;
      if (length > largest) largest = length;
    }
    return largest;
  }

  private frameOf(kernelPage: number, word: number): number {
    const page = kernelPage + (word >>> this.memory.pageShift);
    return page < this.memory.pages ? page : this.area.get(page - this.memory.pages) - 1;
  }

  /** Undoes an area of which `backed` pages are there. */
  private drop(start: number, backed: number, count: number): void {
    const array = this.arrayOf.get(start) - 1;
    this.unback(array, backed);
    this.arrayOf.set(start, 0);
    this.freeArray(array);
    this.release(start, count);
  }

  /** Pages of an area: up to its guard page. */
  private pagesOf(start: number): number {
    let page = start;
    while (this.area.get(page) !== UNBACKED) page++;
    return page - start;
  }

  /** The lowest hole of at least `length` pages, or -1. */
  private findHole(length: number): number {
    let from = 0;
    for (let page = 0; page < this.area.count; page++) {
      if (this.area.get(page) !== 0) from = page + 1;
      else if (page + 1 - from === length) return from;
    }
    return -1;
  }
}
