/** What is mapped for one device, and what is known of how its addresses are made. */

import type { MapEvent } from '../event.ts';
import type { DmaApi, DmaMapping, DmaRange } from './dma-mapping.ts';
import { RangeIndex } from './range-index.ts';

/** So many distances between DMA address and memory no bus has: somebody hands the addresses out. */
const DISTANCES = 3;

export class DmaDevice {
  readonly name: string;
  readonly live: RangeIndex<DmaRange> = new RangeIndex();
  /** Unmaps of what the trace did not show being mapped: it was mapped before the trace began. */
  strangers = 0;
  /** Functions whose unmaps the trace has shown; of others it may not show any. */
  readonly unmapsSeen: Set<DmaApi> = new Set();
  readonly #distances = new Set<number>();
  #translated = false;
  /** Lists by the physical address of their first entry. */
  readonly #lists = new Map<number, DmaMapping[]>();

  constructor(name: string) {
    this.name = name;
  }

  /**
   * Whether DMA addresses are handed out, so that each leads to one mapping. Else they may be those of the memory,
   * and one page that is mapped twice has the same address twice, which is legal.
   */
  get translated(): boolean {
    return this.#translated;
  }

  add(mapping: DmaMapping, lastMap: MapEvent | undefined): void {
    for (const range of mapping.ranges) this.live.add(range);
    const [phys] = mapping.physes;
    if (mapping.api === 'sg' && phys !== undefined) {
      const lists = this.#lists.get(phys);
      if (lists === undefined) this.#lists.set(phys, [mapping]);
      else lists.push(mapping);
    }
    if (!this.#translated) this.#learn(mapping, lastMap);
  }

  remove(mapping: DmaMapping): void {
    for (const range of mapping.ranges) this.live.remove(range);
    const [phys] = mapping.physes;
    const lists = phys === undefined ? undefined : this.#lists.get(phys);
    const at = lists?.indexOf(mapping) ?? -1;
    if (phys === undefined || lists === undefined || at < 0) return;
    if (lists.length === 1) this.#lists.delete(phys);
    else lists.splice(at, 1);
  }

  /** Live mappings of lists that begin at this memory, oldest first. */
  listsFrom(phys: number): readonly DmaMapping[] {
    return this.#lists.get(phys) ?? [];
  }

  /** An IOMMU is proven by its own event for the address, or by distances that no constant offset gives. */
  #learn({ ranges, memory, born }: DmaMapping, lastMap: MapEvent | undefined): void {
    const start = ranges[0]?.start ?? 0;
    const mapped = lastMap !== undefined && lastMap.pid === born.pid && lastMap.iova !== lastMap.paddr;
    if (mapped && start >= lastMap.iova && start < lastMap.iova + lastMap.size) this.#translated = true;
    const [first] = memory;
    if (first === undefined || first.start === start) return;
    this.#distances.add(start - first.start);
    this.#translated ||= this.#distances.size >= DISTANCES;
  }
}
