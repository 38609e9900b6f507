import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * Buffers that nobody refers to any more and that somebody will free later, oldest first. After the ION
 * heap's free list and its low-priority thread.
 */
export class Deferred {
  /** Pages of the buffer whose page 0 this is, while it waits; else 0. */
  readonly count: Column;
  /** The buffer that came after it + 1, or 0. */
  private readonly next: Column;
  /** Oldest buffer + 1 and youngest buffer + 1, or 0. */
  private readonly ends: Column;

  constructor(store: Store, config: Config) {
    this.count = store.column(config.pages, SEEN_NOWHERE);
    this.next = store.column(config.pages, SEEN_NOWHERE);
    this.ends = store.column(2, SEEN_NOWHERE);
  }

  /** The oldest buffer, or -1. */
  get oldest(): number {
    return this.ends.get(0) - 1;
  }

  /** Puts a buffer of `count` pages behind the others. */
  push(buffer: number, count: number): void {
    const youngest = this.ends.get(1) - 1;
    if (youngest < 0) this.ends.set(0, buffer + 1);
    else this.next.set(youngest, buffer + 1);
    this.ends.set(1, buffer + 1);
    this.count.set(buffer, count);
  }

  /** Takes the oldest buffer out of a queue that is not empty. */
  shift(): void {
    const buffer = this.oldest;
    const next = this.next.get(buffer);
    this.ends.set(0, next);
    if (next === 0) this.ends.set(1, 0);
    this.next.set(buffer, 0);
    this.count.set(buffer, 0);
  }
}
