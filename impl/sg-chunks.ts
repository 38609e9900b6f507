import { type Config, ENTRY_BYTES } from './config.ts';
import type { Memory } from './memory.ts';
import type { Metadata } from './metadata.ts';

/**
 * Low bits of an entry's first word, as in the kernel's page_link: a link to the next chunk, the last
 * segment.
 */
const CHAIN = 1;
const END = 2;

/**
 * Scatter-gather lists in RAM. A segment is two entries: (first page << 2 | flags) and its pages. A chunk is
 * one page of segments; when more follow, its last slot is the link to the next. After Linux 6.1
 * lib/scatterlist.c.
 *
 * The fields are registers of the list that is being built: begin, append each page, end (or abort).
 */
export class SgChunks {
  /** First chunk of the list being built. */
  head = -1;
  /** Its segments so far. */
  count = 0;
  /** Segments of a chunk, its link included. */
  readonly slots: number;
  private readonly memory: Memory;
  private readonly metadata: Metadata;
  private chunk = -1;
  private slot = 0;
  private length = 0;
  private next = -1;
  private lengthMax = 0;

  constructor(config: Config, memory: Memory, metadata: Metadata) {
    this.memory = memory;
    this.metadata = metadata;
    this.slots = config.pageBytes / (2 * ENTRY_BYTES);
  }

  /** Starts a list whose segments have at most `lengthMax` >= 1 pages. */
  begin(lengthMax: number): void {
    this.lengthMax = lengthMax;
    this.count = 0;
    this.slot = 0;
    this.next = -1;
  }

  /** Adds a page, to the last segment if it is physically next. Returns 0, or -ENOMEM for want of a chunk. */
  append(page: number): number {
    if (this.canExtend(page)) {
      this.memory.write(this.chunk, 2 * this.slot - 1, ++this.length);
      this.next++;
      return 0;
    }
    return this.addSegment(page);
  }

  /** Whether a page continues the last segment. */
  canExtend(page: number): boolean {
    return page === this.next && this.length < this.lengthMax;
  }

  /** Marks the last segment. At least one page was appended. */
  end(): void {
    const word = 2 * this.slot - 2;
    this.memory.write(this.chunk, word, this.memory.read(this.chunk, word) | END);
  }

  /** Frees what was built. */
  abort(): void {
    if (this.count > 0) this.free(this.head, this.count);
  }

  /** Frees the chunks of a list of `count` segments. */
  free(head: number, count: number): void {
    let chunk = head;
    for (let left = count; left > this.slots && chunk >= 0; left -= this.slots - 1) {
      const next = this.linkOf(chunk);
      this.freeChunk(chunk);
      chunk = next;
    }
    if (chunk >= 0) this.freeChunk(chunk);
  }

  /** A zeroed page for a chunk, or -ENOMEM. */
  allocateChunk(): number {
    const chunk = this.metadata.contiguous.page();
    if (chunk >= 0) this.memory.zero(chunk);
    return chunk;
  }

  freeChunk(chunk: number): void {
    this.metadata.contiguous.free(chunk);
  }

  private addSegment(page: number): number {
    if (this.count === 0 || this.slot === this.slots) {
      const chunk = this.allocateChunk();
      if (chunk < 0) return chunk;
      if (this.count === 0) this.head = chunk;
      else this.chain(chunk);
      this.chunk = chunk;
    }
    this.memory.write(this.chunk, 2 * this.slot, page << 2);
    this.memory.write(this.chunk, 2 * this.slot + 1, 1);
    this.slot++;
    this.count++;
    this.length = 1;
    this.next = page + 1;
    return 0;
  }

  /** Moves the last segment of a full chunk to the start of the next, and puts the link in its place. */
  private chain(chunk: number): void {
    const last = 2 * (this.slots - 1);
    this.memory.write(chunk, 0, this.memory.read(this.chunk, last));
    this.memory.write(chunk, 1, this.memory.read(this.chunk, last + 1));
    this.memory.write(this.chunk, last, (chunk << 2) | CHAIN);
    this.memory.write(this.chunk, last + 1, 0);
    this.slot = 1;
  }

  /** The chunk after a full one, or -1 if what stands in RAM is no link. */
  private linkOf(chunk: number): number {
    const word = this.memory.read(chunk, 2 * (this.slots - 1));
    return (word & CHAIN) !== 0 && this.memory.isPage(word >>> 2) ? word >>> 2 : -1;
  }
}

/** Walks the segments of a list as they stand in RAM: open, then next until it is false. */
export class SgReader {
  /** First page of the present segment. */
  page = 0;
  /** Its pages. */
  length = 0;
  private readonly memory: Memory;
  private readonly slots: number;
  private chunk = 0;
  private slot = 0;
  private left = 0;

  constructor(memory: Memory, chunks: SgChunks) {
    this.memory = memory;
    this.slots = chunks.slots;
  }

  /** Starts before the first of `count` segments. */
  open(head: number, count: number): void {
    this.chunk = head;
    this.slot = 0;
    this.left = count;
  }

  /** Goes to the next segment. False behind the last, or where RAM holds none. */
  next(): boolean {
    if (this.left === 0) return false;
    if (this.slot < this.slots && (this.word() & CHAIN) !== 0) this.follow();
    if (this.slot === this.slots || !this.memory.isPage(this.word() >>> 2)) return this.stop();
    return this.load();
  }

  private word(): number {
    return this.memory.read(this.chunk, 2 * this.slot);
  }

  private follow(): void {
    const next = this.word() >>> 2;
    this.slot = this.memory.isPage(next) ? 0 : this.slots;
    if (this.slot === 0) this.chunk = next;
  }

  private load(): boolean {
    const word = this.word();
    this.page = word >>> 2;
    this.length = this.memory.read(this.chunk, 2 * this.slot + 1);
    if (!this.memory.isPage(this.page + this.length - 1) || this.length < 1) return this.stop();
    this.slot++;
    this.left = (word & END) !== 0 ? 0 : this.left - 1;
    return true;
  }

  private stop(): boolean {
    this.left = 0;
    return false;
  }
}
