/** A set of spread fingerprints: open addressing in one array. Threads read it while nobody writes. */
import { placeOf } from './fingerprint.ts';
import { sharedWords, type Words } from './words.ts';

/** Places at first. */
const PLACES = 512;
/** Of so many places one is kept free at least. */
const FREE = 5;

export class Visited {
  /** Two words a place, the halves of a fingerprint; the first is zero where a place is free. */
  #table: Words;
  #places: number;
  #count = 0;
  #peak = 0;

  constructor(table: Words = sharedWords(2 * PLACES)) {
    this.#table = table;
    this.#places = table.length / 2;
  }

  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Bytes that were needed at once at the most: while a table grows there are two. */
  get peakBytes(): number {
    return Math.max(this.#peak, this.bytes);
  }

  /** For other threads. */
  get table(): Words {
    return this.#table;
  }

  has(low: number, high: number): boolean {
    return this.#table[2 * this.#find(low, high)] !== 0;
  }

  /** Adds a fingerprint. Returns false when it was there. */
  add(low: number, high: number): boolean {
    this.reserve(this.#count + 1);
    if (!this.#insert(low, high)) return false;
    this.#count++;
    return true;
  }

  /** Makes room for so many fingerprints in all: by a quarter or several, so that a part of the room is always used. */
  reserve(count: number): void {
    let places = this.#places;
    while (count * FREE > places * (FREE - 1)) places += Math.ceil(places / 4);
    if (places === this.#places) return;
    const old = this.#table;
    this.#table = sharedWords(2 * places);
    this.#places = places;
    this.#peak = old.byteLength + this.#table.byteLength;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== 0) this.#insert(old[at] as number, old[at + 1] as number);
    }
  }

  #insert(low: number, high: number): boolean {
    const at = 2 * this.#find(low, high);
    if (this.#table[at] !== 0) return false;
    this.#table[at] = low;
    this.#table[at + 1] = high;
    return true;
  }

  /** The place of a fingerprint, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const table = this.#table;
    const places = this.#places;
    for (let place = placeOf(low, places); ; place = place + 1 === places ? 0 : place + 1) {
      const found = table[2 * place];
      if (found === 0 || (found === low && table[2 * place + 1] === high)) return place;
    }
  }
}
