/** The parts of a synthetic kernel that hand out numbers: pages and I/O addresses. Both count in pages of 4 KiB. */

const ORDER_MAX = 10;
/** How many single pages wait to be handed out again, the last one first, before they merge with their buddies. */
const RECENT_MAX = 64;

/** A buddy allocator: blocks split and merge, so a page comes back in a block of another order. */
export class Pages {
  readonly #free: readonly Set<number>[];
  readonly #recent: number[] = [];

  /** @param first - page frame number of the first page, a multiple of the largest block */
  constructor(first: number, count: number) {
    this.#free = Array.from({ length: ORDER_MAX + 1 }, () => new Set<number>());
    for (let pfn = first; pfn < first + count; pfn += 1 << ORDER_MAX) this.#free[ORDER_MAX]?.add(pfn);
  }

  take(order: number): number {
    const recent = order === 0 ? this.#recent.pop() : undefined;
    if (recent !== undefined) return recent;
    const from = this.#free.findIndex((blocks, each) => each >= order && blocks.size > 0);
    const [pfn] = this.#free[from] ?? [];
    if (pfn === undefined) throw new Error('the synthetic machine has no page left');
    this.#free[from]?.delete(pfn);
    for (let each = from - 1; each >= order; each--) this.#free[each]?.add(pfn + (1 << each));
    return pfn;
  }

  give(pfn: number, order: number): void {
    if (order === 0 && this.#recent.length < RECENT_MAX) this.#recent.push(pfn);
    else this.#merge(pfn, order);
  }

  #merge(pfn: number, order: number): void {
    let [first, each] = [pfn, order];
    while (each < ORDER_MAX && this.#free[each]?.delete(first ^ (1 << each))) {
      first &= ~(1 << each);
      each += 1;
    }
    this.#free[each]?.add(first);
  }
}

/** The I/O addresses of one domain: from 4 GiB down, blocks of a power of two of pages, freed ones first. */
export class Addresses {
  readonly #freed: number[][] = Array.from({ length: 20 }, () => []);
  #lowest = 1 << 20;

  take(order: number): number {
    const freed = this.#freed[order]?.pop();
    if (freed !== undefined) return freed;
    this.#lowest = ((this.#lowest >> order) - 1) << order;
    if (this.#lowest <= 0) throw new Error('the synthetic machine has no I/O address left');
    return this.#lowest;
  }

  give(page: number, order: number): void {
    this.#freed[order]?.push(page);
  }
}
