/**
 * What was put under numbers lately, the last of each number first: a ring in which all with the same hash are chained
 * from young to old, as Lempel-Ziv coders find earlier text. Nothing is taken out or touched again: new things are
 * written over the oldest.
 */
import { mixed } from './number-table.ts';

/** Things that are remembered. A power of two, and as many chains. */
export const REMEMBERED: number = 1 << 14;
const CHAIN_SHIFT = 32 - Math.log2(REMEMBERED);

export class Recent<T> {
  /** By chain, where its youngest is; positions count on for ever, from 1. */
  readonly #youngest = new Float64Array(REMEMBERED);
  readonly #keys = new Float64Array(REMEMBERED);
  readonly #values: T[] = [];
  /** Where the next older one of the same chain is. */
  readonly #older = new Float64Array(REMEMBERED);
  #last = 0;

  add(key: number, value: T): void {
    const chain = mixed(key) >>> CHAIN_SHIFT;
    this.#last += 1;
    const at = this.#last % REMEMBERED;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#older[at] = this.#youngest[chain] ?? 0;
    this.#youngest[chain] = this.#last;
  }

  /** Position of the youngest under a number that is accepted; 0 where there is none. */
  find(key: number, accepts: (value: T) => boolean): number {
    const forgotten = Math.max(0, this.#last - REMEMBERED);
    let position = this.#youngest[mixed(key) >>> CHAIN_SHIFT] ?? 0;
    for (; position > forgotten; position = this.#older[position % REMEMBERED] ?? 0) {
      const value = this.at(position);
      if (this.#keys[position % REMEMBERED] === key && value !== undefined && accepts(value)) return position;
    }
    return 0;
  }

  /** The same, whatever its number is. */
  findAny(accepts: (value: T) => boolean): number {
    const forgotten = Math.max(0, this.#last - REMEMBERED);
    for (let position = this.#last; position > forgotten; position -= 1) {
      const value = this.at(position);
      if (value !== undefined && accepts(value)) return position;
    }
    return 0;
  }

  at(position: number): T | undefined {
    return position === 0 ? undefined : this.#values[position % REMEMBERED];
  }
}
