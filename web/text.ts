/** Numbers as kernel engineers write them. */

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** `1,234,567` in every locale. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 finding`, `2,000 findings`. */
export const many = (value: number, word: string): string =>
  `${count(value)} ${word}${value === 1 ? '' : 's'}`;

/** `37.5 %`; nothing of nothing is 0 %. */
export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)} %`;

const DURATIONS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
] as const;

/** A time span with three digits that count: `1.53 ms`. */
export function duration(ns: number): string {
  const [unit, name] = DURATIONS.find(([least]) => ns >= least) ?? [1, 'ns'];
  return `${Number((ns / unit).toPrecision(ns / unit >= 1000 ? 4 : 3))} ${name}`;
}

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

const digitsOf = (ns: number): number => (Number.isInteger(ns / 1e3) ? 6 : 9);

/** A moment as the trace writes it, and after the first event as the axis does: `9.817765 s (+0.239863 s)`. */
export const moment = (ns: number, first: number): string =>
  `${(ns / 1e9).toFixed(digitsOf(ns))} s (${after(ns - first)})`;

/** Time after the first event: `+0.239863 s`. */
export const after = (ns: number): string => `+${(ns / 1e9).toFixed(digitsOf(ns))} s`;

/** The same with no more digits than neighbours `step` nanoseconds apart need. */
export const tick = (ns: number, step: number): string =>
  `+${(ns / 1e9).toFixed(Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(step)))))} s`;
