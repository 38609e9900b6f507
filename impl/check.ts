/**
 * Stops the run on a bug of this folder, or on a machine that cannot be built. Never for what a caller from
 * outside may send: that is answered with an errno.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}

/** Whether a number that a user sent can be an index below `count`. False for fractions and NaN. */
export const isIndex = (value: number, count: number): boolean =>
  value >= 0 && value < count && Math.floor(value) === value;

/** The smallest k with 2^k >= `value`, for 1 <= value <= 2^31. */
export const ceilLog2 = (value: number): number => 32 - Math.clz32(value - 1);
