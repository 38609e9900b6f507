import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { FaultPoints } from './faults.ts';
import { Kmalloc } from './kmalloc.ts';
import type { Memory } from './memory.ts';
import type { PageAllocator } from './pages.ts';
import type { Store } from './store.ts';
import { Vmalloc } from './vmalloc.ts';

/** What kvmalloc of no bytes returns: it may be freed, never used. After Linux, ZERO_SIZE_PTR. */
export const ZERO_SIZE_POINTER = 16;
/** Larger requests are refused. After Linux, INT_MAX in kvmalloc_node(). */
const BYTES_MAX = 2 ** 31 - 1;

/**
 * The kernel's own memory, contiguous if it can be, out of single pages if not. After Linux 6.1 mm/util.c.
 *
 * Memory is named by the number of its first kernel page (see {@link Vmalloc}); a pointer is that number
 * times the page size, in bytes.
 */
export class Metadata {
  readonly contiguous: Kmalloc;
  readonly scattered: Vmalloc;
  private readonly pages: number;
  private readonly pageBytes: number;
  private readonly entryBytes: number;

  constructor(store: Store, config: Config, memory: Memory, pages: PageAllocator, faults: FaultPoints) {
    this.pages = config.pages;
    this.pageBytes = config.pageBytes;
    this.entryBytes = config.pageArrayEntryBytes;
    this.contiguous = new Kmalloc(pages, faults);
    this.scattered = new Vmalloc(store, config, memory, pages, this.contiguous, faults);
  }

  /** Memory for `bytes` bytes. Returns a pointer, or -ENOMEM. */
  kvmalloc(bytes: number): number {
    if (bytes === 0) return ZERO_SIZE_POINTER;
    const page = this.allocate(bytes);
    return page < 0 ? page : page * this.pageBytes;
  }

  /** Frees what {@link kvmalloc} returned. */
  kvfree(pointer: number): void {
    if (pointer !== ZERO_SIZE_POINTER) this.free(pointer / this.pageBytes);
  }

  /** Memory for at least one byte. Returns a kernel page, or -ENOMEM. */
  allocate(bytes: number): number {
    if (!(bytes > 0 && bytes <= BYTES_MAX)) return -ENOMEM;
    const count = Math.ceil(bytes / this.pageBytes);
    if (count === 1) return this.kmalloc();
    const page = this.kmallocLarge(count);
    return page < 0 ? this.vmalloc(count) : page;
  }

  /** Frees what {@link allocate} returned. */
  free(kernelPage: number): void {
    if (kernelPage < this.pages) this.kfree(kernelPage);
    else this.vfree(kernelPage);
  }

  /** At most a page: succeeds whenever any page can be had. */
  kmalloc(): number {
    return this.contiguous.page();
  }

  /** Above a page: may fail in crumbs. */
  kmallocLarge(count: number): number {
    return this.contiguous.large(count);
  }

  /** Above a page, in crumbs. */
  vmalloc(count: number): number {
    return this.scattered.allocate(count);
  }

  kfree(page: number): void {
    this.contiguous.free(page);
  }

  vfree(kernelPage: number): void {
    this.scattered.free(kernelPage);
  }

  /** An array for `count` page numbers. Returns a kernel page, or -ENOMEM. */
  allocateArray(count: number): number {
    return this.allocate(count * this.entryBytes);
  }

  /** Entry `index` of a page array, as it stands in RAM. */
  readArray(array: number, index: number): number {
    return this.scattered.readArray(array, index);
  }

  /** Writes an entry of a page array. */
  writeArray(array: number, index: number, page: number): void {
    this.scattered.writeArray(array, index, page);
  }
}
