import { BitTree } from './bit-tree.ts';
import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/** The smallest object, and what every object is aligned to, as a power of two: 8 bytes. */
const SHIFT_MIN = 3;
/** The bytes of a page that no object may start at: that pointer says "of no bytes". */
export const ZERO_SIZE_POINTER = 16;

/** Where slabs get their pages, and give them back to. */
export interface SlabPages {
  /** A page, or -ENOMEM. */
  takeSlab(): number;
  freeSlab(page: number): void;
}

/**
 * Small objects that share pages: a page has objects of one size, a power of two up to half a page. After the
 * kmalloc caches of Linux 6.1 mm/slab_common.c. The lowest page with room is taken, and in it the lowest
 * object, so that what is allocated alone decides what the words are.
 */
export class Slabs {
  /** Size of a page's objects as a power of two, 0 where there is no slab. */
  readonly shift: Column;
  /** Objects in use of each page. */
  private readonly inUse: Column;
  /** A bit for each object of each page, set when it must not be handed out. */
  private readonly taken: Column;
  private readonly wordsPerPage: number;
  /** For each size, pages with room. */
  private readonly partial: readonly BitTree[];
  private readonly pageShift: number;
  private readonly source: SlabPages;

  constructor(store: Store, config: Config, source: SlabPages) {
    this.source = source;
    this.pageShift = ceilLog2(config.pageBytes);
    this.wordsPerPage = Math.max(1, config.pageBytes >>> (SHIFT_MIN + 5));
    this.shift = store.column(config.pages, SEEN_NOWHERE);
    this.inUse = store.column(config.pages, SEEN_NOWHERE);
    this.taken = store.column(config.pages * this.wordsPerPage, SEEN_NOWHERE);
    const sizes = this.pageShift - SHIFT_MIN;
    this.partial = Array.from({ length: sizes }, () => new BitTree(store, config.pages));
  }

  /** An object of 1 to half a page of bytes. Returns a pointer, or -ENOMEM. */
  allocate(bytes: number): number {
    const shift = Math.max(SHIFT_MIN, ceilLog2(Math.ceil(bytes)));
    const partial = this.partialOf(shift).first();
    const page = partial < 0 ? this.makeSlab(shift) : partial;
    return page < 0 ? page : this.takeObject(page, shift);
  }

  /** Whether a page holds objects. */
  isSlab(page: number): boolean {
    return this.shift.get(page) !== 0;
  }

  /** Frees an object; its page goes with the last one. */
  free(pointer: number): void {
    const page = pointer >>> this.pageShift;
    const shift = this.shift.get(page);
    this.mark(page, (pointer & (2 ** this.pageShift - 1)) >>> shift, false);
    this.partialOf(shift).add(page);
    if (this.inUse.add(page, -1) === 0) this.freeSlab(page, shift);
  }

  freeSlab(page: number, shift: number): void {
    this.partialOf(shift).remove(page);
    this.shift.set(page, 0);
    for (let word = 0; word < this.wordsPerPage; word++) this.taken.set(page * this.wordsPerPage + word, 0);
    this.source.freeSlab(page);
  }

  private makeSlab(shift: number): number {
    const page = this.source.takeSlab();
    if (page < 0) return page;
    this.shift.set(page, shift);
    this.partialOf(shift).add(page);
    if (page === 0 && 1 << shift <= ZERO_SIZE_POINTER) this.mark(page, ZERO_SIZE_POINTER >>> shift, true);
    return page;
  }

  private takeObject(page: number, shift: number): number {
    const object = this.firstFree(page, shift);
    this.mark(page, object, true);
    this.inUse.add(page, 1);
    if (this.firstFree(page, shift) < 0) this.partialOf(shift).remove(page);
    return (page << this.pageShift) + (object << shift);
  }

  /** The lowest object of a page that is not taken, or -1. */
  private firstFree(page: number, shift: number): number {
    const count = 1 << (this.pageShift - shift);
    for (let word = 0; word << 5 < count; word++) {
      const free = ~this.taken.get(page * this.wordsPerPage + word);
      const object = (word << 5) + 31 - Math.clz32(free & -free);
      if (free !== 0) return object < count ? object : -1;
    }
    return -1;
  }

  private mark(page: number, object: number, taken: boolean): void {
    const index = page * this.wordsPerPage + (object >>> 5);
    const bit = 1 << (object & 31);
    this.taken.set(index, taken ? this.taken.get(index) | bit : this.taken.get(index) & ~bit);
  }

  private partialOf(shift: number): BitTree {
    const partial = this.partial[shift - SHIFT_MIN];
    if (partial === undefined) throw new Error(`internal error: objects of 2^${shift} bytes`);
    return partial;
  }
}
