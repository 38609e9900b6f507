import type { Occupants } from './occupants.ts';
import { type PageAllocator, startOf } from './pages.ts';

/**
 * Makes large free blocks by moving movable pages. After Linux 6.1 mm/compaction.c: one scanner looks for
 * pages to move from the bottom up, the other for free pages from the top down. Unlike there, what is moved
 * is always the whole of a place for a block, into free blocks that are smaller: nothing moves in vain, no
 * block as large is broken up, and each block that could be made this way is made.
 */
export class Compaction {
  private readonly pages: PageAllocator;
  private readonly occupants: Occupants;
  /** Registers of one order: the free scanner, and the free pages that are left in smaller blocks. */
  private target = 0;
  private spare = 0;

  constructor(pages: PageAllocator, occupants: Occupants) {
    this.pages = pages;
    this.occupants = occupants;
  }

  run(): void {
    if (this.occupants.movableCount.get(0) === 0) return;
    for (let order = this.pages.orderMax; order > 0; order--) this.makeBlocks(order);
  }

  /** Makes as many blocks of an order as can be, the lowest first. */
  private makeBlocks(order: number): void {
    const size = 1 << order;
    this.target = this.pages.pages;
    this.spare = this.countSpare(order);
    for (let first = 0; first + size <= this.pages.pages && this.spare >= size; first += size) {
      if (!this.canEmpty(first, order)) continue;
      this.empty(first, order);
      this.spare -= size;
    }
  }

  /** Free pages in blocks below an order. */
  private countSpare(order: number): number {
    let spare = 0;
    for (const listed of this.pages.freeOrder.values)
      if (listed > 0 && listed <= order) spare += 1 << (listed - 1);
    return spare;
  }

  /** Whether all pages of a block's place are free or movable, and not all free. */
  private canEmpty(first: number, order: number): boolean {
    let movable = 0;
    for (let page = first; page < first + (1 << order); page++) {
      if (this.occupants.isMovable(page)) movable++;
      else if (this.pages.freeOrderAt(page) < 0) return false;
    }
    return movable > 0;
  }

  private empty(first: number, order: number): void {
    for (let page = first; page < first + (1 << order); page++) {
      const target = this.occupants.isMovable(page) ? this.nextTarget(first, order) : -1;
      if (target >= 0) this.occupants.move(page, target);
    }
  }

  /** The highest free page outside the place being emptied that is in no block as large, or -1. */
  private nextTarget(first: number, order: number): number {
    while (--this.target >= 0) {
      if (startOf(this.target, order) === first) continue;
      const free = this.pages.freeOrderAt(this.target);
      if (free >= 0 && free < order) return this.target;
    }
    return -1;
  }
}
