/** An event's own text: `name=value` pairs, as the kernel formats them or as tools print the bare record. */
import {
  byteAt,
  CLOSE_CURLY,
  CLOSE_ROUND,
  CLOSE_SQUARE,
  COLON,
  COMMA,
  digitAt,
  endsNumber,
  LOWER_X,
  MINUS,
  OPEN_CURLY,
  skipBlanks,
  skipValue,
  ZERO,
} from './characters.ts';
import { holds, indexOf, Line, says, textOf, viewOf } from './line.ts';
import type { Names } from './names.ts';

/** What `trace-cmd` and `perf` write before a record that they could not format: its fields follow, one by one. */
const BARE = '[FAILED TO PARSE]';
/** How an array of bytes begins in such a record. */
const ARRAY = 'ARRAY[';
/** Digits of the largest number of 64 bits. */
const LONGEST_NUMBER = 20;
/** Digits that make a small integer in any base: doubles take several times as long. */
const SMALL_DIGITS = 7;
/** Of what readers ask for, such as `did `. */
const SHORTEST_KEY = 4;
/** Lines are shorter, so they have no more words. */
const MOST_WORDS = 1 << 16;

/** Numbers that are not there are NaN, words are empty: a reader looks once, at the end. One object serves for all. */
export class Fields {
  readonly #names: Names<string>;
  readonly #line: Line;
  #bytes = new Line().bytes;
  #from = 0;
  #to = 0;
  /** Behind what was read last. */
  #at = 0;
  #bare = false;
  /** Where words begin, up to `#seen`: each byte is looked at once, whatever is asked for in which order. */
  readonly #words = new Uint32Array(MOST_WORDS);
  #count = 0;
  #seen = 0;

  constructor(names: Names<string>, line: Line) {
    this.#names = names;
    this.#line = line;
  }

  /** Of the line as it is now, from `from` on. */
  start(from: number): void {
    const { bytes, to } = this.#line;
    this.#bytes = bytes;
    this.#to = to;
    this.#bare = says(bytes, from, to, BARE);
    this.#from = this.#bare ? skipBlanks(bytes, from + BARE.length) : from;
    this.#at = this.#from;
    this.#seen = this.#from;
    this.#words[0] = this.#from;
    this.#count = 1;
  }

  /** Printed field by field: numbers without 0x are decimal, arrays are bytes. */
  get bare(): boolean {
    return this.#bare;
  }

  /** Whether it begins with this key, as the kernel never formats it: then all of it is bare, said or not. */
  isBare(key: string): boolean {
    const found = this.startsWith(key);
    if (found) this.#bare = true;
    return found;
  }

