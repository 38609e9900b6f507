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

type Shelf<T> = Map<number, T[]>;

export class RangeIndex<T extends Span> {
  readonly #shelves: readonly Shelf<T>[] = BLOCKS.map(() => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(range: T): void {
    const level = levelOf(range.size);
    const [first, last] = blocksOf(range.start, range.size, level);
    const shelf = this.#shelf(level);
    for (let block = first; block <= last; block += 1) {
      const filed = shelf.get(block);
      if (filed === undefined) shelf.set(block, [range]);
      else filed.push(range);
    }
    this.#size += 1;
  }

  /** @returns whether it was there */
  remove(range: T): boolean {
    const level = levelOf(range.size);
    const [first, last] = blocksOf(range.start, range.size, level);
    const shelf = this.#shelf(level);
    let found = false;
    for (let block = first; block <= last; block += 1) {
      const filed = shelf.get(block) ?? [];
      const at = filed.indexOf(range);
      if (at < 0) continue;
      found = true;
      if (filed.length === 1) shelf.delete(block);
      else filed.splice(at, 1);
    }
    if (found) this.#size -= 1;
    return found;
  }

  /** The first range found that shares a byte with the given ones and is accepted; small ranges are asked first. */
  find(start: number, size: number, accepts: (range: T) => boolean): T | undefined {
    for (let level = 0; level < BLOCKS.length; level += 1) {
      const shelf = this.#shelf(level);
      if (shelf.size === 0) continue;
      const [first, last] = blocksOf(start, size, level);
      const range =
        last - first > shelf.size
          ? findIn([...shelf.values()].flat(), start, size, accepts)
          : findInBlocks(shelf, first, last, (filed) => findIn(filed, start, size, accepts));
      if (range !== undefined) return range;
    }
    return undefined;
  }

  /** All ranges that share a byte with the given ones, each once. */
  overlapping(start: number, size: number): readonly T[] {
    const found: T[] = [];
    this.find(start, size, (range) => {
      if (!found.includes(range)) found.push(range);
      return false;
    });
    return found;
  }

  /** All of them, each once. */
  all(): readonly T[] {
    return [...new Set(this.#shelves.flatMap((shelf) => [...shelf.values()].flat()))];
  }

  #shelf(level: number): Shelf<T> {
    const shelf = this.#shelves[level];
    if (shelf === undefined) throw new Error('internal error: no such block size');
    return shelf;
  }
}

function findInBlocks<T>(
  shelf: Shelf<T>,
  first: number,
  last: number,
  look: (filed: readonly T[]) => T | undefined,
): T | undefined {
  for (let block = first; block <= last; block += 1) {
    const filed = shelf.get(block);
    const range = filed === undefined ? undefined : look(filed);
    if (range !== undefined) return range;
  }
  return undefined;
}

function findIn<T extends Span>(
  filed: readonly T[],
  start: number,
  size: number,
  accepts: (range: T) => boolean,
): T | undefined {
  for (const range of filed)
    if (range.start < start + size && start < range.start + range.size && accepts(range)) return range;
  return undefined;
}

function levelOf(size: number): number {
  const level = BLOCKS.findIndex((block) => size <= block * BLOCKS_EACH);
  return level < 0 ? BLOCKS.length - 1 : level;
}

function blocksOf(start: number, size: number, level: number): readonly [first: number, last: number] {
  const block = BLOCKS[level] ?? 1;
  return [Math.floor(start / block), Math.floor((start + size - 1) / block)];
}
