/**
 * The part that all tools write before an event's own text: task, CPU, time, name. Forms, from left to right ftrace,
 * `trace-cmd report`, `perf script`, and what the kernel prints when it dumps its buffer after a crash:
 *
 *     sh-123 (120) [000] d..1. 4.233624: map: …    dd-147 [000] 9.897812: map: …
 *     dd 204/205 [000] 21.936820: iommu:map: …     sh-123 0d..1. 4233624us : map: …
 */
import type { Stamp } from '../event.ts';
import {
  byteAt,
  CLOSE_ROUND,
  CLOSE_SQUARE,
  COLON,
  DOT,
  digitAt,
  isBlank,
  isDecimal,
  MINUS,
  OPEN_ROUND,
  OPEN_SQUARE,
  SLASH,
  SPACE,
  skipBlanks,
  skipDecimals,
  skipWord,
  ZERO,
} from './characters.ts';
import { bytesOf, indexOf, type Line, same, viewOf } from './line.ts';
import type { Names } from './names.ts';

/** Names of tasks may hold brackets: so many are tried before a line is given up. */
const BRACKETS = 4;
/** The head of a line is not longer, whatever the task is called. */
const LONGEST_HEAD = 200;
/** Up to the dot in the time, flags and blanks with it; longer ones are not remembered. */
const LONGEST_BEGINNING = 256;
/** CPUs of which the last line is remembered: numbers of three digits. */
const CPU_DIGITS = 3;
const MOST_CPUS = 10 ** CPU_DIGITS;
/** Of the column such as `d..1.` */
const LONGEST_FLAGS = 8;
const NS_PER_SECOND = 1e9;
/** Of the last digit of a fraction of a second, by how many digits there are. */
const NS_UNITS: readonly number[] = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1];
const NS_DIGITS = NS_UNITS.length - 1;
const NS_PER_US = 1e3;

const DUMPED = /^\s*(.{1,64}?)-(\d{1,10})\s+(\d{1,5})([^\s\d]\S{2,6})\s+(\d{1,15})us.?\s*: /;

/** A line up to the dot in its time, and what that says. One for each CPU, which changes with its tasks. */
class Beginning {
  readonly #bytes = new Uint8Array(LONGEST_BEGINNING);
  readonly view: DataView = viewOf(this.#bytes);
  length = 0;
  task = '';
  pid = 0;
  /** In nanoseconds. */
  seconds = Number.NaN;
  perf = false;
  flags = false;

  keep(bytes: Uint8Array): void {
    this.#bytes.set(bytes);
    this.length = bytes.length;
  }
}

/** Where a head stood in its line, and what it says. One object serves for all lines. */
export class LineHead {
  readonly #names: Names<string>;
  /** Time in nanoseconds, or ticks of a clock that counts no seconds: a double from the start, as large ones are. */
  readonly stamp: { -readonly [Key in keyof Stamp]: Stamp[Key] } = {
    line: 0,
    time: Number.NaN,
    cpu: 0,
    task: '',
    pid: 0,
  };
  ticks = false;
  /** `perf script` puts a space between task and number where the others have a minus. */
  perf = false;
  /** Whether there is a column such as `d..1.` */
  flags = false;
  /** Where the name of the event begins and ends: nowhere in function traces and stack traces. */
  nameFrom = 0;
  nameTo = 0;
  /** Blanks between the name's colon and the text. */
  gap = 0;
  /** Where the event's own text begins. */
  text = 0;

  /** By CPU: the beginning of the last line. Most lines repeat one. */
  readonly #beginnings: (Beginning | undefined)[] = [];
  /** None of them has a bracket nearer to its start. */
  #nearest = LONGEST_HEAD;
  /** Of a time with a dot: nanoseconds in front of it, and where what is behind it begins. */
  #seconds = Number.NaN;
  #fraction = 0;

  constructor(names: Names<string>) {
    this.#names = names;
  }

  /** Whether the line has a head; if not, what was read before is not valid any more. */
  read(line: Line): boolean {
    return this.#readAgain(line) || this.#readAnew(line);
  }

  #readAnew(line: Line): boolean {
    const { bytes, from, to } = line;
    const first = indexOf(bytes, OPEN_SQUARE, from, to);
    let open = first;
    for (let tries = 0; open < to && open < from + LONGEST_HEAD && tries < BRACKETS; tries += 1) {
      const close = skipDecimals(bytes, open + 1);
      if (close > open + 1 && close <= open + 6 && bytes[close] === CLOSE_SQUARE) {
        this.stamp.cpu = decimal(bytes, open + 1, close);
        if (this.#readAfter(line, close + 1) && this.#readTask(line, open - 1)) {
          if (open === first && !this.ticks) this.#remember(line, open);
          return true;
        }
      }
      open = indexOf(bytes, OPEN_SQUARE, open + 1, to);
    }
    return false;
  }

  /** The same for what the kernel dumped. @param text - of the line, which is well-formed UTF-8 */
  readDumped(line: Line, text: string): boolean {
    const match = DUMPED.exec(text.slice(0, LONGEST_HEAD));
    if (match === null) return false;
    const [head, task = '', pid, cpu, , us] = match;
    this.stamp.task = task;
    this.stamp.pid = Number(pid);
    this.stamp.cpu = Number(cpu);
    this.stamp.time = Number(us) * NS_PER_US;
    this.ticks = false;
    this.perf = false;
    this.flags = true;
    this.#readName(line, line.from + bytesOf(head).length - 1);
    return true;
  }

