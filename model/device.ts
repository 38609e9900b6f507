/** Devices: what they read and write through a context, line by line, and where they fault. */
import { endJob } from './buffers.ts';
import type { ArgsOf, ValueOf } from './calls.ts';
import { isReadable, NOTHING } from './contents.ts';
import { isAccessSize } from './gpu.ts';
import { invalidatePages, writeByDevice } from './memory.ts';
import type { Duty, Refusal, Rule } from './spec.ts';
import { boundPages, translate } from './translations.ts';
import { isTag, READ, WRITE } from './units.ts';
import { KIND } from './view.ts';
import { CONTEXT, contextType, type World } from './world.ts';

type Read = ArgsOf<'device_read'>;
type Write = ArgsOf<'device_write'>;

const NO_INITIATOR: Refusal<World, { readonly through: number }> = [
  'ENOENT',
  (s, { through }) => contextOf(s, through) === undefined,
  'C5',
  'there is no such context or device',
];
const NO_SIZE: Refusal<World, { readonly bytes: number }> = [
  'EINVAL',
  (s, { bytes }) => !isAccessSize(s, bytes),
  'P2',
  'no access has this size',
];

/** What a probe gives for an I/O page where it faults. */
const FAULT = -1;

/** A line of memory that an access comes to. `isSure`: it must; else it may as well fault there. */
interface Place {
  /** -1: somewhere, in memory that has been given to others since and has no number to know it by. */
  readonly line: number;
  readonly isSure: boolean;
}

/**
 * In a lazy domain a device may still write where it was unmapped. Where that memory is nobody's that is known, it may
 * be the kernel's own by now, and nothing could be promised of anything: drivers stop their devices before they unmap.
 */
const OWNED_MEMORY: Duty<World, Write> = [
  'what is reached until the next flush belongs to somebody',
  (s, args) =>
    !isAccessSize(s, args.bytes) ||
    reached(s, args, WRITE).every(({ line, isSure }) => isSure || line < 0 || isOwned(s, line)),
];

/**
 * `device_write(through, at, bytes, tag)`: whole lines are written, up to the first without translation or
 * right; the reply says how many. Lines from the fault on are unchanged.
 */
export const deviceWrite: Rule<World, Write, ValueOf<'device_write'>> = {
  require: [['the tag is a byte, and not 0', (_s, { tag }) => isTag(tag)], OWNED_MEMORY],
  refuse: [NO_INITIATOR, NO_SIZE],
  may: [],
  accept: [
    [
      'the lines up to the first fault',
      (s, args, { lines }) => mayEndAt(reached(s, args, WRITE), lines),
      'I1',
    ],
  ],
  effect(s, args, { lines }) {
    for (const { line } of reached(s, args, WRITE).slice(0, lines)) {
      if (line < 0) s.line.fill(NOTHING);
      else writeByDevice(s, line, args.tag);
    }
  },
  owes: () => 'P1',
};

/** `device_read(through, at, bytes)`: one tag a line, up to the first fault. What was written is read. */
export const deviceRead: Rule<World, Read, ValueOf<'device_read'>> = {
  require: [],
  refuse: [NO_INITIATOR, NO_SIZE],
  may: [],
  accept: [
    [
      'the lines up to the first fault',
      (s, args, { data }) => mayEndAt(reached(s, args, READ), data.length),
      'I1',
    ],
    ['what was last written', (s, args, { data }) => isContent(s, reached(s, args, READ), data), 'H1'],
  ],
  effect: () => {},
  owes: () => 'P1',
};

/** `device_probe(through)`: a read of the first line of every I/O page; -1 where it faults. */
export const deviceProbe: Rule<World, ArgsOf<'device_probe'>, ValueOf<'device_probe'>> = {
  require: [],
  refuse: [NO_INITIATOR],
  may: [],
  accept: [
    ['a number for every I/O page', (s, _args, { data }) => data.length === s.ioPages, 'P1'],
    [
      'a fault exactly where nothing is reachable',
      (s, args, { data }) =>
        probed(s, args).every((place, at) => (data[at] === FAULT ? !place?.isSure : place !== undefined)),
      'I1',
    ],
    [
      'what was last written',
      (s, args, { data }) =>
        probed(s, args).every(
          (place, at) => data[at] === FAULT || place === undefined || mayRead(s, place, data[at]),
        ),
      'H1',
    ],
  ],
  effect: () => {},
  owes: () => 'P1',
};

/**
 * `tick_engine(job)`: a job reads or writes its next line, as translations stand now. A fault ends it. When
 * it is over, the driver syncs: CPUs see what it wrote.
 */
