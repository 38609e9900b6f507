/** Puts events into the order of time: buffers of several CPUs are merged by the tools, not always exactly. */
import type { EventKind, TraceEvent } from './event.ts';

/** How many events may overtake one another. A power of two. */
export const WINDOW = 256;
/** So many events in a row that come too late mean that the clock went back for good. */
export const RESTART = 32;

/** What was put up with. */
export type Disorder = 'moved' | 'late' | 'restart' | 'duplicate';

/**
 * What cannot happen twice at one moment on one CPU, with nothing between: a line that says so was copied. Others may
 * be repeated within a microsecond, such as flushes for several devices.
 */
const ONCE: ReadonlySet<EventKind> = new Set<EventKind>([
  ...(['map', 'unmap', 'page-alloc', 'page-free'] as const),
  ...(['dma-map', 'dma-unmap', 'dma-map-sg', 'dma-unmap-sg', 'dma-alloc', 'dma-free'] as const),
  'buffer',
]);

/** A ring of the latest events. Those of equal time stay in the order of their lines. */
export class Reorder {
  readonly #ring: (TraceEvent | undefined)[] = new Array<TraceEvent | undefined>(WINDOW).fill(undefined);
  /** Their times, beside them: events are of many shapes, and asking each costs. */
  readonly #times = new Float64Array(WINDOW);
  readonly #out: (event: TraceEvent) => void;
  readonly #note: (what: Disorder, line: number) => void;
  /** Positions count on for ever; the ring holds those from `#first` up to, not including, `#next`. */
  #first = 0;
  #next = 0;
  /** Time of the latest event that went out, and of the latest that came. */
  #released = Number.NEGATIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  /** Time of the event before, in the order of lines. */
  #before = Number.NEGATIVE_INFINITY;
  /** Events in a row that are older than what went out already. */
  #late: TraceEvent[] = [];

  /** @param note - told of each event that was not where it belongs, with its line */
  constructor(out: (event: TraceEvent) => void, note: (what: Disorder, line: number) => void = () => {}) {
    this.#out = out;
    this.#note = note;
  }

  push(event: TraceEvent): void {
    const { time } = event;
    if (time < this.#released) {
      this.#late.push(event);
      if (this.#late.length >= RESTART) this.#restart();
      return;
    }
    if (this.#late.length > 0) this.#releaseLate();
    if (time > this.#latest) this.#append(event, time);
    else this.#insert(event, time);
    this.#before = time;
  }

  /** No more events: those that wait go out. */
  end(): void {
    this.#releaseLate();
    while (this.#first < this.#next) this.#release();
  }

  /** Nearly all events come here: later than all others. */
  #append(event: TraceEvent, time: number): void {
    if (this.#next - this.#first === WINDOW) this.#release();
    this.#put(this.#next, event, time);
    this.#next += 1;
    this.#latest = time;
  }

  /** Behind all that are not later. */
  #insert(event: TraceEvent, time: number): void {
    let to = this.#next;
    while (to > this.#first && this.#timeAt(to - 1) > time) to -= 1;
    if (this.#isCopy(event, time, to)) this.#note('duplicate', event.line);
    else {
      if (time < this.#before) this.#note('moved', event.line);
      this.#place(event, time, to);
    }
  }

  #place(event: TraceEvent, time: number, position: number): void {
    if (this.#next - this.#first === WINDOW) {
      if (position === this.#first) {
        this.#send(event, time);
        return;
      }
      this.#release();
    }
    for (let at = this.#next; at > position; at -= 1) this.#put(at, this.#at(at - 1), this.#timeAt(at - 1));
    this.#put(position, event, time);
    this.#next += 1;
  }

  /** Whether the event before it on its CPU says the same, at the same time. */
  #isCopy(event: TraceEvent, time: number, position: number): boolean {
    if (!ONCE.has(event.kind)) return false;
    const { cpu } = event;
    for (let at = position - 1; at >= this.#first && this.#timeAt(at) === time; at -= 1) {
      const before = this.#at(at);
      if (before.cpu === cpu) return saysSame(before, event);
    }
    return false;
  }

  /** They were late, not the beginning of another time. */
  #releaseLate(): void {
    for (const event of this.#late) {
      this.#note('late', event.line);
      this.#out(event);
    }
    this.#late = [];
  }

  #restart(): void {
    const again = this.#late;
    this.#late = [];
    this.end();
    this.#released = Number.NEGATIVE_INFINITY;
    this.#latest = Number.NEGATIVE_INFINITY;
    this.#before = Number.NEGATIVE_INFINITY;
    const [event] = again;
    if (event !== undefined) {
      const { line, time, cpu, task, pid } = event;
      this.#note('restart', line);
      this.#out({ kind: 'lost', cause: 'restart', line, time, cpu, task, pid });
    }
    for (const each of again) this.push(each);
  }

  #at(position: number): TraceEvent {
    const event = this.#ring[position % WINDOW];
    if (event === undefined) throw new Error(`no event at ${position}`);
    return event;
  }

  #timeAt(position: number): number {
    return this.#times[position % WINDOW] ?? 0;
  }

  #put(position: number, event: TraceEvent, time: number): void {
    this.#ring[position % WINDOW] = event;
    this.#times[position % WINDOW] = time;
  }

  #release(): void {
    const position = this.#first;
    this.#first += 1;
    this.#send(this.#at(position), this.#timeAt(position));
  }

  #send(event: TraceEvent, time: number): void {
    this.#released = time;
    this.#out(event);
  }
}

/** Whether two events differ in nothing but their line. */
function saysSame(a: TraceEvent, b: TraceEvent): boolean {
  if (a.kind !== b.kind || placeOf(a) !== placeOf(b)) return false;
  return JSON.stringify({ ...a, line: 0 }) === JSON.stringify({ ...b, line: 0 });
}

/** A number that differs between most events, so that few have to be compared as a whole. */
function placeOf(event: TraceEvent): number {
  if ('iova' in event) return event.iova ?? 0;
  if ('pfn' in event) return event.pfn;
  return 'dma' in event ? event.dma : 0;
}
