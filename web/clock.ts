/** Times of one trace in words: in seconds, or in ticks where its clock counts no seconds. */
import { duration } from '../traces/say.ts';
import { count } from './text.ts';

interface Counting {
  /** Time of the first event; undefined without one. */
  readonly first?: number | undefined;
  readonly ticks?: boolean;
}

export class Clock {
  readonly first: number;
  readonly #ticks: boolean;

  constructor({ first = 0, ticks = false }: Counting) {
    this.first = first;
    this.#ticks = ticks;
  }

  /** How long something took: `1.53 ms`. */
  lasting(time: number): string {
    return this.#ticks ? `${count(time)} ticks` : duration(time);
  }

  /** A moment as the trace writes it, and after the first event as the axis does: `9.817765 s (+0.239863 s)`. */
  moment(time: number): string {
    const written = this.#ticks ? String(time) : `${seconds(time, digitsOf(time))} s`;
    return `${written} (${this.after(time - this.first)})`;
  }

  /** Time after the first event: `+0.239863 s`. */
  after(time: number): string {
    return this.#ticks ? `+${count(time)}` : `+${seconds(time, digitsOf(time))} s`;
  }

  /** The same with no more digits than neighbours on an axis, so far apart, need. */
  tick(time: number, step: number): string {
    if (this.#ticks) return this.after(time);
    return `+${seconds(time, Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(step)))))} s`;
  }
}

const seconds = (ns: number, digits: number): string => (ns / 1e9).toFixed(digits);
const digitsOf = (ns: number): number => (Number.isInteger(ns / 1e3) ? 6 : 9);
