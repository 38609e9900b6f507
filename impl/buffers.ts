import type { CpuCache } from './cache.ts';
import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { HeapSpace } from './heap-space.ts';
import { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from './heaps.ts';
import { KernelSpace } from './kernel-space.ts';
import type { Memory } from './memory.ts';
import type { Metadata } from './metadata.ts';
import { OWNER_BUFFER, OWNER_DEFERRED } from './owners.ts';
import type { PageAllocator } from './pages.ts';
import { SEEN_NOWHERE, SEEN_PLACE, SEEN_REFS } from './seen.ts';
import type { SgChunks, SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';
import { SystemHeap } from './system-heap.ts';

/** Beside the bit of its heap in a buffer's traits. */
const CACHED = 8;

/**
 * Buffers of all heaps, counted references. A buffer is named by its page 0; its record is kept there, its
 * page list and its sg list in RAM. After the NVIDIA IOMMU heap and the ION core of 2011/12, as the review
 * changed them: the heap maps nothing, and page arrays above a page need not be contiguous.
 */
export class Buffers {
  /** References to the buffer whose page 0 this is, else 0. */
  readonly refs: Column;
  /** Its pages; 0 where there is no buffer, or one that only waits to be freed. */
  readonly count: Column;
  readonly system: SystemHeap;
  /** Where the heap maps its buffers, if it does. */
  readonly space: HeapSpace;
  /** Its page array + 1. */
  private readonly array: Column;
  /** First chunk + 1 of its sg list. */
  private readonly head: Column;
  private readonly segments: Column;
  /** Bit of its heap, and {@link CACHED}. */
  private readonly traits: Column;
  private readonly kernelSpace: KernelSpace;
  private readonly memory: Memory;
  private readonly cache: CpuCache;
  private readonly pages: PageAllocator;
  private readonly metadata: Metadata;
  private readonly chunks: SgChunks;
  private readonly policies: Config['policies'];
  /** Where a freed page can go. */
  private readonly toAllocator = (page: number): void => this.freePage(page);
  private readonly toBuddies = (page: number): void => this.pages.freeToLists(page, 0);
  private readonly toPool = (page: number): void => this.givePool(page);

  constructor(
    store: Store,
    config: Config,
    memory: Memory,
    cache: CpuCache,
    pages: PageAllocator,
    metadata: Metadata,
    chunks: SgChunks,
    space: HeapSpace,
  ) {
    this.memory = memory;
    this.cache = cache;
    this.pages = pages;
    this.metadata = metadata;
    this.chunks = chunks;
    this.space = space;
    this.policies = config.policies;
    this.system = new SystemHeap(store, config, pages);
    this.kernelSpace = new KernelSpace(store, config, metadata.scattered);
    this.refs = store.column(config.pages, SEEN_REFS);
    this.count = store.column(config.pages, SEEN_PLACE);
    this.array = store.column(config.pages, SEEN_PLACE);
    this.head = store.column(config.pages, SEEN_NOWHERE);
    this.segments = store.column(config.pages, SEEN_NOWHERE);
    this.traits = store.column(config.pages, SEEN_NOWHERE);
    pages.reclaim = () => this.shrink();
  }

  /**
   * Makes a buffer of `count` pages with one reference, zeroed as the machine's policy says.
   *
   * @param heap - one `HEAP_` bit
   * @returns its page 0, or -ENOMEM with nothing left behind
   */
  create(count: number, heap: number, cached: boolean): number {
    if (count > this.memory.pages) return -ENOMEM;
    const array = this.gather(count, heap);
    if (array < 0) return array;
    const buffer = this.metadata.readArray(array, 0);
    const result = this.listSegments(array, count);
    if (result < 0) {
      this.giveBack(array, count, heap);
      return result;
    }
    this.record(buffer, count, array + 1, this.chunks.head + 1, this.chunks.count);
    this.traits.set(buffer, cached ? heap | CACHED : heap);
    const attached = this.attach(buffer, count);
    if (attached < 0) {
      this.unlist(buffer);
      this.giveBack(array, count, heap);
      return attached;
    }
    this.prepare(buffer, count);
    this.refs.set(buffer, 1);
    return buffer;
  }

  takeReference(buffer: number): void {
    this.refs.add(buffer, 1);
  }

  /** The last reference takes the buffer with it. */
  dropReference(buffer: number): void {
    if (this.refs.add(buffer, -1) === 0) this.destroy(buffer);
  }

  /** Page `index` of a buffer, as its page array says. */
  pageAt(buffer: number, index: number): number {
    return this.metadata.readArray(this.array.get(buffer) - 1, index);
  }

  /** The page frame that holds entry `index` of a buffer's page array. */
  frameOfEntry(buffer: number, index: number): number {
    return this.metadata.scattered.frameOfEntry(this.array.get(buffer) - 1, index);
  }

  /** Puts a reader before the first segment of a buffer. */
  open(buffer: number, reader: SgReader): void {
    reader.open(this.head.get(buffer) - 1, this.segments.get(buffer));
  }

  /** Whether CPU mappings of a buffer go through the cache: all of them do, or none. */
  isCached(buffer: number): boolean {
    return (this.traits.get(buffer) & CACHED) !== 0;
  }

  /** Clears a page, through the linear map, which is cached. */
  zero(page: number): void {
    this.cache.zeroPage(page);
  }

  /** Leaves nothing of a page in the cache, so that its mappings may go past it. */
  settle(page: number): void {
    this.cache.cleanPage(page);
    this.cache.invalidatePage(page);
  }

  /** From here on memory holds what CPUs wrote to a buffer. */
  clean(buffer: number): void {
    const count = this.count.get(buffer);
    for (let i = 0; i < count; i++) {
      const page = this.pageAt(buffer, i);
      if (this.memory.isPage(page)) this.cache.cleanPage(page);
    }
  }

  /** From here on CPUs read what devices wrote to a buffer; what CPUs wrote since it was cleaned is lost. */
  invalidate(buffer: number): void {
    const count = this.count.get(buffer);
    for (let i = 0; i < count; i++) {
      const page = this.pageAt(buffer, i);
      if (this.memory.isPage(page)) this.cache.invalidatePage(page);
    }
  }

  /**
   * Frees a buffer that nobody refers to: at once, or out of the system heap when somebody gets round to it.
   */
  destroy(buffer: number): void {
    const count = this.count.get(buffer);
    this.detach(buffer, count);
    if (this.isOf(buffer, HEAP_SYSTEM)) this.defer(buffer, count);
    else this.free(buffer, count, this.toAllocator);
  }

  /** Lets a buffer that nothing reaches any more wait. */
  defer(buffer: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = this.pageAt(buffer, i);
      if (this.memory.isPage(page)) this.pages.own(page, 1, OWNER_DEFERRED);
    }
    this.count.set(buffer, 0);
    this.system.deferred.push(buffer, count);
  }

  /** Frees the buffer that has waited longest; its pages go to the pool. */
  work(): void {
    this.freeOldest(this.toPool);
  }

  /** Gives what waits and what is pooled to the page allocator. Returns whether there was anything. */
  shrink(): boolean {
    let any = false;
    while (this.freeOldest(this.toBuddies)) any = true;
    return this.emptyPool() || any;
  }

  /** Gives all pooled pages to the page allocator. Returns whether there was one. */
  emptyPool(): boolean {
    return this.system.emptyPool();
  }

  /** Frees the oldest deferred buffer, each page to `give`. Returns false when there is none. */
  freeOldest(give: (page: number) => void): boolean {
    const { deferred } = this.system;
    const buffer = deferred.oldest;
    if (buffer < 0) return false;
    const count = deferred.count.get(buffer);
    deferred.shift();
    this.free(buffer, count, give);
    return true;
  }

  /** Frees record, lists and pages of a buffer; `give` gets each page, which nobody owns then. */
  free(buffer: number, count: number, give: (page: number) => void): void {
    const array = this.array.get(buffer) - 1;
    this.unlist(buffer);
    this.freePages(array, count, give);
    this.metadata.free(array);
  }

  freeSegments(buffer: number): void {
    this.chunks.free(this.head.get(buffer) - 1, this.segments.get(buffer));
  }

  /** Frees the first `count` pages that an array lists. */
  freePages(array: number, count: number, give: (page: number) => void): void {
    for (let i = 0; i < count; i++) {
      const page = this.metadata.readArray(array, i);
      if (!this.memory.isPage(page)) continue;
      this.pages.disown(page, 1);
      give(page);
    }
  }

  /** Keeps a page for the next buffer: what the page allocator does with what it gets back, this does itself. */
  givePool(page: number): void {
    if (this.policies.zeroing === 'on-free') this.zero(page);
    this.system.pool.give(page);
  }

  freePage(page: number): void {
    this.pages.free(page, 0);
  }

  /** Takes pages out of a heap, and lists them. Returns the array, or -ENOMEM with nothing left behind. */
  gather(count: number, heap: number): number {
    if (heap === HEAP_SYSTEM_CONTIG) return this.gatherBlock(count);
    if (heap === HEAP_SYSTEM && !this.system.mayTake(count)) return -ENOMEM;
    const array = this.allocateArray(count, heap);
    if (array < 0) return array;
    const taken = heap === HEAP_IOMMU ? this.takePages(array, count) : this.takePooled(array, count);
    if (taken === count) return array;
    this.giveBack(array, taken, heap);
    return -ENOMEM;
  }

  /** As {@link gather}, one block: it comes first, because it is the hardest to get. */
  gatherBlock(count: number): number {
    const first = this.takeBlock(count);
    if (first < 0) return first;
    const array = this.allocateArray(count, HEAP_SYSTEM_CONTIG);
    if (array < 0) this.pages.freeRun(first, count);
    else for (let i = 0; i < count; i++) this.keepPage(array, i, first + i);
    return array;
  }

  /** The array for `count` pages; only that of the IOMMU heap is disputed. Returns it, or -ENOMEM. */
  allocateArray(count: number, heap: number): number {
    return this.metadata.allocateArray(count, heap === HEAP_IOMMU ? this.policies.pageArray : 'kvmalloc');
  }

  /** Pages of the IOMMU heap, listed. Returns how many could be had. */
  takePages(array: number, count: number): number {
    return this.policies.layout === 'contiguous'
      ? this.takeContiguous(array, count)
      : this.takeScattered(array, count);
  }

  /** Order-0 pages, one by one. */
  takeScattered(array: number, count: number): number {
    for (let i = 0; i < count; i++) {
      const page = this.pages.allocate(0);
      if (page < 0) return i;
      this.keepPage(array, i, page);
    }
    return count;
  }

  /** Pages of the system heap, listed. Returns how many could be had. */
  takePooled(array: number, count: number): number {
    this.system.begin();
    for (let i = 0; i < count; i++) {
      const page = this.system.takePage();
      if (page < 0) return i;
      this.keepPage(array, i, page);
    }
    return count;
  }

  /** One block, listed. Returns `count` or 0. */
  takeContiguous(array: number, count: number): number {
    const first = this.takeBlock(count);
    if (first < 0) return 0;
    for (let i = 0; i < count; i++) this.keepPage(array, i, first + i);
    return count;
  }

  /** One block; what is left over of it is given back. Returns its first page, or -ENOMEM. */
  takeBlock(count: number): number {
    const order = ceilLog2(count);
    if (order > this.pages.orderMax) return -ENOMEM;
    const first = this.pages.allocate(order);
    if (first >= 0) this.pages.freeRun(first + count, (1 << order) - count);
    return first;
  }

  /** Undoes {@link gather}: nobody has seen these pages. */
  giveBack(array: number, count: number, heap: number): void {
    const pooled = heap === HEAP_SYSTEM ? this.system.fromPool : 0;
    for (let i = 0; i < count; i++) {
      const page = this.metadata.readArray(array, i);
      this.pages.disown(page, 1);
      if (i < pooled) this.system.pool.give(page);
      else this.freePage(page);
    }
    this.metadata.free(array);
  }

  /** Builds the sg list out of the page array. Returns 0, or -ENOMEM with no chunk left. */
  listSegments(array: number, count: number): number {
    this.chunks.begin(count);
    for (let i = 0; i < count; i++) {
      const result = this.chunks.append(this.metadata.readArray(array, i));
      if (result === 0) continue;
      this.chunks.abort();
      return result;
    }
    this.chunks.end();
    return 0;
  }

  /** What a buffer takes for its life beside memory. Returns 0, or -ENOMEM with nothing of it left behind. */
  attach(buffer: number, count: number): number {
    if (this.takesKernelSpace(buffer) && this.kernelSpace.take(buffer, count) < 0) return -ENOMEM;
    if (!this.space.maps || this.mapInHeap(buffer, count) === 0) return 0;
    if (this.takesKernelSpace(buffer)) this.kernelSpace.give(buffer, count);
    return -ENOMEM;
  }

  /** Ends what {@link attach} began: nothing reaches the buffer any more. */
  detach(buffer: number, count: number): void {
    if (this.space.maps) this.space.unmap(buffer, count);
    if (this.takesKernelSpace(buffer)) this.kernelSpace.give(buffer, count);
  }

  mapInHeap(buffer: number, count: number): number {
    return this.space.map(buffer, count, (reader) => this.open(buffer, reader));
  }

  /** Makes the contents of a new buffer fit to be seen, by all its mappings. */
  prepare(buffer: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = this.pageAt(buffer, i);
      if (this.policies.zeroing === 'on-alloc') this.zero(page);
      if (!this.isCached(buffer) && this.policies.aliasing === 'clean') this.settle(page);
    }
  }

  private isOf(buffer: number, heap: number): boolean {
    return (this.traits.get(buffer) & heap) !== 0;
  }

  private takesKernelSpace(buffer: number): boolean {
    return this.kernelSpace.taken && this.isOf(buffer, HEAP_IOMMU);
  }

  private keepPage(array: number, index: number, page: number): void {
    this.pages.own(page, 1, OWNER_BUFFER);
    this.metadata.writeArray(array, index, page);
  }

  /** Frees the sg list of a buffer, and forgets its record. */
  private unlist(buffer: number): void {
    this.freeSegments(buffer);
    this.record(buffer, 0, 0, 0, 0);
    this.traits.set(buffer, 0);
  }

  private record(buffer: number, count: number, array: number, head: number, segments: number): void {
    this.count.set(buffer, count);
    this.array.set(buffer, array);
    this.head.set(buffer, head);
    this.segments.set(buffer, segments);
  }
}
