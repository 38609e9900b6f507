/** Small copies of words of a line: what is kept must not keep the line, or the chunk of text it was cut from. */

const SLOTS = 4096;
/** Names that differ do so in their length or among the last characters, nearly always. */
const HASHED = 12;
/** Names of tasks and devices are shorter; what is longer is copied each time. */
const LONGEST = 120;
/** From this length on, JavaScript engines cut strings without copying them. */
const SHARED_FROM = 13;

/** @returns the same text, not a window into a longer one */
export const flat = (text: string): string => (text.length < SHARED_FROM ? text : ` ${text}`.slice(1));

/** Gives the same string for the same characters, mostly: a cache, so it does not grow with the trace. */
export class Names {
  readonly #slots: string[] = new Array<string>(SLOTS).fill('');

  /** Characters of `line` from `from` up to, not including, `to`. */
  of(line: string, from: number, to: number): string {
    if (to - from > LONGEST) return flat(line.slice(from, to));
    let hash = to - from;
    for (let at = Math.max(from, to - HASHED); at < to; at += 1)
      hash = (Math.imul(hash, 31) + line.charCodeAt(at)) | 0;
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    const known = this.#slots[slot] ?? '';
    if (isAt(known, line, from, to)) return known;
    const fresh = flat(line.slice(from, to));
    this.#slots[slot] = fresh;
    return fresh;
  }
}

function isAt(known: string, line: string, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at += 1)
    if (known.charCodeAt(at) !== line.charCodeAt(from + at)) return false;
  return true;
}
