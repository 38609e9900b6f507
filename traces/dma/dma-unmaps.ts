/** Unmaps of drivers against what was mapped: the rules of dma-debug. */
import type { CheckName } from '../checks.ts';
import type { EventOf, TraceEvent, UnmapEvent } from '../event.ts';
import type { Subject } from '../finding.ts';
import { bytes, duration, hex } from '../say.ts';
import type { DmaDevice } from './dma-device.ts';
import {
  apiOf,
  type DmaMapping,
  type DmaRange,
  isAddress,
  isNull,
  nameOfMap,
  nameOfUnmap,
} from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { CERTAIN, type Grade } from './verdicts.ts';

/** An unmap that names an address; lists are named by their memory. */
export type AddressUnmap = EventOf<'dma-unmap'> | EventOf<'dma-free' | 'dma-alloc'>;
export type ListUnmap = EventOf<'dma-unmap-sg'>;

/** Who wants to know of unmaps. */
export interface UnmapListener {
  /** A driver gave a mapping back. */
  died(mapping: DmaMapping, event: AddressUnmap | ListUnmap): void;
  /** What a driver gave back was mapped before the trace began. */
  stranger(): void;
}

/** The kernel cuts printed lists at so many entries, some versions only those of `dma_map_sg`. */
const LIST_MAX = 128;

export class DmaUnmaps {
  readonly #state: DmaState;
  readonly #listener: UnmapListener;
  /** By CPU: the unmap of a list, until the next event there tells at which address it was. */
  readonly #open = new Map<number, ListUnmap>();

  constructor(state: DmaState, listener: UnmapListener) {
    this.#state = state;
    this.#listener = listener;
  }

  /** `dma_unmap_page`, `dma_free_attrs` and the like. */
  byAddress(event: AddressUnmap): void {
    if (event.kind === 'dma-free' && event.api !== 'sgt' && isNull(event.virt)) return;
    const device = this.#state.device(event.device);
    const range = bestOf(device, event);
    device.unmapsSeen.add(apiOf(event));
    if (range !== undefined) {
      this.#compare(device, range, event);
      this.#die(range.mapping, event);
    } else if (isAddress(event.dma, Math.max(1, event.size))) this.#nothingThere(device, event);
    else this.#error(event);
  }

  /** `dma_unmap_sg`: all that it says is the memory of the list. */
  byList(event: ListUnmap): void {
    this.#state.device(event.device).unmapsSeen.add('sg');
    this.#open.set(event.cpu, event);
  }

  /** To be called for each event, before it is judged: the unmap in the IOMMU comes right after that of its list. */
  next(event: TraceEvent): void {
    if (this.#open.size === 0) return;
    const open = this.#open.get(event.cpu);
    if (open === undefined) return;
    this.#open.delete(event.cpu);
    if (event.kind === 'unmap' && event.pid === open.pid) this.#listAt(open, event);
    else this.#listSomewhere(open);
  }

  end(): void {
    for (const event of this.#open.values()) this.#listSomewhere(event);
    this.#open.clear();
  }

  #listAt(event: ListUnmap, unmap: UnmapEvent): void {
    const device = this.#state.device(event.device);
    const lists = listsOf(device, event);
    const isThere = ({ ranges }: DmaMapping): boolean => ranges.some(({ start }) => within(start, unmap));
    const [chosen] = bestLists(lists.filter(isThere), event);
    if (chosen !== undefined) {
      this.#compareList(device, chosen, event, this.#state.grade(device, 2, chosen.born.time));
      this.#die(chosen, event);
      return;
    }
    const dead = this.#deadList(device, event);
    if (dead !== undefined && isThere(dead)) this.#again(device, dead, event, true);
    else {
      for (const mapping of lists) mapping.doubtful = true;
      this.#stranger(device, event);
    }
  }

  /** Without the IOMMU's event one of several lists of the same memory may be meant, or one from before the trace. */
  #listSomewhere(event: ListUnmap): void {
    const device = this.#state.device(event.device);
    const best = bestLists(listsOf(device, event), event);
    const [chosen] = best;
    const dead = this.#deadList(device, event);
    if (chosen !== undefined) {
      if (best.length > 1) for (const mapping of best) mapping.doubtful = true;
      this.#compareList(device, chosen, event, this.#state.vague(device, chosen.born.time));
      this.#die(chosen, event);
    } else if (dead !== undefined) this.#again(device, dead, event, false);
    else this.#stranger(device, event);
  }

