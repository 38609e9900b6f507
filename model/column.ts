import type { Heard } from './target.ts';

/** Words of an entry of the log: the column's number, index of the word, old value. */
const ENTRY_WORDS = 3;
/** Words of a mark: length of the log, both halves of the fingerprint. */
const MARK_WORDS = 3;

/**
 * The state of a specification: named columns of integers over one array. Copying, undoing and fingerprinting a
 * state are then the same for every specification, and none of them needs to know what a column means.
 */
export class State {
  /** Bit n: column n was written since somebody cleared the bit. Columns from the 32nd on share the last bit. */
  touched = 0;
  #words: Int32Array = new Int32Array(0);
  #columns: Column[] = [];
  #log: Int32Array | null = null;
  #length = 0;
  #heard: Heard | undefined;
  #marks: Int32Array = new Int32Array(MARK_WORDS * 16);
  #marked = 0;
  #low = 0;
  #high = 0;

  /** Adds a column of `count` integers, all zero. Call {@link seal} after the last one. */
  column(count: number): Column {
    const column = new Column(this, this.#columns.length, count);
    this.#columns.push(column);
    return column;
  }

  /** Lays the columns out; no column can be added afterwards. */
  seal(): void {
    const total = this.#columns.reduce((sum, { count }) => sum + count, 0);
    this.#words = new Int32Array(total);
    let base = 0;
    for (const column of this.#columns) {
      column.place(this.#words.subarray(base, base + column.count), base);
      base += column.count;
    }
  }

  /** Back to a copy that {@link save} made. Logging ends, marks are gone. */
  restart(saved: Int32Array): void {
    this.#words.set(saved);
    this.#touchAll();
    this.#log = null;
    this.#marked = 0;
  }

  /** A copy of all integers, for {@link load} and {@link restart}. */
  save(): Int32Array {
    return this.#words.slice();
  }

  load(saved: Int32Array): void {
    if (this.#log !== null) throw new Error('internal error: a state that is logged goes back by undo');
    this.#words.set(saved);
    this.#touchAll();
  }

  /** Somebody has looked at all that was touched. */
  settle(): void {
    for (let left = this.touched; left !== 0; left &= left - 1)
      this.#columns[31 - Math.clz32(left & -left)]?.settle();
    this.touched = 0;
  }

  /** The first index of a column that was touched since the last {@link settle}; its length when none was. */
  from(column: number): number {
    return this.#columns[column]?.from ?? 0;
  }

  /** The index after the last one of a column that was touched; 0 when none was. */
  to(column: number): number {
    return this.#columns[column]?.to ?? 0;
  }

  /** The integers of the first `count` columns, for reading only. */
  columns(count: number): readonly Int32Array[] {
    return this.#columns.slice(0, count).map(({ values }) => values);
  }

  /** The words of all columns, for comparing whole states in tests. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Starts logging writes: from now on `mark`, `undo` and `fingerprint` work. */
  attach(): void {
    this.#log = new Int32Array(ENTRY_WORDS * 256);
    this.#length = 0;
    this.#heard = undefined;
    this.#marked = 0;
    this.#low = 0;
    this.#high = 0;
  }

  /** Has somebody told of every word that changes, until {@link attach}. */
  listen(heard: Heard | undefined): void {
    this.#heard = heard;
  }

  mark(): void {
    this.#logged();
    if (this.#marked === this.#marks.length) this.#marks = grown(this.#marks);
    this.#marks[this.#marked] = this.#length;
    this.#marks[this.#marked + 1] = this.#low;
    this.#marks[this.#marked + 2] = this.#high;
    this.#marked += MARK_WORDS;
  }

  /** Back to the last mark, which stays. */
  undo(): void {
    const log = this.#logged();
    const mark = this.#marked - MARK_WORDS;
    const length = this.#marks[mark] as number;
    while (this.#length > length) {
      this.#length -= ENTRY_WORDS;
      const column = this.#columns[log[this.#length] as number] as Column;
      column.restore(log[this.#length + 1] as number, log[this.#length + 2] as number);
    }
    this.#low = this.#marks[mark + 1] as number;
    this.#high = this.#marks[mark + 2] as number;
  }

  drop(): void {
    this.#marked -= MARK_WORDS;
  }

  /** 64 bits that depend only on the columns' contents, counted from the state at {@link attach}. */
  fingerprint(): readonly [low: number, high: number] {
    this.#logged();
    return [this.#low, this.#high];
  }

  /** Called by columns on every write that changes something. */
  note(index: number, old: number, value: number, column: number): void {
    if (this.#log === null) return;
    if (this.#length === this.#log.length) this.#log = grown(this.#log);
    this.#log[this.#length] = column;
    this.#log[this.#length + 1] = index;
    this.#log[this.#length + 2] = old;
    this.#length += ENTRY_WORDS;
    this.#heard?.(index, old, value);
    this.#low ^= mix(index, old, 0x9e3779b1) ^ mix(index, value, 0x9e3779b1);
    this.#high ^= mix(index, old, 0x85ebca6b) ^ mix(index, value, 0x85ebca6b);
  }

  #touchAll(): void {
    this.touched = -1;
    for (const column of this.#columns) column.touchAll();
  }

  #logged(): Int32Array {
    if (this.#log === null) throw new Error('internal error: the state is not being logged');
    return this.#log;
  }
}

/** One named run of integers. Reads and writes outside it are errors of the specification. */
export class Column {
  readonly count: number;
  /** What was touched since {@link settle}: from this index, up to the next. */
  from: number;
  to = 0;
  readonly #state: State;
  readonly #number: number;
  readonly #bit: number;
  #base = 0;
  #values: Int32Array = new Int32Array(0);
  /** Outside of these indices every value is 0, whatever is undone; -1: it is not known. */
  #first = -1;
  #end = -1;

  constructor(state: State, number: number, count: number) {
    this.#state = state;
    this.count = count;
    this.from = count;
    this.#number = number;
    this.#bit = 1 << Math.min(number, 31);
  }

  /** Index of its first integer in the state. */
  get base(): number {
    return this.#base;
  }

  /** The column's integers, for reading only. */
  get values(): Int32Array {
    return this.#values;
  }

  /** The first index at which there may be something else than 0; at least {@link end} if there is none. */
  get first(): number {
    if (this.#first < 0) this.#findEnds();
    return this.#first;
  }

  /** The index after the last one at which there may be something else than 0. */
  get end(): number {
    if (this.#first < 0) this.#findEnds();
    return this.#end;
  }

  place(values: Int32Array, base: number): void {
    this.#values = values;
    this.#base = base;
  }

  get(index: number): number {
    const value = this.#values[index];
    if (value === undefined) throw new Error(`internal error: index ${index} of ${this.count}`);
    return value;
  }

  /** The same for whatever users name: undefined where there is no such index. */
  peek(index: number): number | undefined {
    // An array that is asked for what it does not have answers late.
    return index >= 0 && index < this.count ? this.#values[index] : undefined;
  }

  set(index: number, value: number): void {
    const old = this.get(index);
    if (old === value) return;
    this.#values[index] = value;
    this.#touch(index);
    if (old === 0 && this.#first >= 0) this.#use(index);
    this.#state.note(this.#base + index, old, value, this.#number);
  }

  /** Puts an old value back, by its place among all words. */
  restore(word: number, value: number): void {
    const index = word - this.#base;
    this.#values[index] = value;
    this.#touch(index);
    if (value !== 0 && this.#first >= 0) this.#use(index);
  }

  settle(): void {
    this.from = this.count;
    this.to = 0;
  }

  /** All values may be others now. */
  touchAll(): void {
    this.from = 0;
    this.to = this.count;
    this.#first = -1;
  }

  #findEnds(): void {
    const { count } = this;
    let first = 0;
    while (first < count && this.#values[first] === 0) first++;
    let end = first === count ? 0 : count;
    while (end > first && this.#values[end - 1] === 0) end--;
    this.#first = first;
    this.#end = end;
  }

  #use(index: number): void {
    if (index < this.#first) this.#first = index;
    if (index >= this.#end) this.#end = index + 1;
  }

  #touch(index: number): void {
    this.#state.touched |= this.#bit;
    if (index < this.from) this.from = index;
    if (index >= this.to) this.to = index + 1;
  }

  /** Gives every integer the same value. */
  fill(value: number): void {
    for (let index = 0; index < this.count; index++) this.set(index, value);
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}

/** Spreads an index and a value over 32 bits; zero everywhere gives no zero, so a fresh state has some fingerprint. */
export function mix(index: number, value: number, seed: number): number {
  let h = Math.imul(index + 1, seed) ^ Math.imul(value ^ 0x27d4eb2f, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}
