import { by, holds } from './about.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { Engine } from './engine.ts';
import { EBADF, EINVAL, ENOENT, ENOMEM } from './errno.ts';
import { CONTEXT_GPU, type Iommu } from './iommu.ts';
import type { Ion } from './ion.ts';
import type { Jobs } from './jobs.ts';
import { SEEN_BOUND, SEEN_NOWHERE } from './seen.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Steps } from './steps.ts';
import type { Store } from './store.ts';
import type { Syncs } from './syncs.ts';

/**
 * A GPU driver: contexts of clients, buffers bound into them, jobs. A binding holds a reference to its buffer
 * for as long as anything translates to it: unmap is strict, and the reference goes last. Where the heap
 * maps, a binding is the reference alone, and a buffer may be bound several times at its one address.
 */
export class Gpu {
  /** At context * ioPages + ioPage: page 0 of the buffer bound there + 1, or 0. */
  readonly bound: Column;
  /** At the same places, where the heap maps: how often the buffer is bound beyond once. */
  private readonly again: Column;
  /** Client + 1 of each GPU context, or 0. */
  private readonly owner: Column;
  readonly ion: Ion;
  private readonly iommu: Iommu;
  private readonly jobs: Jobs;
  private readonly engine: Engine;
  private readonly reader: SgReader;
  private readonly syncs: Syncs;
  private readonly pageBytes: number;

  constructor(
    store: Store,
    config: Config,
    ion: Ion,
    iommu: Iommu,
    engine: Engine,
    jobs: Jobs,
    reader: SgReader,
    syncs: Syncs,
  ) {
    this.ion = ion;
    this.iommu = iommu;
    this.engine = engine;
    this.jobs = jobs;
    this.reader = reader;
    this.syncs = syncs;
    this.pageBytes = config.pageBytes;
    this.owner = store.column(config.contexts, SEEN_NOWHERE, { ...by('context'), ...holds('client') });
    const byIoPage = by('context', iommu.ioPages);
    this.bound = store.column(config.contexts * iommu.ioPages, SEEN_BOUND, byIoPage);
    jobs.completed = (context) => this.syncForCpu(context);
    this.again = store.column(this.heapMaps ? this.bound.count : 0, SEEN_NOWHERE, byIoPage);
  }

  /** A context of a client. Returns its id; -EBADF no such client, -ENOSPC no id, -ENOMEM. */
  createContext(client: number): number {
    if (!this.ion.isClient(client)) return -EBADF;
    const context = this.iommu.create(CONTEXT_GPU);
    if (context >= 0) this.owner.set(context, client + 1);
    return context;
  }

  /** Returns 0, or -ENOENT when it is no GPU context. */
  destroyContext(context: number): number {
    if (!this.isContext(context)) return -ENOENT;
    this.teardown(context);
    return 0;
  }

  /** {@link destroyContext}, interruptible when nobody finds it any more: its tables go last. */
  *destroyContextSteps(context: number): Steps {
    if (!this.isContext(context)) return -ENOENT;
    this.empty(context);
    const space = this.iommu.forget(context);
    yield 1;
    this.iommu.closeSpace(space);
    return 0;
  }

  /** Ends a client: first its contexts, then its handles. Returns 0, or -EBADF. */
  destroyClient(client: number): number {
    if (!this.ion.isClient(client)) return -EBADF;
    for (let context = 0; context < this.owner.count; context++) {
      if (this.owner.get(context) === client + 1) this.teardown(context);
    }
    this.ion.destroyClient(client);
    return 0;
  }

  /**
   * Maps a buffer of the context's client at one range of addresses of the driver's choice, never at 0.
   *
   * @param rights - of READ and WRITE
   * @returns the address in bytes; -ENOENT no GPU context, -EINVAL no such handle, -ENOSPC no range, -ENOMEM
   */
  bind(context: number, handle: number, rights: number): number {
    const buffer = this.lookUp(context, handle);
    return buffer < 0 ? buffer : this.bindBuffer(context, buffer, rights);
  }

  /** {@link bind}, interruptible. */
  bindSteps(context: number, handle: number, rights: number): Steps {
    return this.ion.whileHeld(
      () => this.lookUp(context, handle),
      (buffer) => this.bindBuffer(context, buffer, rights),
    );
  }

  /** Maps a buffer into a context, and keeps it alive there. Returns the address, -ENOSPC or -ENOMEM. */
  bindBuffer(context: number, buffer: number, rights: number): number {
    this.ion.takeReference(buffer);
    const ioPage = this.mapBuffer(context, buffer, rights);
    if (ioPage < 0) {
      this.ion.dropReference(buffer);
      return ioPage;
    }
    this.syncs.forDevice(buffer);
    this.publish(context, ioPage, buffer);
    return ioPage * this.pageBytes;
  }

  /** Ends one binding. Returns 0; -ENOENT no GPU context, -EINVAL no binding starts at this address. */
  unbind(context: number, address: number): number {
    const ioPage = this.findBinding(context, address);
    if (ioPage < 0) return ioPage;
    this.release(context, ioPage);
    return 0;
  }

  /** {@link unbind}, interruptible when nothing translates to the buffer any more. */
  *unbindSteps(context: number, address: number): Steps {
    const ioPage = this.findBinding(context, address);
    if (ioPage < 0) return ioPage;
    const buffer = this.unmapBinding(context, ioPage);
    yield 1;
    this.ion.dropReference(buffer);
    return 0;
  }