  #deadList(device: DmaDevice, { physes }: ListUnmap): DmaMapping | undefined {
    const [phys = 0] = physes;
    const dead = this.#state.deaths.lastList(device.name, phys);
    return dead !== undefined && samePrefix(dead.physes, physes) ? dead : undefined;
  }

  #die(mapping: DmaMapping, event: AddressUnmap | ListUnmap): void {
    mapping.died = event;
    this.#state.remove(mapping);
    this.#listener.died(mapping, event);
  }

  #compare(device: DmaDevice, { mapping, start, size }: DmaRange, event: AddressUnmap): void {
    const { api, direction, born } = mapping;
    const as = apiOf(event);
    // Nearly all are right, and a text is dear.
    if (as === api && event.size === size && event.direction === direction) return;
    const tell = (check: CheckName, text: string): void =>
      this.#tell(check, this.#state.grade(device, 2, born.time), text, mapping, event);
    const there = `${hex(start)} of ${device.name}`;
    if (as !== api)
      tell('dma-unmap-kind', `${there}: mapped by ${nameOfMap(api)}, undone by ${nameOfUnmap(as)}`);
    else if (event.size !== size)
      tell('dma-unmap-size', `${there}: ${bytes(size)} were mapped, ${bytes(event.size)} unmapped`);
    if (as === api && event.direction !== direction)
      tell('dma-unmap-direction', `${there}: mapped ${direction}, unmapped ${event.direction}`);
  }

  #compareList(device: DmaDevice, mapping: DmaMapping, event: ListUnmap, grade: Grade): void {
    const isWhole = sameLength(mapping, event);
    if (isWhole && mapping.direction === event.direction) return;
    const there = `the list at ${hex(mapping.ranges[0]?.start ?? 0)} of ${device.name}`;
    if (!isWhole) {
      const counts = `${mapping.physes.length} entries were mapped, ${event.physes.length} unmapped`;
      this.#tell('dma-unmap-size', grade, `${there}: ${counts}`, mapping, event);
    }
    if (mapping.direction !== event.direction) {
      const text = `${there}: mapped ${mapping.direction}, unmapped ${event.direction}`;
      this.#tell('dma-unmap-direction', grade, text, mapping, event);
    }
  }

  #nothingThere(device: DmaDevice, event: AddressUnmap): void {
    const { dma } = event;
    const around = device.live.find(dma, 1, () => true);
    const dead = this.#state.deaths.lastAt(device.name, dma, 1);
    if (around !== undefined) this.#inside(device, around, event);
    else if (dead?.ranges.some(({ start }) => start === dma) === true) this.#again(device, dead, event, true);
    else this.#stranger(device, event);
  }

  #stranger(device: DmaDevice, event: AddressUnmap | ListUnmap): void {
    device.strangers += 1;
    this.#listener.stranger();
    const text = 'unmaps by drivers of what they mapped before the trace began';
    this.#state.verdicts.tolerate('mapped-before-trace', text, event.line);
  }

  /** The address lies in a live mapping without being its start. */
  #inside(device: DmaDevice, { mapping, start, size }: DmaRange, event: AddressUnmap): void {
    const grade = this.#state.grade(device, 2, mapping.born.time);
    const text =
      `${hex(event.dma)} of ${device.name} was not mapped as such: ` +
      `it lies in the ${bytes(size)} mapped at ${hex(start)}`;
    this.#tell('dma-unmap-unknown', grade, text, mapping, event);
  }

  /** @param sure - whether the address is told, not only the memory */
  #again(device: DmaDevice, dead: DmaMapping, event: AddressUnmap | ListUnmap, sure: boolean): void {
    const { died } = dead;
    if (died === undefined || dead.doubtful) this.#stranger(device, event);
    else if (died.time === event.time && died.cpu === event.cpu)
      this.#state.verdicts.tolerate('duplicate-line', 'lines that are there twice', event.line);
    else if (this.#state.isShownMapped(device.name, dead.ranges[0]?.start ?? 0, died.time)) {
      const text = 'mappings that an IOMMU shows and no call of a driver';
      this.#state.verdicts.tolerate('unwritten-map', text, event.line);
    } else {
      const grade = sure ? this.#state.grade(device, 1, died.time) : this.#state.vague(device, died.time);
      this.#twice(grade, dead, died, event);
    }
  }

  #twice(grade: Grade, dead: DmaMapping, died: TraceEvent, event: AddressUnmap | ListUnmap): void {
    const start = dead.ranges[0]?.start ?? 0;
    const text = `${hex(start)} of ${dead.device} is unmapped twice, the second time ${since(died, event)} later`;
    this.#state.find('dma-unmap-unknown', grade, text, subjectOf(dead), [
      { role: 'mapped here', event: dead.born },
      { role: 'unmapped here', event: died },
      { role: 'unmapped again', event },
    ]);
  }

  /** `dma_mapping_error` was not asked. */
  #error(event: AddressUnmap): void {
    const text = `${event.device} unmaps DMA_MAPPING_ERROR: the mapping had failed`;
    const subject = { device: event.device };
    this.#state.find('dma-unmap-unknown', CERTAIN, text, subject, [{ role: 'unmapped here', event }]);
  }

  #tell(
    check: CheckName,
    grade: Grade,
    text: string,
    mapping: DmaMapping,
    event: AddressUnmap | ListUnmap,
  ): void {
    this.#state.find(check, grade, text, subjectOf(mapping), [
      { role: 'mapped here', event: mapping.born },
      { role: 'unmapped here', event },
    ]);
  }
}

