/** From a line of text to an event. Never throws, whatever the line is: what it cannot read it counts. */
import type { LostEvent, Stamp, TraceEvent } from '../event.ts';
import { probeOf } from './buffer.ts';
import { CLOSE_SQUARE } from './characters.ts';
import { Fields } from './fields.ts';
import { Heard, type Tally } from './heard.ts';
import { isDamaged, PRINTED } from './known-events.ts';
import { LineHead } from './line-head.ts';
import { Names } from './names.ts';
import type { KnownEvent } from './reader.ts';
import { cleaned, hearHeader, isQuoted, noticeOf } from './side-lines.ts';

export type { Heard } from './heard.ts';

/** No tool writes longer lines: a record is at most two pages of the kernel. */
const LONGEST_LINE = 64 * 1024;
/** What the kernel ends a line with that did not fit its buffer. */
const TOO_BIG = '[LINE TOO BIG]';
const CARRIAGE_RETURN = 13;
const UNNAMED = '(no event)';
/** Names of probes that are remembered; damaged traces hold any number of them. */
const MOST_PROBES = 100;
/** A traced function, with or without its caller, and what begins a stack trace. */
const FUNCTION = /^(?:<[a-z ]+>|[^\s:=]+(?: <- ?[^\s:=]+)?)\s*$/;

/** Of a line whose head is an event's, but not the rest. */
const UNREADABLE = Symbol('unreadable');

/** Reads the lines of one trace. */
export class TraceParser {
  readonly heard: Heard = new Heard();
  readonly #printed = new Map(
    Array.from(PRINTED, ([name, event]) => [name, { event, tally: this.heard.tallyOf(event.name) }] as const),
  );
  /** By name: what the last event of that name was, and the place of the probe, which it depends on alone. */
  readonly #probes = new Map<string, { place: string; event: KnownEvent; tally: Tally }>();
  readonly #names = new Names();
  readonly #head = new LineHead(this.#names);
  readonly #fields = new Fields(this.#names);
  readonly #stamped = { line: 0, time: 0, cpu: 0, task: '', pid: 0 };
  #tally: Tally = { count: 0 };
  /** Of the last event: a notice has no time of its own. */
  #time = 0;
  #cpu = 0;
  /** Whether a line with a head was read. */
  #begun = false;
  /** What follows a mark may be more of it. */
  #marked = false;

  /**
   * The event on the next line; undefined for headers, unknown events and garbage. A line that cannot be read, and
   * a notice of the tool, become a `lost` event where they stand.
   */
  parse(text: string): TraceEvent | undefined {
    this.heard.lines += 1;
    if (text.length >= LONGEST_LINE) return this.#garbage();
    const line = text.charCodeAt(text.length - 1) === CARRIAGE_RETURN ? text.slice(0, -1) : text;
    const event = !isQuoted(line) && this.#readHead(line) ? this.#event(line) : UNREADABLE;
    return event === UNREADABLE ? this.#again(cleaned(line)) : event;
  }

  /** Once more, without colours and quotes, which may also stand in the middle of an event. */
  #again(line: string): TraceEvent | undefined {
    if (!this.#readHead(line)) return this.#aside(line);
    const event = this.#event(line);
    if (event !== UNREADABLE) return event;
    this.heard.countMalformed();
    return { ...this.#stamp(), kind: 'lost', cause: 'unreadable', count: 1 };
  }

  /** A clock does not change within a trace: ticks among seconds are a damaged line. */
  #readHead(line: string): boolean {
    if (!this.#head.read(line)) return false;
    return !this.#begun || this.#head.ticks === this.heard.ticks;
  }

  #event(line: string): TraceEvent | typeof UNREADABLE | undefined {
    this.#arrive();
    const { name } = this.#head;
    this.#fields.set(line, this.#head.text);
    const known = name === '' ? undefined : this.#known(name);
    if (known === undefined) return this.#unknown(line, name);
    const event = isTooBig(line) ? undefined : known.read(this.#fields, this.#stamp());
    if (event === undefined) return UNREADABLE;
    this.#tally.count += 1;
    this.#marked = event.kind === 'mark';
    return event;
  }

  /** `perf` writes notices with the head of an event. */
  #unknown(line: string, name: string): LostEvent | typeof UNREADABLE | undefined {
    if (this.#head.perf && noticeOf(line) !== undefined) return this.#aside(line);
    const text = line.slice(this.#head.text);
    const known = this.heard.unknown.has(name);
    if (name === '' ? !FUNCTION.test(text) : !known && isDamaged(name, text)) return UNREADABLE;
    this.heard.countUnknown(name === '' ? UNNAMED : name);
    return undefined;
  }

  /** Notes time, CPU and format of the line whose head was read. */
  #arrive(): void {
    const { heard } = this;
    const head = this.#head;
    this.#time = head.time;
    this.#cpu = head.cpu;
    this.#marked = false;
    this.#begun = true;
    heard.ticks = head.ticks;
    if (heard.format !== 'unknown') return;
    if (head.perf) heard.format = 'perf';
    else heard.format = head.flags || head.gap <= 1 ? 'ftrace' : 'trace-cmd';
  }

  /** Sets `#tally` to where the event is counted, if it is known. */
  #known(name: string): KnownEvent | undefined {
    const printed = this.#printed.get(name);
    if (printed !== undefined && (printed.event.owns?.(this.#fields) ?? true)) {
      this.#tally = printed.tally;
      return printed.event;
    }
    return this.#fields.startsWith('(') ? this.#probe(name) : undefined;
  }

  #probe(name: string): KnownEvent | undefined {
    const last = this.#probes.get(name);
    if (last !== undefined && this.#fields.startsWith(last.place)) {
      this.#tally = last.tally;
      return last.event;
    }
    const event = probeOf(this.#fields, name);
    if (event === undefined) return undefined;
    this.#tally = this.heard.tallyOf(event.name);
    const place = this.#fields.place;
    if (this.#probes.size >= MOST_PROBES) this.#probes.clear();
    if (place !== undefined) this.#probes.set(name, { place, event, tally: this.#tally });
    return event;
  }

  #aside(line: string): LostEvent | undefined {
    const notice = noticeOf(line);
    const header = hearHeader(line, this.heard);
    if (notice !== undefined) {
      this.heard.countNotice(notice.count);
      const { cpu, count } = notice;
      return {
        ...this.#nowhere(cpu),
        kind: 'lost',
        cause: 'overrun',
        ...(count === undefined ? {} : { count }),
      };
    }
    if (!header && !this.#marked) return this.#garbage();
    this.heard.headers += 1;
    return undefined;
  }

  /** Before the first event, text is only text; among events, one may have been there. */
  #garbage(): LostEvent | undefined {
    this.heard.countGarbage();
    if (this.heard.format === 'unknown') return undefined;
    return { ...this.#nowhere(this.#cpu), kind: 'lost', cause: 'unreadable' };
  }

  /** Of the line whose head was read; one object serves for all lines. */
  #stamp(): Stamp {
    const stamp = this.#stamped;
    const head = this.#head;
    stamp.line = this.heard.lines;
    stamp.time = head.time;
    stamp.cpu = head.cpu;
    stamp.task = head.task;
    stamp.pid = head.pid;
    return stamp;
  }

  #nowhere(cpu: number): Stamp {
    return { line: this.heard.lines, time: this.#time, cpu, task: '', pid: 0 };
  }
}

/** Nearly all lines differ in the last character already. */
const isTooBig = (line: string): boolean =>
  line.charCodeAt(line.length - 1) === CLOSE_SQUARE && line.endsWith(TOO_BIG);
