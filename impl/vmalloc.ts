import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { mappingOf } from './cpu-mapping.ts';
import { ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_VMALLOC } from './faults.ts';
import { KernelTables } from './kernel-tables.ts';
import type { Kmalloc } from './kmalloc.ts';
import type { Memory } from './memory.ts';
import { OWNER_META, type PageAllocator } from './pages.ts';
import { SEEN_COUNTER, SEEN_MAPPED, SEEN_NOWHERE, SEEN_PLACE } from './seen.ts';
import type { Store } from './store.ts';

/** In the page of an area that has no page frame yet, and in the guard page behind it. */
const UNBACKED = -1;

/**
 * Pages behind consecutive kernel addresses, with an unused guard page behind each area: memory of its own,
 * or mappings of pages that others own. After Linux 6.1 mm/vmalloc.c: the pages of memory are listed in an
 * array, which is kernel memory in turn.
 *
 * A *kernel page* is a page of the CPU's address space: below `pages` a page frame (the linear map), from
 * there on a page of this space. A *pointer* is a kernel page times the bytes of a page, plus an offset.
 */
export class Vmalloc {
  /** For each page of address space: page frame + 1, 0 where nothing is, -1 without a frame. */
  readonly area: Column;
  /** What others had mapped here, as {@link translate} gives it; 0 for memory. */
  readonly mapped: Column;
  readonly tables: KernelTables;
  /** At the first page of an area: its pages without the guard page, else 0. */
  private readonly lengthOf: Column;
  /** At the first page of memory: pointer + 1 to the array that lists its pages, else 0. */
  private readonly arrayOf: Column;
  private readonly memory: Memory;
  private readonly pages: PageAllocator;
  private readonly kmalloc: Kmalloc;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;
  private readonly entryBytes: number;
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
    this.pageBytes = config.pageBytes;
    this.entryBytes = config.pageArrayEntryBytes;
    this.entryWords = config.pageArrayEntryBytes / memory.wordBytes;
    this.tables = new KernelTables(store, config, memory, pages, faults);
    this.area = store.column(config.vmallocPages, SEEN_PLACE | SEEN_COUNTER);
    this.mapped = store.column(config.vmallocPages, SEEN_MAPPED);
    this.lengthOf = store.column(config.vmallocPages, SEEN_NOWHERE);
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
    if (backed === count && this.mapArea(start, true) === 0) return this.memory.pages + start;
    this.drop(start, backed);
    return -ENOMEM;
  }

  /** Frees what {@link allocate} returned. */
  free(kernelPage: number): void {
    const start = kernelPage - this.memory.pages;
    this.unmapArea(start);
    this.drop(start, this.lengthOf.get(start));
  }

  /**
   * Kernel addresses for pages that others own: `pageOf` names them in order. The CPU caches them, or not.
   *
   * @returns the first kernel page, or -ENOMEM with nothing left behind
   */
  mapPages(count: number, pageOf: (index: number) => number, cached: boolean): number {
    const start = this.reserve(count);
    if (start < 0) return start;
    for (let index = 0; index < count; index++) this.place(start + index, pageOf(index));
    if (this.mapArea(start, cached) < 0) {
      this.release(start, count);
      return -ENOMEM;
    }
    for (let page = start; page < start + count; page++) this.mapped.set(page, this.tables.walk(page));
    return this.memory.pages + start;
  }

  /** Undoes {@link mapPages}; the pages stay their owners'. */
  unmapPages(kernelPage: number): void {
    const start = kernelPage - this.memory.pages;
    const count = this.lengthOf.get(start);
    for (let page = start; page < start + count; page++) this.mapped.set(page, 0);
    this.unmapArea(start);
    this.release(start, count);
  }

  /** What the CPU finds behind a kernel page: (page frame + 1) << 1 | cached, or 0. */
  translate(kernelPage: number): number {
    const page = kernelPage - this.memory.pages;
    if (page < 0 && kernelPage >= 0) return mappingOf(kernelPage, true);
    return page >= 0 && page < this.area.count ? this.tables.walk(page) : 0;
  }

  /** Finds a hole for `count` pages and a guard page. Returns its first page of address space, or -ENOMEM. */
  reserve(count: number): number {
    if (count < 1 || count > this.memory.pages || this.faults.ask(SITE_VMALLOC)) return -ENOMEM;
    const start = this.findHole(count + 1);
    if (start < 0) return -ENOMEM;
    for (let page = start; page <= start + count; page++) this.area.set(page, UNBACKED);
    this.lengthOf.set(start, count);
    return start;
  }

  /** Gives address space back, guard page included. */
  release(start: number, count: number): void {
    this.lengthOf.set(start, 0);
    for (let page = start; page <= start + count; page++) this.area.set(page, 0);
  }

  /** The array that lists `count` pages. It must be shorter than what it lists, or this would have no end. */
  allocateArray(count: number): number {
    const bytes = count * this.entryBytes;
    if (bytes <= this.pageBytes) return this.kmalloc.allocate(bytes);
    const arrayPages = Math.ceil(bytes / this.pageBytes);
    const page = arrayPages < count ? this.allocate(arrayPages) : -ENOMEM;
    return page < 0 ? page : page * this.pageBytes;
  }

  freeArray(array: number): void {
    const page = array / this.pageBytes;
    if (page < this.memory.pages) this.kmalloc.release(array);
    else this.free(page);
  }

  /** Takes pages one by one and lists them. Returns how many could be had. */
  back(start: number, array: number, count: number): number {
    for (let done = 0; done < count; done++) {
      const page = this.pages.allocate(0);
      if (page < 0) return done;
      this.pages.own(page, 1, OWNER_META);
      this.writeArray(array, done, page);
      this.place(start + done, page);
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

  /** Writes the kernel's tables for an area. Returns 0, or -ENOMEM with nothing left of it in them. */
  mapArea(start: number, cached: boolean): number {
    return this.tables.map(start, this.lengthOf.get(start), (index) => {
      const page = this.area.get(start + index) - 1;
      return page < 0 ? 0 : mappingOf(page, cached);
    });
  }

  unmapArea(start: number): void {
    this.tables.unmap(start, this.lengthOf.get(start));
  }

  /** Entry `index` of a page array, as it stands in RAM. */
  readArray(array: number, index: number): number {
    const word = this.wordOf(array, index);
    return this.memory.readWord(this.frameOf(word), word & this.memory.wordMask);
  }

  /** Writes an entry of a page array. */
  writeArray(array: number, index: number, page: number): void {
    const word = this.wordOf(array, index);
    this.memory.writeWord(this.frameOf(word), word & this.memory.wordMask, page);
  }

  /** The page frame that holds entry `index` of a page array. */
  frameOfEntry(array: number, index: number): number {
    return this.frameOf(this.wordOf(array, index));
  }

  /** Pages of address space that are taken, guard pages included. */
  usedPages(): number {
    let used = 0;
    for (let page = 0; page < this.area.count; page++) if (this.area.values[page] !== 0) used++;
    return used;
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

  /** Where an entry of a page array is, in words of the CPU's address space. */
  private wordOf(array: number, index: number): number {
    return array / this.memory.wordBytes + index * this.entryWords;
  }

  private frameOf(word: number): number {
    const page = word >>> this.memory.pageShift;
    return page < this.memory.pages ? page : this.area.get(page - this.memory.pages) - 1;
  }

  /** Puts a page frame behind a page of an area; what is none leaves a hole there. */
  private place(page: number, frame: number): void {
    this.area.set(page, this.memory.isPage(frame) ? frame + 1 : UNBACKED);
  }

  /** Undoes an area of which `backed` pages are there; no table refers to it. */
  private drop(start: number, backed: number): void {
    const array = this.arrayOf.get(start) - 1;
    this.unback(array, backed);
    this.arrayOf.set(start, 0);
    this.freeArray(array);
    this.release(start, this.lengthOf.get(start));
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
