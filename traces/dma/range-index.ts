/**
 * Ranges of bytes that may overlap, found by address. A range is filed under a few aligned blocks of a size that fits
 * its own, so that a page costs one entry and 16 GB cost at most seventeen.
 */
export interface Span {
  readonly start: number;
  /** Bytes, at least 1. */
  readonly size: number;
}

/** Sizes of blocks: powers of two, from a page up to where doubles end. */
const BLOCKS = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48] as const;
/** A range is filed under at most so many blocks, and one. */
const BLOCKS_EACH = 16;

/** By number of block what lies there: mostly one range, which then needs no list. */
type Shelf<T> = Map<number, T | readonly T[]>;

export class RangeIndex<T extends Span> {
  readonly #shelves: readonly Shelf<T>[] = BLOCKS.map(() => new Map());

  add(range: T): void {
    const level = levelOf(range.size);
    const shelf = this.#shelf(level);
    const last = lastBlock(range.start, range.size, level);
    for (let block = blockOf(range.start, level); block <= last; block += 1) {
      const filed = shelf.get(block);
      shelf.set(block, filed === undefined ? range : [...listOf(filed), range]);
    }
  }

  remove(range: T): void {
    const level = levelOf(range.size);
    const shelf = this.#shelf(level);
    const last = lastBlock(range.start, range.size, level);
    for (let block = blockOf(range.start, level); block <= last; block += 1) {
      const filed = shelf.get(block);
      if (filed === range) shelf.delete(block);
      else if (isList(filed)) {
        const rest = filed.filter((each) => each !== range);
        const [only] = rest;
        if (only !== undefined) shelf.set(block, rest.length === 1 ? only : rest);
      }
    }
  }

  /** The first range found that shares a byte with the given ones and is accepted; small ranges are asked first. */
  find(start: number, size: number, accepts: (range: T) => boolean): T | undefined {
    let takes: ((range: T) => boolean) | undefined;
    for (let level = 0; level < BLOCKS.length; level += 1) {
      const shelf = this.#shelf(level);
      if (shelf.size === 0) continue;
      const first = blockOf(start, level);
      const last = lastBlock(start, size, level);
      // Mostly nothing is there.
      if (first === last && !shelf.has(first)) continue;
      takes ??= (range) => range.start < start + size && start < range.start + range.size && accepts(range);
      const found = findOn(shelf, first, last, takes);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** All ranges that share a byte with the given ones, each once, oldest first in each block. */
  overlapping(start: number, size: number): readonly T[] {
    let found: T[] | undefined;
    this.find(start, size, (range) => {
      if (found === undefined) found = [range];
      else if (!found.includes(range)) found.push(range);
      return false;
    });
    return found ?? [];
  }

  /** All of them, each once. */
  all(): readonly T[] {
    const found = new Set<T>();
    for (const shelf of this.#shelves)
      for (const filed of shelf.values()) for (const range of listOf(filed)) found.add(range);
    return [...found];
  }

  #shelf(level: number): Shelf<T> {
    const shelf = this.#shelves[level];
    if (shelf === undefined) throw new Error('internal error: no such block size');
    return shelf;
  }
}

const isList = <T>(filed: T | readonly T[] | undefined): filed is readonly T[] => Array.isArray(filed);
const listOf = <T>(filed: T | readonly T[]): readonly T[] => (isList(filed) ? filed : [filed]);

/** Looks into blocks one by one, or, where there are more blocks than ranges, at all ranges. */
function findOn<T>(
  shelf: Shelf<T>,
  first: number,
  last: number,
  takes: (range: T) => boolean,
): T | undefined {
  if (last - first > shelf.size) {
    for (const filed of shelf.values()) {
      const found = listOf(filed).find(takes);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (let block = first; block <= last; block += 1) {
    const filed = shelf.get(block);
    if (filed === undefined) continue;
    const found = isList(filed) ? filed.find(takes) : takes(filed) ? filed : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function levelOf(size: number): number {
  let level = 0;
  while (level < BLOCKS.length - 1 && size > sizeOf(level) * BLOCKS_EACH) level += 1;
  return level;
}

const sizeOf = (level: number): number => BLOCKS[level] ?? 1;
const blockOf = (address: number, level: number): number => Math.floor(address / sizeOf(level));
const lastBlock = (start: number, size: number, level: number): number => blockOf(start + size - 1, level);
