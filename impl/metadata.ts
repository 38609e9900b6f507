import { assert } from './check.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { FaultPoints } from './faults.ts';
import { Kmalloc } from './kmalloc.ts';
import type { Memory } from './memory.ts';
import type { PageAllocator } from './pages.ts';
import { ZERO_SIZE_POINTER } from './slab.ts';
import type { Store } from './store.ts';
import { Vmalloc } from './vmalloc.ts';

/** Larger requests are refused. After Linux, INT_MAX in kvmalloc_node(). */
const BYTES_MAX = 2 ** 31 - 1;

/**
 * The kernel's own memory, by pointer: contiguous, or out of single pages, or contiguous if it can be. After
 * Linux 6.1 mm/util.c. What a pointer is, {@link Vmalloc} says.
 */
export class Metadata {
  readonly contiguous: Kmalloc;
  readonly scattered: Vmalloc;
  private readonly pages: PageAllocator;
  private readonly linearBytes: number;
  private readonly pageBytes: number;
  private readonly entryBytes: number;

  constructor(store: Store, config: Config, memory: Memory, pages: PageAllocator, faults: FaultPoints) {
    assert((config.pages + config.vmallocPages) * config.pageBytes < 2 ** 31, 'a word holds a pointer');
    this.pages = pages;
    this.linearBytes = config.pages * config.pageBytes;
    this.pageBytes = config.pageBytes;
    this.entryBytes = config.pageArrayEntryBytes;
    this.contiguous = new Kmalloc(store, config, pages, faults);
    this.scattered = new Vmalloc(store, config, memory, pages, this.contiguous, faults);
  }

  /**
   * `kmalloc()`. Returns a pointer, or -ENOMEM. What fits a page succeeds whenever any page can be had; what
   * does not may fail in crumbs that nobody can move.
   */
  kmalloc(bytes: number): number {
    if (bytes === 0) return ZERO_SIZE_POINTER;
    if (!(bytes > 0 && bytes <= this.linearBytes)) return -ENOMEM;
    return this.contiguous.allocate(bytes);
  }

  /** `kfree()` of what {@link kmalloc} returned. */
  kfree(pointer: number): void {
    if (pointer !== ZERO_SIZE_POINTER) this.contiguous.release(pointer);
  }

  /** `vmalloc()`. Returns a pointer, or -ENOMEM. Needs no two pages that touch. */
  vmalloc(bytes: number): number {
    if (!(bytes > 0 && bytes <= this.linearBytes)) return -ENOMEM;
    return this.pointerOf(this.scattered.allocate(Math.ceil(bytes / this.pageBytes)));
  }

  /** `vfree()` of what {@link vmalloc} returned. */
  vfree(pointer: number): void {
    this.scattered.free(pointer / this.pageBytes);
  }

  /** `kvmalloc()`: kmalloc() if it comes easily, else vmalloc(). Returns a pointer, or -ENOMEM. */
  kvmalloc(bytes: number): number {
    if (!(bytes >= 0 && bytes <= BYTES_MAX)) return -ENOMEM;
    if (bytes <= this.pageBytes) return this.kmalloc(bytes);
    const pointer = this.kmallocLarge(bytes);
    return pointer < 0 ? this.vmalloc(bytes) : pointer;
  }

  /** `kvfree()`: frees what any of the three returned. */
  kvfree(pointer: number): void {
    if (pointer < this.linearBytes) this.kfree(pointer);
    else this.vfree(pointer);
  }

  /** Above a page, contiguous, without shrinking or moving anything for it: may fail in crumbs. */
  kmallocLarge(bytes: number): number {
    return this.pointerOf(this.contiguous.tryLarge(Math.ceil(bytes / this.pageBytes)));
  }

  /**
   * `vmap()` of all pages of blocks of `alloc_pages`, in order; the CPU caches them.
   *
   * @returns a pointer, or -ENOMEM, also when there are none
   */
  vmap(blocks: readonly number[]): number {
    const frames: number[] = [];
    for (const block of blocks) for (let i = 0; i < this.pages.block.get(block); i++) frames.push(block + i);
    return this.pointerOf(this.scattered.mapPages(frames.length, (index) => frames[index] ?? -1, true));
  }

  /** `vunmap()` of what {@link vmap} returned. The pages stay. */
  vunmap(pointer: number): void {
    this.scattered.unmapPages(pointer / this.pageBytes);
  }

  /** An array for `count` page numbers, by whichever allocator is asked. Returns a pointer, or -ENOMEM. */
  allocateArray(count: number, allocator: Config['policies']['pageArray'] = 'kvmalloc'): number {
    return this[allocator](count * this.entryBytes);
  }

  /** Frees what {@link allocateArray} returned. */
  free(array: number): void {
    this.kvfree(array);
  }

  /** Entry `index` of a page array, as it stands in RAM. */
  readArray(array: number, index: number): number {
    return this.scattered.readArray(array, index);
  }

  /** Writes an entry of a page array. */
  writeArray(array: number, index: number, page: number): void {
    this.scattered.writeArray(array, index, page);
  }

  private pointerOf(kernelPage: number): number {
    return kernelPage < 0 ? kernelPage : kernelPage * this.pageBytes;
  }
}
