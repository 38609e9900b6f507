import type { CacheLines } from './cache-lines.ts';
import { ceilLog2 } from './check.ts';
import { type Config, ENTRY_BYTES } from './config.ts';
import type { Store } from './store.ts';

/** What every word of RAM holds at boot, unless whoever frees memory zeroes it: what somebody left there. */
export const GARBAGE = 0xa5;
/** A line's content is the low byte of its first word. */
const TAG_MASK = 0xff;

/** Bytes that one 32-bit word of ours stands for: 8, unless entries of page arrays are smaller. */
export const wordBytesOf = (config: Config): number => Math.min(ENTRY_BYTES, config.pageArrayEntryBytes);

/**
 * RAM. The kernel keeps tables, page arrays and sg chunks in it, devices move whole lines. One 32-bit word
 * stands for {@link wordBytes} bytes, which is enough: page numbers are all that is ever kept.
 *
 * Words are what the kernel writes for its own use, and it cleans them at once: of a page that it writes, no
 * older copy stays in a cache. Lines are memory as devices and caches see it.
 */
export class Memory {
  readonly pages: number;
  readonly wordBytes: number;
  /** Words of a page as a power of two. */
  readonly pageShift: number;
  /** Selects the word within a page. */
  readonly wordMask: number;
  readonly linesPerPage: number;
  private readonly lineWords: number;
  /** Words of an entry of {@link ENTRY_BYTES} as a power of two. */
  private readonly entryShift: number;
  private readonly store: Store;
  private readonly copies: CacheLines;
  private readonly atBoot: number;

  constructor(store: Store, config: Config, copies: CacheLines) {
    this.store = store;
    this.copies = copies;
    this.atBoot = config.policies.zeroing === 'on-free' ? 0 : GARBAGE;
    this.pages = config.pages;
    this.wordBytes = wordBytesOf(config);
    this.pageShift = ceilLog2(config.pageBytes / this.wordBytes);
    this.wordMask = (1 << this.pageShift) - 1;
    this.linesPerPage = config.pageBytes / config.lineBytes;
    this.lineWords = config.lineBytes / this.wordBytes;
    this.entryShift = ceilLog2(ENTRY_BYTES / this.wordBytes);
  }

  /** Fills RAM. For boot only. */
  boot(): void {
    this.store.words.fill(this.atBoot, 0, this.pages << this.pageShift);
  }

  /** Whether a number found in RAM is a page frame: a device may have written there. */
  isPage(value: number): boolean {
    return value >= 0 && value < this.pages;
  }

  /** Reads an entry of {@link ENTRY_BYTES}. @throws Error when it is not in RAM */
  read(page: number, entry: number): number {
    return this.readWord(page, entry << this.entryShift);
  }

  /** Writes an entry of {@link ENTRY_BYTES}. @throws Error when the page is not in RAM */
  write(page: number, entry: number, value: number): void {
    this.writeWord(page, entry << this.entryShift, value);
  }

  /** @throws Error when the word is not in RAM */
  readWord(page: number, word: number): number {
    const value = this.isPage(page) ? this.store.words[(page << this.pageShift) + word] : undefined;
    if (value === undefined) throw new Error(`internal error: word ${word} of page ${page}`);
    return value;
  }

  /** @throws Error when the page is not in RAM */
  writeWord(page: number, word: number, value: number): void {
    if (!this.isPage(page)) throw new Error(`internal error: page ${page}`);
    this.dropCopies(page);
    this.store.writeRam((page << this.pageShift) + word, value);
  }

  /** Fills a page with zeros. */
  zero(page: number): void {
    this.dropCopies(page);
    this.store.fillRam(page << this.pageShift, 1 << this.pageShift, 0);
  }

  /** Copies all words of a page. What a cache holds of either is the caller's business. */
  copyPage(from: number, to: number): void {
    for (let word = 0; word <= this.wordMask; word++)
      this.store.writeRam((to << this.pageShift) + word, this.readWord(from, word));
  }

  /** Copies what memory holds of one page to another. */
  copy(from: number, to: number): void {
    for (let word = 0; word <= this.wordMask; word++) this.writeWord(to, word, this.readWord(from, word));
  }

  /** Drops what a cache holds of a page that the kernel writes for its own use. */
  dropCopies(page: number): void {
    if (this.copies.has(page)) this.copies.drop(page);
  }

  /** What a device reads from a line, 0 to 255. */
  readLine(page: number, line: number): number {
    return this.readWord(page, line * this.lineWords) & TAG_MASK;
  }

  /** Writes all words of a line. */
  writeLine(page: number, line: number, tag: number): void {
    this.store.fillRam((page << this.pageShift) + line * this.lineWords, this.lineWords, tag);
  }
}
