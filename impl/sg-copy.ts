import type { CpuCache } from './cache.ts';
import type { Config } from './config.ts';
import type { SgTables } from './sg.ts';
import type { SgReader } from './sg-chunks.ts';

/**
 * Fills the memory that a table lists, as a CPU does. After Linux 6.1 lib/scatterlist.c, sg_copy_buffer().
 */
export class SgCopy {
  private readonly tables: SgTables;
  private readonly reader: SgReader;
  private readonly cache: CpuCache;
  private readonly lineBytes: number;
  private readonly linesPerPage: number;

  constructor(config: Config, tables: SgTables, reader: SgReader, cache: CpuCache) {
    this.tables = tables;
    this.reader = reader;
    this.cache = cache;
    this.lineBytes = config.lineBytes;
    this.linesPerPage = config.pageBytes / config.lineBytes;
  }

  /**
   * Writes `tag` to the lines of bytes [skip, skip + bytes) of a table, through the cached linear map.
   *
   * @param skip - a multiple of the line size, as `bytes`
   * @returns bytes written: fewer where the table ends
   */
  fill(table: number, skip: number, bytes: number, tag: number): number {
    const first = skip / this.lineBytes;
    const end = first + bytes / this.lineBytes;
    let start = 0;
    let done = 0;
    this.tables.open(table, this.reader);
    while (start < end && this.reader.next()) {
      const lines = this.reader.length * this.linesPerPage;
      for (let line = Math.max(0, first - start); line < Math.min(lines, end - start); line++, done++)
        this.writeLine(this.reader.page, line, tag);
      start += lines;
    }
    return done * this.lineBytes;
  }

  /** Writes a line, counted from the start of a page. */
  writeLine(page: number, line: number, tag: number): void {
    const inPage = line % this.linesPerPage;
    this.cache.write(page + (line - inPage) / this.linesPerPage, inPage, tag);
  }
}
