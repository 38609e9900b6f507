/** Aligned blocks of pages, for page trees: what lies at all of a block, and at some of its pages besides. */

import { Numbered } from './numbered.ts';

/** What lies at pages where two things come together: see `PageTree`. */
export type Join<C> = (below: C, above: C) => C;

/** Told of a cell and of the pages that it stands for; what it returns lies there from now on. */
export type CellVisitor<C> = (cell: C, first: number, count: number) => C | undefined;

/** The same, of one who only looks. */
export type CellReader<C> = (cell: C, first: number, count: number) => void;

/** A block of pages. Pages are counted from its first one. */
export interface Block<C> {
  /** What lies at all of its pages. */
  own: C | undefined;
  readonly isEmpty: boolean;
  isEmptyAt(low: number, high: number): boolean;
  holdsOnly(cell: C, low: number, high: number): boolean;
  /** Puts something to what lies at pages. */
  add(low: number, high: number, what: C, join: Join<C>): void;
  /** Puts one thing, or nothing, into the place of all that lies at pages. */
  put(low: number, high: number, cell: C | undefined): void;
  /** @param base - number of the first page of the block; the range of the walk may reach out of it */
  walk(base: number, walk: Walk<C>): void;
  /** Forgets the empty blocks in it. */
  prune(): void;
}

/** Pages of one block where a cell was met. */
interface Place<C> {
  readonly block: Block<C>;
  readonly low: number;
  high: number;
}

/** Goes through cells in the order of pages; those that are the same and lie in a row are visited at once. */
export class Walk<C> {
  readonly first: number;
  readonly end: number;
  /** Undefined if cells are only read; else they change, and split where they reach out of the range. */
  readonly join: Join<C> | undefined;
  /** Whether nothing lies at some pages now where something did. */
  empties = false;
  readonly #visit: CellVisitor<C>;
  #cell: C | undefined;
  #from = 0;
  #to = 0;
  readonly #places: Place<C>[] = [];

  constructor(first: number, end: number, join: Join<C> | undefined, visit: CellVisitor<C>) {
    this.first = first;
    this.end = end;
    this.join = join;
    this.#visit = visit;
  }

  /** A cell at pages of a block, counted from `base`. */
  meet(cell: C, base: number, block: Block<C>, low: number, high: number): void {
    if (cell !== this.#cell || base + low !== this.#to) {
      this.finish();
      this.#cell = cell;
      this.#from = base + low;
    }
    this.#to = base + high;
    if (this.join !== undefined) this.#place(block, low, high);
  }

  #place(block: Block<C>, low: number, high: number): void {
    const last = this.#places.at(-1);
    if (last?.block === block && last.high === low) last.high = high;
    else this.#places.push({ block, low, high });
  }

  /** Visits what was met last. */
  finish(): void {
    const cell = this.#cell;
    if (cell === undefined) return;
    const left = this.#visit(cell, this.#from, this.#to - this.#from);
    if (left !== cell) for (const { block, low, high } of this.#places) block.put(low, high, left);
    if (left === undefined) this.empties = true;
    this.#places.length = 0;
    this.#cell = undefined;
  }
}

/** The smallest block: a cell for each page. */
export class Leaf<C> implements Block<C> {
  own: C | undefined = undefined;
  /** How many pages have a cell of their own. */
  #used = 0;
  readonly #pages: number;
  /** By page; undefined as long as it was never needed. */
  #cells: (C | undefined)[] | undefined = undefined;

  constructor(pages: number) {
    this.#pages = pages;
  }

  get isEmpty(): boolean {
    return this.own === undefined && this.#used === 0;
  }

