/** Numbers in the words of findings. */

export const hex = (address: number): string => `0x${address.toString(16)}`;

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
] as const;

/** A time of nanoseconds with three digits: `6.21 ms`. */
export function duration(ns: number): string {
  const [factor, unit] = UNITS.find(([least]) => ns >= least) ?? [1, 'ns'];
  return `${Number((ns / factor).toPrecision(3))} ${unit}`;
}

export const bytes = (count: number): string => `${count} byte${count === 1 ? '' : 's'}`;

const SIZES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

/** `4 KiB`, `1.5 MiB`, `17 bytes`. */
export function size(count: number): string {
  const [unit, name] = SIZES.find(([least]) => count >= least) ?? [0, ''];
  return unit === 0 ? bytes(count) : `${Number((count / unit).toFixed(2))} ${name}`;
}
