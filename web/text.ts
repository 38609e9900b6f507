/** Counts and sizes in words. */

/** `1,234,567` in every locale. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 finding`, `2,000 findings`. */
export const many = (value: number, word: string): string =>
  `${count(value)} ${word}${value === 1 ? '' : 's'}`;

/** `37.5 %`; nothing of nothing is 0 %. */
export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)} %`;

const SIZES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

/** `4 KiB`, `1.5 MiB`, `17 bytes`. */
export function bytes(value: number): string {
  const [unit, name] = SIZES.find(([least]) => value >= least) ?? [1, value === 1 ? 'byte' : 'bytes'];
  return `${Number((value / unit).toFixed(2))} ${name}`;
}