/** Size, function and direction. */
const ALL_FITS = 7;

/** Of several mappings at one address the one that fits best: size, then function, then direction, then age. */
function bestOf(device: DmaDevice, event: AddressUnmap): DmaRange | undefined {
  const api = apiOf(event);
  let best: DmaRange | undefined;
  let most = -1;
  device.live.find(event.dma, Math.max(1, event.size), (range) => {
    const { mapping, start, size } = range;
    if (start !== event.dma) return false;
    const fits =
      (size === event.size ? 4 : 0) +
      (mapping.api === api ? 2 : 0) +
      (mapping.direction === event.direction ? 1 : 0);
    if (fits > most) {
      most = fits;
      best = range;
    }
    return most === ALL_FITS;
  });
  return best;
}

/** The device's lists that begin with the same memory as far as both are printed. */
const listsOf = (device: DmaDevice, { physes }: ListUnmap): readonly DmaMapping[] =>
  device.listsFrom(physes[0] ?? 0).filter((mapping) => samePrefix(mapping.physes, physes));

/** Those of the same length and direction, or else of the same length, or else all. */
function bestLists(lists: readonly DmaMapping[], event: ListUnmap): readonly DmaMapping[] {
  if (lists.length <= 1) return lists;
  const whole = lists.filter((mapping) => sameLength(mapping, event));
  const exact = whole.filter(({ direction }) => direction === event.direction);
  return [exact, whole, lists].find(({ length }) => length > 0) ?? [];
}

const samePrefix = (a: readonly number[], b: readonly number[]): boolean => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return false;
  return length > 0;
};

const sameLength = ({ physes, truncated }: DmaMapping, event: ListUnmap): boolean =>
  physes.length === event.physes.length ||
  (truncated && event.physes.length >= Math.min(physes.length, LIST_MAX));

const within = (address: number, { iova, size }: UnmapEvent): boolean =>
  address >= iova && address < iova + size;

const since = (before: { readonly time: number }, event: { readonly time: number }): string =>
  duration(event.time - before.time);

export const subjectOf = ({ device, ranges }: DmaMapping): Subject => ({
  device,
  iova: ranges[0]?.start ?? 0,
  size: ranges[0]?.size ?? 0,
});
