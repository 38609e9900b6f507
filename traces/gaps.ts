/** Where events are missing, as far as the trace itself says so. */
import type { TraceEvent } from './event.ts';
import type { Watch } from './mapping.ts';

export class Gaps implements Watch {
  #last = Number.NEGATIVE_INFINITY;

  on(event: TraceEvent): void {
    if (event.kind === 'lost') this.#last = event.time;
  }

  end(): void {}

  /** Whether events may be missing that happened after a moment (in nanoseconds of the trace's clock). */
  since(time: number): boolean {
    return this.#last >= time;
  }
}
