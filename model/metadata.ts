/** Layer 1, metadata. After Linux 6.1, mm/util.c `kvmalloc_node()`, mm/slab_common.c, mm/vmalloc.c. */
import type { ArgsOf, Op, ValueOf } from './calls.ts';
import type { Machine } from './machine.ts';
import {
  hasKernelRoom,
  isKernelHole,
  kernelTables,
  mapForCpu,
  mappedPageOf,
  unmapForCpu,
} from './mappings.ts';
import { unheldCount } from './memory.ts';
import { blockPages, isBlock, showsBlock } from './pages.ts';
import type { Rule, Seen } from './spec.ts';
import { pagesFor, roundUpToPowerOfTwo } from './units.ts';
import { availablePages, COUNTER, KIND, shownCounter } from './view.ts';
import type { World } from './world.ts';

/** Larger requests are refused: a size beyond this is a number that wrapped. Linux: `INT_MAX`. */
const BYTES_MAX = 2 ** 31 - 1;
/** What an allocation of no bytes returns; it may be freed, and is never touched. Linux: `ZERO_SIZE_PTR`. */
const ZERO_SIZE_POINTER = 16;
const WORD_BYTES = 8;

/** Which call gave the memory, as `covered` says of every word of it. */
export const BY = { KMALLOC: 1, VMALLOC: 2, KVMALLOC: 3 } as const;

type RuleOf<Name extends Op> = Rule<World, ArgsOf<Name>, ValueOf<Name>>;
type Bytes = ArgsOf<'kmalloc'>;
type Pointer = ValueOf<'kmalloc'>;

/** Rows that kmalloc and kvmalloc share. */
const NO_BYTES = [
  'the pointer for no bytes',
  (_s: World, { bytes }: Bytes, { memory }: Pointer) => bytes > 0 || memory === ZERO_SIZE_POINTER,
  'P1',
] as const;
const ALIGNED = [
  'an aligned pointer',
  (s: World, { bytes }: Bytes, { memory }: Pointer) => memory % alignment(s, bytes, memory) === 0,
  'P1',
] as const;
const TOO_MANY_PAGES = [
  'ENOMEM',
  (s: World, { bytes }: Bytes) => isAbovePage(s, bytes) && pagesFor(s.machine, bytes) > unheldCount(s),
  'P1',
  'it is more than anybody could have',
] as const;

/**
 * `kmalloc(bytes)`: contiguous memory in the linear map. At most a page is one page or part of one, and must
 * succeed whenever a page can be had; above, it is cut from a block, and fails where there is none.
 */
export const kmalloc: RuleOf<'kmalloc'> = {
  require: [],
  refuse: [
    ['ENOMEM', (s, { bytes }) => bytes < 0 || bytes > blockBytesMax(s), 'P2', 'no block is so large'],
    TOO_MANY_PAGES,
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => bytes > 0 && !showsBlock(s, blockOrder(s.machine, bytes), seen)]],
  accept: [
    NO_BYTES,
    ALIGNED,
    [
      'contiguous memory that nobody holds',
      (s, { bytes }, { memory }) => isUncovered(s, memory, bytes),
      'C1',
    ],
  ],
  effect(s, { bytes }, { memory }) {
    if (bytes > 0) cover(s, memory, bytes, BY.KMALLOC);
  },
  owes: (s, { bytes }) => (isAbovePage(s, bytes) ? 'M1' : 'M2a'),
};

/**
 * `vmalloc(bytes)`: single pages behind kernel addresses of their own; the page behind them stays unmapped.
 */
export const vmalloc: RuleOf<'vmalloc'> = {
  require: [],
  refuse: [
    ['ENOMEM', (_s, { bytes }) => bytes <= 0, 'P2', 'an area has a size'],
    [
      'ENOMEM',
      (s, { bytes }) => pagesFor(s.machine, bytes) > unheldCount(s),
      'P2',
      'it is more than anybody could have',
    ],
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => !hasAreaRoom(s, bytes, seen)]],
  accept: [
    [
      'kernel addresses that nobody has, and a guard page',
      (s, { bytes }, { memory }) => isKernelHole(s, memory, pagesFor(s.machine, bytes)),
      'S3',
    ],
  ],
  effect: (s, { bytes }, { memory }) => cover(s, memory, bytes, BY.VMALLOC),
  owes: () => 'M2b',
};

/**
 * `kvmalloc(bytes)`: up to a page as kmalloc. Above a page contiguous memory is tried, and single pages
 * behind a range of kernel addresses must do.
 *
 * A pointer below pages * pageBytes is in the linear map, so it is a page; one above is in vmalloc space.
 */
