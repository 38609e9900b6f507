import { ceilLog2 } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_TABLE } from './faults.ts';
import type { Memory } from './memory.ts';
import { OWNER_TABLE, type PageAllocator } from './pages.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * The CPU's page tables for vmalloc space, in RAM. A table is a page; it goes when its last entry goes, the
 * root too. An entry is page + 1, in a leaf shifted by one with the lowest bit set when the CPU may cache the
 * page; 0 is none. Whatever a device may have written over a table reads as some page of RAM or as none.
 */
export class KernelTables {
  /** Page + 1 of the root, or 0. */
  private readonly root: Column;
  private readonly levels: number;
  private readonly tableBits: number;
  private readonly slotMask: number;
  private readonly memory: Memory;
  private readonly pages: PageAllocator;
  private readonly faults: FaultPoints;
  /** Registers of a walk: the last table on the way to a page, and its level, `levels` without a root. */
  private table = -1;
  private level = 0;

  constructor(store: Store, config: Config, memory: Memory, pages: PageAllocator, faults: FaultPoints) {
    this.memory = memory;
    this.pages = pages;
    this.faults = faults;
    this.tableBits = config.tableBits;
    this.slotMask = (1 << config.tableBits) - 1;
    this.levels = Math.max(1, Math.ceil(ceilLog2(config.vmallocPages) / config.tableBits));
    this.root = store.column(1, SEEN_NOWHERE);
  }

  /**
   * Maps consecutive pages from `first` on: `entryOf` gives what {@link walk} is to find, 0 for nothing.
   *
   * @returns 0, or -ENOMEM with nothing left behind
   */
  map(first: number, count: number, entryOf: (index: number) => number): number {
    for (let index = 0; index < count; index++) {
      const result = this.mapPage(first + index, entryOf(index));
      if (result === 0) continue;
      this.unmap(first, index + 1);
      return result;
    }
    return 0;
  }

  /** Unmaps consecutive pages, mapped or not, and frees tables that have nothing left. */
  unmap(first: number, count: number): void {
    const last = first + count - 1;
    for (let page = first; page <= last; page++) {
      this.descend(page);
      if (this.level === 0) this.clearEntry(this.table, this.slotOf(page, 0));
      if (page === last || (page & this.slotMask) === this.slotMask) this.prune(page);
    }
  }

  /** What the CPU finds for a page: (page frame + 1) << 1 | cached, or 0. */
  walk(page: number): number {
    this.descend(page);
    const entry = this.level === 0 ? this.memory.read(this.table, this.slotOf(page, 0)) : 0;
    return this.memory.isPage((entry >>> 1) - 1) ? entry : 0;
  }

  /** An empty table. Returns its page, or -ENOMEM. */
  makeTable(): number {
    if (this.faults.ask(SITE_TABLE)) return -ENOMEM;
    const table = this.pages.allocate(0);
    if (table < 0) return table;
    this.pages.own(table, 1, OWNER_TABLE);
    this.memory.zero(table);
    return table;
  }

  freeTable(table: number): void {
    this.pages.disown(table, 1);
    this.pages.free(table, 0);
  }

  clearEntry(table: number, slot: number): void {
    this.memory.write(table, slot, 0);
  }

  /** Frees the tables on the way to a page that are empty. */
  prune(page: number): void {
    const root = this.root.get(0) - 1;
    if (root < 0 || !this.pruneLevel(root, this.levels - 1, page)) return;
    this.root.set(0, 0);
    this.freeTable(root);
  }

  /**
   * Making a table may free other areas of this space, and with them tables on this way: so each table that
   * is missing is made first and linked in by a new walk.
   */
  private mapPage(page: number, entry: number): number {
    for (this.descend(page); this.level > 0; this.descend(page)) {
      const table = this.makeTable();
      if (table < 0) return table;
      this.link(page, table);
    }
    this.memory.write(this.table, this.slotOf(page, 0), entry);
    return 0;
  }

  /** Puts a table where the way to a page ends. */
  private link(page: number, table: number): void {
    this.descend(page);
    if (this.level === this.levels) this.root.set(0, table + 1);
    else this.memory.write(this.table, this.slotOf(page, this.level), table + 1);
  }

  /** Follows the way to a page as far as there are tables. */
  private descend(page: number): void {
    this.level = this.levels;
    for (let next = this.root.get(0) - 1; next >= 0; next = this.childOf(this.table, this.level, page)) {
      this.table = next;
      this.level--;
    }
  }

  /** The table below an entry, or -1: an entry may be what a device wrote. */
  private childOf(table: number, level: number, page: number): number {
    const child = level === 0 ? -1 : this.memory.read(table, this.slotOf(page, level)) - 1;
    return this.memory.isPage(child) && this.pages.owner.get(child) === OWNER_TABLE ? child : -1;
  }

  /** Frees what is empty below a table. Returns whether the table itself is empty now. */
  private pruneLevel(table: number, level: number, page: number): boolean {
    const child = this.childOf(table, level, page);
    if (child >= 0 && this.pruneLevel(child, level - 1, page)) {
      this.clearEntry(table, this.slotOf(page, level));
      this.freeTable(child);
    }
    return this.isEmpty(table);
  }

  private isEmpty(table: number): boolean {
    for (let slot = 0; slot <= this.slotMask; slot++) if (this.memory.read(table, slot) !== 0) return false;
    return true;
  }

  private slotOf(page: number, level: number): number {
    return (page >>> (level * this.tableBits)) & this.slotMask;
  }
}
