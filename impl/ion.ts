import type { Buffers } from './buffers.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EBADF, EINVAL, EMFILE, ENODEV, ENOSPC } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import { SEEN_CLIENT, SEEN_HANDLE } from './seen.ts';
import type { Store } from './store.ts';

/** Bit of the only heap there is, in a heap mask. */
export const HEAP_IOMMU = 1;
/** Sizes are 64-bit numbers, and arrive here as the nearest double. */
const SIZE_END = 2 ** 64;

/**
 * Clients, their handles, and buffers behind them. After the ION core of about Linux 3.18: ids are each
 * client's own and start at 1; every id that comes in is looked up, whatever it is.
 */
export class Ion {
  /** 1 for each client that exists. */
  readonly client: Column;
  /** At client * (handles + 1) + id: page 0 of the buffer + 1, or 0. */
  readonly handle: Column;
  readonly buffers: Buffers;
  private readonly faults: FaultPoints;
  private readonly handleEnd: number;
  private readonly pageBytes: number;

  constructor(store: Store, config: Config, buffers: Buffers, faults: FaultPoints) {
    this.buffers = buffers;
    this.faults = faults;
    this.pageBytes = config.pageBytes;
    this.handleEnd = config.handles + 1;
    this.client = store.column(config.clients, SEEN_CLIENT);
    this.handle = store.column(config.clients * this.handleEnd, SEEN_HANDLE);
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

  /** Ends a client that exists and has no GPU context any more: its handles go. */
  destroyClient(client: number): void {
    for (let id = 1; id < this.handleEnd; id++) {
      if (this.handle.get(this.placeOf(client, id)) !== 0) this.closeHandle(client, id);
    }
    this.client.set(client, 0);
  }

  /** Whether a number that a user sent is a client. */
  isClient(client: number): boolean {
    return isIndex(client, this.client.count) && this.client.get(client) !== 0;
  }

  /**
   * `ION_IOC_ALLOC`.
   *
   * @param bytes - any number, a 64-bit size included; rounded up to pages
   * @param heaps - mask of heaps that will do
   * @returns the handle; -EBADF no such client, -EINVAL no size, -ENODEV no heap, -ENOMEM, -ENOSPC no handle
   *   id
   */
  allocate(client: number, bytes: number, heaps: number): number {
    if (!this.isClient(client)) return -EBADF;
    if (!this.isSize(bytes)) return -EINVAL;
    if ((heaps & HEAP_IOMMU) === 0) return -ENODEV;
    const buffer = this.buffers.create(Math.ceil(bytes / this.pageBytes));
    if (buffer < 0) return buffer;
    const handle = this.openHandle(client, buffer);
    if (handle < 0) this.dropReference(buffer);
    return handle;
  }

  /** `ION_IOC_FREE`. Returns 0; -EBADF no such client, -EINVAL no such handle. */
  free(client: number, handle: number): number {
    if (!this.isClient(client)) return -EBADF;
    if (this.lookUp(client, handle) < 0) return -EINVAL;
    this.closeHandle(client, handle);
    return 0;
  }

  /** Whether something is left of a size that is rounded up to pages: near 2^64 it wraps to nothing. */
  isSize(bytes: number): boolean {
    return bytes > 0 && bytes < SIZE_END - this.pageBytes;
  }

  /** The buffer behind a handle of a client that exists, or -EINVAL. */
  lookUp(client: number, handle: number): number {
    if (handle === 0 || !isIndex(handle, this.handleEnd)) return -EINVAL;
    const held = this.handle.get(this.placeOf(client, handle));
    return held === 0 ? -EINVAL : held - 1;
  }

  /** Keeps a buffer alive without a handle. */
  takeReference(buffer: number): void {
    this.buffers.takeReference(buffer);
  }

  dropReference(buffer: number): void {
    this.buffers.dropReference(buffer);
  }

  /** Gives a buffer, with the reference that the caller holds, an id. Returns it, or -ENOSPC. */
  openHandle(client: number, buffer: number): number {
    const handle = this.newHandle(client);
    if (handle > 0) this.handle.set(this.placeOf(client, handle), buffer + 1);
    return handle;
  }

  /** The id goes first, then its reference. */
  closeHandle(client: number, handle: number): void {
    const place = this.placeOf(client, handle);
    const buffer = this.handle.get(place) - 1;
    this.handle.set(place, 0);
    this.dropReference(buffer);
  }

  /** The lowest handle id that is not in use, or -ENOSPC. */
  newHandle(client: number): number {
    if (this.faults.ask(SITE_ID)) return -ENOSPC;
    for (let id = 1; id < this.handleEnd; id++)
      if (this.handle.get(this.placeOf(client, id)) === 0) return id;
    return -ENOSPC;
  }

  /** Where a handle stands in its column. */
  placeOf(client: number, handle: number): number {
    return client * this.handleEnd + handle;
  }
}
