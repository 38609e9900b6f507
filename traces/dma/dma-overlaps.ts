/** Addresses that a device is given while it has them already. */

import type { TraceEvent } from '../event.ts';
import { duration, hex } from '../say.ts';
import type { DmaDevice } from './dma-device.ts';
import { type DmaMapping, type DmaRange, nameOfMap } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { subjectOf } from './dma-unmaps.ts';
import type { Grade } from './verdicts.ts';

/**
 * `dma_unmap_page` is written after the address was given back, so another CPU or an interrupt may have it again
 * before. Nanoseconds that this may take: an interrupt, or a task that was preempted just there.
 */
const LATE = 10_000_000;

/** Ranges that one is compared with: without an IOMMU, a page that is sent many times at once has one address. */
export const COMPARED_MAX = 256;

interface Overlay {
  /** What was given the address. */
  readonly by: DmaMapping;
  /** The tables show that it was free. */
  readonly shown: boolean;
}

export class DmaOverlaps {
  readonly #state: DmaState;
  readonly #forget: (mapping: DmaMapping) => void;
  /** Mappings whose address was given away, with the event that did so. */
  readonly #overlaid = new Map<DmaMapping, Overlay>();

  /** @param forget - told of a mapping that must be over, though the trace shows no unmap of it */
  constructor(state: DmaState, forget: (mapping: DmaMapping) => void) {
    this.#state = state;
    this.#forget = forget;
  }

  /** To be asked before the mapping is added. Returns false where the line is there twice. */
  admits(mapping: DmaMapping): boolean {
    const device = this.#state.device(mapping.device);
    for (const range of mapping.ranges) {
      const there = device.live.overlapping(range.start, range.size, COMPARED_MAX);
      if (there.length === COMPARED_MAX) this.#crowded(mapping);
      for (const old of there) {
        if (sameLine(old.mapping.born, mapping.born)) {
          const text = 'lines that are there twice';
          this.#state.verdicts.tolerate('duplicate-line', text, mapping.born.line);
          return false;
        }
        if (!mayShare(device, old, range)) this.#overlay(old.mapping, mapping);
      }
    }
    return true;
  }

  #crowded({ born }: DmaMapping): void {
    const text = 'mappings at addresses where so many live already that not all of them are compared';
    this.#state.verdicts.tolerate('crowded-range', text, born.line);
  }

  /** An unmap came after all. */
  died(mapping: DmaMapping, event: TraceEvent): void {
    if (this.#overlaid.size === 0) return;
    const overlay = this.#overlaid.get(mapping);
    if (overlay === undefined) return;
    this.#overlaid.delete(mapping);
    if (event.time - overlay.by.born.time <= LATE) {
      const text = 'unmaps that are written after their address was mapped again';
      this.#state.verdicts.tolerate('late-unmap', text, event.line);
    } else this.#tell(mapping, overlay);
  }

  end(): void {
    for (const [mapping, overlay] of this.#overlaid) this.#tell(mapping, overlay);
    this.#overlaid.clear();
  }

  #overlay(old: DmaMapping, by: DmaMapping): void {
    // The next unmap here may mean either.
    by.doubtful = true;
    const before = this.#overlaid.get(old);
    if (before !== undefined && by.born.time - before.by.born.time <= LATE) return;
    const overlay = before ?? { by, shown: this.#state.isShownUnmapped(old) };
    if (before === undefined && isWrittenLate(old)) {
      this.#overlaid.set(old, overlay);
      return;
    }
    this.#overlaid.delete(old);
    this.#tell(old, overlay);
    this.#forget(old);
  }

  #tell(old: DmaMapping, { by, shown }: Overlay): void {
    if (shown) {
      const text = 'unmaps that an IOMMU shows and no call of a driver';
      this.#state.verdicts.tolerate('unwritten-unmap', text, by.born.line);
    } else if (old.doubtful) {
      const text =
        'addresses given again after an unmap that named only memory, which was mapped more than once';
      this.#state.verdicts.tolerate('unmap-of-either', text, by.born.line);
    } else this.#find(old, by);
  }

  #find(old: DmaMapping, by: DmaMapping): void {
    const device = this.#state.device(old.device);
    const graded = this.#state.grade(device, 1, old.born.time);
    const blind: Grade = { ...graded, confidence: 'possible', assumptions: ['nothing-lost'] };
    const grade = device.unmapsSeen.has(old.api) ? graded : blind;
    const text =
      `${device.name} is given ${hex(by.ranges[0]?.start ?? 0)} by ${nameOfMap(by.api)}, ` +
      `and has had it since ${duration(by.born.time - old.born.time)} before`;
    this.#state.find('dma-overlap', grade, text, subjectOf(by), [
      { role: 'mapped here', event: old.born },
      { role: 'mapped again', event: by.born },
    ]);
  }
}

const isWrittenLate = ({ api }: DmaMapping): boolean => api === 'page' || api === 'resource';

/** Without an IOMMU, a page that is mapped twice has one address; memory that was allocated has one owner. */
function mayShare(device: DmaDevice, old: DmaRange, range: DmaRange): boolean {
  if (device.translated) return false;
  const [a, b] = [distance(old), distance(range)];
  return a === undefined || b === undefined ? a !== b : a === b;
}

/** From the memory to the DMA address; undefined where the event does not tell the memory. */
function distance({ mapping, start }: DmaRange): number | undefined {
  const at = mapping.ranges.findIndex((range) => range.start === start);
  const apart = mapping.memory.length === mapping.ranges.length;
  const memory = apart ? mapping.memory[at] : at === 0 ? mapping.memory[0] : undefined;
  return memory === undefined ? undefined : start - memory.start;
}

const sameLine = (a: TraceEvent, b: TraceEvent): boolean =>
  a.time === b.time && a.cpu === b.cpu && a.pid === b.pid;
