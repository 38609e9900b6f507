import { BitTree } from './bit-tree.ts';
import type { Column } from './column.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/** The free blocks of each order, and which of them is taken next. A block is named by its first page. */
export interface FreeLists {
  /** The block to take next, or -1. */
  first(order: number): number;
  insert(page: number, order: number): void;
  /** The block must be in the list of that order. */
  remove(page: number, order: number): void;
}

/**
 * Placement `lowest`: the block with the lowest address. No links: equal sets of free blocks are equal words,
 * which keeps the number of states small.
 */
export class LowestLists implements FreeLists {
  private readonly orders: readonly BitTree[];

  constructor(store: Store, pages: number, orderMax: number) {
    const sizes = Array.from({ length: orderMax + 1 }, (_, order) => Math.max(1, pages >>> order));
    this.orders = sizes.map((size) => new BitTree(store, size));
  }

  first(order: number): number {
    const block = this.tree(order).first();
    return block < 0 ? block : block << order;
  }

  insert(page: number, order: number): void {
    this.tree(order).add(page >>> order);
  }

  remove(page: number, order: number): void {
    this.tree(order).remove(page >>> order);
  }

  private tree(order: number): BitTree {
    const tree = this.orders[order];
    if (tree === undefined) throw new Error(`internal error: order ${order}`);
    return tree;
  }
}

/**
 * Placement `lifo`: the block freed last, as the kernel's lists do it. Links are page + 1, 0 ends a list. The
 * links of a block that is not in a list are 0, so that only the order of the lists is state.
 */
export class LifoLists implements FreeLists {
  private readonly heads: Column;
  private readonly next: Column;
  private readonly previous: Column;

  constructor(store: Store, pages: number, orderMax: number) {
    this.heads = store.column(orderMax + 1, SEEN_NOWHERE);
    this.next = store.column(pages, SEEN_NOWHERE);
    this.previous = store.column(pages, SEEN_NOWHERE);
  }

  first(order: number): number {
    return this.heads.get(order) - 1;
  }

  insert(page: number, order: number): void {
    const old = this.heads.get(order);
    this.next.set(page, old);
    if (old !== 0) this.previous.set(old - 1, page + 1);
    this.heads.set(order, page + 1);
  }

  remove(page: number, order: number): void {
    const next = this.next.get(page);
    const previous = this.previous.get(page);
    if (previous === 0) this.heads.set(order, next);
    else this.next.set(previous - 1, next);
    if (next !== 0) this.previous.set(next - 1, previous);
    this.next.set(page, 0);
    this.previous.set(page, 0);
  }
}
