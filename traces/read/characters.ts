/** Codes of characters, and what is a digit: lines are read without cutting them up. */
export const TAB = 9;
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
export const CLOSE_CURLY = 125;

/** What `digitOf` says of a character that is no digit in any base. */
export const NO_DIGIT = 99;

/** Value of a hexadecimal digit. The code of no character at all, NaN, is no digit. */
export function digitOf(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const letter = (code | LOWER_CASE) - LOWER_A;
  return letter >= 0 && letter < 6 ? 10 + letter : NO_DIGIT;
}

export const isDecimal = (code: number): boolean => code >= ZERO && code <= ZERO + 9;

export const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** First position from `at` on that is no blank; the length of the line where there is none. */
export function skipBlanks(line: string, at: number): number {
  let to = at;
  while (isBlank(line.charCodeAt(to))) to += 1;
  return to;
}

export function skipDecimals(line: string, at: number): number {
  let to = at;
  while (isDecimal(line.charCodeAt(to))) to += 1;
  return to;
}
