/**
 * What lies at page numbers, at three levels like a page table: a cell stands for one page, for 512 or for 512 * 512
 * aligned ones, so that a mapping of 16 GB costs 16 entries. The entries of a table are an array, as they are there.
 */
const FANOUT = 512;
/** Pages of the largest block. */
const TOP = FANOUT * FANOUT;

/** Ranges above this (64 TB of 4 KiB pages) are no mapping of any machine, and would cost one entry for each GB. */
export const PAGES_MAX: number = 65_536 * TOP;

/** Tables that are empty, and kept for the next need: pages come and go at the same places. */
const SPARE_MAX = 16;

/** A table, and what lies at all pages of the block that it is of. */
interface Table<C, E> {
  own: C | undefined;
  /** What lies at some of the pages besides, by number in the block; undefined as long as it was never needed. */
  entries: (E | undefined)[] | undefined;
  /** How many entries there are. */
  used: number;
}

/** Of single pages, and of tables of single pages. */
type Leaf<C> = Table<C, C>;
type Directory<C> = Table<C, Leaf<C>>;

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
  readonly #directories = new Map<number, Directory<C>>();
  readonly #join: (below: C | undefined, above: C) => C;
  readonly #spareDirectories: Directory<C>[] = [];
  readonly #spareLeaves: Leaf<C>[] = [];

  /** @param join - a new cell for part of a block: what lies at the part already, and at the block around it */
  constructor(join: (below: C | undefined, above: C) => C) {
    this.#join = join;
  }

  /** Puts something to each of `count` pages. @param put - given what lies there already, returns what does then */
  add(first: number, count: number, put: (cell: C | undefined) => C): void {
    const end = first + count;
    for (let page = first; page < end; ) {
      const directory = this.#directoryAt(page);
      if (page % TOP === 0 && end - page >= TOP) {
        directory.own = put(directory.own);
        page += TOP;
      } else page = this.#addIn(directory, page, end, put);
    }
  }

  /** Goes through the cells of a range. Blocks that reach out of it are split first, so that only the range changes. */
  change(first: number, count: number, visit: CellVisitor<C>): void {
    this.#walk({ first, end: first + count, splits: true, visit });
  }

  /** Reads the cells of a range, without splitting: a cell may reach out of it. */
  read(first: number, count: number, look: (cell: C, first: number, count: number) => void): void {
    const visit = (cell: C, at: number, pages: number): C => {
      look(cell, at, pages);
      return cell;
    };
    this.#walk({ first, end: first + count, splits: false, visit });
  }

  /** Whether nothing lies at the pages, as far as can be told without going through them. */
  isEmptyAt(page: number, count: number): boolean {
    if (this.#directories.size === 0) return true;
    const directory = this.#directories.get(Math.floor(page / TOP));
    const leaf = directory?.entries?.[Math.floor(page / FANOUT) % FANOUT];
    const at = page % FANOUT;
    if (at + count > FANOUT || directory?.own !== undefined) return false;
    return leaf === undefined || (leaf.own === undefined && areEmpty(leaf, at, at + count));
  }

  /** Whether nothing but one cell lies at the pages; false as well where that takes more than a look. */
  holdsOnly(cell: C, page: number, count: number): boolean {
    const directory = this.#directories.get(Math.floor(page / TOP));
    const leaf = directory?.entries?.[Math.floor(page / FANOUT) % FANOUT];
    const entries = leaf?.entries;
    const first = page % FANOUT;
    if (entries === undefined || directory?.own !== undefined || leaf?.own !== undefined) return false;
    if (first + count > FANOUT) return false;
    for (let at = first; at < first + count; at += 1) if (entries[at] !== cell) return false;
    return true;
  }

  /** Up to the end of the range or of the leaf. Returns the page after. */
  #addIn(directory: Directory<C>, page: number, end: number, put: (cell: C | undefined) => C): number {
    const leaf = this.#leafAt(directory, page);
    const first = page % FANOUT;
    const last = Math.min(FANOUT, first + end - page);
    if (last - first === FANOUT) leaf.own = put(leaf.own);
    else {
      const entries = entriesOf(leaf);
      for (let at = first; at < last; at += 1) {
        const before = entries[at];
        if (before === undefined) leaf.used += 1;
        entries[at] = put(before);
      }
    }
    return page + last - first;
  }

  #walk(walk: Walk<C>): void {
    if (this.#directories.size === 0) return;
    if (this.#walkOneLeaf(walk)) return;
    const low = Math.floor(walk.first / TOP);
    const high = Math.floor((walk.end - 1) / TOP);
    // Mostly it is one.
    if (high - low <= this.#directories.size)
      for (let key = low; key <= high; key += 1) this.#walkKey(key, walk);
    else
      for (const key of [...this.#directories.keys()].toSorted((a, b) => a - b))
        if (key >= low && key <= high) this.#walkKey(key, walk);
  }

  /** The usual case: all pages are of one leaf, with nothing around it, and other pages stay in it. */
  #walkOneLeaf(walk: Walk<C>): boolean {
    const at = Math.floor(walk.first / FANOUT);
    if (walk.end > (at + 1) * FANOUT) return false;
    const directory = this.#directories.get(Math.floor(at / FANOUT));
    if (directory === undefined) return true;
    const leaf = directory.entries?.[at % FANOUT];
    if (directory.own !== undefined) return false;
    if (leaf === undefined) return true;
    // One that may be empty then is taken away.
    if (walk.splits && leaf.used <= walk.end - walk.first) return false;
    walkLeaf(leaf, at * FANOUT, walk, this.#join);
    return true;
  }

  #walkKey(key: number, walk: Walk<C>): void {
    const directory = this.#directories.get(key);
    if (directory === undefined) return;
    this.#walkDirectory(directory, key * TOP, walk);
    if (!isEmpty(directory)) return;
    this.#directories.delete(key);
    if (this.#spareDirectories.length < SPARE_MAX) this.#spareDirectories.push(directory);
  }

  #walkDirectory(directory: Directory<C>, base: number, walk: Walk<C>): void {
    const low = Math.max(0, Math.floor((walk.first - base) / FANOUT));
    const high = Math.min(FANOUT - 1, Math.floor((walk.end - 1 - base) / FANOUT));
    const whole = base >= walk.first && base + TOP <= walk.end;
    if (walk.splits && directory.own !== undefined && (!whole || directory.used > 0))
      this.#splitDirectory(directory, directory.own, base);
    if (directory.own !== undefined) visitOwn(directory, base, TOP, walk);
    const { entries } = directory;
    if (entries === undefined || directory.used === 0) return;
    for (let at = low; at <= high; at += 1) {
      const leaf = entries[at];
      if (leaf === undefined) continue;
      walkLeaf(leaf, base + at * FANOUT, walk, this.#join);
      if (!isEmpty(leaf)) continue;
      entries[at] = undefined;
      directory.used -= 1;
      if (this.#spareLeaves.length < SPARE_MAX) this.#spareLeaves.push(leaf);
    }
  }

  #splitDirectory(directory: Directory<C>, own: C, base: number): void {
    for (let at = 0; at < FANOUT; at += 1) {
      const leaf = this.#leafAt(directory, base + at * FANOUT);
      leaf.own = this.#join(leaf.own, own);
    }
    directory.own = undefined;
  }

  #directoryAt(page: number): Directory<C> {
    const key = Math.floor(page / TOP);
    let directory = this.#directories.get(key);
    if (directory === undefined) {
      directory = this.#spareDirectories.pop() ?? { own: undefined, entries: undefined, used: 0 };
      this.#directories.set(key, directory);
    }
    return directory;
  }

  #leafAt(directory: Directory<C>, page: number): Leaf<C> {
    const entries = entriesOf(directory);
    const at = Math.floor(page / FANOUT) % FANOUT;
    let leaf = entries[at];
    if (leaf === undefined) {
      leaf = this.#spareLeaves.pop() ?? { own: undefined, entries: undefined, used: 0 };
      entries[at] = leaf;
      directory.used += 1;
    }
    return leaf;
  }
}

function walkLeaf<C>(
  leaf: Leaf<C>,
  base: number,
  walk: Walk<C>,
  join: (below: C | undefined, above: C) => C,
): void {
  const low = Math.max(0, walk.first - base);
  const high = Math.min(FANOUT, walk.end - base);
  if (walk.splits && leaf.own !== undefined && (high - low < FANOUT || leaf.used > 0))
    splitLeaf(leaf, leaf.own, join);
  if (leaf.own !== undefined) visitOwn(leaf, base, FANOUT, walk);
  const { entries } = leaf;
  if (entries === undefined || leaf.used === 0) return;
  for (let at = low; at < high; at += 1) {
    const cell = entries[at];
    if (cell === undefined) continue;
    const left = walk.visit(cell, base + at, 1);
    if (left === cell || !walk.splits) continue;
    entries[at] = left;
    if (left === undefined) leaf.used -= 1;
  }
}

function visitOwn<C>(table: { own: C | undefined }, base: number, pages: number, walk: Walk<C>): void {
  if (table.own === undefined) return;
  const left = walk.visit(table.own, base, pages);
  if (walk.splits) table.own = left;
}

function splitLeaf<C>(leaf: Leaf<C>, own: C, join: (below: C | undefined, above: C) => C): void {
  const entries = entriesOf(leaf);
  for (let at = 0; at < FANOUT; at += 1) entries[at] = join(entries[at], own);
  leaf.used = FANOUT;
  leaf.own = undefined;
}

const isEmpty = ({ own, used }: Table<unknown, unknown>): boolean => own === undefined && used === 0;

function areEmpty({ entries }: Table<unknown, unknown>, first: number, end: number): boolean {
  if (entries === undefined) return true;
  for (let at = first; at < end; at += 1) if (entries[at] !== undefined) return false;
  return true;
}

function entriesOf<E>(table: Table<unknown, E>): (E | undefined)[] {
  table.entries ??= new Array<E | undefined>(FANOUT).fill(undefined);
  return table.entries;
}
