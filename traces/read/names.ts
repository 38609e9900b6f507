/** Words of lines as text, made once: nearly all were there before. */
import { type Line, same, textOf, viewOf, WORD } from './line.ts';

const SLOT_BITS = 12;
const SLOTS = 1 << SLOT_BITS;
/** Names that differ do so in their length or among the last characters, nearly always. */
const HASHED = 3 * WORD;
/** Names of tasks and devices are shorter; what is longer is copied each time. */
const LONGEST = 128;
/** Odd, with bits all over: what is multiplied by it differs in the highest bits, whichever bits differed. */
const SPREAD = 0x9e3779b1;

/** Gives the same for the same bytes, mostly: a cache, so it does not grow with the trace. */
export class Names<T> {
  readonly #make: (text: string) => T;
  /** The words of all slots, each at a place of its own. */
  readonly #bytes = new Uint8Array(SLOTS * LONGEST);
  readonly #view = viewOf(this.#bytes);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #made: T[];

  /** @param make - what is kept of a word; once for each of the frequent ones */
  constructor(make: (text: string) => T) {
    this.#make = make;
    this.#made = new Array<T>(SLOTS).fill(make(''));
  }

  /** Of the bytes of this line from `from` up to, not including, `to`. */
  of({ bytes, view }: Line, from: number, to: number): T {
    const length = to - from;
    if (length > LONGEST) return this.#make(textOf(bytes, from, to));
    const slot = slotOf(view, from, to);
    if (this.#lengths[slot] !== length || !same(view, from, this.#view, slot * LONGEST, length))
      this.#keep(slot, bytes.subarray(from, to));
    return this.#made[slot] as T;
  }

  #keep(slot: number, word: Uint8Array): void {
    this.#bytes.set(word, slot * LONGEST);
    this.#lengths[slot] = word.length;
    this.#made[slot] = this.#make(textOf(word, 0, word.length));
  }
}

function slotOf(view: DataView, from: number, to: number): number {
  let hash = to - from;
  let at = Math.max(from, to - HASHED);
  for (; at + WORD <= to; at += WORD) hash = Math.imul(hash ^ view.getInt32(at), SPREAD);
  for (; at < to; at += 1) hash = Math.imul(hash ^ view.getUint8(at), SPREAD);
  return hash >>> (32 - SLOT_BITS);
}
