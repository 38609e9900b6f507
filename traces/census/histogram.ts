/** Counts of values of any size in little memory. */
import type { Histogram } from '../report.ts';

/** Parts of a power of two that are counted apart: a median is known to one of them. */
const PARTS = 32;

export class HistogramCounter {
  readonly #unit: Histogram['unit'];
  /** By power of two and part of it. */
  readonly #counts: number[] = [];
  #total = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  constructor(unit: Histogram['unit']) {
    this.#unit = unit;
  }

  /** @param value - not negative, and finite */
  add(value: number): void {
    const power = powerOf(value);
    const part = value < 1 ? 0 : Math.floor((value / 2 ** power - 1) * PARTS);
    const at = power * PARTS + part;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
    this.#least = Math.min(this.#least, value);
    this.#most = Math.max(this.#most, value);
  }

  get result(): Histogram {
    const counts = new Array<number>(this.#total === 0 ? 0 : powerOf(this.#most) + 1).fill(0);
    this.#counts.forEach((count, at) => {
      const power = Math.floor(at / PARTS);
      counts[power] = (counts[power] ?? 0) + count;
    });
    const least = this.#total === 0 ? 0 : this.#least;
    return {
      ...{ unit: this.#unit, counts, total: this.#total },
      ...{ least, median: Math.max(least, this.#median), most: this.#most },
    };
  }

  /** The least value that the part could hold in which the middle one of all values is. */
  get #median(): number {
    let left = Math.ceil(this.#total / 2);
    for (const at of Object.keys(this.#counts).map(Number)) {
      left -= this.#counts[at] ?? 0;
      if (left <= 0) return 2 ** Math.floor(at / PARTS) * (1 + (at % PARTS) / PARTS);
    }
    return 0;
  }
}

/** The power of two at or below a value; 0 for what is less than one. */
function powerOf(value: number): number {
  if (value < 1) return 0;
  const power = Math.floor(Math.log2(value));
  // A logarithm of a large number may be rounded up to the next whole one.
  return 2 ** power > value ? power - 1 : power;
}