export const kvmalloc: RuleOf<'kvmalloc'> = {
  require: [],
  refuse: [
    ['ENOMEM', (_s, { bytes }) => bytes < 0 || bytes > BYTES_MAX, 'P2', 'no metadata is so large'],
    TOO_MANY_PAGES,
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => bytes > 0 && !hasRoom(s, bytes, seen)]],
  accept: [
    NO_BYTES,
    ALIGNED,
    ['kernel memory that nobody holds', (s, { bytes }, { memory }) => isUnheldMemory(s, memory, bytes), 'C1'],
  ],
  effect(s, { bytes }, { memory }) {
    if (bytes > 0) cover(s, memory, bytes, BY.KVMALLOC);
  },
  owes: (s, { bytes }) => (isAbovePage(s, bytes) ? 'M2b' : 'M2a'),
};

/** Memory goes back to the call of its own kind; kvfree tells by the address, and takes all. */
const freeing = (...by: readonly number[]): Rule<World, Pointer, object> => ({
  require: [['the memory is allocated', (s, { memory }) => isFreeable(s, memory, by)]],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { memory }) {
    if (isLive(s, memory)) cover(s, memory, s.memory.get(memory / WORD_BYTES) - 1, 0);
  },
  owes: () => 'P1',
});

/** `kfree(memory)`, `vfree(memory)`, `kvfree(memory)`. */
export const kfree: RuleOf<'kfree'> = freeing(BY.KMALLOC);
export const vfree: RuleOf<'vfree'> = freeing(BY.VMALLOC);
export const kvfree: RuleOf<'kvfree'> = freeing(BY.KMALLOC, BY.VMALLOC, BY.KVMALLOC);

/** `vmap(pages)`: cached kernel addresses for blocks, which stay their owner's; a guard page behind. */
export const vmap: RuleOf<'vmap'> = {
  require: [
    ['there is a page to map', (_s, { pages }) => pages.length > 0],
    ['every block is allocated', (s, { pages }) => pages.every((block) => isBlock(s, block))],
  ],
  refuse: [],
  may: [['ENOMEM', (s, args, seen) => !hasMapRoom(s, blocks(s, args).length, seen)]],
  accept: [
    [
      'kernel addresses that nobody has, and a guard page',
      (s, args, { address }) => isKernelHole(s, address, blocks(s, args).length),
      'S3',
    ],
  ],
  effect: (s, args, { address }) => mapForCpu(s, address, blocks(s, args), true),
  owes: () => 'M3',
};

/** `vunmap(address)`: the pages stay. */
export const vunmap: RuleOf<'vunmap'> = {
  require: [['the mapping exists', (s, { address }) => isVmap(s, address)]],
  refuse: [],
  may: [],
  accept: [],
  effect: (s, { address }) => unmapForCpu(s, address),
  owes: () => 'P1',
};

const isAbovePage = ({ machine }: World, bytes: number): boolean => bytes > machine.pageBytes;
const blockBytesMax = ({ machine }: World): number => machine.pageBytes * 2 ** machine.orderMax;

/** Order of the block that contiguous memory is cut from. */
const blockOrder = (machine: Machine, bytes: number): number =>
  Math.ceil(Math.log2(pagesFor(machine, bytes)));

/** In the linear map a size that is a power of two is the alignment too; otherwise a word is. */
const alignment = ({ machine }: World, bytes: number, memory: number): number =>
  bytes > WORD_BYTES && roundUpToPowerOfTwo(bytes) === bytes && memory < machine.pages * machine.pageBytes
    ? bytes
    : WORD_BYTES;

/** Linux maps no more pages at once than there are. */
const hasMapRoom = (s: World, count: number, seen: Seen): boolean =>
  count <= s.machine.pages && hasKernelRoom(s, count, seen);

const blocks = (s: World, { pages }: ArgsOf<'vmap'>): number[] =>
  pages.flatMap((block) => blockPages(s, block));

/** A mapping of blocks starts there; those of buffers and of coherent memory end with them. */
export function isVmap(s: World, address: number): boolean {
  const first = mappedPageOf(s, address);
  if (address % s.machine.pageBytes !== 0 || (s.area.peek(first) ?? 0) === 0) return false;
  return s.kind.get((s.mapped.get(first) >>> 1) - 1) === KIND.BLOCK;
}

const isLive = (s: World, memory: number): boolean => (s.memory.peek(memory / WORD_BYTES) ?? 0) !== 0;

