import type { About } from './about.ts';
import { Column } from './column.ts';
import { Journal } from './journal.ts';
import { SEEN_ALL, SEEN_LINE, SEEN_NOWHERE } from './seen.ts';
import { Watch } from './watch.ts';

/**
 * Every word that outlives a call, in one buffer: saving, resetting and comparing a machine is work on one
 * array. RAM comes first, so that the index of a word tells whether it is RAM.
 *
 * Used in two steps: layers ask for their columns, then {@link seal} makes the words.
 */
export class Store {
  readonly watch: Watch;
  /** All words. Written by {@link write} and {@link writeRam} only. */
  words: Int32Array = new Int32Array(0);
  /** `SEEN_` bits of what may look different since an observer cleared this. */
  touched: number = SEEN_ALL;
  private journal: Journal | null = null;
  private image: Int32Array = new Int32Array(0);
  /** The columns in which ids are, in words or in their indices. */
  readonly abouts: (readonly [Column, About])[] = [];
  private readonly columns: Column[] = [];
  /** Columns by each of their `SEEN_` bits. */
  private readonly seenIn: Column[][] = [];
  private readonly ramWords: number;
  private readonly pageShift: number;
  /** End of the words about lines, which start where RAM ends. */
  private lineEnd: number;
  private lineShift = 0;
  private size: number;

  /**
   * @param ramPages - page frames of RAM
   * @param pageShift - words of one page as a power of two
   */
  constructor(ramPages: number, pageShift: number) {
    this.watch = new Watch(ramPages);
    this.pageShift = pageShift;
    this.ramWords = ramPages << pageShift;
    this.lineEnd = this.ramWords;
    this.size = this.ramWords;
  }

  /** Reserves words for a column, all 0 at first. `bit`: what an observer computes from them. */
  column(count: number, bit: number, about?: About): Column {
    const column = new Column(this, this.size, count, bit);
    if (about !== undefined) this.abouts.push([column, about]);
    this.size += count;
    this.columns.push(column);
    for (let left = bit; left !== 0; left &= left - 1) {
      const at = 31 - Math.clz32(left & -left);
      this.seenIn[at] = [...(this.seenIn[at] ?? []), column];
    }
    return column;
  }

  /**
   * Reserves the column that says which copies of lines are cached, before any other. Whoever writes to it
   * notes the page.
   *
   * @param pages - pages of RAM, or 0 when nothing is ever cached
   * @param shift - lines of a page as a power of two
   */
  lineColumn(pages: number, shift: number): Column {
    const column = this.column(pages << shift, SEEN_LINE);
    this.lineEnd = this.size;
    this.lineShift = shift;
    return column;
  }

  /** Makes the words. No column can be added afterwards. */
  seal(): void {
    this.words = new Int32Array(this.size);
    for (const column of this.columns) column.attach(this.words);
  }

  /** Declares the present words to be those of a machine that has just booted. */
  keepImage(): void {
    this.image = this.words.slice();
  }

  /** Back to the kept image: one copy. Marks of the journal are gone. */
  reset(): void {
    this.words.set(this.image);
    this.touchAll();
    this.journal?.clear();
  }

  /** Makes an observer read everything again. */
  touchAll(): void {
    this.touched = SEEN_ALL;
    this.watch.spoil();
    for (const column of this.columns) column.touchAll();
  }

  /** An observer has seen all that was touched, but for RAM. */
  settle(): void {
    for (let left = this.touched; left !== 0; left &= left - 1)
      for (const column of this.seenIn[31 - Math.clz32(left & -left)] ?? []) column.settle();
    this.touched = 0;
  }

  write(index: number, value: number, bit: number): void {
    const old = this.words[index];
    if (old === value) return;
    if (this.journal !== null) this.journal.note(index, old ?? 0, value, bit);
    this.words[index] = value;
    this.touched |= bit;
  }

  /** Writes a word of RAM, and tells the watch. */
  writeRam(index: number, value: number): void {
    this.touched |= SEEN_LINE | this.watch.note(index >>> this.pageShift);
    this.write(index, value, SEEN_NOWHERE);
  }

  /** Writes the same value to a run of words of RAM that lies in one page. */
  fillRam(first: number, count: number, value: number): void {
    this.touched |= SEEN_LINE | this.watch.note(first >>> this.pageShift);
    if (this.journal === null && count > 16) this.words.fill(value, first, first + count);
    else for (let i = first; i < first + count; i++) this.write(i, value, SEEN_NOWHERE);
  }

  /** Puts an old value back: for the journal. Tells observers whatever the write told them. */
  restore(index: number, value: number, bit: number): void {
    this.words[index] = value;
    this.touched |= bit;
    if (bit !== SEEN_NOWHERE) this.columnOf(index).touchWord(index);
    if (index < this.ramWords) this.touched |= SEEN_LINE | this.watch.note(index >>> this.pageShift);
    else if (index < this.lineEnd) this.watch.note((index - this.ramWords) >>> this.lineShift);
  }

  /** The column that has a word. */
  private columnOf(index: number): Column {
    let first = 0;
    for (let end = this.columns.length; end - first > 1; ) {
      const middle = (first + end) >> 1;
      if ((this.columns[middle] as Column).base <= index) first = middle;
      else end = middle;
    }
    return this.columns[first] as Column;
  }

  /** Starts to log writes, from the present words on. Returns the log; a second call returns the same. */
  attachJournal(): Journal {
    this.journal ??= new Journal(this, this.image);
    return this.journal;
  }

  /** Stops logging; marks are gone, writes are cheaper. */
  detachJournal(): void {
    this.journal = null;
  }
}
