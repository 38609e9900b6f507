/** Layer 1, the page allocator. After Linux 6.1, mm/page_alloc.c: `__alloc_pages()`, `__free_pages()`. */
import type { ArgsOf, Op, ValueOf } from './calls.ts';
import { NOTHING, written } from './contents.ts';
import { isCpuMapped, isMapped, isUnheldRun, release, setLines, take, unheldCount } from './memory.ts';
import type { Duty, Rule, Seen } from './spec.ts';
import { isTag } from './units.ts';
import { availablePages, KIND, shows, VIEW } from './view.ts';
import type { World } from './world.ts';

/** A rule of one call of the table. */
type RuleOf<Name extends Op> = Rule<World, ArgsOf<Name>, ValueOf<Name>>;

/**
 * `alloc_pages(order)`: 2^order contiguous pages, aligned to their size. Which free block is taken is left
 * open, and so is what it holds: nothing was said about zeroing.
 *
 * The kernel warns and returns NULL for an order it does not have; here that is EINVAL, to tell it from
 * ENOMEM.
 */
export const allocPages: RuleOf<'alloc_pages'> = {
  require: [],
  refuse: [
    ['EINVAL', (s, { order }) => !isOrder(s, order), 'P1', 'there is no such order'],
    [
      'ENOMEM',
      (s, { order }) => isOrder(s, order) && !mayHaveBlock(s, order),
      'P1',
      'nobody could have such a block',
    ],
  ],
  may: [['ENOMEM', (s, { order }, seen) => isOrder(s, order) && !showsBlock(s, order, seen)]],
  accept: [
    [
      'a block aligned to its own size',
      (_s, { order }, { pfn }) => pfn % 2 ** order === 0,
      'S1',
      'page-numbers',
    ],
    ['a block that nobody holds', (s, { order }, { pfn }) => isUnheldRun(s, pfn, 2 ** order), 'C1'],
  ],
  effect(s, { order }, { pfn }) {
    take(s, run(pfn, 2 ** order), KIND.BLOCK, 'anything');
  },
  owes: () => 'M1',
  fresh: (s, { order }) => ({ pfn: freshBlock(s, order) }),
};

/** What is freed must not be in use any more: somebody would reach pages of others. */
const disused = <Args>(
  runOf: (s: World, args: Args) => [first: number, count: number],
): Duty<World, Args>[] => [
  ['no device reaches it', (s, args) => !isMapped(s, ...runOf(s, args)), 'I2'],
  ['no table lists it', (s, args) => !isListed(s, ...runOf(s, args))],
  ['no mapping leads to it', (s, args) => !isCpuMapped(s, ...runOf(s, args)), 'I2'],
];

/** `__free_pages(block)`: takes a block back, whole. A page of a split ends it; others are freed alike. */
export const freePages: RuleOf<'free_pages'> = {
  require: [
    ['the block is allocated', (s, { block }) => isBlock(s, block)],
    ...disused<ArgsOf<'free_pages'>>((s, { block }) => [block, s.size.get(block)]),
  ],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { block }) {
    release(s, blockPages(s, block));
    const split = splitOf(s, block);
    if (split !== undefined) s.split.set(split, 0);
  },
  owes: () => 'P1',
};

/** `split_page(block)`: every page is a block of order 0 from then on. What they hold stays. */
export const splitPage: RuleOf<'split_page'> = {
  require: [
    ['the block is allocated', (s, { block }) => isBlock(s, block)],
    ['it is not split', (s, { block }) => splitOf(s, block) === undefined],
  ],
  refuse: [],
  may: [],
  accept: [
    [
      'the pages of the block',
      (s, { block }, { pfn, count }) => pfn === block && count === s.size.get(block),
      'P1',
    ],
  ],
  effect(s, { block }, { count }) {
    s.split.set(block, count + 1);
    for (const page of run(block, count)) {
      s.head.set(page, page + 1);
      s.size.set(page, 1);
      for (const column of [s.index, s.next]) column.set(page, 0);
    }
  },
  owes: () => 'P1',
  fresh: (_s, { block }) => ({ pfn: block }),
};

