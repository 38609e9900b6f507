import type { Column } from './column.ts';
import { type Config, ioPagesOf } from './config.ts';
import { EINVAL, ENOMEM, ENOSPC, ERANGE } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import type { Iotlb } from './iotlb.ts';
import type { IovaSpace } from './iova.ts';
import { SEEN_CONTEXT, SEEN_NOWHERE, SEEN_TRANSLATION } from './seen.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';
import type { PageTables } from './tables.ts';

/** What a context is for: 0 is none. */
export const CONTEXT_UNMANAGED = 1;
export const CONTEXT_DMA = 2;
export const CONTEXT_GPU = 3;

/** Address spaces of a machine: one for each context, and one that all GPU contexts may share. */
export const spacesOf = (config: Config): number => config.contexts + 1;

/**
 * Contexts by id, and the address space of each: a tree of tables, a set of taken ranges, a tag in the IOTLB.
 * Under the policy `shared` all GPU contexts have one space. Strict: when unmap returns, nothing translates.
 * After Linux 6.1 drivers/iommu/iommu.c.
 */
export class Iommu {
  /** `CONTEXT_` number of each context. */
  readonly type: Column;
  readonly ioPages: number;
  readonly tables: PageTables;
  readonly iotlb: Iotlb;
  readonly iova: IovaSpace;
  /** Address space of each context that exists. */
  private readonly space: Column;
  /** Page of the top table + 1 of each space, or 0. */
  private readonly root: Column;
  /** Contexts of each space. */
  private readonly users: Column;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;
  private readonly pages: number;
  private readonly shared: boolean;

  constructor(
    store: Store,
    config: Config,
    tables: PageTables,
    iotlb: Iotlb,
    iova: IovaSpace,
    faults: FaultPoints,
  ) {
    this.tables = tables;
    this.iotlb = iotlb;
    this.iova = iova;
    this.faults = faults;
    this.ioPages = ioPagesOf(config);
    this.pageBytes = config.pageBytes;
    this.pages = config.pages;
    this.shared = config.policies.contexts === 'shared';
    this.type = store.column(config.contexts, SEEN_CONTEXT | SEEN_TRANSLATION);
    this.space = store.column(config.contexts, SEEN_TRANSLATION);
    this.root = store.column(spacesOf(config), SEEN_TRANSLATION);
    this.users = store.column(spacesOf(config), SEEN_NOWHERE);
  }

  /**
   * Makes a context of a type. Returns its id, -ENOSPC when all ids are in use, -ENOMEM for want of a table.
   */
  create(type: number): number {
    const context = this.newId();
    if (context < 0) return context;
    const space = this.spaceFor(context, type);
    const result = this.openSpace(space);
    if (result < 0) return result;
    this.type.set(context, type);
    this.space.set(context, space);
    return context;
  }

  /** Ends a context. What is left mapped goes with the last context of its space. */
  destroy(context: number): void {
    const space = this.spaceOf(context);
    this.type.set(context, 0);
    this.space.set(context, 0);
    this.closeSpace(space);
  }

  /**
   * `iommu_map()`: addresses and sizes in bytes, any numbers at all; `rights` of READ and WRITE, 0 for none.
   *
   * @returns 0; -EINVAL when misaligned or without rights, -ERANGE outside I/O addresses or RAM, -EEXIST,
   *   -ENOMEM; after an error nothing of this call is mapped
   */
  map(context: number, iova: number, phys: number, bytes: number, rights: number): number {
    if (!this.isAligned(iova) || !this.isAligned(phys) || !this.isAligned(bytes)) return -EINVAL;
    if (bytes === 0) return 0;
    if (rights === 0) return -EINVAL;
    const count = bytes / this.pageBytes;
    if (!this.isRange(iova / this.pageBytes, count, this.ioPages)) return -ERANGE;
    if (!this.isRange(phys / this.pageBytes, count, this.pages)) return -ERANGE;
    this.tables.begin();
    const result = this.mapRange(context, iova / this.pageBytes, phys / this.pageBytes, count, rights);
    if (result < 0) this.tables.dropCreated();
    return result;
  }

