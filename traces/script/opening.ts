/** The first events of a trace that a script can tell, in the order of time. */
import type { TraceEvent } from '../event.ts';
import { Reorder } from '../order.ts';
import { TraceParser } from '../read/parse.ts';
import { isTold } from './events.ts';

/** Reads lines beside whoever checks them, and looks at none once it has enough. */
export class Opening {
  readonly #parser = new TraceParser();
  readonly #events: TraceEvent[] = [];
  readonly #order = new Reorder((event) => this.#take(event));
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** The next line, which ends before `to`; the byte there is an end of a line. */
  read(bytes: Uint8Array, from: number, to: number): void {
    if (this.#events.length >= this.#most) return;
    const event = this.#parser.read(bytes, from, to);
    if (event !== undefined) this.#order.push(event);
  }

  end(): readonly TraceEvent[] {
    this.#order.end();
    return this.#events;
  }

  #take(event: TraceEvent): void {
    const isOne = isTold(event, 'iommu') || isTold(event, 'dma');
    if (isOne && this.#events.length < this.#most) this.#events.push(event);
  }
}
