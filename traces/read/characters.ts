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

/** What `digitAt` says of a byte that is no digit in any base. */
export const NO_DIGIT = 99;

const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => digitOf(code));

function digitOf(code: number): number {
  if (isDecimal(code)) return code - ZERO;
  const letter = (code | LOWER_CASE) - LOWER_A;
  return letter >= 0 && letter < 6 ? 10 + letter : NO_DIGIT;
}

/** Behind the last byte there is an end of a line. */
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? NEWLINE;

/** Value of a decimal digit; something larger for what is none. */
export const decimalAt = (bytes: Uint8Array, at: number): number => (byteAt(bytes, at) - ZERO) >>> 0;

/** Value of a hexadecimal digit. */
export const digitAt = (bytes: Uint8Array, at: number): number => DIGITS[byteAt(bytes, at)] ?? NO_DIGIT;

export function isDecimal(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

export const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** First position from `at` on that is no blank, at the latest that of the end of the line. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  let to = at;
  while (isBlank(byteAt(bytes, to))) to += 1;
  return to;
}

export function skipDecimals(bytes: Uint8Array, at: number): number {
  let to = at;
  while (isDecimal(byteAt(bytes, to))) to += 1;
  return to;
}
