import { by } from './about.ts';
import type { Buffers } from './buffers.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EBADF, EINVAL, EMFILE, ENODEV, ENOSPC } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import type { Fds } from './fds.ts';
import { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG, HEAPS } from './heaps.ts';
import type { KernelMaps } from './kernel-maps.ts';
import { SEEN_CLIENT, SEEN_HANDLE, SEEN_HANDLE_COUNT, SEEN_KERNEL_MAPS } from './seen.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Steps } from './steps.ts';
import type { Store } from './store.ts';
import type { UserMaps } from './user-maps.ts';

export { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from './heaps.ts';

/** Flag of an allocation: CPU mappings of the buffer go through the cache. After ION_FLAG_CACHED. */
export const FLAG_CACHED = 1;
/** Sizes are 64-bit numbers, and arrive here as the nearest double. */
const SIZE_END = 2 ** 64;
/** A handle is still there: no buffer has lost it. */
const NONE = -1;
/** In the order in which they are tried. */
const HEAP_ORDER = [HEAP_IOMMU, HEAP_SYSTEM_CONTIG, HEAP_SYSTEM] as const;

/**
 * Clients, their handles, and buffers behind them. After the ION core of about Linux 3.18: ids are each
 * client's own and start at 1, a client has at most one handle for a buffer, and every id that comes in is
 * looked up, whatever it is.
 */
export class Ion {
  /** 1 for each client that exists. */
  readonly client: Column;
  /** At client * (handles + 1) + id: page 0 of the buffer + 1, or 0. */
  readonly handle: Column;
  /** References of its user to each handle, at the same places; the last takes the handle with it. */
  readonly handleCount: Column;
  /** How often each handle was mapped for the kernel and not unmapped. */
  readonly kernelMapCount: Column;
  readonly buffers: Buffers;
  readonly fds: Fds;
  readonly userMaps: UserMaps;
  readonly kernelMaps: KernelMaps;
  private readonly faults: FaultPoints;
  private readonly handleEnd: number;
  private readonly pageBytes: number;

  constructor(
    store: Store,
    config: Config,
    buffers: Buffers,
    fds: Fds,
    userMaps: UserMaps,
    kernelMaps: KernelMaps,
    faults: FaultPoints,
  ) {
    this.buffers = buffers;
    this.fds = fds;
    this.userMaps = userMaps;
    this.kernelMaps = kernelMaps;
    this.faults = faults;
    this.pageBytes = config.pageBytes;
    this.handleEnd = config.handles + 1;
    const handles = config.clients * this.handleEnd;
    const byHandle = by('client', ['handle', this.handleEnd]);
    this.client = store.column(config.clients, SEEN_CLIENT, by('client'));
    this.handle = store.column(handles, SEEN_HANDLE, byHandle);
    this.handleCount = store.column(handles, SEEN_HANDLE_COUNT, byHandle);
    this.kernelMapCount = store.column(handles, SEEN_KERNEL_MAPS, byHandle);
  }

  /** Returns the new client's id, or -EMFILE. */
  createClient(): number {
    if (this.faults.ask(SITE_ID)) return -EMFILE;
    for (let id = 0; id < this.client.count; id++) {
      if (this.client.get(id) !== 0) continue;
      this.client.set(id, 1);
      return id;
    }
    return -EMFILE;
  }

  /** Ends a client that exists and has no GPU context any more: its mappings, handles and descriptors go. */
  destroyClient(client: number): void {
    this.userMaps.unmapAll(client);
    for (let id = 1; id < this.handleEnd; id++) {
      if (this.handle.get(this.placeOf(client, id)) !== 0) this.dropReference(this.closeHandle(client, id));
    }
    this.fds.closeAll(client);
    this.client.set(client, 0);
  }

  /** Whether a number that a user sent is a client. */
  isClient(client: number): boolean {
    return isIndex(client, this.client.count) && this.client.get(client) !== 0;
  }

  /**
   * `ION_IOC_ALLOC`. Heaps are tried in a fixed order, until one has a buffer.
   *
   * @param bytes - any number, a 64-bit size included; rounded up to pages
   * @param heaps - mask of heaps that will do
   * @param flags - of FLAG_CACHED
   * @returns the handle; -EBADF no such client, -EINVAL no size, -ENODEV no heap, -ENOMEM, -ENOSPC no handle
   *   id
   */
  allocate(client: number, bytes: number, heaps: number, flags = 0): number {
    const buffer = this.makeBuffer(client, bytes, heaps, flags);
    return buffer < 0 ? buffer : this.publish(client, buffer);
  }

  /** {@link allocate}, interruptible: nobody knows the buffer until it is complete, and its handle comes last. */
  *allocateSteps(client: number, bytes: number, heaps: number, flags = 0): Steps {
    const buffer = this.makeBuffer(client, bytes, heaps, flags);
    if (buffer < 0) return buffer;
    yield 1;
    return this.publish(client, buffer);
  }

  /** A buffer for a client that may have one more handle. Returns it, or an error of {@link allocate}. */
  makeBuffer(client: number, bytes: number, heaps: number, flags: number): number {
    if (!this.isClient(client)) return -EBADF;
    if (!this.isSize(bytes)) return -EINVAL;
    const handle = this.newHandle(client);
    if (handle < 0) return handle;
    return this.tryHeaps(Math.ceil(bytes / this.pageBytes), heaps, (flags & FLAG_CACHED) !== 0);
  }

  /** A handle for a new buffer. Returns it, or -EBADF, -ENOSPC: then the buffer is gone. */
  publish(client: number, buffer: number): number {
    const handle = this.isClient(client) ? this.lowestHandle(client) : -EBADF;
    if (handle < 0) this.dropReference(buffer);
    else this.openHandle(client, handle, buffer);
    return handle;
  }

  /** Makes a buffer in the first heap of a mask that can. Returns it, -ENODEV without a heap, -ENOMEM. */
  tryHeaps(count: number, heaps: number, cached: boolean): number {
    let buffer = -ENODEV;
    for (const heap of HEAP_ORDER) {
      if ((heaps & heap) === 0) continue;
      buffer = this.buffers.create(count, heap, cached);
      if (buffer >= 0) return buffer;
    }
    return buffer;
  }

  /**
   * `ION_IOC_FREE`: drops one reference of its user, and the handle with the last one. Returns 0; -EBADF no
   * such client, -EINVAL no such handle.
   */
  free(client: number, handle: number): number {
    const found = this.find(client, handle);
    if (found < 0) return found;
    this.dropLast(this.putHandle(client, handle));
    return 0;
  }

  /** {@link free}, interruptible: looked up and gone in one section, so that nobody else can free it as well. */
  *freeSteps(client: number, handle: number): Steps {
    const found = this.find(client, handle);
    if (found < 0) return found;
    const buffer = this.putHandle(client, handle);
    yield 1;
    this.dropLast(buffer);
    return 0;
  }

  /**
   * Kernel addresses for the buffer behind a handle, as ion_map_kernel(). Returns the address in bytes;
   * -EBADF no such client, -EINVAL no such handle, -ENOMEM.
   */
  mapKernel(client: number, handle: number): number {
    const buffer = this.find(client, handle);
    return buffer < 0 ? buffer : this.mapHandle(client, handle, buffer);
  }

  /** {@link mapKernel}, interruptible. */
  mapKernelSteps(client: number, handle: number): Steps {
    return this.whileHeld(
      () => this.find(client, handle),
      (buffer) => this.mapHandle(client, handle, buffer),
    );
  }

  /** Takes back one {@link mapKernel} of a handle that has one. */
  unmapKernel(client: number, handle: number): void {
    const place = this.placeOf(client, handle);
    this.kernelMapCount.add(place, -1);
    this.kernelMaps.put(this.handle.get(place) - 1, 1);
  }

  /**
   * Puts a reader before the first segment of the buffer behind a handle, as ion_sg_table(). Returns 0;
   * -EBADF, -EINVAL.
   */
  openSgTable(client: number, handle: number, reader: SgReader): number {
    const buffer = this.find(client, handle);
    if (buffer < 0) return buffer;
    this.buffers.open(buffer, reader);
    return 0;
  }

  /** `ION_IOC_HEAP_QUERY`. Returns how many heaps there are, or -EBADF. */
  query(client: number): number {
    return this.isClient(client) ? HEAPS : -EBADF;
  }

  /** Whether something is left of a size that is rounded up to pages: near 2^64 it wraps to nothing. */
  isSize(bytes: number): boolean {
    return bytes > 0 && bytes < SIZE_END - this.pageBytes;
  }

  /** The buffer behind two numbers that a user sent; -EBADF no such client, -EINVAL no such handle. */
  find(client: number, handle: number): number {
    return this.isClient(client) ? this.lookUp(client, handle) : -EBADF;
  }

  /** The buffer behind a handle of a client that exists, or -EINVAL. */
  lookUp(client: number, handle: number): number {
    if (handle === 0 || !isIndex(handle, this.handleEnd)) return -EINVAL;
    const held = this.handle.get(this.placeOf(client, handle));
    return held === 0 ? -EINVAL : held - 1;
  }

  /** The handle of a client for a buffer, or 0. */
  findHandle(client: number, buffer: number): number {
    for (let id = 1; id < this.handleEnd; id++) {
      if (this.handle.get(this.placeOf(client, id)) === buffer + 1) return id;
    }
    return 0;
  }

  /** Keeps a buffer alive without a handle. */
  takeReference(buffer: number): void {
    this.buffers.takeReference(buffer);
  }

  dropReference(buffer: number): void {
    this.buffers.dropReference(buffer);
  }

  /**
   * What every call does that lets others run between looking a buffer up and using it: it takes a reference,
   * and looks again, because the ids of users may have come to mean something else. Returns the buffer, with
   * the reference, or the error of the look-up.
   */
  *hold(lookUp: () => number): Steps {
    for (;;) {
      const buffer = lookUp();
      if (buffer < 0) return buffer;
      this.takeReference(buffer);
      yield 1;
      if (lookUp() === buffer) return buffer;
      this.dropReference(buffer);
    }
  }

  /** Looks a buffer up, holds it while others run, and uses it. Returns what `use` does, or an error. */
  *whileHeld(lookUp: () => number, use: (buffer: number) => number): Steps {
    const buffer = yield* this.hold(lookUp);
    if (buffer < 0) return buffer;
    const result = use(buffer);
    this.dropReference(buffer);
    return result;
  }

  /** Gives a buffer, with the reference that the caller holds, an id that is not in use. */
  openHandle(client: number, handle: number, buffer: number): void {
    this.handle.set(this.placeOf(client, handle), buffer + 1);
    this.getHandle(client, handle);
  }

  /** One more reference of its user to a handle. */
  getHandle(client: number, handle: number): void {
    this.handleCount.add(this.placeOf(client, handle), 1);
  }

  /** One reference of its user less. Returns the buffer that this took the handle from, as the next, or -1. */
  putHandle(client: number, handle: number): number {
    const place = this.placeOf(client, handle);
    if (this.handleCount.get(place) <= 1) return this.closeHandle(client, handle);
    this.handleCount.add(place, -1);
    return NONE;
  }

  /**
   * Ends a handle, however often it is referred to: its kernel mappings, then its id. Returns its buffer, whose
   * reference is now the caller's to drop.
   */
  closeHandle(client: number, handle: number): number {
    const place = this.placeOf(client, handle);
    const buffer = this.handle.get(place) - 1;
    this.undoKernelMaps(place, buffer);
    this.handle.set(place, 0);
    this.handleCount.set(place, 0);
    return buffer;
  }

  /** Takes back every {@link mapKernel} of the handle at a place. */
  undoKernelMaps(place: number, buffer: number): void {
    const times = this.kernelMapCount.get(place);
    if (times === 0) return;
    this.kernelMapCount.set(place, 0);
    this.kernelMaps.put(buffer, times);
  }

  /** The lowest handle id that is not in use, or -ENOSPC. */
  newHandle(client: number): number {
    return this.faults.ask(SITE_ID) ? -ENOSPC : this.lowestHandle(client);
  }

  /** As {@link newHandle}, where that was asked before. */
  lowestHandle(client: number): number {
    for (let id = 1; id < this.handleEnd; id++)
      if (this.handle.get(this.placeOf(client, id)) === 0) return id;
    return -ENOSPC;
  }

  /** Where a handle stands in its column. */
  placeOf(client: number, handle: number): number {
    return client * this.handleEnd + handle;
  }

  private mapHandle(client: number, handle: number, buffer: number): number {
    const kernelPage = this.kernelMaps.get(buffer);
    if (kernelPage < 0) return kernelPage;
    this.kernelMapCount.add(this.placeOf(client, handle), 1);
    return kernelPage * this.pageBytes;
  }

  private dropLast(buffer: number): void {
    if (buffer !== NONE) this.dropReference(buffer);
  }
}
