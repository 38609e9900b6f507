/**
 * What lies at page numbers, as in a page table of three levels: a cell stands for one page or for all of an aligned
 * block, so that a mapping of 64 TB costs 2048 entries. Tables with few entries are short, so that mappings that are
 * scattered over all addresses cost some hundred bytes each.
 */
import { type CellReader, type CellVisitor, type Join, Leaf, Table, Walk } from './page-block.ts';

/** Pages of the smallest block: most mappings are in one. */
const LEAF = 32;
const FANOUT = 512;
const AREA = LEAF * FANOUT;
/** Pages of the largest block: 32 GB of 4 KiB pages. */
const REGION = AREA * FANOUT;

/** Ranges above this (64 TB of 4 KiB pages) are no mapping of any machine, and would cost one entry for each 32 GB. */
export const PAGES_MAX: number = 2048 * REGION;

/** Leaves that are empty and kept at the most; each has some hundred bytes. */
const EMPTY_MAX = 4096;

type Area<C> = Table<C, Leaf<C>>;
type Region<C> = Table<C, Area<C>>;

export class PageTree<C> {
  readonly #regions = new Map<number, Region<C>>();
  readonly #join: Join<C>;
  /** Leaves that may be empty. */
  #empty = 0;
  readonly #newArea = (): Area<C> => new Table(FANOUT, LEAF, newLeaf<C>);

  /**
   * @param join - a new cell where two come together: what lies there already or is of the smaller block, and what
   *   is new or of the block around it. Cells are shared by pages, so it must not change them.
   */
  constructor(join: Join<C>) {
    this.#join = remembered(join);
  }

  /** Puts something to each of `count` pages. */
  add(first: number, count: number, what: C): void {
    const end = first + count;
    for (let page = first; page < end; ) {
      const low = page % REGION;
      const high = Math.min(REGION, low + end - page);
      this.#regionAt(Math.floor(page / REGION)).add(low, high, what, this.#join);
      page += high - low;
    }
  }

  /** Goes through the cells of a range. Blocks that reach out of it are split first, so that only the range changes. */
  change(first: number, count: number, visit: CellVisitor<C>): void {
    const leaf = this.#leafOf(first, count);
    if (leaf !== undefined && leaf.own === undefined) {
      const low = first % LEAF;
      if (leaf.change(first - low, low, low + count, visit)) this.#emptied(count);
      return;
    }
    const walk = new Walk(first, first + count, this.#join, visit);
    this.#walk(walk);
    if (walk.empties) this.#emptied(count);
  }

  /** Reads the cells of a range, without splitting: a cell may reach out of it. */
  read(first: number, count: number, look: CellReader<C>): void {
    const leaf = this.#leafOf(first, count);
    if (leaf !== undefined && leaf.own === undefined) {
      const low = first % LEAF;
      leaf.read(first - low, low, low + count, look);
    } else this.#walk(new Walk(first, first + count, undefined, keeping(look)));
  }

  isEmptyAt(first: number, count: number): boolean {
    const low = first % REGION;
    if (low + count <= REGION)
      return this.#regions.get(Math.floor(first / REGION))?.isEmptyAt(low, low + count) ?? true;
    return this.#every(first, first + count, (region, low, high) => region.isEmptyAt(low, high));
  }

  /** Whether nothing but one cell lies at the pages, and it at all of them. */
  holdsOnly(cell: C, first: number, count: number): boolean {
    const leaf = this.#leafOf(first, count);
    return leaf === undefined
      ? this.#blocksHoldOnly(cell, first, count)
      : leaf.holdsOnly(cell, first % LEAF, (first % LEAF) + count);
  }

  #blocksHoldOnly(cell: C, first: number, count: number): boolean {
    let held = 0;
    const isHeld = (region: Region<C>, low: number, high: number): boolean => {
      held += high - low;
      return region.holdsOnly(cell, low, high);
    };
    return this.#every(first, first + count, isHeld) && held === count;
  }

  /** Takes a cell away if nothing else lies at the pages. Returns whether it was so. */
  takeOnly(cell: C, first: number, count: number): boolean {
    const leaf = this.#leafOf(first, count);
    if (leaf !== undefined) {
      const low = first % LEAF;
      if (!leaf.holdsOnly(cell, low, low + count)) return false;
      leaf.put(low, low + count, undefined);
      if (leaf.isEmpty) this.#emptied(count);
      return true;
    }
    if (!this.#blocksHoldOnly(cell, first, count)) return false;
    this.#every(first, first + count, (region, low, high) => {
      region.put(low, high, undefined);
      return true;
    });
    this.#emptied(count);
    return true;
  }

  /** The leaf that all of a range is in, if nothing lies around it: the usual case. */
  #leafOf(first: number, count: number): Leaf<C> | undefined {
    if ((first % LEAF) + count > LEAF) return undefined;
    const region = this.#regions.get(Math.floor(first / REGION));
    if (region === undefined || region.own !== undefined) return undefined;
    const area = region.partOf(first % REGION);
    return area === undefined || area.own !== undefined ? undefined : area.partOf(first % AREA);
  }

  #walk(walk: Walk<C>): void {
    this.#every(walk.first, walk.end, (region, _low, _high, key) => {
      region.walk(key * REGION, walk);
      return true;
    });
    walk.finish();
  }

  /** Pages come and go at the same places, so blocks that are empty stay until there may be many. */
  #emptied(pages: number): void {
    this.#empty += Math.ceil(pages / LEAF);
    if (this.#empty < EMPTY_MAX) return;
    this.#empty = 0;
    for (const [key, region] of this.#regions) {
      region.prune();
      if (region.isEmpty) this.#regions.delete(key);
    }
  }

  /** Regions that are there, in order, each with the pages of a range in it. */
  #every(
    first: number,
    end: number,
    is: (region: Region<C>, low: number, high: number, key: number) => boolean,
  ): boolean {
    for (const key of this.#keysOf(first, end)) {
      const region = this.#regions.get(key);
      const base = key * REGION;
      if (region !== undefined && !is(region, Math.max(0, first - base), Math.min(REGION, end - base), key))
        return false;
    }
    return true;
  }

  /** Numbers of the regions of a range; mostly it is one. */
  #keysOf(first: number, end: number): readonly number[] {
    const low = Math.floor(first / REGION);
    const high = Math.floor((end - 1) / REGION);
    if (low === high) return [low];
    if (high - low < this.#regions.size) return Array.from({ length: high - low + 1 }, (_, at) => low + at);
    return [...this.#regions.keys()].filter((key) => key >= low && key <= high).toSorted((a, b) => a - b);
  }

  #regionAt(key: number): Region<C> {
    const known = this.#regions.get(key);
    if (known !== undefined) return known;
    const region: Region<C> = new Table(FANOUT, AREA, this.#newArea);
    this.#regions.set(key, region);
    return region;
  }
}

const keeping =
  <C>(look: CellReader<C>): CellVisitor<C> =>
  (cell, first, count) => {
    look(cell, first, count);
    return cell;
  };

const newLeaf = <C>(): Leaf<C> => new Leaf(LEAF);

/** The same two often come together at one page after the other: they are joined once. */
function remembered<C>(join: Join<C>): Join<C> {
  let last: { readonly below: C; readonly above: C; readonly joined: C } | undefined;
  return (below, above) => {
    if (last?.below !== below || last.above !== above) last = { below, above, joined: join(below, above) };
    return last.joined;
  };
}
