import type { Heard } from './target.ts';

/**
 * The state of a specification: named columns of integers over one array. Copying, undoing and fingerprinting a
 * state are then the same for every specification, and none of them needs to know what a column means.
 */
export class State {
  /** Bit n: column n was written since somebody cleared the bit. Columns from the 32nd on share the last bit. */
  touched = 0;
  #words: Int32Array = new Int32Array(0);
  #columns: Column[] = [];
  #log: number[] | null = null;
  #heard: Heard | undefined;
  readonly #marks: number[] = [];
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
    this.#marks.length = 0;
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
    this.#log = [];
    this.#heard = undefined;
    this.#marks.length = 0;
    this.#low = 0;
    this.#high = 0;
  }

  /** Has somebody told of every word that changes, until {@link attach}. */
  listen(heard: Heard | undefined): void {
    this.#heard = heard;
  }

  mark(): void {
    this.#marks.push(this.#logged().length, this.#low, this.#high);
  }

  /** Back to the last mark, which stays. */
  undo(): void {
    const log = this.#logged();
    const [length = 0, low = 0, high = 0] = this.#marks.slice(-3);
    while (log.length > length) {
      const old = log.pop() ?? 0;
      const index = log.pop() ?? 0;
      this.#columns[log.pop() ?? 0]?.restore(index, old);
    }
    this.#low = low;
    this.#high = high;
  }

  drop(): void {
    this.#marks.length -= 3;
  }

  /** 64 bits that depend only on the columns' contents, counted from the state at {@link attach}. */
  fingerprint(): readonly [low: number, high: number] {
    this.#logged();
    return [this.#low, this.#high];
  }

  /** Called by columns on every write that changes something. */
  note(index: number, old: number, value: number, column: number): void {
    if (this.#log === null) return;
    this.#log.push(column, index, old);
    this.#heard?.(index, old, value);
    this.#low ^= mix(index, old, 0x9e3779b1) ^ mix(index, value, 0x9e3779b1);
    this.#high ^= mix(index, old, 0x85ebca6b) ^ mix(index, value, 0x85ebca6b);
  }

  #touchAll(): void {
    this.touched = -1;
    for (const column of this.#columns) column.touchAll();
  }

  #logged(): number[] {
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

  place(values: Int32Array, base: number): void {
    this.#values = values;
    this.#base = base;
  }

  get(index: number): number {
    const value = this.#values[index];
    if (value === undefined) throw new Error(`internal error: index ${index} of ${this.count}`);
    return value;
  }

  set(index: number, value: number): void {
    const old = this.get(index);
    if (old === value) return;
    this.#values[index] = value;
    this.#touch(index);
    this.#state.note(this.#base + index, old, value, this.#number);
  }

  /** Puts an old value back, by its place among all words. */
  restore(word: number, value: number): void {
    this.#values[word - this.#base] = value;
    this.#touch(word - this.#base);
  }

  settle(): void {
    this.from = this.count;
    this.to = 0;
  }

  touchAll(): void {
    this.from = 0;
    this.to = this.count;
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

/** Spreads an index and a value over 32 bits; zero everywhere gives no zero, so a fresh state has some fingerprint. */
export function mix(index: number, value: number, seed: number): number {
  let h = Math.imul(index + 1, seed) ^ Math.imul(value ^ 0x27d4eb2f, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}
