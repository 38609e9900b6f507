/** Puts events into the order of time: buffers of several CPUs are merged by the tools, not always exactly. */
import type { TraceEvent } from './event.ts';

/** How many events may overtake one another. */
export const WINDOW = 256;

export class Reorder {
  readonly #waiting: TraceEvent[] = [];
  readonly #out: (event: TraceEvent) => void;
  /** Events that came after a later one. */
  moved = 0;

  constructor(out: (event: TraceEvent) => void) {
    this.#out = out;
  }

  push(event: TraceEvent): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.time ?? 0) > event.time) at -= 1;
    if (at < this.#waiting.length) this.moved += 1;
    this.#waiting.splice(at, 0, event);
    if (this.#waiting.length > WINDOW) this.#release();
  }

  end(): void {
    while (this.#waiting.length > 0) this.#release();
  }

  #release(): void {
    const first = this.#waiting.shift();
    if (first !== undefined) this.#out(first);
  }
}
