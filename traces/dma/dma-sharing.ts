/** Memory that is reached by two mappings at once: of two devices, or of one that may not write by the other. */

import { duration, hex } from '../say.ts';
import { type DmaMapping, nameOfMap, type ReachedMemory } from './dma-mapping.ts';
import { COMPARED_MAX } from './dma-overlaps.ts';
import type { DmaState } from './dma-state.ts';
import { RangeIndex } from './range-index.ts';
import type { Grade } from './verdicts.ts';

const UNSHARED: Grade = {
  confidence: 'possible',
  assumptions: ['not-shared'],
  since: Number.POSITIVE_INFINITY,
};

export class DmaSharing {
  readonly #state: DmaState;
  readonly #reached = new RangeIndex<ReachedMemory>();

  constructor(state: DmaState) {
    this.#state = state;
  }

  born(mapping: DmaMapping): void {
    let told: Set<DmaMapping> | undefined;
    const isNews = ({ mapping: old }: ReachedMemory): boolean =>
      old !== mapping && conflict(old, mapping) && told?.has(old) !== true;
    for (const memory of mapping.memory) {
      const other = this.#reached.overlapping(memory.start, memory.size, COMPARED_MAX).find(isNews);
      this.#reached.add(memory);
      if (other === undefined) continue;
      told ??= new Set();
      told.add(other.mapping);
      this.#judge(other.mapping, mapping, Math.max(other.start, memory.start));
    }
  }

  died(mapping: DmaMapping): void {
    for (const memory of mapping.memory) this.#reached.remove(memory);
  }

  #judge(old: DmaMapping, mapping: DmaMapping, phys: number): void {
    if (old.buffer !== undefined || mapping.buffer !== undefined) {
      const text = 'mappings of memory that another mapping reaches too: a dma-buf is attached to both';
      this.#state.verdicts.tolerate('shared-buffer', text, mapping.born.line);
      return;
    }
    const apart = old.device !== mapping.device;
    const text =
      `${hex(phys)} is mapped ${mapping.direction} for ${mapping.device}, ` +
      `and ${nameOfMap(old.api)} mapped it ${old.direction} ` +
      `${apart ? `for ${old.device} ` : ''}${duration(mapping.born.time - old.born.time)} before`;
    const subject = { device: mapping.device, pfn: Math.floor(phys / 4096) };
    this.#state.find(apart ? 'two-devices' : 'permission-change', UNSHARED, text, subject, [
      { role: 'mapped here', event: old.born },
      { role: 'mapped here too', event: mapping.born },
    ]);
  }
}

const writes = ({ direction }: DmaMapping): boolean => direction !== 'TO_DEVICE';

function conflict(a: DmaMapping, b: DmaMapping): boolean {
  if (a.device === b.device) return writes(a) !== writes(b);
  return writes(a) || writes(b);
}
