import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { Memory } from './memory.ts';
import type { Metadata } from './metadata.ts';
import { OWNER_BUFFER, type PageAllocator } from './pages.ts';
import { SEEN_PLACE, SEEN_REFS } from './seen.ts';
import type { SgChunks, SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';

/**
 * Buffers of the IOMMU heap, counted references. A buffer is named by its page 0; its record is kept there,
 * its page list and its sg list in RAM. After the NVIDIA IOMMU heap and the ION core of 2011/12, as the
 * review changed them: the heap maps nothing, and page arrays above a page need not be contiguous.
 */
export class Buffers {
  /** References to the buffer whose page 0 this is, else 0. */
  readonly refs: Column;
  /** Its pages; 0 where there is no buffer. */
  readonly count: Column;
  /** Kernel page + 1 of its page array. */
  private readonly array: Column;
  /** First chunk + 1 of its sg list. */
  private readonly head: Column;
  private readonly segments: Column;
  private readonly memory: Memory;
  private readonly pages: PageAllocator;
  private readonly metadata: Metadata;
  private readonly chunks: SgChunks;
  private readonly contiguous: boolean;

  constructor(
    store: Store,
    config: Config,
    memory: Memory,
    pages: PageAllocator,
    metadata: Metadata,
    chunks: SgChunks,
  ) {
    this.memory = memory;
    this.pages = pages;
    this.metadata = metadata;
    this.chunks = chunks;
    this.contiguous = config.policies.layout === 'contiguous';
    this.refs = store.column(config.pages, SEEN_REFS);
    this.count = store.column(config.pages, SEEN_PLACE);
    this.array = store.column(config.pages, SEEN_PLACE);
    this.head = store.column(config.pages, SEEN_PLACE);
    this.segments = store.column(config.pages, SEEN_PLACE);
  }

  /** Makes a zeroed buffer of `count` pages with one reference. Returns its page 0, or -ENOMEM. */
  create(count: number): number {
    if (count > this.memory.pages) return -ENOMEM;
    const array = this.metadata.allocateArray(count);
    if (array < 0) return array;
    const filled = this.takePages(array, count);
    const result = filled < count ? -ENOMEM : this.listSegments(array, count);
    if (result < 0) {
      this.freePages(array, filled);
      this.metadata.free(array);
      return result;
    }
    return this.found(array, count);
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

  /** Clears memory before a client sees it. */
  zero(page: number): void {
    this.memory.zero(page);
  }

  /** Frees a buffer that nobody refers to. */
  destroy(buffer: number): void {
    const count = this.count.get(buffer);
    const array = this.array.get(buffer) - 1;
    this.freeSegments(buffer);
    this.record(buffer, 0, 0, 0, 0);
    this.freePages(array, count);
    this.metadata.free(array);
  }

  freeSegments(buffer: number): void {
    this.chunks.free(this.head.get(buffer) - 1, this.segments.get(buffer));
  }

  /** Frees the first `count` pages that an array lists. */
  freePages(array: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const page = this.metadata.readArray(array, i);
      if (this.memory.isPage(page)) this.freePage(page);
    }
  }

  freePage(page: number): void {
    this.pages.disown(page, 1);
    this.pages.free(page, 0);
  }

  /** Takes pages and lists them. Returns how many could be had. */
  takePages(array: number, count: number): number {
    return this.contiguous ? this.takeContiguous(array, count) : this.takeScattered(array, count);
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

  /** One block; what is left over of it is given back. Returns `count` or 0. */
  takeContiguous(array: number, count: number): number {
    const order = ceilLog2(count);
    if (order > this.pages.orderMax) return 0;
    const first = this.pages.allocate(order);
    if (first < 0) return 0;
    this.pages.freeRun(first + count, (1 << order) - count);
    for (let i = 0; i < count; i++) this.keepPage(array, i, first + i);
    return count;
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

  private keepPage(array: number, index: number, page: number): void {
    this.pages.own(page, 1, OWNER_BUFFER);
    this.metadata.writeArray(array, index, page);
  }

  private found(array: number, count: number): number {
    const buffer = this.metadata.readArray(array, 0);
    for (let i = 0; i < count; i++) this.zero(this.metadata.readArray(array, i));
    this.record(buffer, count, array + 1, this.chunks.head + 1, this.chunks.count);
    this.refs.set(buffer, 1);
    return buffer;
  }

  private record(buffer: number, count: number, array: number, head: number, segments: number): void {
    this.count.set(buffer, count);
    this.array.set(buffer, array);
    this.head.set(buffer, head);
    this.segments.set(buffer, segments);
  }
}
