/** Lines of a trace that are no events: headers, notices of lost events, call chains; and what mail or a log added. */
import { byteAt, GREATER, isDecimal, LESS, OPEN_SQUARE } from './characters.ts';
import type { Heard } from './heard.ts';
import type { Line } from './line.ts';

/** Of a notice: the CPU, and how many are missing where that is said. */
export interface Notice {
  readonly cpu: number;
  readonly count: number | undefined;
}

/** Colours, and the marks of erased lines that come with them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const COLOURS = /\x1b\[[0-9;]*[A-Za-z]/g;
/** Quoted mail, levels and times of the kernel's log, in front of what the kernel dumped into it. */
const QUOTES = /^(?:\s*>)*(?:\s*<\d+>)?(?:\s*\[ *\d+\.\d+\](?:\[[^\]]{1,16}\])?)? ?/;

const NOTICES: readonly RegExp[] = [
  /^\s*CPU:(\d+) \[(?:LOST )?(?:(\d+) )?EVENTS(?: DROPPED)?\]/,
  /^\s*##### CPU (\d+) buffer started ####/,
  /PERF_RECORD_LOST(?:_SAMPLES)?()(?: lost (\d+))?/,
  /()Processed \d+ events and lost \d+ chunks/,
];
const LOST_FTRACE = /^\s*CPU:\d+ \[LOST /;

const OVERWRITTEN = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/;
const TRACE_CMD =
  /^(?:cpus=\d+|version = \d+|CPU \d+ is empty|trace-cmd version|CPU:\d+ \[(?:\d+ )?EVENTS DROPPED)/;
/** Frames of stack traces, the frame of a dump. */
const FRAMES = /^\s*(?:=> |-{9,}|Dumping ftrace buffer|\(ftrace buffer empty\))|^\s+[0-9a-f]{6,16} \S/;

/** Whether the line begins as those do that a mail or the log of the kernel put something in front of. */
export function isQuoted({ bytes, from }: Line): boolean {
  const code = bytes[from];
  return code === OPEN_SQUARE || code === GREATER || (code === LESS && isDecimal(byteAt(bytes, from + 1)));
}

/** The line without what was added on its way; the same line where nothing was. */
export const cleaned = (line: string): string => line.replace(COLOURS, '').replace(QUOTES, '');

export function noticeOf(line: string): Notice | undefined {
  for (const pattern of NOTICES) {
    const match = pattern.exec(line);
    if (match !== null)
      return { cpu: Number(match[1] ?? 0), count: match[2] === undefined ? undefined : Number(match[2]) };
  }
  return undefined;
}

/** Whether the line belongs to a trace without being an event; tells `heard` what it says. */
export function hearHeader(line: string, heard: Heard): boolean {
  if (line.trim() === '') return true;
  if (TRACE_CMD.test(line)) {
    heard.format = 'trace-cmd';
    return true;
  }
  if (LOST_FTRACE.test(line) || line.startsWith('# tracer:')) heard.format = 'ftrace';
  const match = OVERWRITTEN.exec(line);
  if (match !== null) heard.overwritten += Math.max(0, Number(match[2]) - Number(match[1]));
  return /^\s*#/.test(line) || FRAMES.test(line);
}
