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
    const at = value < 1 ? 0 : placeOf(value);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
  }

  get result(): Histogram {
    const counts = new Array<number>(
      this.#total === 0 ? 0 : Math.floor(placeOf(Math.max(1, this.#most)) / PARTS) + 1,
    ).fill(0);
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

/** A double, and its bits: where sign and exponent are, and the first digits behind the point. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Number of the power of two and of the part of it that a value of at least 1 is in, counted from 1 on. */
function placeOf(value: number): number {
  double[0] = value;
  // 20 bits behind the point, of which the first 5 tell the part; the exponent counts from 1023.
  return ((words[HIGH] ?? 0) >>> 15) - 1023 * PARTS;
}
