/**
 * Ranges of bytes that may overlap, found by address. A range is filed under a few aligned blocks of a size that fits
 * its own, so that a page costs one entry and 16 GB cost at most seventeen.
 */
import { NumberTable } from '../number-table.ts';
import { blockOf, keyOf, LEVELS, lastBlock, levelOf, levelOfKey } from './blocks.ts';

export interface Span {
  readonly start: number;
  /** Bytes, at least 1. */
  readonly size: number;
}

/** What lies in a block: mostly one range, which then needs no list. */
type Filed<T> = T | T[];

const NOTHING: readonly never[] = [];

export class RangeIndex<T extends Span> {
  readonly #blocks = new NumberTable<Filed<T>>();
  /** By level, in how many blocks something lies. */
  readonly #used: number[] = new Array<number>(LEVELS).fill(0);

  add(range: T): void {
    const level = levelOf(range.size);
    const last = lastBlock(range.start, range.size, level);
    for (let block = blockOf(range.start, level); block <= last; block += 1) {
      const key = keyOf(block, level);
      const filed = this.#blocks.get(key);
      if (filed === undefined) this.#count(level, 1);
      if (isList(filed)) filed.push(range);
      else this.#blocks.set(key, filed === undefined ? range : [filed, range]);
    }
  }

  remove(range: T): void {
    const level = levelOf(range.size);
    const last = lastBlock(range.start, range.size, level);
    for (let block = blockOf(range.start, level); block <= last; block += 1) {
      const key = keyOf(block, level);
      const filed = this.#blocks.get(key);
      if (filed === range) {
        this.#blocks.delete(key);
        this.#count(level, -1);
      } else if (isList(filed)) this.#blocks.set(key, without(filed, range));
    }
  }

  /** The first range found that shares a byte with the given ones and is accepted; small ranges are asked first. */
  find(start: number, size: number, accepts: (range: T) => boolean): T | undefined {
    for (let level = 0; level < LEVELS; level += 1) {
      if (this.#used[level] === 0) continue;
      const first = blockOf(start, level);
      const last = lastBlock(start, size, level);
      const found =
        last - first > this.#blocks.size
          ? this.#findInAll(level, start, size, accepts)
          : this.#findIn(level, first, last, start, size, accepts);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Ranges that share a byte with the given ones, each once, oldest first in each block; so many at the most. */
  overlapping(start: number, size: number, most: number): readonly T[] {
    let found: Set<T> | undefined;
    this.find(start, size, (range) => {
      found = (found ?? new Set()).add(range);
      return found.size >= most;
    });
    return found === undefined ? NOTHING : [...found];
  }

  /** All of them, each once. */
  all(): readonly T[] {
    const found = new Set<T>();
    for (const [, filed] of this.#blocks.entries()) for (const range of listOf(filed)) found.add(range);
    return [...found];
  }

  #findIn(
    level: number,
    first: number,
    last: number,
    start: number,
    size: number,
    accepts: (range: T) => boolean,
  ): T | undefined {
    for (let block = first; block <= last; block += 1) {
      const filed = this.#blocks.get(keyOf(block, level));
      // Mostly nothing is there.
      if (filed === undefined) continue;
      const found = foundIn(filed, start, size, accepts);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Where there are more blocks to look into than ranges to look at. */
  #findInAll(level: number, start: number, size: number, accepts: (range: T) => boolean): T | undefined {
    for (const [key, filed] of this.#blocks.entries()) {
      const found = levelOfKey(key) === level ? foundIn(filed, start, size, accepts) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #count(level: number, more: number): void {
    this.#used[level] = (this.#used[level] ?? 0) + more;
  }
}

const isList = <T>(filed: Filed<T> | undefined): filed is T[] => Array.isArray(filed);
const listOf = <T>(filed: Filed<T>): readonly T[] => (isList(filed) ? filed : [filed]);

/** What is left of a list without one of its ranges, which is taken out of it. */
function without<T>(list: T[], range: T): Filed<T> {
  const at = list.indexOf(range);
  if (at >= 0) list.splice(at, 1);
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : list;
}

function foundIn<T extends Span>(
  filed: Filed<T>,
  start: number,
  size: number,
  accepts: (range: T) => boolean,
): T | undefined {
  if (!isList(filed)) return overlaps(filed, start, size) && accepts(filed) ? filed : undefined;
  for (const range of filed) if (overlaps(range, start, size) && accepts(range)) return range;
  return undefined;
}

const overlaps = (range: Span, start: number, size: number): boolean =>
  range.start < start + size && start < range.start + range.size;
