/** From a line of text to an event. Never throws, whatever the line is: what it cannot read it counts. */
import type { LostEvent, Stamp, TraceEvent } from '../event.ts';
import { probeOf } from './buffer.ts';
import { CLOSE_SQUARE, RETURN } from './characters.ts';
import { Fields } from './fields.ts';
import { Heard, type Tally } from './heard.ts';
import { isDamaged, MARK, PRINTED } from './known-events.ts';
import { bytesOf, Line, says } from './line.ts';
import { LineHead } from './line-head.ts';
import { Names } from './names.ts';
import type { KnownEvent } from './reader.ts';
import { cleaned, hearHeader, isQuoted, noticeOf } from './side-lines.ts';

export type { Heard } from './heard.ts';

/** No tool writes longer lines: a record is at most two pages of the kernel. */
const LONGEST_LINE = 64 * 1024;
/** What the kernel ends a line with that did not fit its buffer. */
const TOO_BIG = '[LINE TOO BIG]';
const UNNAMED = '(no event)';
/** Names of probes that are remembered; damaged traces hold any number of them. */
const MOST_PROBES = 100;
/** A traced function, with or without its caller, and what begins a stack trace. */
const FUNCTION = /^(?:<[a-z ]+>|[^\s:=]+(?: <- ?[^\s:=]+)?)\s*$/;

/** Of a line whose head is an event's, but not the rest. */
const UNREADABLE = Symbol('unreadable');

/** Events of one name: what they are, if that is known, and where they are counted. */
interface Called {
  readonly name: string;
  readonly event: KnownEvent | undefined;
  readonly tally: Tally | undefined;
}

/** Reads the lines of one trace. */
export class TraceParser {
  readonly heard: Heard = new Heard();
  /** By name: what the last event of that name was, and the place of the probe, which it depends on alone. */
  readonly #probes = new Map<string, { place: DataView; event: KnownEvent; tally: Tally }>();
  readonly #names = new Names((text) => text);
  readonly #events = new Names((name) => this.#eventCalled(name));
  readonly #line = new Line();
  readonly #head = new LineHead(this.#names);
  readonly #fields = new Fields(this.#names, this.#line);
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
   *
   * @param to - where the line ends: the byte there is an end of a line, and is looked at
   */
  read(bytes: Uint8Array, from: number, to: number): TraceEvent | undefined {
    this.heard.lines += 1;
    if (to - from >= LONGEST_LINE) return this.#garbage();
    const line = this.#line;
    line.set(bytes, from, to > from && bytes[to - 1] === RETURN ? to - 1 : to);
    const event = !isQuoted(line) && this.#readHead() ? this.#event() : UNREADABLE;
    return event === UNREADABLE ? this.#again(cleaned(line.textFrom(from))) : event;
  }

  /** The same of a line that is a text. */
  parse(text: string): TraceEvent | undefined {
    const bytes = bytesOf(text);
    return this.read(bytes, 0, bytes.length - 1);
  }

  /** Once more, without colours and quotes, which may also stand in the middle of an event. */
  #again(text: string): TraceEvent | undefined {
    this.#line.setText(text);
    if (!this.#readHead(text)) return this.#aside(text);
    const event = this.#event();
    if (event !== UNREADABLE) return event;
    this.heard.countMalformed();
    return { ...this.#stamp(), kind: 'lost', cause: 'unreadable', count: 1 };
  }

  /**
   * A clock does not change within a trace: ticks among seconds are a damaged line.
   *
   * @param text - of the line, if it may have been dumped by the kernel
   */
  #readHead(text?: string): boolean {
    const head = this.#head;
    const isRead = head.read(this.#line) || (text !== undefined && head.readDumped(this.#line, text));
    return isRead && (!this.#begun || head.ticks === this.heard.ticks);
  }

  #event(): TraceEvent | typeof UNREADABLE | undefined {
    this.#arrive();
    const { nameFrom, nameTo, text } = this.#head;
    this.#fields.start(text);
    const called = this.#events.of(this.#line, nameFrom, nameTo);
    const known = this.#known(called);
    if (known === undefined) return this.#unknown(called.name);
    const event = isTooBig(this.#line) ? undefined : known.read(this.#fields, this.#stamp());
    if (event === undefined) return UNREADABLE;
    this.#tally.count += 1;
    this.#marked = known.name === MARK;
    return event;
  }

  #unknown(name: string): LostEvent | typeof UNREADABLE | undefined {
    const line = this.#line;
    // `perf` writes notices with the head of an event.
    const notice = this.#head.perf ? line.textFrom(line.from) : undefined;
    if (notice !== undefined && noticeOf(notice) !== undefined) return this.#aside(notice);
    if (!this.heard.unknown.has(name) && this.#isDamaged(name)) return UNREADABLE;
    this.heard.countUnknown(name === '' ? UNNAMED : name);
    return undefined;
  }

  /** Whether what nobody knows is something known in which something is wrong. */
  #isDamaged(name: string): boolean {
    const text = this.#line.textFrom(this.#head.text);
    return name === '' ? !FUNCTION.test(text) : isDamaged(name, text);
  }

  /** Notes time, CPU and format of the line whose head was read. */
  #arrive(): void {
    const { heard } = this;
    const head = this.#head;
    this.#time = head.stamp.time;
    this.#cpu = head.stamp.cpu;
    this.#marked = false;
    this.#begun = true;
    heard.ticks = head.ticks;
    if (heard.format !== 'unknown') return;
    if (head.perf) heard.format = 'perf';
    else heard.format = head.flags || head.gap <= 1 ? 'ftrace' : 'trace-cmd';
  }

  #eventCalled(name: string): Called {
    const event = PRINTED.get(name);
    return { name, event, tally: event && this.heard.tallyOf(event.name) };
  }

  /** Sets `#tally` to where the event is counted, if it is known. */
  #known({ name, event, tally }: Called): KnownEvent | undefined {
    if (tally !== undefined && (event?.owns?.(this.#fields) ?? true)) {
      this.#tally = tally;
      return event;
    }
    return name !== '' && this.#fields.startsWith('(') ? this.#probe(name) : undefined;
  }

  #probe(name: string): KnownEvent | undefined {
    const last = this.#probes.get(name);
    if (last !== undefined && this.#fields.startsWithBytes(last.place)) {
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
    const { stamp } = this.#head;
    stamp.line = this.heard.lines;
    return stamp;
  }

  #nowhere(cpu: number): Stamp {
    return { line: this.heard.lines, time: this.#time, cpu, task: '', pid: 0 };
  }
}

/** Nearly all lines differ in the last character already. */
const isTooBig = ({ bytes, to }: Line): boolean =>
  bytes[to - 1] === CLOSE_SQUARE && says(bytes, to - TOO_BIG.length, to, TOO_BIG);
