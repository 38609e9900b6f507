import type { Column } from '../impl/column.ts';
import { type Config, ioPagesOf } from '../impl/config.ts';
import type { Kernel } from '../impl/kernel.ts';
import { OWNER_COHERENT, OWNER_DEFERRED, OWNER_META, OWNER_POOLED, OWNER_TABLE } from '../impl/owners.ts';
import { SEEN_ALL, SEEN_PLACE, SEEN_REACH } from '../impl/seen.ts';
import type { View } from '../model/target.ts';
import { COUNTER, KIND, VIEW } from '../model/view.ts';
import { ColumnWriter } from './column-writer.ts';

type Refresh = (out: ColumnWriter) => void;

/**
 * Shows a kernel of `impl/`. Only columns whose source changed since the last look are written: the store
 * says which, and pages of RAM that a column was computed from are watched.
 */
export class BuiltinView {
  private readonly kernel: Kernel;
  private readonly ioPages: number;
  private readonly contexts: number;
  /** By number of the column. */
  private readonly refreshers: readonly Refresh[];
  private last: View | undefined;
  /** Everything is shown again, whichever column comes first. */
  private whole = true;
  private readonly out = new ColumnWriter();
  /** Pages in the largest free block: what is free in one says nothing about the next. */
  private readonly largest: number;
  /** The owner of each page as it was seen last, and how many pages each owner has. */
  private readonly owners: Int32Array;
  private readonly owned = new Int32Array(OWNER_COHERENT + 1);
  /** Where columns that have no source by index are made before they are written. */
  private readonly reach: Int32Array;
  private readonly heads: Int32Array;
  private readonly indices: Int32Array;
  /** Where there have been blocks and buffers, and their pages. */
  private readonly starts = new Range();
  private readonly placed = new Range();
  /** Where the IOTLB was shown last. */
  private readonly cachedAt: number[] = [];
  /** Pages watched for `reach`, and for `head` and `index`. */
  private readonly reachPages: number[] = [];
  private readonly placePages: number[] = [];

  constructor(kernel: Kernel, config: Config) {
    this.kernel = kernel;
    this.ioPages = ioPagesOf(config);
    this.contexts = config.contexts;
    this.largest = 1 << config.orderMax;
    this.owners = new Int32Array(config.pages);
    this.owned[0] = config.pages;
    this.reach = new Int32Array(config.contexts * this.ioPages);
    this.heads = new Int32Array(config.pages);
    this.indices = new Int32Array(config.pages);
    this.refreshers = this.refreshersOf(kernel);
  }

  /** Writes what may have changed into a view, and sets its bits. */
  refresh(view: View): void {
    const { store } = this.kernel;
    if (view !== this.last) this.startOver(view);
    const touched = store.touched & SEEN_ALL;
    this.whole = store.watch.everything;
    view.shown = SEEN_ALL;
    if ((touched & SEEN_PLACE) !== 0) this.findPlaces();
    for (let left = touched; left !== 0; left &= left - 1)
      this.refreshColumn(view, 31 - Math.clz32(left & -left));
    store.settle();
  }

  /** Another array: nothing that it holds is ours. */
  private startOver(view: View): void {
    this.last = view;
    this.kernel.store.touchAll();
  }

  private refreshColumn(view: View, number: number): void {
    this.refreshers[number]?.(this.out.open(view, number));
    this.out.close(view, number, this.whole);
  }

  private refreshersOf(kernel: Kernel): Refresh[] {
    const refreshers: Refresh[] = [];
    refreshers[VIEW.kind] = (out) => this.showKind(out);
    refreshers[VIEW.head] = (out) => this.showPlaces(out, this.heads);
    refreshers[VIEW.index] = (out) => this.showPlaces(out, this.indices);
    refreshers[VIEW.refs] = copyOf(kernel.buffers.refs);
    refreshers[VIEW.freeOrder] = copyOf(kernel.pages.freeOrder);
    refreshers[VIEW.line] = (out) => this.showLines(out);
    refreshers[VIEW.reach] = (out) => this.showReach(out);
    refreshers[VIEW.iotlb] = (out) => this.showIotlb(out);
    refreshers[VIEW.client] = copyOf(kernel.ion.client);
    refreshers[VIEW.context] = copyOf(kernel.iommu.type);
    refreshers[VIEW.handle] = copyOf(kernel.ion.handle);
    refreshers[VIEW.bound] = copyOf(kernel.gpu.bound);
    refreshers[VIEW.job] = copyOf(kernel.jobs.left);
    refreshers[VIEW.counter] = (out) => this.showCounters(out);
    refreshers[VIEW.device] = copyOf(kernel.devices.domain);
    refreshers[VIEW.fd] = copyOf(kernel.ion.fds.fd);
    refreshers[VIEW.mapped] = (out) => this.showMapped(out);
    refreshers[VIEW.stale] = copyOf(kernel.flushQueue.stale);
    refreshers[VIEW.handleCount] = copyOf(kernel.ion.handleCount);
    refreshers[VIEW.kernelMaps] = copyOf(kernel.ion.kernelMapCount);
    refreshers[VIEW.userMap] = copyOf(kernel.ion.userMaps.buffer);
    return refreshers;
  }

