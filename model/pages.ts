/** Layer 1, the page allocator. After Linux 6.1, mm/page_alloc.c: `__alloc_pages()`, `__free_pages()`. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { isMapped, isUnheldRun, release, take, unheldCount } from './memory.ts';
import type { Rule, Seen } from './spec.ts';
import { COUNTER, KIND, shownCounter, TAG_UNKNOWN, VIEW } from './view.ts';
import type { World } from './world.ts';

/**
 * `alloc_pages(order)`: 2^order contiguous pages, aligned to their size. Which free block is taken is left open,
 * and so is what it holds: nothing was said about zeroing.
 *
 * The kernel warns and returns NULL for an order it does not have; here that is EINVAL, to tell it from ENOMEM.
 */
export const allocPages: Rule<World, ArgsOf<'alloc_pages'>, ValueOf<'alloc_pages'>> = {
  require: [],
  refuse: [
    ['EINVAL', (s, { order }) => order < 0 || order > s.machine.orderMax, 'P1', 'there is no such order'],
    ['ENOMEM', (s, { order }) => !mayHaveBlock(s, order), 'P1', 'nobody could have such a block'],
  ],
  may: [['ENOMEM', (s, { order }, seen) => !showsBlock(s, order, seen)]],
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
    take(s, run(pfn, 2 ** order), KIND.BLOCK, TAG_UNKNOWN);
  },
  owes: () => 'M1',
  fresh: (s, { order }) => ({ pfn: freshBlock(s, order) }),
};

/** `__free_pages(block)`: takes a block back, whole. A page that is still mapped or listed is not freed. */
export const freePages: Rule<World, ArgsOf<'free_pages'>, ValueOf<'free_pages'>> = {
  require: [
    ['the block is allocated', (s, { block }) => isBlock(s, block)],
    ['no device reaches it', (s, { block }) => !isMapped(s, block, s.size.get(block))],
    ['no table lists it', (s, { block }) => !isListed(s, block)],
  ],
  refuse: [],
  may: [],
  accept: [],
  effect: (s, { block }) => release(s, blockPages(s, block)),
  owes: () => 'P1',
};

/** Consecutive numbers. */
export const run = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

/** A block starts there. */
export const isBlock = (s: World, block: number): boolean =>
  s.kind.values[block] === KIND.BLOCK && s.head.get(block) === block + 1;

/** The pages of an allocated block, by its first page. */
export const blockPages = (s: World, block: number): number[] => run(block, s.size.get(block));

function isListed(s: World, block: number): boolean {
  for (let table = 0; table < s.machine.sgTables; table++) {
    for (let at = 0; at < s.sgPages.get(table) - 1; at++) {
      const page = s.sgPage.get(table * s.sgPagesMax + at);
      if (s.head.get(page) === block + 1) return true;
    }
  }
  return false;
}

/** A block of this order could be had if only known owners held pages. Without page numbers counts decide. */
function mayHaveBlock(s: World, order: number): boolean {
  const counts = s.machine.reserve > 0 || !s.pageNumbers;
  if (counts && unheldCount(s) < 2 ** order) return false;
  if (!s.pageNumbers) return true;
  for (let first = 0; first + 2 ** order <= s.frames; first += 2 ** order) {
    if (isUnheldRun(s, first, 2 ** order)) return true;
  }
  return false;
}

/** The target itself shows a free block of this order, and enough pages above the reserve. */
function showsBlock(s: World, order: number, seen: Seen): boolean {
  const free = shownCounter(seen, COUNTER.free);
  if (free === undefined || free - s.machine.reserve < 2 ** order) return false;
  if (order === 0) return true;
  const showsOrders = seen.view !== undefined && (seen.view.shown & (1 << VIEW.freeOrder)) !== 0;
  return showsOrders && (seen.view?.columns[VIEW.freeOrder]?.some((shown) => shown > order) ?? false);
}

/** A name for a block of a target that shows none: every order has its own range of names, so one is always left. */
function freshBlock(s: World, order: number): number {
  const from = s.machine.pages * order;
  for (let first = from; first < from + s.machine.pages; first += 2 ** order) {
    if (isUnheldRun(s, first, 2 ** order)) return first;
  }
  return from;
}
