/**
 * The part that all tools write before an event's own text: task, CPU, time, name. Forms, from left to right ftrace,
 * `trace-cmd report`, `perf script`, and what the kernel prints when it dumps its buffer after a crash:
 *
 *     sh-123 (120) [000] d..1. 4.233624: map: …    dd-147 [000] 9.897812: map: …
 *     dd 204/205 [000] 21.936820: iommu:map: …     sh-123 0d..1. 4233624us : map: …
 */
import {
  CLOSE_ROUND,
  CLOSE_SQUARE,
  COLON,
  DOT,
  isBlank,
  isDecimal,
  MINUS,
  OPEN_ROUND,
  SLASH,
  SPACE,
  skipBlanks,
  skipDecimals,
  ZERO,
} from './characters.ts';
import { flat, type Names } from './names.ts';

/** Names of tasks may hold brackets: so many are tried before a line is given up. */
const BRACKETS = 4;
/** The head of a line is not longer, whatever the task is called. */
const LONGEST_HEAD = 200;
/** CPUs of which the last line is remembered: numbers of three digits. */
const MOST_CPUS = 1000;
const NS_PER_SECOND = 1e9;
const NS_PER_US = 1e3;

const DUMPED = /^\s*(.{1,64}?)-(\d{1,10})\s+(\d{1,5})([^\s\d]\S{2,6})\s+(\d{1,15})us.?\s*: /;

/** A line up to its CPU, and what that says. */
interface Beginning extends Pick<LineHead, 'cpu' | 'task' | 'pid' | 'perf'> {
  readonly text: string;
}

/** Where a head stood in its line, and what it says. One object serves for all lines. */
export class LineHead {
  readonly #names: Names;
  task = '';
  pid = 0;
  cpu = 0;
  /** Nanoseconds, or ticks of a clock that counts no seconds. */
  time = 0;
  ticks = false;
  /** `perf script` puts a space between task and number where the others have a minus. */
  perf = false;
  /** Whether there is a column such as `d..1.` */
  flags = false;
  /** Empty where the line has none: function traces, stack traces. */
  name = '';
  /** Blanks between the name's colon and the text. */
  gap = 0;
  /** Where the event's own text begins. */
  text = 0;

  /** By CPU: the beginning of the last line, to behind the CPU, and the task in it. Most lines repeat one. */
  readonly #beginnings: (Beginning | undefined)[] = [];

  constructor(names: Names) {
    this.#names = names;
  }

  /** Whether the line has a head; if not, what was read before is not valid any more. */
  read(line: string): boolean {
    let open = line.indexOf('[');
    if (this.#readAgain(line, open)) return true;
    const first = open;
    for (let tries = 0; open >= 0 && open < LONGEST_HEAD && tries < BRACKETS; tries += 1) {
      const close = skipDecimals(line, open + 1);
      if (close > open + 1 && close <= open + 6 && line.charCodeAt(close) === CLOSE_SQUARE) {
        this.cpu = decimal(line, open + 1, close);
        if (this.#readAfter(line, close + 1) && this.#readTask(line, open - 1)) {
          if (open === first) this.#remember(line, close + 1);
          return true;
        }
      }
      open = line.indexOf('[', open + 1);
    }
    return this.#readDumped(line);
  }

  /** Whether the line begins as the last one of its CPU did, and has a time behind. */
  #readAgain(line: string, open: number): boolean {
    const close = skipDecimals(line, open + 1);
    if (open < 0 || close > open + 4) return false;
    const known = this.#beginnings[decimal(line, open + 1, close)];
    if (known === undefined || !line.startsWith(known.text)) return false;
    this.cpu = known.cpu;
    this.task = known.task;
    this.pid = known.pid;
    this.perf = known.perf;
    return this.#readAfter(line, known.text.length);
  }