  private showKind(out: ColumnWriter): void {
    const { owner, freeOrder, parked } = this.kernel.pages;
    const from = Math.min(owner.from, freeOrder.from, parked.isParked.from) & -this.largest;
    const last = Math.max(owner.to, freeOrder.to, parked.isParked.to) - 1;
    const to = Math.min((last | (this.largest - 1)) + 1, out.length);
    let freeEnd = 0;
    for (let page = from; page < to || page < Math.min(freeEnd, out.length); page++) {
      const order = freeOrder.values[page] ?? 0;
      if (order !== 0) freeEnd = Math.max(freeEnd, page + (1 << (order - 1)));
      const isParked = parked.isParked.values[page] === 1;
      out.put(page, kindOf(owner.values[page] ?? 0, page < freeEnd, isParked));
    }
  }

  /** Mappings of the kernel, then those of the clients. */
  private showMapped(out: ColumnWriter): void {
    const { metadata, users } = this.kernel;
    copyTo(out, metadata.scattered.mapped, 0);
    copyTo(out, users.mapped, metadata.scattered.mapped.count);
  }

  /** Head and index of each page of each block and buffer; buffers are read from their page arrays. */
  private findPlaces(): void {
    const { pages, buffers, coherent } = this.kernel;
    this.forgetPlaces();
    this.starts.follow(pages.block);
    this.starts.follow(buffers.count);
    for (let page = this.starts.from; page < this.starts.to; page++) {
      this.findBlock(page, pages.block.values[page] ?? 0);
      const count = buffers.count.values[page] ?? 0;
      if (count !== 0) this.findBuffer(page, count);
    }
    for (let at = 0; at < coherent.count.count; at++)
      if (coherent.count.values[at] !== 0) this.findFrames(coherent.framesOf(pages.pages + at));
  }

  private place(page: number, head: number, index: number): void {
    this.heads[page] = head + 1;
    this.indices[page] = index;
    this.placed.add(page);
  }

  private findBlock(head: number, count: number): void {
    for (let index = 0; index < count; index++) this.place(head + index, head, index);
  }

  private findFrames(frames: readonly number[]): void {
    const [head = 0] = frames;
    for (const [index, frame] of frames.entries()) this.place(frame, head, index);
  }

  private findBuffer(head: number, count: number): void {
    const { buffers, memory, store } = this.kernel;
    for (let index = 0; index < count; index++) {
      const frame = buffers.frameOfEntry(head, index);
      if (!memory.isPage(frame)) continue;
      if (this.placePages.at(-1) !== frame) {
        this.placePages.push(frame);
        store.watch.mark(frame, SEEN_PLACE);
      }
      const page = buffers.pageAt(head, index);
      if (!memory.isPage(page)) continue;
      this.place(page, head, index);
    }
  }

  private showPlaces(out: ColumnWriter, values: Int32Array): void {
    const from = this.whole ? 0 : this.placed.from;
    const to = this.whole ? values.length : Math.min(this.placed.to, values.length);
    for (let page = from; page < to; page++) out.put(page, values[page] ?? 0);
  }

  private forgetPlaces(): void {
    for (const page of this.placePages) this.kernel.store.watch.unmark(page, SEEN_PLACE);
    this.placePages.length = 0;
    this.heads.fill(0, this.placed.from, this.placed.to);
    this.indices.fill(0, this.placed.from, this.placed.to);
  }

  private showLines(out: ColumnWriter): void {
    const { memory, store } = this.kernel;
    if (this.whole) for (let page = 0; page < memory.pages; page++) this.showPage(out, page);
    else for (const page of store.watch.dirty) this.showPage(out, page);
    store.watch.settle();
  }

