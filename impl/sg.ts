import { by } from './about.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import type { PageAllocator } from './pages.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { SgChunks, SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';

/** Scatter-gather tables of kernel users, by id. After Linux 6.1 lib/scatterlist.c. */
export class SgTables {
  /** First chunk + 1 of each table, 0 where there is no table. */
  readonly head: Column;
  /** Segments of each table. */
  readonly segments: Column;
  private readonly pages: PageAllocator;
  private readonly chunks: SgChunks;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;

  constructor(store: Store, config: Config, pages: PageAllocator, chunks: SgChunks, faults: FaultPoints) {
    this.pages = pages;
    this.chunks = chunks;
    this.faults = faults;
    this.pageBytes = config.pageBytes;
    this.head = store.column(config.sgTables, SEEN_NOWHERE, by('table'));
    this.segments = store.column(config.sgTables, SEEN_NOWHERE, by('table'));
  }

  /**
   * `sg_alloc_table_from_pages_segment()`: lists blocks of `alloc_pages` in order, each with all its pages,
   * and merges neighbours as far as possible.
   *
   * @param maxSegment - bytes; rounded down to pages
   * @returns the id, -EINVAL when a segment would be shorter than a page or nothing is listed, -ENOMEM
   */
  allocateFromPages(blocks: readonly number[], maxSegment: number): number {
    const lengthMax = Math.floor(maxSegment / this.pageBytes);
    if (!(lengthMax >= 1) || blocks.length === 0) return -EINVAL;
    const table = this.newId();
    if (table < 0) return table;
    const result = this.build(blocks, lengthMax);
    if (result < 0) return result;
    this.head.set(table, this.chunks.head + 1);
    this.segments.set(table, this.chunks.count);
    return table;
  }

  /** `sg_free_table()`; the table is not mapped. */
  free(table: number): void {
    const head = this.head.get(table) - 1;
    const count = this.segments.get(table);
    this.head.set(table, 0);
    this.segments.set(table, 0);
    this.chunks.free(head, count);
  }

  /** Puts a reader before the first segment of a table. */
  open(table: number, reader: SgReader): void {
    reader.open(this.head.get(table) - 1, this.segments.get(table));
  }

  /** Pages that a table lists. The reader is used up. */
  countPages(table: number, reader: SgReader): number {
    let count = 0;
    this.open(table, reader);
    while (reader.next()) count += reader.length;
    return count;
  }

  /** The lowest id that is not in use, or -ENOMEM. */
  newId(): number {
    if (this.faults.ask(SITE_ID)) return -ENOMEM;
    for (let id = 0; id < this.head.count; id++) if (this.head.get(id) === 0) return id;
    return -ENOMEM;
  }

  private build(blocks: readonly number[], lengthMax: number): number {
    this.chunks.begin(lengthMax);
    for (const block of blocks) {
      const result = this.appendBlock(block);
      if (result < 0) {
        this.chunks.abort();
        return result;
      }
    }
    this.chunks.end();
    return 0;
  }

  private appendBlock(block: number): number {
    const end = block + this.pages.block.get(block);
    let result = 0;
    for (let page = block; page < end && result === 0; page++) result = this.chunks.append(page);
    return result;
  }
}