  /** `iommu_unmap()`: returns the bytes unmapped up to the first hole; 0 when misaligned or out of range. */
  unmap(context: number, iova: number, bytes: number): number {
    if (!this.isAligned(iova) || !this.isAligned(bytes)) return 0;
    const count = bytes / this.pageBytes;
    if (!this.isRange(iova / this.pageBytes, count, this.ioPages)) return 0;
    return this.unmapRange(context, iova / this.pageBytes, count) * this.pageBytes;
  }

  /** Maps physically contiguous pages. On error none of them is mapped; tables made on the way stay. */
  mapRange(context: number, ioPage: number, page: number, count: number, rights: number): number {
    const root = this.rootOf(context);
    for (let i = 0; i < count; i++) {
      const result = this.tables.map(root, ioPage + i, page + i, rights);
      if (result === 0) continue;
      this.undoMap(context, ioPage, i);
      return result;
    }
    return 0;
  }

  /**
   * Maps the segments of an sg list one behind the other. On error nothing is mapped, and no new table is
   * left.
   */
  mapSegments(context: number, ioPage: number, reader: SgReader, rights: number): number {
    this.tables.begin();
    let at = ioPage;
    while (reader.next()) {
      const result = this.mapRange(context, at, reader.page, reader.length, rights);
      if (result < 0) {
        this.undoMap(context, ioPage, at - ioPage);
        this.tables.dropCreated();
        return result;
      }
      at += reader.length;
    }
    return 0;
  }

  /** Takes back what a mapping that failed had mapped. */
  undoMap(context: number, ioPage: number, count: number): void {
    this.unmapRange(context, ioPage, count);
  }

  /** Unmaps I/O pages up to the first hole, then invalidates. Returns how many were mapped. */
  unmapRange(context: number, ioPage: number, count: number): number {
    const unmapped = this.clearEntries(context, ioPage, count);
    if (unmapped > 0) this.iotlb.invalidate(this.spaceOf(context), ioPage, unmapped);
    return unmapped;
  }

  /** Removes the entries of I/O pages up to the first hole. */
  clearEntries(context: number, ioPage: number, count: number): number {
    const root = this.rootOf(context);
    let done = 0;
    while (done < count && this.tables.unmap(root, ioPage + done)) done++;
    return done;
  }

  /** What a device finds for an I/O page: IOTLB first, then the tables. (page + 1) << 2 | rights, or 0. */
  translate(context: number, ioPage: number): number {
    const space = this.spaceOf(context);
    const cached = this.iotlb.lookUp(space, ioPage);
    if (cached !== 0) return cached;
    const entry = this.tables.walk(this.rootOf(context), ioPage);
    if (entry !== 0) this.iotlb.fill(space, ioPage, entry);
    return entry;
  }

  /** Number of the address space of a context. */
  spaceOf(context: number): number {
    return this.space.get(context);
  }

  /** Page of the top table of a context that exists. */
  rootOf(context: number): number {
    return this.root.get(this.spaceOf(context)) - 1;
  }

  /** The lowest id that is not in use, or -ENOSPC. */
  newId(): number {
    if (this.faults.ask(SITE_ID)) return -ENOSPC;
    for (let id = 0; id < this.type.count; id++) if (this.type.get(id) === 0) return id;
    return -ENOSPC;
  }

  /** Frees the tables of a space that has no context any more. Nothing finds them when they are freed. */
  teardown(space: number): void {
    const root = this.root.get(space) - 1;
    this.root.set(space, 0);
    this.iotlb.flush(space);
    this.iova.clear(space);
    this.tables.destroy(root);
  }

  private spaceFor(context: number, type: number): number {
    return this.shared && type === CONTEXT_GPU ? this.type.count : context;
  }

  private openSpace(space: number): number {
    if (this.users.get(space) === 0) {
      const root = this.tables.makeTable();
      if (root < 0) return -ENOMEM;
      this.root.set(space, root + 1);
    }
    this.users.add(space, 1);
    return 0;
  }

  private closeSpace(space: number): void {
    if (this.users.add(space, -1) === 0) this.teardown(space);
  }

  private isAligned(value: number): boolean {
    return Math.floor(value / this.pageBytes) * this.pageBytes === value;
  }

  private isRange(first: number, count: number, end: number): boolean {
    return first >= 0 && count >= 0 && first + count <= end;
  }
}
