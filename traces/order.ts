/** Puts events into the order of time: buffers of several CPUs are merged by the tools, not always exactly. */
import type { EventKind, TraceEvent } from './event.ts';

/** How many events may overtake one another. A power of two. */
export const WINDOW = 256;
/** From here on, nanoseconds or ticks, an event that goes back has not been overtaken: the clock was set anew. */
const RESTART = 10e9;

/** What was put up with; the line is that of the event. */
export type Disorder = 'moved' | 'late' | 'restart' | 'duplicate';

/**
 * What cannot happen twice at one moment on one CPU, with nothing between: a line that says so was copied. Others may
 * be repeated within a microsecond, such as flushes for several devices.
 */
const ONCE: ReadonlySet<EventKind> = new Set<EventKind>([
  ...(['map', 'unmap', 'page-alloc', 'page-free'] as const),
  ...(['dma-map', 'dma-unmap', 'dma-map-sg', 'dma-unmap-sg', 'dma-alloc', 'dma-free'] as const),
]);

/** A ring of the latest events. Those of equal time stay in the order of their lines. */
export class Reorder {
  readonly #ring: (TraceEvent | undefined)[] = new Array<TraceEvent | undefined>(WINDOW).fill(undefined);
  readonly #out: (event: TraceEvent) => void;
  readonly #note: (what: Disorder, line: number) => void;
  /** Positions count on for ever; the ring holds those from `#first` up to, not including, `#next`. */
  #first = 0;
  #next = 0;
  /** Time of the latest event that left the ring. */
  #released = Number.NEGATIVE_INFINITY;
  /** Late events in a row: as many as the ring holds mean that the time before is over. */
  #late = 0;

  constructor(out: (event: TraceEvent) => void, note: (what: Disorder, line: number) => void = () => {}) {
    this.#out = out;
    this.#note = note;
  }

  push(event: TraceEvent): void {
    const last = this.#next === this.#first ? undefined : this.#at(this.#next - 1);
    if (last === undefined || event.time > last.time) this.#append(event);
    else if (event.time < this.#released || event.time < last.time - RESTART) this.#back(event, last);
    else this.#insert(event);
  }

  /** No more events: those that wait go out. */
  end(): void {
    while (this.#first < this.#next) this.#release();
  }

  #append(event: TraceEvent): void {
    this.#late = 0;
    if (this.#next - this.#first === WINDOW) this.#release();
    this.#ring[this.#next % WINDOW] = event;
    this.#next += 1;
  }

  /** An event that is older than what has gone out already. */
  #back(event: TraceEvent, last: TraceEvent): void {
    this.#late += 1;
    if (event.time < last.time - RESTART || this.#late >= WINDOW) this.#restart(event);
    else {
      this.#note('late', event.line);
      this.#out(event);
    }
  }

  #restart(event: TraceEvent): void {
    this.end();
    this.#note('restart', event.line);
    this.#released = Number.NEGATIVE_INFINITY;
    const { line, time, cpu, task, pid } = event;
    this.#out({ kind: 'lost', cause: 'restart', line, time, cpu, task, pid });
    this.#append(event);
  }

  #insert(event: TraceEvent): void {
    let to = this.#next;
    while (to > this.#first && this.#at(to - 1).time > event.time) to -= 1;
    if (this.#isCopy(event, to)) {
      this.#note('duplicate', event.line);
      return;
    }
    const moved = to < this.#next;
    if (moved) this.#note('moved', event.line);
    if (this.#next - this.#first === WINDOW) this.#release();
    for (let from = this.#next; from > to; from -= 1) this.#ring[from % WINDOW] = this.#at(from - 1);
    this.#ring[to % WINDOW] = event;
    this.#next += 1;
    this.#late = 0;
  }

  /** Whether the event before it on its CPU says the same, at the same time. */
  #isCopy(event: TraceEvent, position: number): boolean {
    if (!ONCE.has(event.kind)) return false;
    for (let at = position - 1; at >= this.#first; at -= 1) {
      const before = this.#at(at);
      if (before.time !== event.time) return false;
      if (before.cpu === event.cpu) return saysSame(before, event);
    }
    return false;
  }

  #at(position: number): TraceEvent {
    const event = this.#ring[position % WINDOW];
    if (event === undefined) throw new Error(`no event at ${position}`);
    return event;
  }

  #release(): void {
    const event = this.#at(this.#first);
    this.#ring[this.#first % WINDOW] = undefined;
    this.#first += 1;
    this.#released = event.time;
    this.#out(event);
  }
}

/** Whether two events differ in nothing but their line. */
function saysSame(a: TraceEvent, b: TraceEvent): boolean {
  return a.kind === b.kind && JSON.stringify({ ...a, line: 0 }) === JSON.stringify({ ...b, line: 0 });
}