/** `free_pages_exact(split)`: takes the pages of a split back, one by one. */
export const freePagesExact: RuleOf<'free_pages_exact'> = {
  require: [
    ['the pages are allocated', (s, { split }) => (s.split.peek(split) ?? 0) !== 0],
    ...disused<ArgsOf<'free_pages_exact'>>((s, { split }) => [split, s.split.get(split) - 1]),
  ],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { split }) {
    for (const page of run(split, s.split.get(split) - 1)) release(s, [page]);
    s.split.set(split, 0);
  },
  owes: () => 'P1',
};

/**
 * `occupy(pfn, count, mobility, tag)`: somebody else takes exactly these page frames, from the reserve too, and
 * writes them: nobody may change what they hold.
 * Movable pages may be anywhere: no more than their number is known. After mm/page_alloc.c,
 * `alloc_contig_range()`.
 */
export const occupy: RuleOf<'occupy'> = {
  require: [['the tag is a byte, and not 0', (_s, { tag }) => isTag(tag)]],
  refuse: [
    ['EINVAL', (s, args) => !areFrames(s, args), 'P1', 'there are no such pages'],
    ['EBUSY', (s, args) => !mayOccupy(s, args), 'C1', 'one of the pages is in use'],
    ['ENOSPC', ({ occupant }) => occupant.values.every((held) => held !== 0), 'P1', 'no occupant id is left'],
  ],
  may: [['EBUSY', (_s, args, seen) => !showsUnused(args, seen)]],
  accept: [['an id that is not in use', (s, _args, { occupant }) => s.occupant.peek(occupant) === 0, 'C5']],
  effect(s, { pfn, count, mobility, tag }, { occupant }) {
    const isMovable = mobility === 'movable';
    s.occupant.set(occupant, isMovable ? -1 : pfn + 1);
    s.occupantPages.set(occupant, count);
    if (isMovable) s.movable.set(0, s.movable.get(0) + count);
    else hold(s, pfn, count, KIND.OCCUPIED, written(tag));
  },
  owes: () => 'P1',
};

/** `release(occupant)`. */
export const releaseOccupant: RuleOf<'release'> = {
  require: [['the occupant exists', (s, { occupant }) => (s.occupant.peek(occupant) ?? 0) !== 0]],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { occupant }) {
    const first = s.occupant.get(occupant) - 1;
    const count = s.occupantPages.get(occupant);
    if (first >= 0) hold(s, first, count, KIND.FREE, NOTHING);
    else s.movable.set(0, s.movable.get(0) - count);
    for (const column of [s.occupant, s.occupantPages]) column.set(occupant, 0);
  },
  owes: () => 'P1',
};

/** Nothing that anybody holds changes. That free lists and counters are right afterwards, invariants say. */
const unseen: Rule<World, object, object> = {
  require: [],
  refuse: [],
  may: [],
  accept: [],
  effect: () => {},
  owes: () => 'P1',
};

/** Movable pages move, with what they hold. After mm/compaction.c, `compact_zone()`. */
export const compact: RuleOf<'compact'> = unseen;
/** Parked pages go to the buddy lists. After mm/page_alloc.c, `drain_all_pages()`. */
export const drain: RuleOf<'drain'> = unseen;
/** Pools and deferred buffers go to the buddy lists. After mm/vmscan.c, `shrink_slab()`. */
export const shrink: RuleOf<'shrink'> = unseen;

/** Consecutive numbers. */
export function run(first: number, count: number): number[] {
  const pages: number[] = [];
  for (let page = first; page < first + count; page++) pages.push(page);
  return pages;
}

const isOrder = ({ machine }: World, order: number): boolean =>
  Number.isInteger(order) && order >= 0 && order <= machine.orderMax;

/** A block starts there. */
export const isBlock = (s: World, block: number): boolean =>
  s.kind.peek(block) === KIND.BLOCK && s.head.get(block) === block + 1;

/** The pages of an allocated block, by its first page. */
export const blockPages = (s: World, block: number): number[] => run(block, s.size.get(block));

