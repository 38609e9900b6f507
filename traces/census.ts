/** Counts what a report tells beside findings: coverage, distributions, the timeline. */
import type { TraceEvent } from './event.ts';
import type { LifeListener, Mapping, Watch } from './mapping.ts';
import type { Coverage, Distributions, Histogram, Timeline } from './report.ts';

const NOTHING: Histogram = { unit: 'bytes', counts: [], least: 0, median: 0, most: 0 };

export class Census implements Watch, LifeListener {
  #born = 0;
  #died = 0;

  on(_event: TraceEvent): void {}

  born(_mapping: Mapping): void {
    this.#born += 1;
  }

  died(_mapping: Mapping): void {
    this.#died += 1;
  }

  end(): void {}

  get coverage(): Coverage {
    const alive = this.#born - this.#died;
    return {
      ...{ born: this.#born, died: this.#died, alive, unknownDeaths: 0, named: 0 },
      ...{ pagesWhole: 0, pagesPart: 0 },
    };
  }

  get distributions(): Distributions {
    const live = { times: [], values: [] };
    return { sizes: NOTHING, lifetimes: { ...NOTHING, unit: 'ns' }, live, liveBytes: live, spaces: [] };
  }

  get timeline(): Timeline {
    return { bars: [], pages: [], barsSeen: 0, pagesSeen: 0 };
  }
}
