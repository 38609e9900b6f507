/** Where events are missing, as the tool itself says: after each place nothing is certain of what lives. */
import type { LostEvent } from './event.ts';
import type { Heard } from './read/heard.ts';
import type { Gap, Lost } from './report.ts';

/** Places that are told one by one. */
const GAPS_MAX = 20;

type Notices = Pick<Heard, 'lost' | 'overwritten' | 'notices' | 'uncounted'>;

export class Losses {
  /** When each CPU was last heard. */
  readonly #heard: (number | undefined)[] = [];
  readonly #gaps: Gap[] = [];
  /** The last gap of each CPU that was not heard since. */
  readonly #open = new Map<number, { to: number }>();
  #first: number | undefined;

  /** An event came: nothing of its CPU is missing from here on, until a notice says so. */
  heard(cpu: number, time: number): void {
    this.#first ??= time;
    this.#heard[cpu] = time;
    if (this.#open.size === 0) return;
    const open = this.#open.get(cpu);
    if (open === undefined) return;
    // The notice has no time of its own: events are missing until the CPU is heard again.
    open.to = time;
    this.#open.delete(cpu);
  }

  lost({ cause, cpu, time, count }: LostEvent): void {
    if (cause !== 'overrun' || this.#gaps.length >= GAPS_MAX) return;
    const from = this.#heard[cpu];
    const known = count === undefined ? {} : { count };
    const gap = { cpu, ...(from === undefined ? {} : { from }), to: time, ...known };
    this.#gaps.push(gap);
    this.#open.set(cpu, gap);
  }

  result({ lost, overwritten, notices, uncounted }: Notices): Lost {
    const before: Gap[] =
      overwritten > 0 && this.#first !== undefined ? [{ to: this.#first, count: overwritten }] : [];
    return {
      events: lost + overwritten,
      places: notices + before.length,
      uncounted,
      gaps: [...before, ...this.#gaps],
    };
  }
}
