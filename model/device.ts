/** Devices: what they read and write through a context, line by line, and where they fault. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { isAccessSize, isTag } from './gpu.ts';
import { endJob } from './ion.ts';
import type { Rule } from './spec.ts';
import { translate } from './translations.ts';
import { READ, WRITE } from './units.ts';
import { TAG_UNKNOWN } from './view.ts';
import { CONTEXT, contextType, type World } from './world.ts';

type Read = ArgsOf<'device_read'>;
type Write = ArgsOf<'device_write'>;

/**
 * `device_write(context, at, bytes, tag)`: whole lines are written, up to the first without translation or right;
 * the reply says how many. Lines from the fault on are unchanged.
 */
export const deviceWrite: Rule<World, Write, ValueOf<'device_write'>> = {
  require: [['the tag is a byte, and not 0', (_s, { tag }) => isTag(tag)]],
  refuse: [
    [
      'ENOENT',
      (s, { context }) => contextType(s, context) === CONTEXT.NONE,
      'C5',
      'there is no such context',
    ],
    ['EINVAL', (s, { bytes }) => !isAccessSize(s, bytes), 'P2', 'no access has this size'],
  ],
  may: [],
  accept: [
    [
      'the lines up to the first fault',
      (s, args, { lines }) => lines === reached(s, args, WRITE).length,
      'I1',
    ],
  ],
  effect(s, args) {
    for (const line of reached(s, args, WRITE)) s.line.set(line, args.tag);
  },
  owes: () => 'P1',
};

/** `device_read(context, at, bytes)`: one tag a line, up to the first fault. What was written before is read. */
export const deviceRead: Rule<World, Read, ValueOf<'device_read'>> = {
  require: [],
  refuse: [
    [
      'ENOENT',
      (s, { context }) => contextType(s, context) === CONTEXT.NONE,
      'C5',
      'there is no such context',
    ],
    ['EINVAL', (s, { bytes }) => !isAccessSize(s, bytes), 'P2', 'no access has this size'],
  ],
  may: [],
  accept: [
    [
      'the lines up to the first fault',
      (s, args, { data }) => data.length === reached(s, args, READ).length,
      'I1',
    ],
    ['what was last written', (s, args, { data }) => isContent(s, reached(s, args, READ), data), 'H1'],
  ],
  effect: () => {},
  owes: () => 'P1',
};

/** `tick_engine(job)`: a job reads or writes its next line, as translations stand now. A fault ends it. */
export const tickEngine: Rule<World, ArgsOf<'tick_engine'>, ValueOf<'tick_engine'>> = {
  require: [['the job is queued', (s, { job }) => (s.job.values[job] ?? 0) !== 0]],
  refuse: [],
  may: [],
  accept: [
    [
      'a fault where nothing is reachable',
      (s, { job }, { fault }) => fault === (jobLine(s, job) === undefined ? 1 : 0),
      'I1',
    ],
    [
      'the lines that are left',
      (s, { job }, { left, fault }) => left === (fault ? 0 : s.job.get(job) - 1),
      'P1',
    ],
    ['what was last written', (s, { job }, { data }) => isContent(s, readByJob(s, job), data), 'H1'],
  ],
  effect(s, { job }, { left }) {
    const line = jobLine(s, job);
    const tag = s.jobTag.get(job);
    if (line !== undefined && tag !== 0) s.line.set(line, tag);
    s.job.set(job, left);
    s.jobLine.set(job, s.jobLine.get(job) + 1);
    if (left === 0) endJob(s, job);
  },
  owes: () => 'P1',
};

/** The lines of memory that an access reaches, in order, before it faults. */
function reached(s: World, { context, at, bytes }: Read | Write, right: number): number[] {
  const { lineBytes } = s.machine;
  const lines: number[] = [];
  for (let ioLine = Math.floor(at / lineBytes); ioLine < Math.ceil((at + bytes) / lineBytes); ioLine++) {
    const line = lineBehind(s, context, ioLine, right);
    if (line === undefined) break;
    lines.push(line);
  }
  return lines;
}

/** The line of memory behind a line of device addresses, or undefined. */
function lineBehind(s: World, context: number, ioLine: number, right: number): number | undefined {
  const page = translate(s, context, Math.floor(ioLine / s.linesPerPage), right);
  return page === undefined ? undefined : page * s.linesPerPage + (ioLine % s.linesPerPage);
}

function jobLine(s: World, job: number): number | undefined {
  const right = s.jobTag.get(job) === 0 ? READ : WRITE;
  return lineBehind(s, s.jobContext.get(job), s.jobLine.get(job), right);
}

function readByJob(s: World, job: number): number[] {
  const line = jobLine(s, job);
  return line === undefined || s.jobTag.get(job) !== 0 ? [] : [line];
}

function isContent(s: World, lines: readonly number[], data: readonly number[]): boolean {
  if (lines.length !== data.length) return false;
  return lines.every((line, at) => s.line.get(line) === TAG_UNKNOWN || s.line.get(line) === data[at]);
}
