import { ceilLog2 } from './check.ts';
import { type Config, ENTRY_BYTES, ioPagesOf } from './config.ts';
import { EEXIST, ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_TABLE } from './faults.ts';
import type { Memory } from './memory.ts';
import { OWNER_TABLE, type PageAllocator } from './pages.ts';

/** Rights of a translation, in the low bits of an entry. */
export const READ = 1;
export const WRITE = 2;
const RIGHTS = READ | WRITE;

/** Told of every page that a walk over all of a tree reads as a table. */
export type TableVisitor = (table: number) => void;

/**
 * I/O page tables in RAM, after Linux 6.1 io-pgtable-arm.c with leaves of one page. A table is a page. An
 * entry is (page + 1) << 2, in a leaf with the rights in the low bits; 0 is none. Whatever a device may have
 * written over a table reads as some page of RAM or as none.
 */
export class PageTables {
  readonly levels: number;
  private readonly ioPages: number;
  private readonly tableBits: number;
  private readonly slotMask: number;
  private readonly memory: Memory;
  private readonly pages: PageAllocator;
  private readonly faults: FaultPoints;
  private readonly entryShift: number;
  /** Entries that got a new table since {@link begin}, as page << entryShift | slot. */
  private readonly created: number[] = [];

  constructor(config: Config, memory: Memory, pages: PageAllocator, faults: FaultPoints) {
    this.memory = memory;
    this.pages = pages;
    this.faults = faults;
    this.tableBits = config.tableBits;
    this.slotMask = (1 << config.tableBits) - 1;
    this.ioPages = ioPagesOf(config);
    this.levels = Math.max(1, Math.ceil(ceilLog2(this.ioPages) / config.tableBits));
    this.entryShift = ceilLog2(config.pageBytes / ENTRY_BYTES);
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

  /** Frees a tree of tables; whatever it maps is mapped no more. */
  destroy(root: number): void {
    this.destroyLevel(root, this.levels - 1);
  }

  /**
   * Maps one page. Tables that are missing on the way are made and stay, unless {@link dropCreated} is
   * called.
   *
   * @returns 0, -EEXIST when the I/O page is mapped already, -ENOMEM for want of a table
   */
  map(root: number, ioPage: number, page: number, rights: number): number {
    let table = root;
    for (let level = this.levels - 1; level > 0; level--) {
      table = this.descend(table, this.slotOf(ioPage, level));
      if (table < 0) return table;
    }
    return this.install(table, this.slotOf(ioPage, 0), page, rights);
  }

  /** Removes one page. Returns whether it was mapped. Caches are the caller's business. */
  unmap(root: number, ioPage: number): boolean {
    const table = this.leafTable(root, ioPage);
    const slot = this.slotOf(ioPage, 0);
    if (table < 0 || this.leaf(table, slot) === 0) return false;
    this.clearEntry(table, slot);
    return true;
  }

  /** What the IOMMU finds for an I/O page: (page + 1) << 2 | rights, or 0. */
  walk(root: number, ioPage: number): number {
    const table = this.leafTable(root, ioPage);
    return table < 0 ? 0 : this.leaf(table, this.slotOf(ioPage, 0));
  }

  /**
   * Walks a whole tree: writes what {@link walk} would give for each I/O page to `out`, from index `base` on.
   */
  walkAll(root: number, out: Int32Array, base: number, visit: TableVisitor): void {
    this.walkLevel(root, this.levels - 1, 0, out, base, visit);
  }

  /** From here on, tables that are made are remembered. */
  begin(): void {
    this.created.length = 0;
  }

  /** Frees the tables made since {@link begin}; nothing is mapped through them. */
  dropCreated(): void {
    for (let key = this.created.pop(); key !== undefined; key = this.created.pop()) {
      const table = key >>> this.entryShift;
      const slot = key & ((1 << this.entryShift) - 1);
      const child = this.target(this.memory.read(table, slot));
      this.clearEntry(table, slot);
      this.freeTable(child);
    }
  }

  freeTable(table: number): void {
    this.pages.disown(table, 1);
    this.pages.free(table, 0);
  }

  clearEntry(table: number, slot: number): void {
    this.memory.write(table, slot, 0);
  }

  private slotOf(ioPage: number, level: number): number {
    return (ioPage >>> (level * this.tableBits)) & this.slotMask;
  }

  /** The page that an entry names, or -1. */
  private target(entry: number): number {
    const page = (entry >>> 2) - 1;
    return this.memory.isPage(page) ? page : -1;
  }

  /** The entry of a leaf table if it translates, else 0. */
  private leaf(table: number, slot: number): number {
    const entry = this.memory.read(table, slot);
    return (entry & RIGHTS) !== 0 && this.target(entry) >= 0 ? entry : 0;
  }

  private leafTable(root: number, ioPage: number): number {
    let table = root;
    for (let level = this.levels - 1; level > 0 && table >= 0; level--) {
      table = this.target(this.memory.read(table, this.slotOf(ioPage, level)));
    }
    return table;
  }

  private descend(table: number, slot: number): number {
    const child = this.target(this.memory.read(table, slot));
    return child >= 0 ? child : this.addTable(table, slot);
  }

  /** Makes a table and links it in. Its contents are there before the entry that points to it. */
  private addTable(table: number, slot: number): number {
    const child = this.makeTable();
    if (child < 0) return child;
    this.memory.write(table, slot, (child + 1) << 2);
    this.created.push((table << this.entryShift) | slot);
    return child;
  }

  private install(table: number, slot: number, page: number, rights: number): number {
    if (this.leaf(table, slot) !== 0) return -EEXIST;
    this.memory.write(table, slot, ((page + 1) << 2) | rights);
    return 0;
  }

  private destroyLevel(table: number, level: number): void {
    for (let slot = 0; level > 0 && slot <= this.slotMask; slot++) {
      const child = this.target(this.memory.read(table, slot));
      if (child >= 0 && this.isTable(child)) this.destroyLevel(child, level - 1);
    }
    this.freeTable(table);
  }

  /** Whether a page is a table still: an entry may be what a device wrote. */
  private isTable(page: number): boolean {
    return this.pages.owner.get(page) === OWNER_TABLE;
  }

  private walkLevel(
    table: number,
    level: number,
    first: number,
    out: Int32Array,
    base: number,
    visit: TableVisitor,
  ): void {
    visit(table);
    for (let slot = 0; slot <= this.slotMask; slot++) {
      const ioPage = first + (slot << (level * this.tableBits));
      if (ioPage >= this.ioPages) return;
      if (level === 0) out[base + ioPage] = this.leaf(table, slot);
      else {
        const child = this.target(this.memory.read(table, slot));
        if (child >= 0) this.walkLevel(child, level - 1, ioPage, out, base, visit);
      }
    }
  }
}
