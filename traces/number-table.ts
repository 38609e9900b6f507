/**
 * Values by number. A `Map` with keys above 2^31 boxes each of them, and is several times as slow where entries come
 * and go; this one keeps the numbers in a row (open addressing, linear probing, deletion without marks: Knuth 6.4 R).
 */

const SLOTS_LEAST = 16;
const NONE = -1;

/** Mixes all digits of a number below 2^53 into one of 32 bits (multiplication as Knuth proposes it). */
export const mixed = (key: number): number =>
  Math.imul((key | 0) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85eb_ca6b), 0x9e37_79b1) >>> 0;

export class NumberTable<V> {
  #keys: Float64Array = new Float64Array(SLOTS_LEAST).fill(NONE);
  #values: (V | undefined)[] = new Array<V | undefined>(SLOTS_LEAST).fill(undefined);
  /** The upper digits of what is mixed choose the slot. */
  #shift = 32 - Math.log2(SLOTS_LEAST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param key - a whole number from 0 up to 2^53 */
  get(key: number): V | undefined {
    return this.#values[this.#slotOf(key)];
  }

  set(key: number, value: V): void {
    const slot = this.#slotOf(key);
    this.#values[slot] = value;
    if (this.#keys[slot] === key) return;
    this.#keys[slot] = key;
    this.#size += 1;
    if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  delete(key: number): void {
    let hole = this.#slotOf(key);
    if (this.#keys[hole] !== key) return;
    this.#size -= 1;
    const mask = this.#keys.length - 1;
    for (let at = (hole + 1) & mask; this.#keyAt(at) !== NONE; at = (at + 1) & mask) {
      const home = mixed(this.#keyAt(at)) >>> this.#shift;
      // What would not be found any more behind the hole moves into it.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#keys[hole] = this.#keyAt(at);
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#keys[hole] = NONE;
    this.#values[hole] = undefined;
  }

  /** Numbers and values, in no order that means anything, but always in the same. */
  *entries(): Generator<readonly [key: number, value: V]> {
    for (let slot = 0; slot < this.#keys.length; slot += 1) {
      const value = this.#values[slot];
      if (this.#keyAt(slot) !== NONE && value !== undefined) yield [this.#keyAt(slot), value];
    }
  }

  #keyAt(slot: number): number {
    return this.#keys[slot] ?? NONE;
  }

  /** Where a number is, or would be. */
  #slotOf(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = mixed(key) >>> this.#shift;
    while (this.#keys[slot] !== key && this.#keys[slot] !== NONE) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2).fill(NONE);
    this.#values = new Array<V | undefined>(keys.length * 2).fill(undefined);
    this.#shift -= 1;
    for (let slot = 0; slot < keys.length; slot += 1) {
      const key = keys[slot] ?? NONE;
      if (key === NONE) continue;
      const to = this.#slotOf(key);
      this.#keys[to] = key;
      this.#values[to] = values[slot];
    }
  }
}
