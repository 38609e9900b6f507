import { type CacheLines, COPY_TAG, LINE_CLEAN, LINE_DIRTY } from './cache-lines.ts';
import type { Config } from './config.ts';
import type { Memory } from './memory.ts';

/**
 * The CPU's write-back cache. Nothing leaves it but by eviction, cleaning and invalidation, so that a
 * forgotten sync shows. On a coherent machine devices look into it, which is the same as no cache at all.
 */
export class CpuCache {
  private readonly memory: Memory;
  private readonly copies: CacheLines;
  private readonly coherent: boolean;

  constructor(config: Config, memory: Memory, copies: CacheLines) {
    this.memory = memory;
    this.copies = copies;
    this.coherent = config.policies.coherent === 'yes';
  }

  /** Reads a line through the cache, which keeps a copy. Returns its tag. */
  read(page: number, line: number): number {
    const copy = this.copies.get(page, line);
    if (copy !== 0) return copy & COPY_TAG;
    const tag = this.memory.readLine(page, line);
    if (!this.coherent) this.copies.set(page, line, tag | LINE_CLEAN);
    return tag;
  }

  /** Writes a line: to its copy, and to memory some other time. */
  write(page: number, line: number, tag: number): void {
    if (this.coherent) this.memory.writeLine(page, line, tag);
    else this.copies.set(page, line, tag | LINE_DIRTY);
  }

  /** Writes zeros to a page through the cache. */
  zeroPage(page: number): void {
    for (let line = 0; line < this.memory.linesPerPage; line++) this.write(page, line, 0);
  }

  /** Writes all lines of a page to memory; no copies are left. */
  fillPage(page: number, tag: number): void {
    this.copies.drop(page);
    for (let line = 0; line < this.memory.linesPerPage; line++) this.memory.writeLine(page, line, tag);
  }

  /** Writes what is dirty of a page to memory; copies stay. */
  cleanPage(page: number): void {
    if (!this.copies.has(page)) return;
    for (let line = 0; line < this.memory.linesPerPage; line++) this.cleanLine(page, line);
  }

  /** Drops the copies of a page, whatever was written to them. */
  invalidatePage(page: number): void {
    this.copies.drop(page);
  }

  /** Whether memory lacks something that was written to a page. */
  isDirty(page: number): boolean {
    for (let line = 0; line < this.memory.linesPerPage; line++)
      if ((this.copies.get(page, line) & LINE_DIRTY) !== 0) return true;
    return false;
  }

  /** The (n modulo their number)-th copy, by physical address, leaves the cache. */
  evict(n: number): void {
    const at = this.copies.nth(n);
    if (at < 0) return;
    const line = at % this.memory.linesPerPage;
    const page = (at - line) / this.memory.linesPerPage;
    this.cleanLine(page, line);
    this.copies.set(page, line, 0);
  }

  /** Takes the contents of a page elsewhere: memory, and copies as they are. */
  move(from: number, to: number): void {
    this.memory.copyPage(from, to);
    if (!this.copies.has(from) && !this.copies.has(to)) return;
    for (let line = 0; line < this.memory.linesPerPage; line++)
      this.copies.set(to, line, this.copies.get(from, line));
    this.copies.drop(from);
  }

  /** The copy of a line: tag | state << 9, state 1 clean, 2 dirty; 0 when there is none. */
  cachedLine(page: number, line: number): number {
    return this.copies.get(page, line);
  }

  /** Writes a copy to memory if it is dirty. */
  cleanLine(page: number, line: number): void {
    const copy = this.copies.get(page, line);
    if ((copy & LINE_DIRTY) === 0) return;
    this.memory.writeLine(page, line, copy & COPY_TAG);
    this.copies.set(page, line, (copy & COPY_TAG) | LINE_CLEAN);
  }
}
