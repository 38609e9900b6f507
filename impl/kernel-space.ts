import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';
import type { Vmalloc } from './vmalloc.ts';

/**
 * Kernel address space that buffers take for their life when the heap gets them from the DMA allocator,
 * whether or not anybody uses it. After dma_alloc_coherent() of 2012 on ARM; DMA_ATTR_NO_KERNEL_MAPPING came
 * for this.
 */
export class KernelSpace {
  /** Whether buffers take any. */
  readonly taken: boolean;
  /** First page of vmalloc space + 1 of the buffer whose page 0 this is. */
  private readonly start: Column;
  private readonly vmalloc: Vmalloc;

  constructor(store: Store, config: Config, vmalloc: Vmalloc) {
    this.vmalloc = vmalloc;
    this.taken = config.policies.backing === 'dma-alloc';
    this.start = store.column(this.taken ? config.pages : 0, SEEN_NOWHERE);
  }

  /** Takes address space for `count` pages of a buffer. Returns 0, or -ENOMEM. */
  take(buffer: number, count: number): number {
    const start = this.vmalloc.reserve(count);
    if (start < 0) return start;
    this.start.set(buffer, start + 1);
    return 0;
  }

  /** Gives it back. */
  give(buffer: number, count: number): void {
    this.vmalloc.release(this.start.get(buffer) - 1, count);
    this.start.set(buffer, 0);
  }
}
