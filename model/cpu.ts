/**
 * CPUs: what they read and write, line by line. Kernel addresses are the linear map of all memory, then the
 * vmalloc space; behind them are the address spaces of clients. A fault ends an access of a user; the kernel
 * makes none.
 */
import type { ArgsOf, ValueOf } from './calls.ts';
import { isReadable, isReadableByCpu } from './contents.ts';
import { walk } from './device.ts';
import { isAccessSize } from './gpu.ts';
import { writeByCpu } from './memory.ts';
import type { Duty, Refusal, Rule } from './spec.ts';
import { isTag } from './units.ts';
import { KIND } from './view.ts';
import type { World } from './world.ts';

interface Access {
  readonly at: number;
  readonly bytes: number;
}

/** A line of memory behind a CPU address, and whether the mapping goes through caches. */
interface Place {
  readonly line: number;
  readonly isCached: boolean;
}

const OWN_MEMORY: Duty<World, Access> = [
  'the kernel accesses one block, or what is mapped there as one',
  (s, args) => !isKernel(s, args.at) || isOneObject(s, args),
];
const ONE_MEANING: Duty<World, Access> = [
  'the address is not the name of a block too',
  (s, args) => pagesOf(s, args).every((page) => page < s.machine.pages || s.kind.peek(page) !== KIND.BLOCK),
];
const NO_SIZE: Refusal<World, Access> = [
  'EINVAL',
  (s, { bytes }) => !isAccessSize(s, bytes),
  'P2',
  'no access has this size',
];

/** A CPU writes whole lines, up to the first page that is not mapped. */
export const cpuWrite: Rule<World, ArgsOf<'cpu_write'>, ValueOf<'cpu_write'>> = {
  require: [['the tag is a byte, and not 0', (_s, { tag }) => isTag(tag)], ONE_MEANING, OWN_MEMORY],
  refuse: [NO_SIZE],
  may: [],
  accept: [
    ['the lines up to the first fault', (s, args, { lines }) => lines === reached(s, args).length, 'P3'],
  ],
  effect(s, args) {
    for (const { line } of reached(s, args)) writeByCpu(s, line, args.tag);
  },
  owes: () => 'P1',
};

/** A CPU reads one tag a line: through its cache where the mapping says so, else what memory holds. */
export const cpuRead: Rule<World, ArgsOf<'cpu_read'>, ValueOf<'cpu_read'>> = {
  require: [ONE_MEANING, OWN_MEMORY],
  refuse: [NO_SIZE],
  may: [],
  accept: [
    ['the lines up to the first fault', (s, args, { data }) => data.length === reached(s, args).length, 'P3'],
    [
      'what was last written',
      (s, args, { data }) => reached(s, args).every((place, at) => mayRead(s, place, data[at] ?? -1)),
      'H1',
    ],
  ],
  effect: () => {},
  owes: () => 'P1',
};

const isKernel = ({ machine }: World, at: number): boolean =>
  at >= 0 && at < (machine.pages + machine.vmallocPages) * machine.pageBytes;

/** Pages of CPU addresses that an access touches; none where it is refused for its size. */
function pagesOf(s: World, { at, bytes }: Access): number[] {
  const { pageBytes } = s.machine;
  const first = Math.floor(at / pageBytes);
  const count = isAccessSize(s, bytes) ? Math.ceil((at + bytes) / pageBytes) - first : 0;
  return Array.from({ length: count }, (_, page) => first + page);
}

/** What a page of CPU addresses leads to, coded as the view's `mapped`. Blocks: cached, at their own. */
function behind({ machine, kind, mapped }: World, page: number): number {
  if (page >= machine.pages) return mapped.peek(page - machine.pages) ?? 0;
  return kind.peek(page) === KIND.BLOCK ? ((page + 1) << 1) | 1 : 0;
}

const isOneObject = (s: World, args: Access): boolean =>
  pagesOf(s, args).every((page, at) => behind(s, page) !== 0 && (at === 0 || !startsObject(s, page)));

const startsObject = ({ machine, index, area }: World, page: number): boolean =>
  page < machine.pages ? index.get(page) === 0 : area.get(page - machine.pages) !== 0;

/** Whose address space a page of CPU addresses is in: the kernel's, or that of a client. An access stays in one. */
const spaceOf = ({ machine }: World, page: number): number =>
  Math.max(-1, Math.floor((page - machine.pages - machine.vmallocPages) / machine.userPages));

const reached = (s: World, args: Access): Place[] =>
  walk(s, args, (line) => {
    const page = Math.floor(line / s.linesPerPage);
    const entry = behind(s, page);
    const isOwn = spaceOf(s, page) === spaceOf(s, Math.floor(args.at / s.machine.pageBytes));
    if (entry === 0 || !isOwn) return undefined;
    return {
      line: ((entry >>> 1) - 1) * s.linesPerPage + (line % s.linesPerPage),
      isCached: (entry & 1) !== 0,
    };
  });

const mayRead = (s: World, { line, isCached }: Place, tag: number): boolean =>
  (isCached ? isReadableByCpu : isReadable)(s.line.get(line), tag);
