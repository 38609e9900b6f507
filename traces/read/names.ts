/** Words of lines as text, made once: nearly all were there before. */
import { byteAt } from './characters.ts';
import { textOf } from './line.ts';

const SLOTS = 4096;
/** Names that differ do so in their length or among the last characters, nearly always. */
const HASHED = 12;
/** Names of tasks and devices are shorter; what is longer is copied each time. */
const LONGEST = 128;

/** Gives the same for the same bytes, mostly: a cache, so it does not grow with the trace. */
export class Names<T> {
  readonly #make: (text: string) => T;
  /** The words of all slots, each at a place of its own. */
  readonly #bytes = new Uint8Array(SLOTS * LONGEST);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #made: T[];

  /** @param make - what is kept of a word; once for each of the frequent ones */
  constructor(make: (text: string) => T) {
    this.#make = make;
    this.#made = new Array<T>(SLOTS).fill(make(''));
  }

  /** Of the bytes from `from` up to, not including, `to`. */
  of(bytes: Uint8Array, from: number, to: number): T {
    const length = to - from;
    if (length > LONGEST) return this.#make(textOf(bytes, from, to));
    let hash = length;
    for (let at = Math.max(from, to - HASHED); at < to; at += 1)
      hash = (Math.imul(hash, 31) + byteAt(bytes, at)) | 0;
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    if (this.#lengths[slot] !== length || !this.#holds(slot * LONGEST, bytes, from, to))
      this.#keep(slot, bytes.subarray(from, to));
    return this.#made[slot] as T;
  }

  #holds(at: number, bytes: Uint8Array, from: number, to: number): boolean {
    const own = this.#bytes;
    for (let index = from; index < to; index += 1) if (bytes[index] !== own[at + index - from]) return false;
    return true;
  }

  #keep(slot: number, word: Uint8Array): void {
    this.#bytes.set(word, slot * LONGEST);
    this.#lengths[slot] = word.length;
    this.#made[slot] = this.#make(textOf(word, 0, word.length));
  }
}
