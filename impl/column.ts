import type { Store } from './store.ts';

/**
 * A named run of words of a {@link Store}. Get one from `Store.column`; it can be used once the store is
 * sealed.
 */
export class Column {
  readonly count: number;
  private readonly store: Store;
  /** Index of its first word in the store. */
  readonly base: number;
  private readonly bit: number;
  /** What may have changed since an observer looked: from this index, up to the next. */
  from = 0;
  to: number;
  /** The words themselves, for observers that read many. Never written. */
  values: Int32Array = new Int32Array(0);

  /**
   * @param base - index of its first word in the store
   * @param count - words it has
   * @param bit - `SEEN_` bits of what an observer computes from it
   */
  constructor(store: Store, base: number, count: number, bit: number) {
    this.store = store;
    this.base = base;
    this.count = count;
    this.bit = bit;
    this.to = count;
  }

  /** Called once by the store, when the words exist. */
  attach(words: Int32Array): void {
    this.values = words.subarray(this.base, this.base + this.count);
  }

  /** @throws Error when `index` is not below `count`: reading a neighbour's words would be silent */
  get(index: number): number {
    const value = this.values[index];
    if (value === undefined) throw new Error(`internal error: index ${index} of ${this.count}`);
    return value;
  }

  /** @throws Error when `index` is not below `count` */
  set(index: number, value: number): void {
    if (index >>> 0 >= this.count) throw new Error(`internal error: index ${index} of ${this.count}`);
    this.touch(index);
    this.store.write(this.base + index, value, this.bit);
  }

  /** Adds to one word; `change` may be negative. Returns the new value. */
  add(index: number, change: number): number {
    const value = this.get(index) + change;
    this.set(index, value);
    return value;
  }

  /** Notes a change of a word, by its index in the store. */
  touchWord(word: number): void {
    this.touch(word - this.base);
  }

  private touch(index: number): void {
    if (index < this.from) this.from = index;
    if (index >= this.to) this.to = index + 1;
  }

  /** Notes that all may have changed. */
  touchAll(): void {
    this.from = 0;
    this.to = this.count;
  }

  /** An observer has seen all there is. */
  settle(): void {
    this.from = this.count;
    this.to = 0;
  }
}
