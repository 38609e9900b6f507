/** What was unmapped lately: explains faults, second unmaps and syncs that come too late. */
import type { DmaMapping, DmaRange } from './dma-mapping.ts';
import { RangeIndex } from './range-index.ts';

/** Mappings that are remembered; at 500,000 unmaps a second still those of the last 30 ms. */
const REMEMBERED = 16_384;
/** Of ranges smaller than a page so many are remembered for each page. */
const EACH_PAGE = 16;
const PAGE = 4096;

interface Grave {
  readonly ranges: RangeIndex<DmaRange>;
  /** The last list that died, by the physical address of its first entry. */
  readonly lists: Map<number, DmaMapping>;
}

export class DmaDeaths {
  readonly #graves = new Map<string, Grave>();
  readonly #ring: (DmaMapping | undefined)[] = [];
  #next = 0;

  /** `died` of the mapping is set. */
  add(mapping: DmaMapping): void {
    const grave = this.#graveOf(mapping.device);
    for (const range of mapping.ranges) bury(range, grave.ranges);
    const [phys] = mapping.physes;
    if (phys !== undefined) grave.lists.set(phys, mapping);
    this.#forget(this.#ring[this.#next]);
    this.#ring[this.#next] = mapping;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** The mapping of a device that died last of those that had a byte in the range. */
  lastAt(device: string, start: number, size: number): DmaMapping | undefined {
    const ranges = this.#graves.get(device)?.ranges.overlapping(start, size) ?? [];
    return latest(ranges.map(({ mapping }) => mapping));
  }

  /** The same, of any device but one. */
  lastOfOthers(device: string, start: number, size: number): DmaMapping | undefined {
    const others = [...this.#graves.keys()].filter((name) => name !== device);
    return latest(others.flatMap((name) => this.lastAt(name, start, size) ?? []));
  }

  lastList(device: string, phys: number): DmaMapping | undefined {
    return this.#graves.get(device)?.lists.get(phys);
  }

  #graveOf(device: string): Grave {
    const known = this.#graves.get(device);
    if (known !== undefined) return known;
    const grave: Grave = { ranges: new RangeIndex(), lists: new Map() };
    this.#graves.set(device, grave);
    return grave;
  }

  #forget(mapping: DmaMapping | undefined): void {
    const grave = mapping === undefined ? undefined : this.#graves.get(mapping.device);
    if (mapping === undefined || grave === undefined) return;
    for (const range of mapping.ranges) grave.ranges.remove(range);
    const [phys] = mapping.physes;
    if (phys !== undefined && grave.lists.get(phys) === mapping) grave.lists.delete(phys);
  }
}

/** Ranges that lie under the new one are told of no more, and of those of a busy page only the last ones. */
function bury(range: DmaRange, ranges: RangeIndex<DmaRange>): void {
  const first = Math.floor(range.start / PAGE) * PAGE;
  const inPages = ranges.overlapping(first, range.start + range.size - first);
  const end = range.start + range.size;
  let left = inPages.length;
  for (const old of inPages) {
    const under = old.start >= range.start && old.start + old.size <= end;
    if (under || left > EACH_PAGE) ranges.remove(old);
    left -= 1;
  }
  ranges.add(range);
}

function latest(mappings: readonly DmaMapping[]): DmaMapping | undefined {
  let last: DmaMapping | undefined;
  for (const mapping of mappings) if (timeOfDeath(mapping) >= timeOfDeath(last)) last = mapping;
  return last;
}

const timeOfDeath = (mapping: DmaMapping | undefined): number =>
  mapping?.died?.time ?? Number.NEGATIVE_INFINITY;