  private showPage(out: ColumnWriter, page: number): void {
    const { memory, cache } = this.kernel;
    const base = page * memory.linesPerPage;
    for (let line = 0; line < memory.linesPerPage; line++)
      out.put(base + line, memory.readLine(page, line) | (cache.cachedLine(page, line) << 9));
  }

  private showReach(out: ColumnWriter): void {
    const { iommu, tables, store } = this.kernel;
    for (const page of this.reachPages) store.watch.unmark(page, SEEN_REACH);
    this.reachPages.length = 0;
    this.reach.fill(0);
    const visit = (table: number): void => {
      this.reachPages.push(table);
      store.watch.mark(table, SEEN_REACH);
    };
    for (let context = 0; context < this.contexts; context++) {
      if (iommu.type.get(context) === 0) continue;
      tables.walkAll(iommu.rootOf(context), this.reach, context * this.ioPages, visit);
    }
    writeAll(out, this.reach);
  }

  private showIotlb(out: ColumnWriter): void {
    const { iommu, iotlb } = this.kernel;
    if (this.whole) for (let index = 0; index < out.length; index++) out.put(index, 0);
    for (const index of this.cachedAt) out.put(index, 0);
    this.cachedAt.length = 0;
    for (let place = iotlb.size - 1; place >= 0; place--) {
      const space = iotlb.spaceAt(place);
      for (let context = 0; space >= 0 && context < this.contexts; context++) {
        if (iommu.type.get(context) === 0 || iommu.spaceOf(context) !== space) continue;
        const index = context * this.ioPages + iotlb.ioPageAt(place);
        this.cachedAt.push(index);
        out.put(index, iotlb.entryAt(place));
      }
    }
  }

  private showCounters(out: ColumnWriter): void {
    const { pages, metadata } = this.kernel;
    this.countOwners();
    for (const [owner, counter] of COUNTED_OWNERS) out.put(counter, this.owned[owner] ?? 0);
    out.put(COUNTER.free, this.kernel.freePages);
    out.put(COUNTER.parked, pages.parked.count.get(0));
    out.put(COUNTER.movable, pages.occupants.movableCount.get(0));
    if (metadata.scattered.area.to === 0) return;
    out.put(COUNTER.vmallocHole, metadata.scattered.largestHole());
    out.put(COUNTER.vmallocUsed, metadata.scattered.usedPages());
  }

  private countOwners(): void {
    const { owner } = this.kernel.pages;
    const { owned, owners } = this;
    for (let page = owner.from; page < owner.to; page++) {
      const now = owner.values[page] ?? 0;
      const before = owners[page] ?? 0;
      if (now === before) continue;
      owners[page] = now;
      owned[before] = (owned[before] ?? 0) - 1;
      owned[now] = (owned[now] ?? 0) + 1;
    }
  }
}

function kindOf(owner: number, isFree: boolean, isParked: boolean): number {
  if ((isFree && isParked) || (owner !== 0 && (isFree || isParked))) return KIND.BOTH;
  if (isFree) return KIND.FREE;
  if (isParked) return KIND.PARKED;
  return owner === 0 ? KIND.LOST : owner;
}

/** Counters of pages by their owner; the others are kept by the page allocator. */
const COUNTED_OWNERS: readonly (readonly [owner: number, counter: number])[] = [
  [OWNER_META, COUNTER.meta],
  [OWNER_TABLE, COUNTER.table],
  [OWNER_POOLED, COUNTER.pooled],
  [OWNER_DEFERRED, COUNTER.deferred],
];

/** Shows a column as it is. */
const copyOf =
  (source: Column): Refresh =>
  (out) =>
    copyTo(out, source, 0);

/** Writes what changed of a column, from an index on. */
function copyTo(out: ColumnWriter, source: Column, base: number): void {
  for (let index = source.from; index < source.to; index++) out.put(base + index, source.values[index] ?? 0);
}

function writeAll(out: ColumnWriter, values: Int32Array): void {
  for (let index = 0; index < values.length; index++) out.put(index, values[index] ?? 0);
}

/** A run of indices that grows: there is nothing outside, and was nothing. */
class Range {
  from = 0;
  to = 0;

  add(index: number): void {
    if (this.to === 0) this.from = index;
    if (index < this.from) this.from = index;
    if (index >= this.to) this.to = index + 1;
  }

  /** Adds what a column has come to hold. */
  follow({ values, from, to }: Column): void {
    for (let index = from; index < to; index++) if (values[index] !== 0) this.add(index);
  }
}
