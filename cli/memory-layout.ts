/** From numbers of free blocks to a map of memory, the same each time, in time linear in the pages. */
import { type Blocks, endBlocks } from './memory-blocks.ts';

export type Run = readonly [first: number, count: number];

/** Who holds what is not free. Runs are in the order of their pages, and no two of a list touch. */
export interface Layout {
  readonly occupied: readonly Run[];
  readonly movable: readonly Run[];
}

const FREE = 0;
const OCCUPIED = 1;
const MOVABLE = 2;

/**
 * Lays memory out so that an allocator which frees all that is not held ends with exactly these blocks. They
 * must have room: see `crowded`. Blocks of every order are spread evenly over the whole.
 *
 * @param movable - pages in use that may be moved; page blocks are so as a whole, as far as the number goes
 * @param blockPages - pages of a page block
 */
export function layOut(pages: number, blocks: Blocks, movable: number, blockPages: number): Layout {
  const use = new Uint8Array(pages).fill(OCCUPIED);
  placeFree(use, blocks);
  placeMovable(use, movable, blockPages);
  return { occupied: runsOf(use, OCCUPIED), movable: runsOf(use, MOVABLE) };
}

/**
 * From the largest order down. `open` are the regions of the order above in which nothing is decided yet; of
 * the two halves of each at most one becomes free as a whole, so that no two blocks merge.
 */
function placeFree(use: Uint8Array, blocks: Blocks): void {
  const pages = use.length;
  const top = blocks.length - 1;
  const all = Int32Array.from({ length: Math.floor(pages / 2 ** top) }, (_, at) => at * 2 ** top);
  const isTaken = spread(blocks[top] ?? 0, all.length, top);
  let open: Int32Array = all.filter((first, at) => {
    if (isTaken(at)) use.fill(FREE, first, first + 2 ** top);
    return !isTaken(at);
  });
  for (let order = top - 1; order >= 0; order--) open = halve(use, open, order, blocks[order] ?? 0);
}

/** Makes `count` blocks of an order free. Returns the regions of that order that are still open. */
function halve(use: Uint8Array, open: Int32Array, order: number, count: number): Int32Array {
  const size = 2 ** order;
  const ends = endBlocks(use.length, order);
  const rooms = open.length + ends;
  const isTaken = spread(count, rooms, order);
  const left = new Int32Array(open.length + rooms - count);
  let length = 0;
  for (let at = 0; at < open.length; at++) {
    const first = open[at] ?? 0;
    // The lower half and the upper one by turns.
    const free = isTaken(at) ? first + (at % 2) * size : -1;
    if (free >= 0) use.fill(FREE, free, free + size);
    if (free !== first) left[length++] = first;
    if (free !== first + size) left[length++] = first + size;
  }
  if (ends === 0) return left;
  const last = Math.floor(use.length / size) * size - size;
  if (isTaken(open.length)) use.fill(FREE, last, last + size);
  else left[length] = last;
  return left;
}

/** Each order starts elsewhere, or the only block of each would lie beside the next. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Which of `places` are taken so that `count` of them are, evenly. */
function spread(count: number, places: number, order: number): (at: number) => boolean {
  const shift = Math.floor((((order + 1) * GOLDEN) % 1) * places);
  return (at) => Math.floor(((at + 1) * count + shift) / places) > Math.floor((at * count + shift) / places);
}

/** Whole page blocks evenly, then the rest of the number wherever page blocks are left. */
function placeMovable(use: Uint8Array, movable: number, blockPages: number): void {
  const used = new Int32Array(Math.ceil(use.length / blockPages));
  let all = 0;
  for (let page = 0; page < use.length; page++) {
    if (use[page] === FREE) continue;
    const block = Math.floor(page / blockPages);
    used[block] = (used[block] ?? 0) + 1;
    all++;
  }
  const quota = new Int32Array(used.length);
  let passed = 0;
  let given = 0;
  for (const [block, count] of used.entries()) {
    passed += count;
    if (count === 0 || Math.round((movable * passed) / all) - given < count) continue;
    quota[block] = count;
    given += count;
  }
  for (const [block, count] of used.entries()) {
    const more = Math.min(count - (quota[block] ?? 0), movable - given);
    quota[block] = (quota[block] ?? 0) + more;
    given += more;
  }
  markMovable(use, quota, blockPages);
}

/** Marks the first pages in use of each page block. */
function markMovable(use: Uint8Array, quota: Int32Array, blockPages: number): void {
  for (const [block, count] of quota.entries()) {
    let left = count;
    for (let page = block * blockPages; left > 0; page++) {
      if (use[page] === FREE) continue;
      use[page] = MOVABLE;
      left--;
    }
  }
}

function runsOf(use: Uint8Array, kind: number): Run[] {
  const runs: Run[] = [];
  for (let page = 0; page < use.length; page++) {
    if (use[page] !== kind) continue;
    const first = page;
    while (use[page + 1] === kind) page++;
    runs.push([first, page + 1 - first]);
  }
  return runs;
}
