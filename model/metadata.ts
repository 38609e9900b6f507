/** Layer 1, metadata. After Linux 6.1, mm/util.c `kvmalloc_node()`, mm/slab_common.c, mm/vmalloc.c. */
import type { ArgsOf, ValueOf } from './calls.ts';
import type { Machine } from './machine.ts';
import { unheldCount } from './memory.ts';
import type { Rule, Seen } from './spec.ts';
import { pagesFor } from './units.ts';
import { COUNTER, KIND, shownCounter } from './view.ts';
import type { World } from './world.ts';

/** Larger requests are refused: a size beyond this is a number that wrapped. Linux: `INT_MAX`. */
const BYTES_MAX = 2 ** 31 - 1;
/** What an allocation of no bytes returns; it may be freed, and is never touched. Linux: `ZERO_SIZE_PTR`. */
const ZERO_SIZE_POINTER = 16;
const WORD_BYTES = 8;

/**
 * `kvmalloc(bytes)`: at most a page is one page or part of one, and must succeed whenever a page can be had.
 * Above a page contiguous memory is tried, and single pages behind a range of kernel addresses must do.
 *
 * A pointer below pages * pageBytes is in the linear map, so it is a page; one above is in vmalloc space.
 */
export const kvmalloc: Rule<World, ArgsOf<'kvmalloc'>, ValueOf<'kvmalloc'>> = {
  require: [],
  refuse: [
    ['ENOMEM', (_s, { bytes }) => bytes < 0 || bytes > BYTES_MAX, 'P2', 'no metadata is so large'],
    [
      'ENOMEM',
      (s, { bytes }) => bytes > s.machine.pageBytes && pagesFor(s.machine, bytes) > unheldCount(s),
      'P1',
      'it is more than anybody could have',
    ],
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => bytes > 0 && !hasRoom(s, bytes, seen)]],
  accept: [
    [
      'the pointer for no bytes',
      (_s, { bytes }, { memory }) => bytes > 0 || memory === ZERO_SIZE_POINTER,
      'P1',
    ],
    ['an aligned pointer', (_s, { bytes }, { memory }) => bytes === 0 || memory % WORD_BYTES === 0, 'P1'],
    ['kernel memory that nobody holds', (s, { bytes }, { memory }) => isUncovered(s, memory, bytes), 'C1'],
  ],
  effect(s, { bytes }, { memory }) {
    if (bytes > 0) cover(s, memory / WORD_BYTES, bytes, 1);
  },
  owes: (s, { bytes }) => (bytes <= s.machine.pageBytes ? 'M2a' : 'M2b'),
};

/** `kvfree(memory)`. */
export const kvfree: Rule<World, ArgsOf<'kvfree'>, ValueOf<'kvfree'>> = {
  require: [
    ['the memory is allocated', (s, { memory }) => memory === ZERO_SIZE_POINTER || isLive(s, memory)],
  ],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { memory }) {
    if (isLive(s, memory)) cover(s, memory / WORD_BYTES, s.memory.get(memory / WORD_BYTES) - 1, 0);
  },
  owes: () => 'P1',
};

const isLive = (s: World, memory: number): boolean => (s.memory.values[memory / WORD_BYTES] ?? 0) !== 0;

/**
 * Pages that metadata of so many bytes takes at the most: its own, and those of the array that vmalloc needs to
 * list them when there is more than one. The array is metadata in turn.
 */
export function metadataPages(machine: Machine, bytes: number): number {
  const own = pagesFor(machine, bytes);
  return own <= 1 ? own : own + metadataPages(machine, own * machine.pageArrayEntryBytes);
}

/** Pages of kernel address space that goes with it, guard pages included. */
export function metadataAddresses(machine: Machine, bytes: number): number {
  const own = pagesFor(machine, bytes);
  return own <= 1 ? 0 : own + 1 + metadataAddresses(machine, own * machine.pageArrayEntryBytes);
}

/** The target shows enough pages above the reserve, and enough addresses, for metadata of `bytes` and `more` pages. */
export function hasRoom(s: World, bytes: number, seen: Seen, more = 0): boolean {
  const free = shownCounter(seen, COUNTER.free);
  const hole = shownCounter(seen, COUNTER.vmallocHole);
  if (free === undefined || hole === undefined) return false;
  const pages = metadataPages(s.machine, bytes) + more;
  return free - s.machine.reserve >= pages && hole >= metadataAddresses(s.machine, bytes);
}

function isUncovered(s: World, memory: number, bytes: number): boolean {
  const first = memory / WORD_BYTES;
  const linearEnd = s.machine.pages * s.machine.pageBytes;
  if (memory < linearEnd && memory + bytes > linearEnd) return false;
  if (first < 0 || first + bytes / WORD_BYTES > s.covered.count) return bytes === 0;
  for (const word of words(first, bytes)) {
    const page = pageOfWord(s, word);
    if (s.covered.get(word) !== 0) return false;
    if (page < s.machine.pages && s.pageNumbers && s.kind.get(page) !== KIND.FREE) return false;
  }
  return true;
}

function cover(s: World, first: number, bytes: number, mark: number): void {
  s.memory.set(first, mark === 0 ? 0 : bytes + 1);
  for (const word of words(first, bytes)) {
    const page = pageOfWord(s, word);
    s.covered.set(word, mark);
    s.coveredWords.set(page, s.coveredWords.get(page) + (mark === 0 ? -1 : 1));
  }
}

const pageOfWord = (s: World, word: number): number => Math.floor((word * WORD_BYTES) / s.machine.pageBytes);

function* words(first: number, bytes: number): Generator<number> {
  for (let word = first; word < first + Math.ceil(bytes / WORD_BYTES); word++) yield word;
}
