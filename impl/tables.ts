import { ceilLog2 } from './check.ts';
import { type Config, ENTRY_BYTES, ioPagesOf } from './config.ts';
import { EEXIST, ENOMEM } from './errno.ts';
import { type FaultPoints, SITE_TABLE } from './faults.ts';
import type { Memory } from './memory.ts';
import { OWNER_TABLE } from './owners.ts';
import type { PageAllocator } from './pages.ts';

/** Rights of a translation, in the low bits of an entry. */
export const READ = 1;
export const WRITE = 2;
const RIGHTS = READ | WRITE;

/** Told of every page that a walk over all of a tree reads as a table. */
export type TableVisitor = (table: number) => void;

/**
 * I/O page tables in RAM, after Linux 6.1 io-pgtable-arm.c. A table is a page. An entry is (page + 1) << 2,
 * with rights in the low bits in a leaf and without in a link to the next table; 0 is none. A leaf above
 * level 0, a *block*, maps as many aligned pages as a table there would. The top table has no blocks.
 *
 * Whatever a device may have written over a table reads as some page of RAM or as none.
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

  /** The level of the largest leaf that can map the start of a range, of which nothing is mapped. */
  leafLevel(root: number, ioPage: number, page: number, count: number): number {
    let level = Math.max(0, this.levels - 2);
    while (level > 0 && !(this.fits(level, ioPage, page, count) && this.hasRoom(root, level, ioPage)))
      level--;
    return level;
  }

  /** Pages that a leaf of a level maps. */
  pagesOf(level: number): number {
    return 1 << (level * this.tableBits);
  }

  /**
   * Maps with one leaf: one page, or at a higher level a block. Tables that are missing on the way are made
   * and stay, unless {@link dropCreated} is called.
   *
   * @returns 0, -EEXIST when the I/O page is mapped already, -ENOMEM for want of a table
   */
  map(root: number, ioPage: number, page: number, rights: number, level = 0): number {
    let table = root;
    for (let above = this.levels - 1; above > level; above--) {
      table = this.descend(table, this.slotOf(ioPage, above));
      if (table < 0) return table;
    }
    return this.install(table, this.slotOf(ioPage, level), page, rights);
  }

  /**
   * Removes one leaf, or as much of a block as is asked for: the rest of it is mapped by a new table from
   * then on. Caches are the caller's business.
   *
   * @param count - I/O pages to unmap at the most
   * @returns how many were; 0 when the first is not mapped, or for want of a table
   */
  unmap(root: number, ioPage: number, count: number): number {
    return this.unmapLevel(root, this.levels - 1, ioPage, count);
  }

  /** What the IOMMU finds for an I/O page: (page + 1) << 2 | rights, or 0. */
  walk(root: number, ioPage: number): number {
    let table = root;
    for (let level = this.levels - 1; level > 0; level--) {
      const entry = this.memory.read(table, this.slotOf(ioPage, level));
      const target = this.target(entry);
      if (target < 0) return 0;
      if ((entry & RIGHTS) !== 0) return this.inBlock(entry, level, ioPage);
      table = target;
    }
    return this.leaf(table, this.slotOf(ioPage, 0));
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

  /** Puts a table in the place of a block, which maps the same. Returns it, or -ENOMEM. */
  split(table: number, slot: number, level: number): number {
    const child = this.makeTable();
    if (child < 0) return child;
    const block = this.memory.read(table, slot);
    for (let i = 0; i <= this.slotMask; i++) this.memory.write(child, i, this.partOf(block, level - 1, i));
    this.memory.write(table, slot, (child + 1) << 2);
    return child;
  }

  /** The entry for part `index` of a block that is split into leaves of a level. */
  partOf(block: number, level: number, index: number): number {
    return block + ((index << (level * this.tableBits)) << 2);
  }

  slotOf(ioPage: number, level: number): number {
    return (ioPage >>> (level * this.tableBits)) & this.slotMask;
  }

  /** Whether a block of a level maps the start of a range and no more. */
  private fits(level: number, ioPage: number, page: number, count: number): boolean {
    const size = this.pagesOf(level);
    return count >= size && ((ioPage | page) & (size - 1)) === 0;
  }

  /** Whether there is no table where a block would stand. */
  hasRoom(root: number, level: number, ioPage: number): boolean {
    let table = root;
    for (let above = this.levels - 1; above > level && table >= 0; above--)
      table = this.link(this.memory.read(table, this.slotOf(ioPage, above)));
    return table < 0 || this.link(this.memory.read(table, this.slotOf(ioPage, level))) < 0;
  }

  /** The page that an entry names, or -1. */
  private target(entry: number): number {
    const page = (entry >>> 2) - 1;
    return this.memory.isPage(page) ? page : -1;
  }

  /** The table that an entry above level 0 links to, or -1. */
  private link(entry: number): number {
    return (entry & RIGHTS) === 0 ? this.target(entry) : -1;
  }

  /** The entry of a leaf table if it translates, else 0. */
  private leaf(table: number, slot: number): number {
    return this.translation(this.memory.read(table, slot));
  }

  private translation(entry: number): number {
    return (entry & RIGHTS) !== 0 && this.target(entry) >= 0 ? entry : 0;
  }

  /** What a block gives for one of its pages: none where a device made it reach beyond RAM. */
  inBlock(block: number, level: number, ioPage: number): number {
    return this.translation(block + ((ioPage & (this.pagesOf(level) - 1)) << 2));
  }

  /** The table below an entry, made if there is none; -EEXIST where a block stands, -ENOMEM. */
  descend(table: number, slot: number): number {
    const entry = this.memory.read(table, slot);
    const child = this.target(entry);
    if (child < 0) return this.addTable(table, slot);
    return (entry & RIGHTS) === 0 ? child : -EEXIST;
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

  private unmapLevel(table: number, level: number, ioPage: number, count: number): number {
    const slot = this.slotOf(ioPage, level);
    const entry = this.memory.read(table, slot);
    if (this.target(entry) < 0) return 0;
    if (level > 0 && (entry & RIGHTS) === 0)
      return this.unmapLevel(this.target(entry), level - 1, ioPage, count);
    if (level > 0 && !this.fits(level, ioPage, 0, count)) return this.unmapPart(table, level, ioPage, count);
    if ((entry & RIGHTS) === 0) return 0;
    this.clearEntry(table, slot);
    return this.pagesOf(level);
  }

  /** Splits a block and unmaps a part of it; where that fails further down the block is put back. */
  unmapPart(table: number, level: number, ioPage: number, count: number): number {
    const slot = this.slotOf(ioPage, level);
    const block = this.memory.read(table, slot);
    const child = this.split(table, slot, level);
    if (child < 0) return 0;
    const done = this.unmapLevel(child, level - 1, ioPage, count);
    if (done > 0) return done;
    this.memory.write(table, slot, block);
    this.freeTable(child);
    return 0;
  }

  private destroyLevel(table: number, level: number): void {
    for (let slot = 0; level > 0 && slot <= this.slotMask; slot++) {
      const child = this.link(this.memory.read(table, slot));
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
      const entry = this.memory.read(table, slot);
      if (level === 0) out[base + ioPage] = this.translation(entry);
      else if ((entry & RIGHTS) !== 0) this.fillBlock(entry, level, ioPage, out, base);
      else if (this.target(entry) >= 0)
        this.walkLevel(this.target(entry), level - 1, ioPage, out, base, visit);
    }
  }

  private fillBlock(block: number, level: number, first: number, out: Int32Array, base: number): void {
    const end = Math.min(first + this.pagesOf(level), this.ioPages);
    if (this.target(block) < 0) return;
    for (let ioPage = first; ioPage < end; ioPage++) out[base + ioPage] = this.inBlock(block, level, ioPage);
  }
}
