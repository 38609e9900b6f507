import type { Buffers } from './buffers.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';
import type { Vmalloc } from './vmalloc.ts';

/**
 * Kernel addresses of buffers: one mapping a buffer, made for the first who asks and gone with the last.
 * After the ION core, ion_buffer_kmap_get() and ion_buffer_kmap_put().
 */
export class KernelMaps {
  /** How often the buffer whose page 0 this is was mapped and not unmapped. */
  private readonly users: Column;
  /** First kernel page + 1 of its mapping, or 0. */
  private readonly start: Column;
  private readonly buffers: Buffers;
  private readonly vmalloc: Vmalloc;

  constructor(store: Store, config: Config, buffers: Buffers, vmalloc: Vmalloc) {
    this.buffers = buffers;
    this.vmalloc = vmalloc;
    this.users = store.column(config.pages, SEEN_NOWHERE);
    this.start = store.column(config.pages, SEEN_NOWHERE);
  }

  /** One more user of a buffer's mapping. Returns its first kernel page, or -ENOMEM. */
  get(buffer: number): number {
    if (!this.isMapped(buffer)) {
      const start = this.map(buffer);
      if (start < 0) return start;
      this.start.set(buffer, start + 1);
    }
    this.users.add(buffer, 1);
    return this.start.get(buffer) - 1;
  }

  isMapped(buffer: number): boolean {
    return this.users.get(buffer) !== 0;
  }

  /** `times` users less; the last takes the mapping with it. */
  put(buffer: number, times: number): void {
    if (this.users.add(buffer, -times) > 0) return;
    this.unmap(this.start.get(buffer) - 1);
    this.start.set(buffer, 0);
  }

  /** Kernel addresses for all pages of a buffer. Returns the first kernel page, or -ENOMEM. */
  map(buffer: number): number {
    const pageOf = (index: number): number => this.buffers.pageAt(buffer, index);
    return this.vmalloc.mapPages(this.buffers.count.get(buffer), pageOf, this.isCached(buffer));
  }

  /** Ends what {@link map} returned. */
  unmap(start: number): void {
    this.vmalloc.unmapPages(start);
  }

  /** The attribute that every mapping of a buffer must have. */
  isCached(buffer: number): boolean {
    return this.buffers.isCached(buffer);
  }
}