/** First page of the split that a page belongs to, or undefined. */
export function splitOf({ split, machine }: World, page: number): number | undefined {
  const lowest = Math.max(page - 2 ** machine.orderMax + 1, 0);
  const highest = Math.min(page, split.end - 1);
  for (let first = highest; first >= lowest; first--) if (first + split.get(first) - 1 > page) return first;
  return undefined;
}

function isListed({ machine, sgPages, sgPage, sgPagesMax }: World, first: number, count: number): boolean {
  for (let table = 0; table < machine.sgTables; table++) {
    for (let at = 0; at < sgPages.get(table) - 1; at++) {
      const page = sgPage.get(table * sgPagesMax + at) - 1;
      if (page >= first && page < first + count) return true;
    }
  }
  return false;
}

/** A block of this order could be had if only known owners held pages. Without page numbers counts decide. */
function mayHaveBlock(s: World, order: number): boolean {
  if (unheldCount(s) < 2 ** order) return false;
  if (!s.pageNumbers) return true;
  for (let first = 0; first + 2 ** order <= s.frames; first += 2 ** order) {
    if (isUnheldRun(s, first, 2 ** order)) return true;
  }
  return false;
}

const NO_PAGES = new Int32Array(0);
const shownColumn = (seen: Seen, column: number): Int32Array =>
  (shows(seen, column) ? seen.view?.columns[column] : undefined) ?? NO_PAGES;

/**
 * Kinds of pages that a block can be made of before an allocation fails: they are free, are given up, or
 * moved.
 */
const KEPT: ReadonlySet<number> = new Set([KIND.FREE, KIND.PARKED, KIND.POOLED, KIND.DEFERRED]);
const isVacant = (kind: number): boolean => KEPT.has(kind) || kind === KIND.MOVABLE;

/**
 * The target itself shows enough pages above the reserve, and above order 0 a free block or a place for one.
 * Enough pages in all are enough for what must move away: pages to move to, and pages in that place, add up
 * to the block.
 */
export function showsBlock({ machine }: World, order: number, seen: Seen): boolean {
  const size = 2 ** order;
  if ((availablePages(seen, machine) ?? 0) < size) return false;
  if (order === 0 || shownColumn(seen, VIEW.freeOrder).some((shown) => shown > order)) return true;
  const kinds = shownColumn(seen, VIEW.kind);
  for (let first = 0; first + size <= kinds.length; first += size) {
    if (kinds.subarray(first, first + size).every(isVacant)) return true;
  }
  return false;
}

/**
 * A name for a block of a target that shows none: every order has its own range of names, so one is always
 * left.
 */
function freshBlock(s: World, order: number): number {
  const from = s.machine.pages * order;
  for (let first = from; first < from + s.machine.pages; first += 2 ** order) {
    if (isUnheldRun(s, first, 2 ** order)) return first;
  }
  return from;
}

type Frames = Pick<ArgsOf<'occupy'>, 'pfn' | 'count'>;

const areFrames = ({ machine }: World, { pfn, count }: Frames): boolean =>
  [pfn, count].every(Number.isSafeInteger) && pfn >= 0 && count > 0 && pfn + count <= machine.pages;

/** No known owner holds one of the frames, and there are as many that none holds. */
function mayOccupy(s: World, { pfn, count }: Frames): boolean {
  if (count > unheldCount(s) + s.machine.reserve) return false;
  return !s.pageNumbers || isUnheldRun(s, pfn, count);
}

/** The target shows that nobody holds any of the frames: what is parked does not count as held. */
function showsUnused({ pfn, count }: Frames, seen: Seen): boolean {
  const kinds = shownColumn(seen, VIEW.kind);
  if (kinds.length < pfn + count) return false;
  return kinds.subarray(pfn, pfn + count).every((kind) => kind === KIND.FREE || kind === KIND.PARKED);
}

/**
 * Frames come into the hands of an unmovable occupant, or leave them. Where pages are only names, they have
 * no kind.
 */
function hold(s: World, first: number, count: number, kind: number, content: number): void {
  s.held.set(0, s.held.get(0) + (kind === KIND.FREE ? -count : count));
  if (!s.pageNumbers) return;
  for (const page of run(first, count)) {
    s.kind.set(page, kind);
    setLines(s, page, () => content);
  }
}
