import { by, holds } from './about.ts';
import { isIndex } from './check.ts';
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
 * Under the policies `contexts: shared` and `mapping: heap` all GPU contexts have one space. Strict: when
 * unmap returns, nothing translates. After Linux 6.1 drivers/iommu/iommu.c.
 */
export class Iommu {
  /** `CONTEXT_` number of each context. */
  readonly type: Column;
  readonly ioPages: number;
  readonly tables: PageTables;
  readonly iotlb: Iotlb;
  readonly iova: IovaSpace;
  /**
   * Stands for the space that GPU contexts share wherever a context is asked for: whoever has called
   * {@link openShared} maps there, whether or not a context exists.
   */
  readonly shared: number;
  /** Address space + 1 of each context that exists, or 0. A space of one context has its number. */
  private readonly space: Column;
  /** Page of the top table + 1 of each space, or 0. */
  private readonly root: Column;
  /** Contexts of each space. */
  private readonly users: Column;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;
  private readonly pages: number;
  private readonly sharing: boolean;

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
    this.shared = config.contexts;
    this.sharing = config.policies.contexts === 'shared' || config.policies.mapping === 'heap';
    this.type = store.column(config.contexts, SEEN_CONTEXT | SEEN_TRANSLATION, by('context'));
    this.space = store.column(config.contexts, SEEN_TRANSLATION, {
      ...by('context'),
      ...holds('context'),
    });
    this.root = store.column(spacesOf(config), SEEN_TRANSLATION, by('context'));
    this.users = store.column(spacesOf(config), SEEN_NOWHERE, by('context'));
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
    this.space.set(context, space + 1);
    return context;
  }

  /** Ends a context. What is left mapped goes with the last context of its space. */
  destroy(context: number): void {
    this.closeSpace(this.forget(context));
  }

  /** Gives the id of a context back. Returns its space, which the caller closes. */
  forget(context: number): number {
    const space = this.spaceOf(context);
    this.type.set(context, 0);
    this.space.set(context, 0);
    return space;
  }

  /** Keeps the shared space alive until {@link closeShared}. Returns 0, or -ENOMEM. */
  openShared(): number {
    return this.openSpace(this.shared);
  }

  /** Ends one {@link openShared}. */
  closeShared(): void {
    this.closeSpace(this.shared);
  }

  /**
   * `iommu_map()`: addresses and sizes in bytes, any numbers at all; `rights` of READ and WRITE, 0 for none.
   *
   * @returns 0; -EINVAL when misaligned or without rights, -ERANGE outside I/O addresses or RAM or where they
   *   are reserved, -EEXIST, -ENOMEM; after an error nothing of this call is mapped
   */
  map(context: number, iova: number, phys: number, bytes: number, rights: number): number {
    if (!this.isAligned(iova) || !this.isAligned(phys) || !this.isAligned(bytes)) return -EINVAL;
    if (bytes === 0) return 0;
    if (rights === 0) return -EINVAL;
    const count = bytes / this.pageBytes;
    if (!this.isRange(iova / this.pageBytes, count, this.iova.end)) return -ERANGE;
    if (!this.isRange(phys / this.pageBytes, count, this.pages)) return -ERANGE;
    this.tables.begin();
    const result = this.mapRange(context, iova / this.pageBytes, phys / this.pageBytes, count, rights);
    if (result < 0) this.tables.dropCreated();
    return result;
  }

  /**
   * `iommu_map_sg()`: the `count` pages of a list at consecutive addresses.
   *
   * @param reader - before the first segment
   * @returns bytes mapped; -EINVAL, -ERANGE, -EEXIST and -ENOMEM as {@link map}
   */
  mapList(context: number, iova: number, reader: SgReader, count: number, rights: number): number {
    if (!this.isAligned(iova) || rights === 0) return -EINVAL;
    if (!this.isRange(iova / this.pageBytes, count, this.iova.end)) return -ERANGE;
    const result = this.mapSegments(context, iova / this.pageBytes, reader, rights);
    return result < 0 ? result : count * this.pageBytes;
  }

  /** `iommu_unmap()`: returns the bytes unmapped up to the first hole; 0 when misaligned or out of range. */
  unmap(context: number, iova: number, bytes: number): number {
    if (!this.isAligned(iova) || !this.isAligned(bytes)) return 0;
    const count = bytes / this.pageBytes;
    if (!this.isRange(iova / this.pageBytes, count, this.ioPages)) return 0;
    return this.unmapRange(context, iova / this.pageBytes, count) * this.pageBytes;
  }

  /**
   * `iommu_iova_to_phys()`: the byte behind a device address, by the tables alone; 0 when nothing is mapped.
   */
  iovaToPhys(context: number, iova: number): number {
    const ioPage = Math.floor(iova / this.pageBytes);
    const entry = isIndex(ioPage, this.ioPages) ? this.tables.walk(this.rootOf(context), ioPage) : 0;
    return entry === 0 ? 0 : ((entry >>> 2) - 1 - ioPage) * this.pageBytes + iova;
  }

  /** Maps physically contiguous pages. On error none of them is mapped; tables made on the way stay. */
  mapRange(context: number, ioPage: number, page: number, count: number, rights: number): number {
    const root = this.rootOf(context);
    let done = 0;
    while (done < count) {
      const level = this.tables.leafLevel(root, ioPage + done, page + done, count - done);
      const result = this.tables.map(root, ioPage + done, page + done, rights, level);
      if (result < 0) {
        this.undoMap(context, ioPage, done);
        return result;
      }
      done += this.tables.pagesOf(level);
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
      if (result < 0) return this.giveUp(context, ioPage, at - ioPage, result);
      at += reader.length;
    }
    return 0;
  }

  /** Maps pages at consecutive addresses, as {@link mapSegments}. */
  mapFrames(context: number, ioPage: number, frames: readonly number[], rights: number): number {
    this.tables.begin();
    for (const [index, page] of frames.entries()) {
      const result = this.mapRange(context, ioPage + index, page, 1, rights);
      if (result < 0) return this.giveUp(context, ioPage, index, result);
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
    let last = -1;
    while (done < count && last !== 0) {
      last = this.tables.unmap(root, ioPage + done, count - done);
      done += last;
    }
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

  /** What a device finds now for every I/O page, as {@link translate}, without using the IOTLB up. */
  translateAll(context: number, out: Int32Array): void {
    const space = this.spaceOf(context);
    out.fill(0);
    this.tables.walkAll(this.rootOf(context), out, 0, () => {});
    for (let place = this.iotlb.size - 1; place >= 0; place--) {
      if (this.iotlb.spaceAt(place) === space) out[this.iotlb.ioPageAt(place)] = this.iotlb.entryAt(place);
    }
  }

  /** Number of the address space of a context; 0 where there is none. */
  spaceOf(context: number): number {
    return context === this.shared ? this.shared : Math.max(this.space.get(context) - 1, 0);
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

  /** Ends one use of a space; the last takes its tables with it. */
  closeSpace(space: number): void {
    if (this.users.add(space, -1) === 0) this.teardown(space);
  }

  /** The address space that a context of a type gets. */
  spaceFor(context: number, type: number): number {
    return this.sharing && type === CONTEXT_GPU ? this.shared : context;
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

  /** Ends a mapping that failed with an error, of which so many pages are there. Returns the error. */
  giveUp(context: number, ioPage: number, mapped: number, error: number): number {
    this.undoMap(context, ioPage, mapped);
    this.tables.dropCreated();
    return error;
  }

  private isAligned(value: number): boolean {
    return Math.floor(value / this.pageBytes) * this.pageBytes === value;
  }

  private isRange(first: number, count: number, end: number): boolean {
    return first >= 0 && count >= 0 && first + count <= end;
  }
}
