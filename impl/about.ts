/**
 * A digit of a number that stands for several: how many values it has, or whose id it is, or both. The first needs no
 * number of values.
 */
export type Digit = number | string | readonly [of: string, values: number];

/** Whose ids there are in the indices of a column, and in its words. */
export interface About {
  readonly index?: Naming;
  readonly value?: Naming;
}

/** What a number from `from` on consists of, the most significant digit first. Lower ones name nothing. */
interface Naming {
  readonly from: number;
  readonly digits: readonly Digit[];
}

/** A column with a word for each of something. */
export const by = (...digits: readonly Digit[]): About => ({ index: { from: 0, digits } });

/** A column whose words are ids + 1, or 0. */
export const holds = (...digits: readonly Digit[]): About => ({ value: { from: 1, digits } });