  /**
   * Queues a job at an address that nobody checks: engines are programmed by users.
   *
   * @param tag - what to write, 1 to 255; 0 reads
   * @returns the job; -ENOENT no GPU context, -EINVAL a size that is none, -EBUSY no job id
   */
  submit(context: number, at: number, bytes: number, tag: number): number {
    if (!this.isContext(context)) return -ENOENT;
    if (!this.engine.isSize(bytes)) return -EINVAL;
    const job = this.jobs.submit(context, at, bytes, tag);
    if (job >= 0) this.syncForDevice(context);
    return job;
  }

  /** Before a job: what CPUs wrote to anything that is bound in its context is in memory. */
  syncForDevice(context: number): void {
    this.forEachBinding(context, (ioPage) => this.syncs.forDevice(this.boundAt(context, ioPage)));
  }

  /** After a job: CPUs read what is in memory of anything that is bound in its context. */
  syncForCpu(context: number): void {
    this.forEachBinding(context, (ioPage) => this.syncs.forCpu(this.boundAt(context, ioPage)));
  }

  /** Whether a number that a user sent is a GPU context. */
  isContext(context: number): boolean {
    return isIndex(context, this.owner.count) && this.owner.get(context) !== 0;
  }

  /** The buffer behind a handle of a context's client; -ENOENT or -EINVAL. */
  lookUp(context: number, handle: number): number {
    if (!this.isContext(context)) return -ENOENT;
    return this.ion.lookUp(this.clientOf(context), handle);
  }

  /** I/O page of the binding that starts at an address; -ENOENT no GPU context, -EINVAL no binding. */
  findBinding(context: number, address: number): number {
    if (!this.isContext(context)) return -ENOENT;
    const ioPage = address / this.pageBytes;
    return isIndex(ioPage, this.iommu.ioPages) && this.boundAt(context, ioPage) >= 0 ? ioPage : -EINVAL;
  }

  /** The client whose handles a context may bind. */
  clientOf(context: number): number {
    return this.owner.get(context) - 1;
  }

  /**
   * Finds a range and maps all pages of a buffer there, unless the heap did. Returns the first I/O page, or
   * an error with nothing left.
   */
  mapBuffer(context: number, buffer: number, rights: number): number {
    if (this.heapMaps) return this.ion.buffers.space.startOf(buffer);
    const count = this.countOf(buffer);
    const ioPage = this.iommu.iova.allocate(this.iommu.spaceOf(context), count);
    if (ioPage < 0) return ioPage;
    this.ion.buffers.open(buffer, this.reader);
    const result = this.iommu.mapSegments(context, ioPage, this.reader, rights);
    if (result === 0) return ioPage;
    this.freeRange(context, ioPage, count);
    return -ENOMEM;
  }

  /** Unmaps a range; when this returns no access lands. */
  unmapBuffer(context: number, ioPage: number, count: number): void {
    this.iommu.unmapRange(context, ioPage, count);
    this.freeRange(context, ioPage, count);
  }

  freeRange(context: number, ioPage: number, count: number): void {
    this.iommu.iova.free(this.iommu.spaceOf(context), ioPage, count);
  }

  /** Makes a binding known, which holds the reference from now on. */
  publish(context: number, ioPage: number, buffer: number): void {
    const place = this.placeOf(context, ioPage);
    if (this.bound.get(place) !== 0) this.again.add(place, 1);
    this.bound.set(place, buffer + 1);
  }

  /** Ends a binding; its reference goes last. */
  release(context: number, ioPage: number): void {
    this.ion.dropReference(this.unmapBinding(context, ioPage));
  }

  /** Unmaps a binding that nobody finds any more. Returns its buffer, whose reference the caller drops. */
  unmapBinding(context: number, ioPage: number): number {
    const buffer = this.boundAt(context, ioPage);
    this.unpublish(this.placeOf(context, ioPage));
    if (!this.heapMaps) this.unmapBuffer(context, ioPage, this.countOf(buffer));
    this.syncs.forCpu(buffer);
    return buffer;
  }

  releaseAll(context: number): void {
    this.forEachBinding(context, (ioPage) => {
      while (this.boundAt(context, ioPage) >= 0) this.release(context, ioPage);
    });
  }

  /** Ends a context: what is in it, then its tables. */
  teardown(context: number): void {
    this.empty(context);
    this.iommu.destroy(context);
  }

  /** Nothing new starts in a context, its jobs die, its mappings go. */
  empty(context: number): void {
    this.owner.set(context, 0);
    this.jobs.kill(context);
    this.releaseAll(context);
  }

  /** Whether buffers are mapped before anybody binds them. */
  private get heapMaps(): boolean {
    return this.ion.buffers.space.maps;
  }

  private unpublish(place: number): void {
    if (this.heapMaps && this.again.get(place) > 0) this.again.add(place, -1);
    else this.bound.set(place, 0);
  }

  /**
   * Visits the I/O pages at which a buffer is bound in a context; ranges that others took are passed over.
   */
  private forEachBinding(context: number, visit: (ioPage: number) => void): void {
    const { iova } = this.iommu;
    const space = this.iommu.spaceOf(context);
    for (let ioPage = iova.nextUsed(space, 0); ioPage >= 0; ioPage = iova.nextUsed(space, ioPage + 1)) {
      if (this.boundAt(context, ioPage) >= 0) visit(ioPage);
    }
  }

  private boundAt(context: number, ioPage: number): number {
    return this.bound.get(this.placeOf(context, ioPage)) - 1;
  }

  private placeOf(context: number, ioPage: number): number {
    return context * this.iommu.ioPages + ioPage;
  }

  /** Pages of a buffer. */
  countOf(buffer: number): number {
    return this.ion.buffers.count.get(buffer);
  }
}
