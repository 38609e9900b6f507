/** Where decisions come from. Code that asks cannot tell sampling, enumeration and replay apart. */
export interface Choices {
  /** A number from 0 up to, but not including, `bound`. */
  below(bound: number): number;
  /** An index of `weights`, drawn in proportion; enumeration takes every index with a weight above 0 once. */
  pick(weights: readonly number[]): number;
}

/**
 * Repeatable choices from 64 bits of seed: two numbers, so that script `index` of run `seed` needs no history.
 * The generator is sfc32, after Chris Doty-Humphrey's PractRand: fast, and good in its low bits too.
 */
export class SeededChoices implements Choices {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, index: number) {
    this.#a = seed | 0;
    this.#b = index | 0;
    this.#c = Math.floor(seed / 0x1_0000_0000) ^ 0x5bd1e995;
    for (let round = 0; round < 12; round++) this.#next();
  }

  below(bound: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * bound);
  }

  pick(weights: readonly number[]): number {
    let total = 0;
    for (const weight of weights) total += weight;
    let rest = this.below(total);
    for (let index = 0; index < weights.length; index++) {
      rest -= weights[index] ?? 0;
      if (rest < 0) return index;
    }
    throw new Error('internal error: no choice has a weight above 0');
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** Choices from any source of numbers below a bound, such as fast-check's. */
export const choicesFrom = (below: (bound: number) => number): Choices => ({
  below,
  pick(weights) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let rest = below(total);
    return weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
  },
});

/**
 * Every sequence of choices, one after the other: an odometer whose wheels are found as the consumer asks for
 * them. The same answers must lead to the same questions.
 */
export function* everyChoice(): Generator<Choices, void, void> {
  const wheels: { value: number; readonly bound: number }[] = [];
  do {
    let position = 0;
    const below = (bound: number): number => {
      if (position === wheels.length) wheels.push({ value: 0, bound });
      const wheel = wheels[position++];
      if (wheel?.bound !== bound) throw new Error('internal error: the same choices led to another question');
      return wheel.value;
    };
    yield { below, pick: (weights) => nonZero(weights)[below(nonZero(weights).length)] ?? 0 };
    while (wheels.length > 0 && isAtEnd(wheels.at(-1))) wheels.pop();
    const last = wheels.at(-1);
    if (last !== undefined) last.value++;
  } while (wheels.length > 0);
}

const isAtEnd = (wheel: { readonly value: number; readonly bound: number } | undefined): boolean =>
  wheel !== undefined && wheel.value + 1 >= wheel.bound;

const nonZero = (weights: readonly number[]): number[] =>
  [...weights.keys()].filter((index) => (weights[index] ?? 0) > 0);
