/** Where events are missing, as the tool itself says: after each place nothing is certain of what lives. */
import type { TraceEvent } from './event.ts';
import type { Heard } from './heard.ts';
import type { Gap, Lost } from './report.ts';

/** Places that are told one by one. */
const GAPS_MAX = 20;

type Notices = Pick<Heard, 'lost' | 'overwritten' | 'notices' | 'uncounted'>;

export class Losses {
  /** When each CPU was last heard. */
  readonly #heard = new Map<number, number>();
  readonly #gaps: Gap[] = [];
  #first: number | undefined;

  on(event: TraceEvent): void {
    const { kind, cpu, time } = event;
    this.#first ??= time;
    if (kind === 'lost' && event.cause === 'overrun' && this.#gaps.length < GAPS_MAX) {
      const from = this.#heard.get(cpu);
      const count = event.count === undefined ? {} : { count: event.count };
      this.#gaps.push({ cpu, ...(from === undefined ? {} : { from }), to: time, ...count });
    }
    this.#heard.set(cpu, time);
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
