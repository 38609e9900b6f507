/** Codes of characters, and what is a digit: lines are read without cutting them up. */
export const TAB = 9;
export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;
export const OPEN_ROUND = 40;
export const CLOSE_ROUND = 41;
export const COMMA = 44;
export const MINUS = 45;
export const DOT = 46;
export const SLASH = 47;
export const ZERO = 48;
export const COLON = 58;
export const LESS = 60;
export const GREATER = 62;
export const OPEN_SQUARE = 91;
export const CLOSE_SQUARE = 93;
export const LOWER_X = 120;
/** The bit that tells a letter from its capital. */
const LOWER_CASE = 32;
const LOWER_A = 97;
export const OPEN_CURLY = 123;
export const CLOSE_CURLY = 125;

const LETTER_B = 66;
/** What may follow a number besides blanks: marks of lists and of pairs, `B` for bytes. */
const NUMBER_ENDS: readonly number[] = [COMMA, CLOSE_CURLY, CLOSE_SQUARE, SLASH, MINUS, LETTER_B];

/** What `digitAt` says of a byte that is no digit in any base. */
export const NO_DIGIT = 99;

// Of each byte what it is. Tables are quicker than the names above: what another file exports is looked up each time.
const BYTES = 256;
const DIGITS = Uint8Array.from({ length: BYTES }, (_, code) => digitOf(code));
const BLANKS = Uint8Array.from({ length: BYTES }, (_, code) => Number(code === SPACE || code === TAB));
const DIVIDERS = Uint8Array.from({ length: BYTES }, (_, code) => Number(isBlank(code) || code === COMMA));
const ENDS = Uint8Array.from({ length: BYTES }, (_, code) =>
  Number(NUMBER_ENDS.includes(code) || isBlank(code)),
);
const DECIMALS = Uint8Array.from({ length: BYTES }, (_, code) => Number(digitOf(code) < 10));

function digitOf(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const letter = (code | LOWER_CASE) - LOWER_A;
  return letter >= 0 && letter < 6 ? 10 + letter : NO_DIGIT;
}

export function isBlank(code: number): boolean {
  return BLANKS[code] === 1;
}

export function isDecimal(code: number): boolean {
  return DECIMALS[code] === 1;
}

/** Whether a number may end in front of it. */
export function endsNumber(code: number): boolean {
  return ENDS[code] === 1;
}

/** Behind the last byte there is an end of a line. */
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? NEWLINE;

/** Value of a hexadecimal digit. */
export const digitAt = (bytes: Uint8Array, at: number): number => DIGITS[byteAt(bytes, at)] ?? NO_DIGIT;

/** First position from `at` on that is no blank, at the latest that of the end of the line. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  let to = at;
  while (BLANKS[byteAt(bytes, to)] === 1) to += 1;
  return to;
}

export function skipDecimals(bytes: Uint8Array, at: number): number {
  let to = at;
  while (DECIMALS[byteAt(bytes, to)] === 1) to += 1;
  return to;
}

/** Where the word that begins at `from` ends, at the latest at `end`. */
export function skipWord(bytes: Uint8Array, from: number, end: number): number {
  let to = from;
  while (to < end && BLANKS[byteAt(bytes, to)] === 0) to += 1;
  return to;
}

/** The same of an event's own text, where commas end words, too. */
export function skipValue(bytes: Uint8Array, from: number, end: number): number {
  let to = from;
  while (to < end && DIVIDERS[byteAt(bytes, to)] === 0) to += 1;
  return to;
}
