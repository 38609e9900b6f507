/** Words of lines as text, made once: nearly all were there before. */
import { byteAt } from './characters.ts';
import { says, textOf } from './line.ts';

const SLOTS = 4096;
/** Names that differ do so in their length or among the last characters, nearly always. */
const HASHED = 12;
/** Names of tasks and devices are shorter; what is longer is copied each time. */
const LONGEST = 120;
const ASCII = /^[\0-\x7f]*$/;

/** Gives the same string for the same bytes, mostly: a cache, so it does not grow with the trace. */
export class Names {
  readonly #slots: string[] = new Array<string>(SLOTS).fill('');

  /** Bytes from `from` up to, not including, `to`. */
  of(bytes: Uint8Array, from: number, to: number): string {
    if (to - from > LONGEST) return textOf(bytes, from, to);
    let hash = to - from;
    for (let at = Math.max(from, to - HASHED); at < to; at += 1)
      hash = (Math.imul(hash, 31) + byteAt(bytes, at)) | 0;
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    const known = this.#slots[slot] ?? '';
    if (known.length === to - from && says(bytes, from, to, known)) return known;
    const fresh = textOf(bytes, from, to);
    // Of other texts, characters are not bytes.
    if (ASCII.test(fresh)) this.#slots[slot] = fresh;
    return fresh;
  }
}
