import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';
import type { Watch } from './watch.ts';

/** A copy: its tag in the low 8 bits, and one of these. */
export const LINE_CLEAN: number = 1 << 9;
export const LINE_DIRTY: number = 2 << 9;
export const COPY_TAG = 0xff;

/**
 * Which lines of RAM have a copy in the CPU cache, and what the copies hold. There is no limit to their
 * number. A machine whose devices look into CPU caches has none: nobody could tell.
 */
export class CacheLines {
  readonly linesPerPage: number;
  /** Tag and state of the copy of each line, or 0. */
  private readonly copy: Column;
  /** Copies of lines of each page. */
  private readonly inPage: Column;
  /** One word: all copies. */
  private readonly total: Column;
  private readonly watch: Watch;

  constructor(store: Store, config: Config) {
    const pages = config.policies.coherent === 'yes' ? 0 : config.pages;
    this.linesPerPage = config.pageBytes / config.lineBytes;
    this.watch = store.watch;
    this.copy = store.lineColumn(pages, ceilLog2(this.linesPerPage));
    this.inPage = store.column(pages, SEEN_NOWHERE);
    this.total = store.column(1, SEEN_NOWHERE);
  }

  /** Whether any line of a page has a copy. */
  has(page: number): boolean {
    return (this.inPage.values[page] ?? 0) !== 0;
  }

  /** The copy of a line, or 0. */
  get(page: number, line: number): number {
    return this.copy.values[page * this.linesPerPage + line] ?? 0;
  }

  /** Replaces the copy of a line; 0 drops it. */
  set(page: number, line: number, copy: number): void {
    const at = page * this.linesPerPage + line;
    const old = this.copy.get(at);
    if (old === copy) return;
    this.copy.set(at, copy);
    this.watch.note(page);
    if (old === 0) this.count(page, 1);
    else if (copy === 0) this.count(page, -1);
  }

  /** Drops all copies of a page. */
  drop(page: number): void {
    for (let line = 0; this.has(page) && line < this.linesPerPage; line++) this.set(page, line, 0);
  }

  /**
   * The (n modulo their number)-th copy by physical address, as page * lines of a page + line; -1 when there
   * is none.
   */
  nth(n: number): number {
    const total = this.total.get(0);
    if (total === 0) return -1;
    let left = n % total;
    let page = 0;
    for (; left >= this.inPage.get(page); page++) left -= this.inPage.get(page);
    let line = 0;
    for (; left > 0 || this.get(page, line) === 0; line++) if (this.get(page, line) !== 0) left--;
    return page * this.linesPerPage + line;
  }

  private count(page: number, change: number): void {
    this.inPage.add(page, change);
    this.total.add(0, change);
  }
}
