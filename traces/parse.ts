/** From a line of text to an event. Never throws, whatever the line is: what it cannot read it counts. */
import type { LostEvent, Stamp, TraceEvent } from './event.ts';
import { Fields } from './fields.ts';
import { Heard } from './heard.ts';
import { byPrintedName } from './known-events.ts';
import { LineHead } from './line-head.ts';
import { Names } from './names.ts';
import { probeOf } from './read-buffer.ts';
import type { KnownEvent } from './reader.ts';
import { cleaned, hearHeader, isQuoted, noticeOf } from './side-lines.ts';

export type { Heard } from './heard.ts';

/** No tool writes longer lines: a record is at most two pages of the kernel. */
const LONGEST_LINE = 64 * 1024;
/** What the kernel ends a line with that did not fit its buffer. */
const TOO_BIG = '[LINE TOO BIG]';
const CARRIAGE_RETURN = 13;
const UNNAMED = '(no event)';

/** Of a line whose head is an event's, but not the rest. */
const UNREADABLE = Symbol('unreadable');

const PRINTED: ReadonlyMap<string, KnownEvent> = byPrintedName();

/** Reads the lines of one trace. */
export class TraceParser {
  readonly heard: Heard = new Heard();
  readonly #names = new Names();
  readonly #head = new LineHead(this.#names);
  readonly #fields = new Fields(this.#names);
  readonly #stamped = { line: 0, time: 0, cpu: 0, task: '', pid: 0 };
  /** Of the last event: a notice has no time of its own. */
  #time = 0;
  #cpu = 0;
  /** What follows a mark may be more of it. */
  #marked = false;

  /**
   * The event on the next line; undefined for headers, unknown events and garbage. A line that cannot be read, and
   * a notice of the tool, become a `lost` event where they stand.
   * @param ended - false for a last line that the file does not end: its numbers may be cut
   */
  parse(text: string, ended = true): TraceEvent | undefined {
    this.heard.lines += 1;
    if (text.length > LONGEST_LINE) return this.#garbage();
    const line = text.charCodeAt(text.length - 1) === CARRIAGE_RETURN ? text.slice(0, -1) : text;
    const event = !isQuoted(line) && this.#head.read(line) ? this.#event(line, ended) : UNREADABLE;
    return event === UNREADABLE ? this.#again(cleaned(line), ended) : event;
  }

  /** Once more, without colours and quotes, which may also stand in the middle of an event. */
  #again(line: string, ended: boolean): TraceEvent | undefined {
    if (!this.#head.read(line)) return this.#aside(line);
    const event = this.#event(line, ended);
    if (event !== UNREADABLE) return event;
    this.heard.countMalformed();
    return { ...this.#stamp(), kind: 'lost', cause: 'unreadable', count: 1 };
  }

  #event(line: string, ended: boolean): TraceEvent | typeof UNREADABLE | undefined {
    this.#arrive();
    const { name } = this.#head;
    if (name === '') return this.#unknown(line, UNNAMED);
    this.#fields.set(line, this.#head.text);
    const known = this.#known(name);
    if (known === undefined) return this.#unknown(line, name);
    const event = ended && !line.endsWith(TOO_BIG) ? known.read(this.#fields, this.#stamp()) : undefined;
    if (event === undefined) return UNREADABLE;
    this.heard.seen.set(known.name, (this.heard.seen.get(known.name) ?? 0) + 1);
    this.#marked = event.kind === 'mark';
    return event;
  }

  /** `perf` writes notices with the head of an event. */
  #unknown(line: string, name: string): LostEvent | undefined {
    if (this.#head.perf && noticeOf(line) !== undefined) return this.#aside(line);
    this.heard.countUnknown(name);
    return undefined;
  }

  /** Notes time, CPU and format of the line whose head was read. */
  #arrive(): void {
    const { heard } = this;
    const head = this.#head;
    this.#time = head.time;
    this.#cpu = head.cpu;
    this.#marked = false;
    if (head.ticks) heard.ticks = true;
    if (heard.format !== 'unknown') return;
    if (head.perf) heard.format = 'perf';
    else heard.format = head.flags || head.gap <= 1 ? 'ftrace' : 'trace-cmd';
  }

  #known(name: string): KnownEvent | undefined {
    const known = PRINTED.get(name);
    if (known !== undefined && (known.owns?.(this.#fields) ?? true)) return known;
    return this.#fields.startsWith('(') ? probeOf(this.#fields, name) : undefined;
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
