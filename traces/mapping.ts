/** A mapping in an IOMMU, from its birth to its death, as far as the trace shows them. */
import type { Stamp, TraceEvent } from './event.ts';

export interface Mapping {
  /** Numbered by first appearance, from 1. */
  readonly id: number;
  readonly iova: number;
  readonly paddr: number;
  readonly size: number;
  /** The `map` line. */
  readonly born: Stamp;
  /** Device or domain that it belongs to, once something named it. */
  space: string | undefined;
  /** The `unmap` line; undefined as long as it lives. */
  died: Stamp | undefined;
  /** True where an unmap may have meant this mapping or another one at the same address. */
  doubtful: boolean;
}

/** Who wants to know of births and deaths: figures, the timeline, explanations of faults. */
export interface LifeListener {
  born(mapping: Mapping): void;
  /** `died` is set. A mapping that the trace did not show being made has no birth and is not told of. */
  died(mapping: Mapping): void;
}

/** One part of the judging. Events come in the order of time. */
export interface Watch {
  on(event: TraceEvent): void;
  /** The trace is over. */
  end(): void;
}