  startsWith(text: string): boolean {
    return says(this.#bytes, this.#from, this.#to, text);
  }

  startsWithBytes(wanted: DataView): boolean {
    return holds(this.#line.view, this.#from, this.#to, wanted);
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** Whether nothing follows what was read last. */
  get done(): boolean {
    return skipBlanks(this.#bytes, this.#at) >= this.#to;
  }

  /** Whether `mark` follows what was read last. */
  follows(mark: string): boolean {
    return says(this.#bytes, this.#at, this.#to, mark);
  }

  /** All of it, without what is in front of it. */
  get rest(): string {
    return textOf(this.#bytes, this.#from, this.#to);
  }

  /** What stands in parentheses in front, with them; undefined where they do not close. */
  get place(): DataView | undefined {
    const close = indexOf(this.#bytes, CLOSE_ROUND, this.#from, this.#to);
    return close === this.#to ? undefined : viewOf(this.#bytes.slice(this.#from, close + 1));
  }

  /** A number that is decimal unless it says 0x. */
  count(key: string): number {
    return this.#numberAfter(key, 10);
  }

  /** A number that the kernel formats as hexadecimal, with or without 0x. */
  address(key: string): number {
    return this.#numberAfter(key, this.#bare ? 10 : 16);
  }

  /** A decimal number that may be negative. */
  signed(key: string): number {
    const at = this.#find(key);
    if (at < 0) return Number.NaN;
    return this.#bytes[at] === MINUS ? -this.#number(at + 1, 10) : this.#number(at, 10);
  }

  /** The number that follows `mark`, where `mark` follows what was read last; NaN if it does not. */
  next(mark: string, base: 10 | 16): number {
    return this.follows(mark) ? this.#number(this.#at + mark.length, base) : Number.NaN;
  }

  /** What follows `key` up to a blank or comma. */
  word(key: string): string {
    const at = this.#find(key);
    return at < 0 ? '' : this.#word(at);
  }

  /** The word that stands first; what is read `next` follows it. */
  first(): string {
    return this.#word(this.#from);
  }

  /** The word after what was read last, without the colon at its end. */
  nextWord(): string {
    return this.#word(skipBlanks(this.#bytes, this.#at));
  }

  /**
   * `{0x1000,0x2000}` as the kernel prints it, `ARRAY[00, 10, …]` as bytes, the least significant first.
   * @param width - bytes of an element
   * @returns undefined where it is not there, or not whole
   */
  numbers(key: string, width: 4 | 8): readonly number[] | undefined {
    const at = this.#find(key);
    if (at < 0) return undefined;
    if (says(this.#bytes, at, this.#to, ARRAY))
      return joined(this.#list(at + ARRAY.length, CLOSE_SQUARE), width);
    return this.#bytes[at] === OPEN_CURLY ? this.#list(at + 1, CLOSE_CURLY) : undefined;
  }

  #list(from: number, close: number): readonly number[] | undefined {
    const list: number[] = [];
    let at = skipBlanks(this.#bytes, from);
    if (this.#bytes[at] === close) return list;
    for (;;) {
      const value = this.#number(at, 16);
      if (Number.isNaN(value)) return undefined;
      list.push(value);
      const code = this.#bytes[this.#at];
      if (code === close) return list;
      if (code !== COMMA) return undefined;
      at = skipBlanks(this.#bytes, this.#at + 1);
    }
  }

  #numberAfter(key: string, base: 10 | 16): number {
    const at = this.#find(key);
    return at < 0 ? Number.NaN : this.#number(at, base);
  }

  /** A number that something sticks to is none: the line was damaged. */
  #number(from: number, unprefixed: 10 | 16): number {
    const bytes = this.#bytes;
    const prefixed = bytes[from] === ZERO && bytes[from + 1] === LOWER_X;
    const base = prefixed ? 16 : unprefixed;
    const begin = prefixed ? from + 2 : from;
    let at = begin;
    // Half the digits of an address are zeros in front.
    while (bytes[at] === ZERO) at += 1;
    const small = at + SMALL_DIGITS;
    let value = 0;
    let digit = digitAt(bytes, at);
    for (; digit < base && at < small; digit = digitAt(bytes, at)) {
      value = Math.imul(value, base) + digit;
      at += 1;
    }
    let whole = value;
    for (; digit < base; digit = digitAt(bytes, at)) {
      whole = whole * base + digit;
      at += 1;
    }
    this.#at = at;
    const good =
      at > begin && at - begin <= LONGEST_NUMBER && (at === this.#to || endsNumber(byteAt(bytes, at)));
    if (!good) return Number.NaN;
    // No key reads like a number, and none fits in front of it.
    if (from - this.#seen < SHORTEST_KEY) this.#seen = at;
    return whole;
  }

  #word(from: number): string {
    const bytes = this.#bytes;
    let to = skipValue(bytes, from, this.#to);
    this.#at = to;
    if (to > from && bytes[to - 1] === COLON) to -= 1;
    return this.#names.of(this.#line, from, to);
  }

  /** Where the value of the first `key` begins; -1 where there is no such key. */
  #find(key: string): number {
    const bytes = this.#bytes;
    const words = this.#words;
    const first = key.charCodeAt(0);
    for (let index = 0; index < this.#count; index += 1) {
      const at = words[index] ?? 0;
      if (bytes[at] === first && says(bytes, at, this.#to, key)) return at + key.length;
    }
    return this.#findFurther(key);
  }

  /** The same among words that nobody asked for before. */
  #findFurther(key: string): number {
    const bytes = this.#bytes;
    const to = this.#to;
    const first = key.charCodeAt(0);
    for (let at = skipValue(bytes, this.#seen, to) + 1; at <= to; at = skipValue(bytes, at, to) + 1) {
      this.#words[this.#count] = at;
      this.#count += 1;
      if (bytes[at] !== first || !says(bytes, at, to, key)) continue;
      this.#seen = at + key.length - 1;
      return at + key.length;
    }
    this.#seen = to;
    return -1;
  }
}

/** Numbers of `width` bytes each. */
function joined(bytes: readonly number[] | undefined, width: number): readonly number[] | undefined {
  if (bytes === undefined || bytes.length % width !== 0 || bytes.some((byte) => byte > 0xff))
    return undefined;
  return Array.from({ length: bytes.length / width }, (_, index) => {
    let value = 0;
    for (let at = width - 1; at >= 0; at -= 1) value = value * 256 + (bytes[index * width + at] ?? 0);
    return value;
  });
}