  #remember(line: string, to: number): void {
    const { cpu, task, pid, perf } = this;
    if (cpu < MOST_CPUS) this.#beginnings[cpu] = { text: flat(line.slice(0, to)), cpu, task, pid, perf };
  }

  /** What follows the CPU: flags, time, name. */
  #readAfter(line: string, from: number): boolean {
    if (!isBlank(line.charCodeAt(from))) return false;
    let at = skipBlanks(line, from);
    this.flags = !isDecimal(line.charCodeAt(at));
    if (this.flags) {
      const to = skipWord(line, at);
      if (to - at > 8) return false;
      at = skipBlanks(line, to);
    }
    const dot = skipDecimals(line, at);
    if (dot === at) return false;
    this.ticks = line.charCodeAt(dot) !== DOT;
    const end = this.ticks ? dot : line.indexOf(':', dot);
    const whole = decimal(line, at, dot);
    this.time = this.ticks ? whole : whole * NS_PER_SECOND + nanoseconds(line, dot + 1, end);
    // What is no digit makes no number.
    if (line.charCodeAt(end) !== COLON || Number.isNaN(this.time)) return false;
    this.#readName(line, skipNotes(line, skipBlanks(line, end + 1)));
    return true;
  }

  /** A name ends with a colon that a blank follows; `sys:event:` holds another one. */
  #readName(line: string, from: number): void {
    const to = skipWord(line, from);
    const named = to > from + 1 && line.charCodeAt(to - 1) === COLON;
    this.name = named ? this.#names.of(line, from, to - 1) : '';
    this.text = named ? skipBlanks(line, to) : from;
    this.gap = this.text - to;
  }

  /** Task and number, backwards from `at`; between them and the CPU there may be the number of the process. */
  #readTask(line: string, at: number): boolean {
    let to = backBlanks(line, at);
    if (line.charCodeAt(to) === CLOSE_ROUND) {
      while (to > 0 && line.charCodeAt(to) !== OPEN_ROUND) to -= 1;
      to = backBlanks(line, to - 1);
    }
    let from = backDecimals(line, to);
    if (from === to) return false;
    this.pid = decimal(line, from + 1, to + 1);
    if (line.charCodeAt(from) === SLASH) from = backDecimals(line, from - 1);
    const between = line.charCodeAt(from);
    this.perf = between === SPACE;
    if (!this.perf && between !== MINUS) return false;
    const begin = skipBlanks(line, 0);
    const end = backBlanks(line, from - 1) + 1;
    if (end <= begin) return false;
    this.task = this.#names.of(line, begin, end);
    return true;
  }

  #readDumped(line: string): boolean {
    const match = DUMPED.exec(line.slice(0, LONGEST_HEAD));
    if (match === null) return false;
    const [head, task = '', pid, cpu, , us] = match;
    this.task = this.#names.of(task, 0, task.length);
    this.pid = Number(pid);
    this.cpu = Number(cpu);
    this.time = Number(us) * NS_PER_US;
    this.ticks = false;
    this.perf = false;
    this.flags = true;
    this.#readName(line, head.length);
    return true;
  }
}

function decimal(line: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (line.charCodeAt(at) - ZERO);
  return value;
}

/** Digits of a fraction of a second: six of them are microseconds, nine nanoseconds; more say nothing. */
function nanoseconds(line: string, from: number, to: number): number {
  let value = 0;
  let unit = NS_PER_SECOND;
  for (let at = from; at < to; at += 1) {
    const code = line.charCodeAt(at);
    if (!isDecimal(code)) return Number.NaN;
    if (unit === 1) continue;
    unit /= 10;
    value += (code - ZERO) * unit;
  }
  return value;
}

/** `(+12)`, the distance to the line before, and perf's period may stand between time and name. */
function skipNotes(line: string, at: number): number {
  const code = line.charCodeAt(at);
  if (code === OPEN_ROUND) return skipBlanks(line, skipWord(line, at));
  const to = skipDecimals(line, at);
  return to > at && isBlank(line.charCodeAt(to)) ? skipBlanks(line, to) : at;
}

/** Searching for the end of a word takes less time than looking at each character. */
function skipWord(line: string, at: number): number {
  const space = line.indexOf(' ', at);
  const to = space < 0 ? line.length : space;
  const tab = line.indexOf('\t', at);
  return tab < 0 || tab > to ? to : tab;
}

function backBlanks(line: string, at: number): number {
  let to = at;
  while (to >= 0 && isBlank(line.charCodeAt(to))) to -= 1;
  return to;
}

function backDecimals(line: string, at: number): number {
  let to = at;
  while (to >= 0 && isDecimal(line.charCodeAt(to))) to -= 1;
  return to;
}
