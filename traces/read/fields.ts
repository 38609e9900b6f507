/** An event's own text: `name=value` pairs, as the kernel formats them or as tools print the bare record. */
import {
  CLOSE_CURLY,
  CLOSE_SQUARE,
  COLON,
  COMMA,
  digitOf,
  isBlank,
  LOWER_X,
  MINUS,
  SLASH,
  skipBlanks,
  ZERO,
} from './characters.ts';
import { flat, type Names } from './names.ts';

/** What `trace-cmd` and `perf` write before a record that they could not format: its fields follow, one by one. */
const BARE = '[FAILED TO PARSE]';
/** Digits of the largest number of 64 bits. */
const LONGEST_NUMBER = 20;
const LETTER_B = 66;

/** Numbers that are not there are NaN, words are empty: a reader looks once, at the end. One object serves for all. */
export class Fields {
  readonly #names: Names;
  #text = '';
  #from = 0;
  #at = 0;
  #bare = false;

  constructor(names: Names) {
    this.#names = names;
  }

  set(line: string, from: number): void {
    this.#text = line;
    this.#bare = line.startsWith(BARE, from);
    this.#from = this.#bare ? skipBlanks(line, from + BARE.length) : from;
    this.#at = this.#from;
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
    return this.#text.startsWith(text, this.#from);
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** Whether nothing follows what was read last. */
  get done(): boolean {
    return skipBlanks(this.#text, this.#at) >= this.#text.length;
  }

  /** Whether `mark` follows what was read last. */
  follows(mark: string): boolean {
    return this.#text.startsWith(mark, this.#at);
  }

  /** All of it, without what is in front of it. */
  get rest(): string {
    return flat(this.#text.slice(this.#from));
  }

  /** What stands in parentheses in front, with them; undefined where they do not close. */
  get place(): string | undefined {
    const close = this.#text.indexOf(')', this.#from);
    return close < 0 ? undefined : flat(this.#text.slice(this.#from, close + 1));
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
    return this.#text.charCodeAt(at) === MINUS ? -this.#number(at + 1, 10) : this.#number(at, 10);
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
    return this.#word(skipBlanks(this.#text, this.#at));
  }

  /**
   * `{0x1000,0x2000}` as the kernel prints it, `ARRAY[00, 10, …]` as bytes, the least significant first.
   * @param width - bytes of an element
   * @returns undefined where it is not there, or not whole
   */
  numbers(key: string, width: 4 | 8): readonly number[] | undefined {
    const at = this.#find(key);
    if (at < 0) return undefined;
    if (this.#text.startsWith('ARRAY[', at)) return joined(this.#list(at + 6, CLOSE_SQUARE), width);
    return this.#text.startsWith('{', at) ? this.#list(at + 1, CLOSE_CURLY) : undefined;
  }

  #list(from: number, close: number): readonly number[] | undefined {
    const list: number[] = [];
    let at = skipBlanks(this.#text, from);
    if (this.#text.charCodeAt(at) === close) return list;
    for (;;) {
      const value = this.#number(at, 16);
      if (Number.isNaN(value)) return undefined;
      list.push(value);
      const code = this.#text.charCodeAt(this.#at);
      if (code === close) return list;
      if (code !== COMMA) return undefined;
      at = skipBlanks(this.#text, this.#at + 1);
    }
  }

  #numberAfter(key: string, base: 10 | 16): number {
    const at = this.#find(key);
    return at < 0 ? Number.NaN : this.#number(at, base);
  }

  /** A number that something sticks to is none: the line was damaged. */
  #number(from: number, unprefixed: 10 | 16): number {
    const text = this.#text;
    const prefixed = text.charCodeAt(from) === ZERO && text.charCodeAt(from + 1) === LOWER_X;
    const base = prefixed ? 16 : unprefixed;
    const begin = prefixed ? from + 2 : from;
    let at = begin;
    // Half the digits of an address are zeros in front.
    while (text.charCodeAt(at) === ZERO) at += 1;
    let value = 0;
    for (let digit = digitOf(text.charCodeAt(at)); digit < base; digit = digitOf(text.charCodeAt(at))) {
      value = value * base + digit;
      at += 1;
    }
    this.#at = at;
    const good = at > begin && at - begin <= LONGEST_NUMBER && ends(text.charCodeAt(at));
    return good ? value : Number.NaN;
  }

  #word(from: number): string {
    const text = this.#text;
    let to = from;
    for (let code = text.charCodeAt(to); to < text.length && !divides(code); code = text.charCodeAt(to))
      to += 1;
    this.#at = to;
    if (to > from && text.charCodeAt(to - 1) === COLON) to -= 1;
    return this.#names.of(text, from, to);
  }

  /** Where the value of `key` begins; -1 where there is no such key. */
  #find(key: string): number {
    const text = this.#text;
    let at = text.indexOf(key, this.#from);
    while (at > this.#from && !divides(text.charCodeAt(at - 1))) at = text.indexOf(key, at + 1);
    return at < 0 ? -1 : at + key.length;
  }
}

const divides = (code: number): boolean => isBlank(code) || code === COMMA;

/** What may follow a number: blanks, marks of lists and of pairs, `B` for bytes, the end of the line. */
const ends = (code: number): boolean =>
  Number.isNaN(code) ||
  isBlank(code) ||
  code === COMMA ||
  code === CLOSE_CURLY ||
  code === CLOSE_SQUARE ||
  code === SLASH ||
  code === MINUS ||
  code === LETTER_B;

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