/** Live memory of these calls, or the pointer for no bytes where no memory is. */
const isFreeable = (s: World, memory: number, by: readonly number[]): boolean =>
  isLive(s, memory)
    ? by.includes(s.covered.get(memory / WORD_BYTES))
    : memory === ZERO_SIZE_POINTER && by.includes(BY.KMALLOC);

/** Pointers to all memory that one of the calls gave. */
export function liveMemory(s: World, by: number): number[] {
  const pointers: number[] = [];
  for (let word = s.memory.first; word < s.memory.end; word++) {
    if (s.memory.get(word) !== 0 && s.covered.get(word) === by) pointers.push(word * WORD_BYTES);
  }
  return pointers;
}

/**
 * Pages that metadata of so many bytes takes at the most. Above a page: its own, those of the array that
 * vmalloc needs to list them, which is metadata in turn, and the kernel's tables for it.
 */
export function metadataPages(machine: Machine, bytes: number): number {
  const own = pagesFor(machine, bytes);
  return own <= 1 ? own : own + metadataPages(machine, arrayBytes(machine, own)) + kernelTables(machine, own);
}

/** Pages of kernel address space that goes with it, guard pages included. */
export function metadataAddresses(machine: Machine, bytes: number): number {
  const own = pagesFor(machine, bytes);
  return own <= 1 ? 0 : own + 1 + metadataAddresses(machine, arrayBytes(machine, own));
}

const arrayBytes = (machine: Machine, pages: number): number => pages * machine.pageArrayEntryBytes;

/**
 * The target shows enough pages above the reserve, and enough addresses, for metadata of `bytes` and `more`
 * pages.
 */
export function hasRoom({ machine }: World, bytes: number, seen: Seen, more = 0): boolean {
  const available = availablePages(seen, machine) ?? -1;
  const hole = shownCounter(seen, COUNTER.vmallocHole) ?? -1;
  return available >= metadataPages(machine, bytes) + more && hole >= metadataAddresses(machine, bytes);
}

/** The same for memory that must have kernel addresses of its own, however small. */
function hasAreaRoom(s: World, bytes: number, seen: Seen): boolean {
  const own = pagesFor(s.machine, bytes);
  const array = arrayBytes(s.machine, own);
  const pages = own + metadataPages(s.machine, array);
  return hasKernelRoom(s, own + metadataAddresses(s.machine, array), seen, pages);
}

const isUnheldMemory = (s: World, memory: number, bytes: number): boolean =>
  isUncovered(s, memory, bytes) ||
  (isAbovePage(s, bytes) && isKernelHole(s, memory, pagesFor(s.machine, bytes)));

/** Kinds of pages that metadata is cut from: nobody's, or those that other metadata is in. */
const MAY_HOLD: readonly number[] = [KIND.FREE, KIND.META];

/**
 * Memory of the linear map that no other covers, out of pages that nobody holds, where pages have numbers.
 */
function isUncovered(s: World, memory: number, bytes: number): boolean {
  if (bytes === 0) return true;
  if (memory < 0 || memory + bytes > s.machine.pages * s.machine.pageBytes) return false;
  for (const word of words(memory, bytes)) {
    if (s.covered.get(word) !== 0) return false;
    if (s.pageNumbers && !MAY_HOLD.includes(s.kind.get(pageOfWord(s, word)))) return false;
  }
  return true;
}

/**
 * Marks words, or with mark 0 clears them. A page of the linear map is held from its first word to its last;
 * behind kernel addresses are as many pages, wherever they are.
 */
function cover(s: World, memory: number, bytes: number, mark: number): void {
  const step = mark === 0 ? -1 : 1;
  const isLinear = memory < s.machine.pages * s.machine.pageBytes;
  let pages = isLinear ? 0 : pagesFor(s.machine, bytes);
  s.memory.set(memory / WORD_BYTES, mark === 0 ? 0 : bytes + 1);
  for (const word of words(memory, bytes)) {
    const page = pageOfWord(s, word);
    const before = s.coveredWords.get(page);
    if (isLinear && (before === 0 || before + step === 0)) pages++;
    s.covered.set(word, mark);
    s.coveredWords.set(page, before + step);
    if (isLinear && s.pageNumbers) s.kind.set(page, before + step === 0 ? KIND.FREE : KIND.META);
  }
  s.held.set(0, s.held.get(0) + step * pages);
}

const pageOfWord = (s: World, word: number): number => Math.floor((word * WORD_BYTES) / s.machine.pageBytes);

function* words(memory: number, bytes: number): Generator<number> {
  const first = memory / WORD_BYTES;
  for (let word = first; word < first + Math.ceil(bytes / WORD_BYTES); word++) yield word;
}
