/** A figure over time in a fixed number of steps: when they are used up, each two are merged, and the higher stays. */
import type { Series } from '../report.ts';

export const STEPS = 512;

export class SeriesRecorder {
  /** The most of each step, and nanoseconds of one. */
  #most: number[] = [];
  #width = 1;
  #start = 0;
  #value = 0;

  /** @param time - what is earlier than the latest step counts as of that step */
  set(time: number, value: number): void {
    if (this.#most.length === 0) this.#start = time;
    this.#reach(time);
    this.#value = value;
    this.#raise(this.#most.length - 1);
  }

  /** @param end - of the trace: the figure stays as it is until then */
  result(end: number): Series {
    if (this.#most.length > 0) this.#reach(end);
    const kept = [...this.#most.keys()].filter((at) => this.#most[at] !== this.#most[at - 1]);
    return {
      times: kept.map((at) => this.#start + at * this.#width),
      values: kept.map((at) => this.#most[at] ?? 0),
    };
  }

  /** Steps up to the one of a time; in new ones the figure is what it was. */
  #reach(time: number): void {
    while (time - this.#start >= STEPS * this.#width) this.#halve();
    const last = Math.floor((time - this.#start) / this.#width);
    while (this.#most.length <= last) this.#most.push(this.#value);
  }

  #raise(at: number): void {
    this.#most[at] = Math.max(this.#most[at] ?? 0, this.#value);
  }

  #halve(): void {
    const pairs = Math.ceil(this.#most.length / 2);
    this.#most = Array.from({ length: pairs }, (_, at) =>
      Math.max(this.#most[2 * at] ?? 0, this.#most[2 * at + 1] ?? 0),
    );
    this.#width *= 2;
  }
}