  isEmptyAt(low: number, high: number): boolean {
    return this.own === undefined && (this.#used === 0 || this.#hasOnly(undefined, low, high));
  }

  holdsOnly(cell: C, low: number, high: number): boolean {
    return this.own === undefined ? this.#hasOnly(cell, low, high) : this.own === cell && this.#used === 0;
  }

  add(low: number, high: number, what: C, join: Join<C>): void {
    if (high - low === this.#pages) this.own = this.own === undefined ? what : join(this.own, what);
    else this.#addTo(this.#made(), low, high, what, join);
  }

  /** As a walk that is all in this block, while nothing lies at all of it. Returns whether some pages are empty now. */
  change(base: number, low: number, high: number, visit: CellVisitor<C>): boolean {
    let empties = false;
    for (let at = low; at < high; ) {
      const end = this.#endOf(at, high);
      const cell = this.#cells?.[at];
      if (cell !== undefined) {
        const left = visit(cell, base + at, end - at);
        if (left !== cell) this.put(at, end, left);
        if (left === undefined) empties = true;
      }
      at = end;
    }
    return empties;
  }

  read(base: number, low: number, high: number, look: CellReader<C>): void {
    for (let at = low; at < high; ) {
      const end = this.#endOf(at, high);
      const cell = this.#cells?.[at];
      if (cell !== undefined) look(cell, base + at, end - at);
      at = end;
    }
  }

  walk(base: number, walk: Walk<C>): void {
    const low = Math.max(0, walk.first - base);
    const high = Math.min(this.#pages, walk.end - base);
    if (this.own !== undefined) {
      const { join } = walk;
      if (join !== undefined && (high - low < this.#pages || this.#used > 0)) this.#split(this.own, join);
      else walk.meet(this.own, base, this, 0, this.#pages);
    }
    if (this.#cells === undefined || this.#used === 0) return;
    for (let at = low; at < high; at += 1) {
      const cell = this.#cells[at];
      if (cell !== undefined) walk.meet(cell, base, this, at, at + 1);
    }
  }

  put(low: number, high: number, cell: C | undefined): void {
    if (high - low === this.#pages) {
      this.own = cell;
      this.#cells = undefined;
      this.#used = 0;
      return;
    }
    const cells = this.#made();
    for (let at = low; at < high; at += 1) {
      if (cells[at] !== undefined) this.#used -= 1;
      cells[at] = cell;
    }
    if (cell !== undefined) this.#used += high - low;
  }

  prune(): void {}

  /** Up to where the same lies as at a page. */
  #endOf(at: number, high: number): number {
    const cells = this.#cells;
    if (cells === undefined) return high;
    const cell = cells[at];
    let end = at + 1;
    while (end < high && cells[end] === cell) end += 1;
    return end;
  }

  #hasOnly(cell: C | undefined, low: number, high: number): boolean {
    const cells = this.#cells;
    if (cells === undefined) return cell === undefined;
    for (let at = low; at < high; at += 1) if (cells[at] !== cell) return false;
    return true;
  }

  #addTo(cells: (C | undefined)[], low: number, high: number, what: C, join: Join<C>): void {
    for (let at = low; at < high; at += 1) {
      const before = cells[at];
      if (before === undefined) this.#used += 1;
      cells[at] = before === undefined ? what : join(before, what);
    }
  }

  #split(own: C, join: Join<C>): void {
    this.own = undefined;
    this.#addTo(this.#made(), 0, this.#pages, own, join);
  }

  #made(): (C | undefined)[] {
    this.#cells ??= new Array<C | undefined>(this.#pages).fill(undefined);
    return this.#cells;
  }
}

/** A block of smaller ones. */
export class Table<C, P extends Block<C>> implements Block<C> {
  own: C | undefined = undefined;
  readonly #count: number;
  readonly #pages: number;
  readonly #make: () => P;
  #parts: Numbered<P>;

  /** @param pages - of each of its `count` parts */
  constructor(count: number, pages: number, make: () => P) {
    this.#count = count;
    this.#pages = pages;
    this.#make = make;
    this.#parts = new Numbered(count);
  }

  get isEmpty(): boolean {
    return this.own === undefined && this.#parts.count === 0;
  }

  isEmptyAt(low: number, high: number): boolean {
    if (this.own !== undefined) return false;
    const from = low % this.#pages;
    const to = from + high - low;
    if (to <= this.#pages) return this.partOf(low)?.isEmptyAt(from, to) ?? true;
    return this.#every(low, high, (part, first, end) => part.isEmptyAt(first, end));
  }

  holdsOnly(cell: C, low: number, high: number): boolean {
    if (this.own !== undefined) return this.own === cell && this.#isBare();
    let held = 0;
    const isHeld = (part: P, from: number, to: number): boolean => {
      held += to - from;
      return part.holdsOnly(cell, from, to);
    };
    return this.#every(low, high, isHeld) && held === high - low;
  }

  /** The part with a page, if it is there. */
  partOf(page: number): P | undefined {
    return this.#parts.get(Math.floor(page / this.#pages));
  }

  add(low: number, high: number, what: C, join: Join<C>): void {
    const from = low % this.#pages;
    const to = from + high - low;
    if (to <= this.#pages) this.#made(Math.floor(low / this.#pages)).add(from, to, what, join);
    else if (this.#isWhole(low, high)) this.own = this.own === undefined ? what : join(this.own, what);
    else this.#addToEach(low, high, what, join);
  }

  walk(base: number, walk: Walk<C>): void {
    const low = Math.max(0, walk.first - base);
    const high = Math.min(this.#count * this.#pages, walk.end - base);
    const { own } = this;
    if (own !== undefined) {
      const { join } = walk;
      if (join !== undefined && !(this.#isWhole(low, high) && this.#isBare())) this.#split(own, join);
      else walk.meet(own, base, this, 0, this.#count * this.#pages);
    }
    this.#every(low, high, (part, _from, _to, at) => {
      part.walk(base + at, walk);
      return true;
    });
  }

  put(low: number, high: number, cell: C | undefined): void {
    if (this.#isWhole(low, high)) {
      this.own = cell;
      this.#parts = new Numbered(this.#count);
    } else this.#eachMade(low, high, (part, from, to) => part.put(from, to, cell));
  }

  prune(): void {
    for (let at = this.#parts.next(0); at < this.#count; at = this.#parts.next(at + 1)) {
      const part = this.#parts.get(at);
      part?.prune();
      if (part?.isEmpty === true) this.#parts.remove(at);
    }
  }

  /** Whether nothing lies at parts of it. */
  #isBare(): boolean {
    this.prune();
    return this.#parts.count === 0;
  }

  #isWhole(low: number, high: number): boolean {
    return high - low === this.#count * this.#pages;
  }

  /** Parts that are there, each with the pages of a range in it and the number of its first page. */
  #every(
    low: number,
    high: number,
    is: (part: P, low: number, high: number, at: number) => boolean,
  ): boolean {
    const pages = this.#pages;
    const last = Math.floor((high - 1) / pages);
    for (let n = this.#parts.next(Math.floor(low / pages)); n <= last; n = this.#parts.next(n + 1)) {
      const part = this.#parts.get(n);
      const at = n * pages;
      if (part !== undefined && !is(part, Math.max(0, low - at), Math.min(pages, high - at), at))
        return false;
    }
    return true;
  }

  /** All parts of a range. */
  #eachMade(low: number, high: number, tell: (part: P, low: number, high: number) => void): void {
    for (let page = low; page < high; ) {
      const number = Math.floor(page / this.#pages);
      const at = number * this.#pages;
      const end = Math.min(high, at + this.#pages);
      tell(this.#made(number), page - at, end - at);
      page = end;
    }
  }

  #split(own: C, join: Join<C>): void {
    this.own = undefined;
    this.#addToEach(0, this.#count * this.#pages, own, join);
  }

  #addToEach(low: number, high: number, what: C, join: Join<C>): void {
    this.#eachMade(low, high, (part, from, to) => part.add(from, to, what, join));
  }

  #made(number: number): P {
    const known = this.#parts.get(number);
    if (known !== undefined) return known;
    const part = this.#make();
    this.#parts.insert(number, part);
    return part;
  }
}