  /** Whether the line begins as the last one of its CPU did, and goes on as it should. */
  #readAgain(line: Line): boolean {
    const { bytes, from, to } = line;
    const open = indexOf(bytes, OPEN_SQUARE, from + this.#nearest, to);
    if (open >= to) return false;
    const close = skipDecimals(bytes, open + 1);
    if (close > open + CPU_DIGITS + 1) return false;
    const cpu = decimal(bytes, open + 1, close);
    const known = this.#beginnings[cpu];
    if (known === undefined || known.length > to - from) return false;
    if (!same(line.view, from, known.view, 0, known.length)) return false;
    const { stamp } = this;
    stamp.cpu = cpu;
    stamp.task = known.task;
    stamp.pid = known.pid;
    this.perf = known.perf;
    this.flags = known.flags;
    this.ticks = false;
    return this.#readEvent(line, this.#readFraction(bytes, from + known.length, known.seconds));
  }

  /** A line with seconds, of which all was read. @param open - where the CPU's bracket is */
  #remember({ bytes, from }: Line, open: number): void {
    const { cpu, task, pid } = this.stamp;
    if (cpu >= MOST_CPUS || this.#fraction - from > LONGEST_BEGINNING) return;
    this.#nearest = Math.min(this.#nearest, open - from);
    let beginning = this.#beginnings[cpu];
    if (beginning === undefined) {
      beginning = new Beginning();
      this.#beginnings[cpu] = beginning;
    }
    beginning.keep(bytes.subarray(from, this.#fraction));
    beginning.task = task;
    beginning.pid = pid;
    beginning.seconds = this.#seconds;
    beginning.perf = this.perf;
    beginning.flags = this.flags;
  }

  /** What follows the CPU: flags, time, name. */
  #readAfter(line: Line, from: number): boolean {
    const { bytes } = line;
    let at = skipBlanks(bytes, from);
    if (at === from) return false;
    this.flags = !isDecimal(byteAt(bytes, at));
    if (this.flags) {
      const to = skipWord(bytes, at, line.to);
      if (to - at > LONGEST_FLAGS) return false;
      at = skipBlanks(bytes, to);
    }
    const end = this.#readTime(bytes, at);
    return end > at && this.#readEvent(line, end);
  }

  /** Returns where the time ends, which begins at `from`. */
  #readTime(bytes: Uint8Array, from: number): number {
    let at = from;
    let whole = 0;
    for (let digit = digitAt(bytes, at); digit < 10; digit = digitAt(bytes, at)) {
      whole = whole * 10 + digit;
      at += 1;
    }
    this.ticks = bytes[at] !== DOT;
    this.stamp.time = whole;
    if (at === from || this.ticks) return at;
    this.#seconds = whole * NS_PER_SECOND;
    this.#fraction = at + 1;
    return this.#readFraction(bytes, at + 1, this.#seconds);
  }

  /** Digits of a fraction of a second: six of them are microseconds, nine nanoseconds; more say nothing. */
  #readFraction(bytes: Uint8Array, from: number, seconds: number): number {
    let at = from;
    let value = 0;
    for (let digit = digitAt(bytes, at); digit < 10; digit = digitAt(bytes, at)) {
      if (at < from + NS_DIGITS) value = Math.imul(value, 10) + digit;
      at += 1;
    }
    this.stamp.time = seconds + value * (NS_UNITS[at - from] ?? 1);
    return at;
  }

  /** Whether the time ends there, and what follows. */
  #readEvent(line: Line, end: number): boolean {
    const { bytes } = line;
    if (bytes[end] !== COLON) return false;
    this.#readName(line, skipNotes(line, skipBlanks(bytes, end + 1)));
    return true;
  }

  /** A name ends with a colon that a blank follows; `sys:event:` holds another one. */
  #readName(line: Line, from: number): void {
    const { bytes } = line;
    const to = skipWord(bytes, from, line.to);
    const named = to > from + 1 && bytes[to - 1] === COLON;
    this.nameFrom = from;
    this.nameTo = named ? to - 1 : from;
    this.text = named ? skipBlanks(bytes, to) : from;
    this.gap = this.text - to;
  }

  /** Task and number, backwards from `at`; between them and the CPU there may be the number of the process. */
  #readTask(line: Line, at: number): boolean {
    const { bytes, from: first } = line;
    let to = backBlanks(bytes, at, first);
    if (to > first && bytes[to] === CLOSE_ROUND) {
      while (to > first && bytes[to] !== OPEN_ROUND) to -= 1;
      to = backBlanks(bytes, to - 1, first);
    }
    let from = backDecimals(bytes, to, first);
    if (from === to) return false;
    this.stamp.pid = decimal(bytes, from + 1, to + 1);
    if (from > first && bytes[from] === SLASH) from = backDecimals(bytes, from - 1, first);
    if (from < first) return false;
    this.perf = bytes[from] === SPACE;
    if (!this.perf && bytes[from] !== MINUS) return false;
    const begin = skipBlanks(bytes, first);
    const end = backBlanks(bytes, from - 1, first) + 1;
    if (end <= begin) return false;
    this.stamp.task = this.#names.of(line, begin, end);
    return true;
  }
}

function decimal(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (byteAt(bytes, at) - ZERO);
  return value;
}

/** `(+12)`, the distance to the line before, and perf's period may stand between time and name. */
function skipNotes(line: Line, at: number): number {
  const { bytes } = line;
  if (bytes[at] === OPEN_ROUND) return skipBlanks(bytes, skipWord(bytes, at, line.to));
  const to = skipDecimals(bytes, at);
  return to > at && isBlank(byteAt(bytes, to)) ? skipBlanks(bytes, to) : at;
}

function backBlanks(bytes: Uint8Array, at: number, first: number): number {
  let to = at;
  while (to >= first && isBlank(byteAt(bytes, to))) to -= 1;
  return to;
}

function backDecimals(bytes: Uint8Array, at: number, first: number): number {
  let to = at;
  while (to >= first && isDecimal(byteAt(bytes, to))) to -= 1;
  return to;
}
