/** Where events are missing, as the tool itself says: after each place nothing is certain of what lives. */
import type { TraceEvent } from './event.ts';
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

  on(event: TraceEvent): void {
    const { cpu, time } = event;
    const open = this.#open.size === 0 ? undefined : this.#open.get(cpu);
    if (event.kind !== 'lost') {
      this.#first ??= time;
      // The notice has no time of its own: events are missing until the CPU is heard again.
      if (open !== undefined) open.to = time;
      if (open !== undefined) this.#open.delete(cpu);
      this.#heard[cpu] = time;
    } else if (event.cause === 'overrun' && this.#gaps.length < GAPS_MAX) {
      const from = this.#heard[cpu];
      const count = event.count === undefined ? {} : { count: event.count };
      const gap = { cpu, ...(from === undefined ? {} : { from }), to: time, ...count };
      this.#gaps.push(gap);
      this.#open.set(cpu, gap);
    }
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
