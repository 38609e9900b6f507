import { SEEN_LINE } from './seen.ts';

/**
 * Tells an observer which pages of RAM it must read again. What it saw is a function of the pages it read; so
 * it marks those, and a later write to a marked page says which of its columns are out of date.
 *
 * Not state of the machine: nothing here ever changes an answer, so it is neither saved nor undone.
 */
export class Watch {
  /** `SEEN_` bits of the columns that were computed from each page. */
  private readonly masks: Uint32Array;
  /** Pages whose lines changed since the last {@link settle}; meaningless while `everything`. */
  readonly dirty: number[] = [];
  /** Set while all of RAM may have changed: after boot and reset. */
  everything = true;

  constructor(pageCount: number) {
    this.masks = new Uint32Array(pageCount);
  }

  /** Notes a write to a page. Returns the bits of the columns that depended on it. */
  note(page: number): number {
    const mask = this.masks[page];
    if (mask === undefined || mask === 0) return 0;
    if ((mask & SEEN_LINE) !== 0) {
      this.masks[page] = mask & ~SEEN_LINE;
      this.dirty.push(page);
    }
    return mask;
  }

  /** Says that the columns `bits` were computed from this page, among others. */
  mark(page: number, bits: number): void {
    this.masks[page] = (this.masks[page] ?? 0) | bits;
  }

  /** Forgets a mark, when the column is about to be computed again. */
  unmark(page: number, bits: number): void {
    this.masks[page] = (this.masks[page] ?? 0) & ~bits;
  }

  /** Says that the observer has read all lines that had changed. */
  settle(): void {
    if (this.everything) for (let page = 0; page < this.masks.length; page++) this.mark(page, SEEN_LINE);
    for (const page of this.dirty) this.mark(page, SEEN_LINE);
    this.forget();
    this.everything = false;
  }

  /** Makes the observer read everything again. */
  spoil(): void {
    this.forget();
    this.everything = true;
  }

  private forget(): void {
    this.dirty.length = 0;
  }
}
