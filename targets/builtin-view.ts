import { type Config, ioPagesOf } from '../impl/config.ts';
import type { Kernel } from '../impl/kernel.ts';
import { OWNER_BLOCK, OWNER_META, OWNER_TABLE } from '../impl/pages.ts';
import { SEEN_ALL, SEEN_PLACE, SEEN_REACH } from '../impl/seen.ts';
import type { View } from '../model/target.ts';
import { COUNTER, KIND, VIEW } from '../model/view.ts';

type Refresh = (out: Int32Array) => void;

/**
 * Shows a kernel of `impl/`. Only columns whose source changed since the last look are written: the store says
 * which, and pages of RAM that a column was computed from are watched.
 */
export class BuiltinView {
  private readonly kernel: Kernel;
  private readonly ioPages: number;
  private readonly contexts: number;
  /** By number of the column. */
  private readonly refreshers: readonly Refresh[];
  private last: View | undefined;
  /** Pages watched for `reach`, and for `head` and `index`. */
  private reachPages: number[] = [];
  private placePages: number[] = [];

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
    if ((touched & SEEN_PLACE) !== 0) this.watchPlaces();
    for (let left = touched; left !== 0; left &= left - 1)
      this.refreshColumn(view, 31 - Math.clz32(left & -left));
  }

  /** Another array: nothing that it holds is ours. */
  private startOver(view: View): void {
    this.last = view;
    this.kernel.store.watch.spoil();
    this.kernel.store.touched = SEEN_ALL;
  }

  private refreshColumn(view: View, number: number): void {
    const out = view.columns[number];
    const refresh = this.refreshers[number];
    if (out === undefined || refresh === undefined) throw new Error(`internal error: column ${number}`);
    refresh(out);
  }

  private refreshersOf(kernel: Kernel): Refresh[] {
    const refreshers: Refresh[] = [];
    refreshers[VIEW.kind] = (out) => this.showKind(out);
    refreshers[VIEW.head] = (out) => this.showHead(out);
    refreshers[VIEW.index] = (out) => this.showIndex(out);
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
    return refreshers;
  }

  private showKind(out: Int32Array): void {
    const { owner, freeOrder } = this.kernel.pages;
    owner.copyTo(out);
    let freeEnd = 0;
    for (let page = 0; page < out.length; page++) {
      const order = freeOrder.get(page);
      if (order !== 0) freeEnd = Math.max(freeEnd, page + (1 << (order - 1)));
      const isFree = page < freeEnd;
      if (isFree) out[page] = out[page] === 0 ? KIND.FREE : KIND.BOTH;
      else if (out[page] === 0) out[page] = KIND.LOST;
    }
  }

  private showHead(out: Int32Array): void {
    this.eachPlace(out, (page, head) => {
      out[page] = head + 1;
    });
  }

  private showIndex(out: Int32Array): void {
    this.eachPlace(out, (page, _head, index) => {
      out[page] = index;
    });
  }

  /** Calls back for each page of each block and buffer; buffers are read from their page arrays. */
  private eachPlace(out: Int32Array, place: (page: number, head: number, index: number) => void): void {
    const { pages, buffers } = this.kernel;
    out.fill(0);
    for (let head = 0; head < out.length; head++) {
      const blockPages = pages.owner.get(head) === OWNER_BLOCK ? pages.run.get(head) : 0;
      for (let index = 0; index < blockPages; index++) place(head + index, head, index);
      const count = buffers.count.get(head);
      for (let index = 0; index < count; index++) this.placeBufferPage(head, index, place);
    }
  }

  private placeBufferPage(
    head: number,
    index: number,
    place: (page: number, head: number, index: number) => void,
  ): void {
    const { buffers, memory } = this.kernel;
    if (!memory.isPage(buffers.frameOfEntry(head, index))) return;
    const page = buffers.pageAt(head, index);
    if (memory.isPage(page)) place(page, head, index);
  }

  /** Watches the pages that hold page arrays. */
  private watchPlaces(): void {
    const { buffers, memory, store } = this.kernel;
    for (const page of this.placePages) store.watch.unmark(page, SEEN_PLACE);
    this.placePages = [];
    for (let head = 0; head < memory.pages; head++) {
      for (let index = 0; index < buffers.count.get(head); index++) {
        const frame = buffers.frameOfEntry(head, index);
        if (!memory.isPage(frame) || this.placePages.at(-1) === frame) continue;
        this.placePages.push(frame);
        store.watch.mark(frame, SEEN_PLACE);
      }
    }
  }

  private showLines(out: Int32Array): void {
    const { memory, store } = this.kernel;
    if (store.watch.everything) for (let page = 0; page < memory.pages; page++) this.showPage(out, page);
    else for (const page of store.watch.dirty) this.showPage(out, page);
    store.watch.settle();
  }

  private showPage(out: Int32Array, page: number): void {
    const { memory } = this.kernel;
    const base = page * memory.linesPerPage;
    for (let line = 0; line < memory.linesPerPage; line++) out[base + line] = memory.readLine(page, line);
  }

  private showReach(out: Int32Array): void {
    const { iommu, tables, store } = this.kernel;
    for (const page of this.reachPages) store.watch.unmark(page, SEEN_REACH);
    this.reachPages = [];
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
    for (let place = 0; place < iotlb.size; place++) {
      const space = iotlb.spaceAt(place);
      for (let context = 0; space >= 0 && context < this.contexts; context++) {
        if (iommu.type.get(context) === 0 || iommu.spaceOf(context) !== space) continue;
        const ioPage = iotlb.ioPageAt(place);
        out[context * this.ioPages + ioPage] = iotlb.lookUp(space, ioPage);
      }
    }
  }

  private showCounters(out: Int32Array): void {
    const { pages, metadata } = this.kernel;
    out[COUNTER.free] = pages.freeCount.get(0);
    out[COUNTER.meta] = this.countOwned(OWNER_META);
    out[COUNTER.table] = this.countOwned(OWNER_TABLE);
    out[COUNTER.vmallocHole] = metadata.scattered.largestHole();
  }

  private countOwned(owner: number): number {
    const { pages } = this.kernel;
    let count = 0;
    for (let page = 0; page < pages.pages; page++) if (pages.owner.get(page) === owner) count++;
    return count;
  }
}
