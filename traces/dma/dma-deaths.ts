/** What was unmapped lately: explains faults, second unmaps and syncs that come too late. */
import { REMEMBERED, Recent } from '../recent.ts';
import { blockOf, keyOf, LEVELS, lastBlock, levelOf } from './blocks.ts';
import type { DmaMapping, DmaRange } from './dma-mapping.ts';

export class DmaDeaths {
  /** By block of addresses; 16,384 at 500,000 unmaps a second are those of the last 30 ms. */
  readonly #ranges = new Recent<DmaRange>();
  /** Lists, by the physical address of their first entry. */
  readonly #lists = new Recent<DmaMapping>();

  /** `died` of the mapping is set. */
  add(mapping: DmaMapping): void {
    for (const range of mapping.ranges) {
      const level = levelOf(range.size);
      const last = lastBlock(range.start, range.size, level);
      for (let block = blockOf(range.start, level); block <= last; block += 1)
        this.#ranges.add(keyOf(block, level), range);
    }
    const [phys] = mapping.physes;
    if (phys !== undefined) this.#lists.add(phys, mapping);
  }

  /** The mapping of a device that died last of those that had a byte in the range. */
  lastAt(device: string, start: number, size: number): DmaMapping | undefined {
    const takes = ({ mapping, start: from, size: length }: DmaRange): boolean =>
      from < start + size && start < from + length && mapping.device === device;
    let found = 0;
    for (let level = 0; level < LEVELS; level += 1) {
      const first = blockOf(start, level);
      const last = lastBlock(start, size, level);
      if (last - first >= REMEMBERED) return this.#ranges.at(this.#ranges.findAny(takes))?.mapping;
      for (let block = first; block <= last; block += 1)
        found = Math.max(found, this.#ranges.find(keyOf(block, level), takes));
    }
    return this.#ranges.at(found)?.mapping;
  }

  lastList(device: string, phys: number): DmaMapping | undefined {
    return this.#lists.at(this.#lists.find(phys, (mapping) => mapping.device === device));
  }
}