export const tickEngine: Rule<World, ArgsOf<'tick_engine'>, ValueOf<'tick_engine'>> = {
  require: [['the job is queued', (s, { job }) => (s.job.peek(job) ?? 0) !== 0]],
  refuse: [],
  may: [],
  accept: [
    [
      'a fault where nothing is reachable',
      (s, { job }, { fault }) => fault === (jobPlace(s, job) ? 0 : 1),
      'I1',
    ],
    [
      'the lines that are left',
      (s, { job }, { left, fault }) => left === (fault ? 0 : s.job.get(job) - 1),
      'P1',
    ],
    [
      'a tag for a line that is read',
      (s, { job }, { data }) => data.length === readByJob(s, job).length,
      'P1',
    ],
    ['what was last written', (s, { job }, { data }) => isContent(s, readByJob(s, job), data), 'H1'],
  ],
  effect(s, { job }, { left }) {
    const place = jobPlace(s, job);
    const tag = s.jobTag.get(job);
    if (place !== undefined && tag !== 0) writeByDevice(s, place.line, tag);
    s.job.set(job, left);
    toNextLine(s, job);
    if (left > 0) return;
    invalidatePages(s, boundPages(s, s.jobContext.get(job) - 1));
    endJob(s, job);
  },
  owes: () => 'P1',
};

/** What an initiator translates through; -1: a device that is in no domain; undefined: there is no such. */
function contextOf(s: World, through: number): number | undefined {
  const domain = s.device.peek(through - s.machine.contexts);
  if (domain !== undefined) return domain - 1;
  return contextType(s, through) === CONTEXT.NONE ? undefined : through;
}

/** Goes through an access line by line, up to the first where there is nothing. */
export function walk<Place>(
  { machine }: World,
  { at, bytes }: { readonly at: number; readonly bytes: number },
  placeOf: (line: number) => Place | undefined,
): Place[] {
  const places: Place[] = [];
  const end = Math.ceil((at + bytes) / machine.lineBytes);
  for (let line = Math.floor(at / machine.lineBytes); line < end; line++) {
    const place = placeOf(line);
    if (place === undefined) break;
    places.push(place);
  }
  return places;
}

const reached = (s: World, args: Read | Write, right: number): Place[] =>
  walk(s, args, (ioLine) => placeBehind(s, contextOf(s, args.through) ?? -1, ioLine, right));

const isOwned = (s: World, line: number): boolean =>
  s.kind.get(Math.floor(line / s.linesPerPage)) !== KIND.FREE;

/** What is behind a line of device addresses. */
function placeBehind(s: World, context: number, ioLine: number, right: number): Place | undefined {
  const hit = translate(s, context, Math.floor(ioLine / s.linesPerPage), right);
  if (hit === undefined) return undefined;
  const isKnown = s.pageNumbers || !hit.isStale;
  return {
    line: isKnown ? hit.page * s.linesPerPage + (ioLine % s.linesPerPage) : -1,
    isSure: !hit.isStale,
  };
}

/** An access ends behind the last line that it can reach, or before one that it need not. */
const mayEndAt = (places: readonly Place[], count: number): boolean =>
  count === places.length || places[count]?.isSure === false;

const mayRead = (s: World, { line }: Place, tag: number | undefined): boolean =>
  tag !== undefined && (line < 0 || isReadable(s.line.get(line), tag));

const isContent = (s: World, places: readonly Place[], data: readonly number[]): boolean =>
  places.slice(0, data.length).every((place, at) => mayRead(s, place, data[at]));

/** Every I/O page as a read of its first line finds it. */
const probed = (s: World, { through }: ArgsOf<'device_probe'>): (Place | undefined)[] =>
  Array.from({ length: s.ioPages }, (_, ioPage) =>
    placeBehind(s, contextOf(s, through) ?? -1, ioPage * s.linesPerPage, READ),
  );

/** What a job does next, if it is reachable. */
function jobPlace(s: World, job: number): Place | undefined {
  const ioLine = s.jobIoPage.get(job) * s.linesPerPage + s.jobLine.get(job);
  return placeBehind(s, s.jobContext.get(job) - 1, ioLine, s.jobTag.get(job) === 0 ? READ : WRITE);
}

function toNextLine({ jobIoPage, jobLine, linesPerPage }: World, job: number): void {
  const line = jobLine.get(job) + 1;
  jobLine.set(job, line % linesPerPage);
  if (line === linesPerPage) jobIoPage.set(job, jobIoPage.get(job) + 1);
}

function readByJob(s: World, job: number): Place[] {
  const place = jobPlace(s, job);
  return place === undefined || s.jobTag.get(job) !== 0 ? [] : [place];
}
