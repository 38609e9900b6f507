/** A mapping from its birth to its death, as far as the trace shows them. */
import type { DmaBirth, MapEvent, Stamp, TraceEvent } from './event.ts';

/** The pages that everything is counted in: the smallest that IOMMUs translate, and page frames of most machines. */
export const PAGE = 4096;

/** What leads a device to memory: a mapping in an IOMMU or, where no IOMMU is traced, a range that a driver mapped. */
export interface Life {
  readonly iova: number;
  /** Undefined where the driver's call does not tell it. */
  readonly paddr: number | undefined;
  readonly size: number;
  /** The line that made it. */
  readonly born: MapEvent | DmaBirth;
  /** Device or group that it belongs to, once something named it. */
  readonly space: string | undefined;
  /** The line that took the last of it; undefined while part of it lives. */
  readonly died: Stamp | undefined;
}

export interface Mapping extends Life {
  /** Numbered by first appearance, from 1. */
  readonly id: number;
  readonly paddr: number;
  space: string | undefined;
  died: Stamp | undefined;
  /** True where an unmap may have meant this mapping or another one at the same address. */
  doubtful: boolean;
  /** Pages of it that are still mapped. */
  left: number;
}

/** Drivers' events name it, and tell what is wrong with it. */
export const isNamedByDriver = ({ space, born }: Mapping): boolean =>
  space !== undefined && born.device === undefined;

/** Who wants to know of births and deaths: figures, the timeline. */
export interface LifeListener {
  born(life: Life): void;
  /** `died` is set. What the trace did not show being made has no birth and is not told of. */
  died(life: Life): void;
  /** `space` was undefined until now; an event after the birth named it. */
  named?(life: Life): void;
  /** Something was unmapped that the trace did not show being mapped. */
  unknownDeath?(): void;
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
