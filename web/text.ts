/** Counts in words. */

/** `1,234,567` in every locale. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 finding`, `2,000 findings`. */
export const many = (value: number, word: string): string =>
  `${count(value)} ${word}${value === 1 ? '' : 's'}`;
