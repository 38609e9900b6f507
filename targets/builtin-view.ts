import { type Config, ioPagesOf } from '../impl/config.ts';
import type { Kernel } from '../impl/kernel.ts';
import { OWNER_DEFERRED, OWNER_META, OWNER_MOVABLE, OWNER_POOLED, OWNER_TABLE } from '../impl/owners.ts';
import { SEEN_ALL, SEEN_PLACE, SEEN_REACH } from '../impl/seen.ts';
import type { View } from '../model/target.ts';
import { COUNTER, KIND, VIEW } from '../model/view.ts';

type Refresh = (out: Int32Array) => void;

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
  /** Pages watched for `reach`, and for `head` and `index`. */
  private readonly reachPages: number[] = [];
  private readonly placePages: number[] = [];

  constructor(kernel: Kernel, config: Config) {
    this.kernel = kernel;
    this.ioPages = ioPagesOf(config);
    this.contexts = config.contexts;
    this.refreshers = this.refreshersOf(kernel);
  }

  /** Writes what may have changed into a view, and sets its bits. */
  refresh(view: View): void {
    const { store } = this.kernel;
    if (view !== this.last) this.startOver(view);
    const touched = store.touched & SEEN_ALL;
    view.shown = SEEN_ALL;
    view.touched |= touched;
    store.touched = 0;
    if ((touched & SEEN_PLACE) !== 0) this.showPlaces(view);
    for (let left = touched & ~SEEN_PLACE; left !== 0; left &= left - 1)
      this.refreshColumn(view, 31 - Math.clz32(left & -left));
  }

  /** Another array: nothing that it holds is ours. */
  private startOver(view: View): void {
    this.last = view;
    this.kernel.store.watch.spoil();
    this.kernel.store.touched = SEEN_ALL;
  }

  private refreshColumn(view: View, number: number): void {
    this.refreshers[number]?.(columnOf(view, number));
  }

  private refreshersOf(kernel: Kernel): Refresh[] {
    const refreshers: Refresh[] = [];
    refreshers[VIEW.kind] = (out) => this.showKind(out);
    refreshers[VIEW.refs] = (out) => kernel.buffers.refs.copyTo(out);
    refreshers[VIEW.freeOrder] = (out) => kernel.pages.freeOrder.copyTo(out);
    refreshers[VIEW.line] = (out) => this.showLines(out);
    refreshers[VIEW.reach] = (out) => this.showReach(out);
    refreshers[VIEW.iotlb] = (out) => this.showIotlb(out);
    refreshers[VIEW.client] = (out) => kernel.ion.client.copyTo(out);
    refreshers[VIEW.context] = (out) => kernel.iommu.type.copyTo(out);
    refreshers[VIEW.handle] = (out) => kernel.ion.handle.copyTo(out);
    refreshers[VIEW.bound] = (out) => kernel.gpu.bound.copyTo(out);
    refreshers[VIEW.job] = (out) => kernel.jobs.left.copyTo(out);
    refreshers[VIEW.counter] = (out) => this.showCounters(out);
    refreshers[VIEW.device] = (out) => kernel.devices.domain.copyTo(out);
    refreshers[VIEW.fd] = (out) => kernel.ion.fds.fd.copyTo(out);
    refreshers[VIEW.mapped] = (out) => this.showMapped(out);
    refreshers[VIEW.stale] = (out) => kernel.flushQueue.stale.copyTo(out);
    refreshers[VIEW.handleCount] = (out) => kernel.ion.handleCount.copyTo(out);
    refreshers[VIEW.kernelMaps] = (out) => kernel.ion.kernelMapCount.copyTo(out);
    refreshers[VIEW.userMap] = (out) => kernel.ion.userMaps.buffer.copyTo(out);
    return refreshers;
  }

  private showKind(out: Int32Array): void {
    const { owner, freeOrder, parked } = this.kernel.pages;
    owner.copyTo(out);
    let freeEnd = 0;
    for (let page = 0; page < out.length; page++) {
      const order = freeOrder.values[page] ?? 0;
      if (order !== 0) freeEnd = Math.max(freeEnd, page + (1 << (order - 1)));
      const isParked = parked.isParked.values[page] === 1;
      if (page < freeEnd) out[page] = out[page] === 0 && !isParked ? KIND.FREE : KIND.BOTH;
      else if (isParked) out[page] = out[page] === 0 ? KIND.PARKED : KIND.BOTH;
      else if (out[page] === 0) out[page] = KIND.LOST;
    }
  }

  /** Mappings of the kernel, then those of the clients. */
  private showMapped(out: Int32Array): void {
    const { metadata, users } = this.kernel;
    out.set(metadata.scattered.mapped.values);
    out.set(users.mapped.values, metadata.scattered.mapped.count);
  }

  /** Head and index of each page of each block and buffer; buffers are read from their page arrays. */
  private showPlaces(view: View): void {
    const { pages, buffers, coherent } = this.kernel;
    const heads = columnOf(view, VIEW.head).fill(0);
    const indices = columnOf(view, VIEW.index).fill(0);
    this.forgetPlaces();
    for (let page = 0; page < heads.length; page++) {
      const block = pages.block.values[page] ?? 0;
      if (block !== 0) fillBlock(heads, indices, page, block);
      const count = buffers.count.values[page] ?? 0;
      if (count !== 0) this.showBuffer(heads, indices, page, count);
    }
    for (let at = 0; at < coherent.count.count; at++) {
      if (coherent.count.values[at] !== 0) fillFrames(heads, indices, coherent.framesOf(pages.pages + at));
    }
  }

  private showBuffer(heads: Int32Array, indices: Int32Array, head: number, count: number): void {
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
      heads[page] = head + 1;
      indices[page] = index;
    }
  }

  private forgetPlaces(): void {
    for (const page of this.placePages) this.kernel.store.watch.unmark(page, SEEN_PLACE);
    this.placePages.length = 0;
  }

  private showLines(out: Int32Array): void {
    const { memory, store } = this.kernel;
    if (store.watch.everything) for (let page = 0; page < memory.pages; page++) this.showPage(out, page);
    else for (const page of store.watch.dirty) this.showPage(out, page);
    store.watch.settle();
  }

  private showPage(out: Int32Array, page: number): void {
    const { memory, cache } = this.kernel;
    const base = page * memory.linesPerPage;
    for (let line = 0; line < memory.linesPerPage; line++)
      out[base + line] = memory.readLine(page, line) | (cache.cachedLine(page, line) << 9);
  }

  private showReach(out: Int32Array): void {
    const { iommu, tables, store } = this.kernel;
    for (const page of this.reachPages) store.watch.unmark(page, SEEN_REACH);
    this.reachPages.length = 0;
    out.fill(0);
    const visit = (table: number): void => {
      this.reachPages.push(table);
      store.watch.mark(table, SEEN_REACH);
    };
    for (let context = 0; context < this.contexts; context++) {
      if (iommu.type.get(context) === 0) continue;
      tables.walkAll(iommu.rootOf(context), out, context * this.ioPages, visit);
    }
  }

  private showIotlb(out: Int32Array): void {
    const { iommu, iotlb } = this.kernel;
    out.fill(0);
    for (let place = iotlb.size - 1; place >= 0; place--) {
      const space = iotlb.spaceAt(place);
      for (let context = 0; space >= 0 && context < this.contexts; context++) {
        if (iommu.type.get(context) === 0 || iommu.spaceOf(context) !== space) continue;
        const ioPage = iotlb.ioPageAt(place);
        out[context * this.ioPages + ioPage] = iotlb.entryAt(place);
      }
    }
  }

  private showCounters(out: Int32Array): void {
    const { pages, metadata } = this.kernel;
    for (const counter of COUNTED_OWNERS.values()) out[counter] = 0;
    for (let page = 0; page < pages.pages; page++) {
      const counter = COUNTED_OWNERS.get(pages.owner.values[page] ?? 0);
      if (counter !== undefined) out[counter] = (out[counter] ?? 0) + 1;
    }
    out[COUNTER.free] = this.kernel.freePages;
    out[COUNTER.parked] = pages.parked.count.get(0);
    out[COUNTER.vmallocHole] = metadata.scattered.largestHole();
    out[COUNTER.vmallocUsed] = metadata.scattered.usedPages();
  }
}

/** Counters of pages by their owner; the others are kept by the page allocator. */
const COUNTED_OWNERS: ReadonlyMap<number, number> = new Map([
  [OWNER_META, COUNTER.meta],
  [OWNER_TABLE, COUNTER.table],
  [OWNER_POOLED, COUNTER.pooled],
  [OWNER_DEFERRED, COUNTER.deferred],
  [OWNER_MOVABLE, COUNTER.movable],
]);

function columnOf(view: View, number: number): Int32Array {
  const column = view.columns[number];
  if (column === undefined) throw new Error(`internal error: the view has no column ${number}`);
  return column;
}

function fillFrames(heads: Int32Array, indices: Int32Array, frames: readonly number[]): void {
  for (const [index, frame] of frames.entries()) {
    heads[frame] = (frames[0] ?? 0) + 1;
    indices[frame] = index;
  }
}

function fillBlock(heads: Int32Array, indices: Int32Array, head: number, count: number): void {
  for (let index = 0; index < count; index++) {
    heads[head + index] = head + 1;
    indices[head + index] = index;
  }
}
