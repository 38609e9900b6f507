/** Numbers of free blocks by order: which a buddy allocator can have at once, and the same in proportion. */
import { pagesOf } from './proc-memory.ts';

/** Free blocks, by order. The last order is the largest that there is. */
export type Blocks = readonly number[];

/**
 * The first order, from the largest down, that has more blocks than there is room for, and how many more. Two
 * buddies that are both free would be one block of the next order, so each needs one in which a page is used.
 */
export function crowded(blocks: Blocks, pages: number): { order: number; excess: number } | undefined {
  const top = blocks.length - 1;
  let open = Math.floor(pages / 2 ** top) - (blocks[top] ?? 0);
  if (open < 0) return { order: top, excess: -open };
  for (let order = top - 1; order >= 0; order--) {
    const count = blocks[order] ?? 0;
    const room = open + endBlocks(pages, order);
    if (count > room) return { order, excess: count - room };
    open += room - count;
  }
  return undefined;
}

/** 1 where memory ends in a block of this order whose buddy is not there as a whole: it never merges. */
export const endBlocks = (pages: number, order: number): number => Math.floor(pages / 2 ** order) % 2;

/** The least memory, from so many pages on, in which these blocks are free and no others. */
export function pagesFor(blocks: Blocks, pages: number): number {
  if (crowded(blocks, pages) === undefined) return pages;
  let small = pages;
  let enough = 2 * Math.max(pages, pagesOf(blocks) + 2 ** blocks.length);
  while (enough - small > 1) {
    const middle = Math.floor((small + enough) / 2);
    if (crowded(blocks, middle) === undefined) enough = middle;
    else small = middle;
  }
  return enough;
}

/** The same memory in blocks of at most this order. */
export function inOrders(blocks: Blocks, orderMax: number): number[] {
  const kept = blocks.slice(0, orderMax + 1);
  while (kept.length <= orderMax) kept.push(0);
  for (let order = orderMax + 1; order < blocks.length; order++)
    kept[orderMax] = (kept[orderMax] ?? 0) + (blocks[order] ?? 0) * 2 ** (order - orderMax);
  return kept;
}

/**
 * The blocks of `from` pages in proportion for `to` pages. Each order is rounded down; what is then missing
 * goes to the largest remainders first, as whole blocks, and the rest to the orders that there are, from the
 * largest down. So the free pages are those of the proportion, within one of the smallest blocks.
 */
export function scaleBlocks(blocks: Blocks, from: number, to: number): number[] {
  const exact = blocks.map((count) => (count * to) / from);
  const scaled = exact.map(Math.floor);
  const orders = [...blocks.keys()].filter((order) => (blocks[order] ?? 0) > 0);
  let left = Math.round((pagesOf(blocks) * to) / from) - pagesOf(scaled);
  const give = (order: number, count: number): void => {
    scaled[order] = (scaled[order] ?? 0) + count;
    left -= count * 2 ** order;
  };
  const remainder = (order: number): number => (exact[order] ?? 0) - Math.floor(exact[order] ?? 0);
  for (const order of orders.toSorted((a, b) => remainder(b) - remainder(a) || b - a))
    if (remainder(order) > 0 && 2 ** order <= left) give(order, 1);
  for (const order of orders.toReversed()) give(order, Math.max(0, Math.floor(left / 2 ** order)));
  const [least] = orders;
  if (least !== undefined && 2 * left >= 2 ** least && pagesOf(scaled) + 2 ** least <= to) give(least, 1);
  return scaled;
}

/** Joins pairs of blocks for which there is no room, as a buddy allocator would. */
export function joinCrowded(blocks: Blocks, pages: number): number[] {
  const joined = [...blocks];
  for (let found = crowded(joined, pages); found !== undefined; found = crowded(joined, pages)) {
    const { order, excess } = found;
    const pairs = Math.min(excess, Math.floor((joined[order] ?? 0) / 2));
    if (pairs === 0) throw new Error(`internal error: ${joined.join(' ')} free blocks in ${pages} pages`);
    joined[order] = (joined[order] ?? 0) - 2 * pairs;
    joined[order + 1] = (joined[order + 1] ?? 0) + pairs;
  }
  return joined;
}

/** How many blocks of an order can be taken in turn, nothing being moved, with `reserve` pages left. */
export function obtainable(blocks: Blocks, order: number, reserve: number): number {
  const parts = blocks.reduce((sum, count, k) => (k < order ? sum : sum + count * 2 ** (k - order)), 0);
  const above = Math.floor((pagesOf(blocks) - reserve) / 2 ** order);
  return Math.max(0, Math.min(parts, above));
}
