/**
 * What lies at page numbers, at three levels like a page table: a cell stands for one page, for 512 or for 512 * 512
 * aligned ones, so that a mapping of 16 GB costs 16 entries.
 */
const FANOUT = 512;
/** Pages of the largest block. */
const TOP = FANOUT * FANOUT;

/** Ranges above this (64 TB of 4 KiB pages) are no mapping of any machine, and would cost one entry for each GB. */
export const PAGES_MAX: number = 65_536 * TOP;

interface Block<C> {
  /** What lies at all pages of the block. */
  own: C | undefined;
  /** What lies at some of them besides, by number in the block. */
  parts: Map<number, Block<C>> | undefined;
}

/** Told of a cell and of the pages that it stands for; what it returns lies there from now on. */
export type CellVisitor<C> = (cell: C, first: number, count: number) => C | undefined;

interface Walk<C> {
  readonly first: number;
  readonly end: number;
  /** Whether cells change; they split where they reach out of the range. */
  readonly splits: boolean;
  readonly visit: CellVisitor<C>;
}

export class PageTree<C> {
  readonly #blocks = new Map<number, Block<C>>();
  readonly #join: (below: C | undefined, above: C) => C;

  /** @param join - a new cell for part of a block: what lies at the part already, and at the block around it */
  constructor(join: (below: C | undefined, above: C) => C) {
    this.#join = join;
  }

  /** Puts something to each of `count` pages. @param put - given what lies there already, returns what does then */
  add(first: number, count: number, put: (cell: C | undefined) => C): void {
    const end = first + count;
    for (let page = first; page < end; ) {
      let span = end - page === 1 ? 1 : TOP;
      while (span > 1 && (page % span !== 0 || end - page < span)) span /= FANOUT;
      const block = this.#blockAt(page, span);
      block.own = put(block.own);
      page += span;
    }
  }

  /** Goes through the cells of a range. Blocks that reach out of it are split first, so that only the range changes. */
  change(first: number, count: number, visit: CellVisitor<C>): void {
    if (count === 1 && this.#changeLeaf(first, visit)) return;
    walkBlocks(this.#blocks, TOP, 0, { first, end: first + count, splits: true, visit }, this.#join);
  }

  /** Reads the cells of a range, without splitting: a cell may reach out of it. Whoever looks may change cells. */
  read(first: number, count: number, look: (cell: C, first: number, count: number) => void): void {
    const visit = (cell: C, at: number, pages: number): C => {
      look(cell, at, pages);
      return cell;
    };
    walkBlocks(this.#blocks, TOP, 0, { first, end: first + count, splits: false, visit }, this.#join);
  }

  /** Whether nothing lies at a page; of more than one it is not said. */
  isEmptyAt(page: number, count: number): boolean {
    if (count > 1) return this.#blocks.size === 0;
    const top = this.#blocks.get(Math.floor(page / TOP));
    if (top === undefined) return true;
    const middle = top.parts?.get(Math.floor(page / FANOUT) % FANOUT);
    return top.own === undefined && middle?.own === undefined && !middle?.parts?.has(page % FANOUT);
  }

  /** The usual case, one page where no larger block lies; false if it is not that. */
  #changeLeaf(page: number, visit: CellVisitor<C>): boolean {
    const top = this.#blocks.get(Math.floor(page / TOP));
    const middle = top?.parts?.get(Math.floor(page / FANOUT) % FANOUT);
    const leaf = middle?.parts?.get(page % FANOUT);
    if (leaf?.own === undefined || top?.own !== undefined || middle?.own !== undefined) return false;
    leaf.own = visit(leaf.own, page, 1);
    if (leaf.own === undefined) middle?.parts?.delete(page % FANOUT);
    return true;
  }

  #blockAt(page: number, span: number): Block<C> {
    let block = childOf(this.#blocks, Math.floor(page / TOP));
    for (let below = TOP / FANOUT; below >= span; below /= FANOUT) {
      block.parts ??= new Map();
      block = childOf(block.parts, Math.floor(page / below) % FANOUT);
    }
    return block;
  }
}

type Join<C> = (below: C | undefined, above: C) => C;

function walkBlocks<C>(
  blocks: Map<number, Block<C>>,
  span: number,
  base: number,
  walk: Walk<C>,
  join: Join<C>,
): void {
  const low = Math.max(0, Math.floor((walk.first - base) / span));
  const high = Math.floor((walk.end - 1 - base) / span);
  // Mostly it is one block.
  if (high - low < blocks.size)
    for (let key = low; key <= high; key += 1) walkKey(blocks, key, span, base, walk, join);
  else
    for (const key of [...blocks.keys()].toSorted((a, b) => a - b))
      if (key >= low && key <= high) walkKey(blocks, key, span, base, walk, join);
}

function walkKey<C>(
  blocks: Map<number, Block<C>>,
  key: number,
  span: number,
  base: number,
  walk: Walk<C>,
  join: Join<C>,
): void {
  const block = blocks.get(key);
  if (block === undefined) return;
  walkBlock(block, span, base + key * span, walk, join);
  if (block.own === undefined && !hasParts(block)) blocks.delete(key);
}

function walkBlock<C>(block: Block<C>, span: number, at: number, walk: Walk<C>, join: Join<C>): void {
  const whole = at >= walk.first && at + span <= walk.end;
  if (walk.splits && block.own !== undefined && span > 1 && (!whole || hasParts(block)))
    split(block, block.own, join);
  if (block.own !== undefined) {
    const left = walk.visit(block.own, at, span);
    if (walk.splits) block.own = left;
  }
  if (block.parts !== undefined) walkBlocks(block.parts, span / FANOUT, at, walk, join);
}

function split<C>(block: Block<C>, own: C, join: Join<C>): void {
  block.parts ??= new Map();
  for (let key = 0; key < FANOUT; key += 1) {
    const part = childOf(block.parts, key);
    part.own = join(part.own, own);
  }
  block.own = undefined;
}

const hasParts = ({ parts }: Block<unknown>): boolean => parts !== undefined && parts.size > 0;

function childOf<C>(blocks: Map<number, Block<C>>, key: number): Block<C> {
  let block = blocks.get(key);
  if (block === undefined) {
    block = { own: undefined, parts: undefined };
    blocks.set(key, block);
  }
  return block;
}
