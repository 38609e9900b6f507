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
export const CLOSE_CURLY = 125;

/** What `digitOf` says of a character that is no digit in any base. */
export const NO_DIGIT = 99;

const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? NO_DIGIT : digit;
});

/** Value of a hexadecimal digit. The code of no character at all, NaN, is no digit. */
export const digitOf = (code: number): number => (code < 128 ? (DIGITS[code] ?? NO_DIGIT) : NO_DIGIT);

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
