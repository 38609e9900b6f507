/** A mapping in an IOMMU, from its birth to its death, as far as the trace shows them. */
import type { MapEvent, Stamp, TraceEvent, UnmapEvent } from './event.ts';

/** The pages that everything is counted in: the smallest that IOMMUs translate, and page frames of most machines. */
export const PAGE = 4096;

export interface Mapping {
  /** Numbered by first appearance, from 1. */
  readonly id: number;
  readonly iova: number;
  readonly paddr: number;
  readonly size: number;
  /** The `map` line. */
  readonly born: MapEvent;
  /** Device or group that it belongs to, once something named it. */
  space: string | undefined;
  /** The `unmap` line that took the last of it; undefined while part of it lives. */
  died: Stamp | undefined;
  /** True where an unmap may have meant this mapping or another one at the same address. */
  doubtful: boolean;
  /** Pages of it that are still mapped. */
  left: number;
}

/** Drivers' events name it, and tell what is wrong with it. */
export const isNamedByDriver = ({ space, born }: Mapping): boolean =>
  space !== undefined && born.device === undefined;

/** Who wants to know of births and deaths: figures, the timeline, explanations of faults. */
export interface LifeListener {
  born(mapping: Mapping): void;
  /** `died` is set. A mapping that the trace did not show being made has no birth and is not told of. */
  died(mapping: Mapping): void;
  /** `space` was undefined until now; an event after the birth named it. */
  named?(mapping: Mapping): void;
  /** Pages were unmapped that the trace did not show being mapped. */
  unknownDeath?(event: UnmapEvent, pages: number): void;
}

/** What can be asked of the IOMMU level while events go by. */
export interface Lives {
  /** What may be mapped at an I/O address now: more than one where several domains use it. */
  liveAt(iova: number): readonly Mapping[];
  /** What died last at an I/O address; of one device, if it is given and the mapping's device is known. */
  lastAt(iova: number, device?: string): Mapping | undefined;
}

/** One part of the judging. Events come in the order of time. */
export interface Watch {
  on(event: TraceEvent): void;
  /** The trace is over. */
  end(): void;
}
