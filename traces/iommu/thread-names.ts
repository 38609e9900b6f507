/**
 * Who a mapping belongs to. `iommu:map` names nobody, but dma-mapping does, in the same thread: after the map and
 * after the unmap of a single range, before the unmap of a list and of an allocation. An interrupt shows the thread
 * that it interrupted, so what is said of an address has to fit it.
 */
import type {
  DmaAllocEvent,
  DmaMapEvent,
  DmaMapSgEvent,
  DmaUnmapEvent,
  DmaUnmapSgEvent,
  Stamp,
  UnmapEvent,
} from '../event.ts';
import type { Lives, Mapping } from '../mapping.ts';
import { pageOf } from './live-mappings.ts';

/** Threads and mappings of one thread that are remembered at once. */
const THREADS_MAX = 1024;
const RECENT_MAX = 4096;

/** What a driver is about to unmap. */
export type Hint = DmaUnmapSgEvent | DmaAllocEvent;

/** A range of one device, and where it leads if that is known. */
export interface NamedRange {
  readonly device: string;
  readonly dma: number;
  readonly size: number;
  readonly phys: number | undefined;
}

/** A task may go from CPU to CPU; the idle tasks all have number 0. */
export const threadOf = ({ pid, cpu }: Stamp): number => (pid > 0 ? pid : -1 - cpu);

export class ThreadNames {
  readonly #recent = new Map<number, Mapping[]>();
  readonly #hints = new Map<number, Hint>();
  /** Whether there are events of dma-mapping; if none comes, nothing has to be remembered any more. */
  #heard = false;

  born(mapping: Mapping): void {
    if (!this.#heard && mapping.id > RECENT_MAX) return;
    const thread = threadOf(mapping.born);
    const recent = this.#recent.get(thread);
    if (recent !== undefined && recent.length < RECENT_MAX) recent.push(mapping);
    else remember(this.#recent, thread, [mapping]);
  }

  hint(event: Hint): void {
    this.#heard = true;
    remember(this.#hints, threadOf(event), event);
  }

  /** The mappings that a thread just made, the oldest first. What nobody names of them now is not named any more. */
  take(event: Stamp): readonly Mapping[] {
    this.#heard = true;
    const thread = threadOf(event);
    const recent = this.#recent.get(thread);
    if (recent === undefined) return [];
    this.#recent.delete(thread);
    return recent;
  }

  /** The device of an unmap, if what the thread was about to do is this. */
  hintFor(event: UnmapEvent, lives: Pick<Lives, 'liveAt'>): string | undefined {
    if (event.device !== undefined) return event.device;
    const thread = threadOf(event);
    const hint = this.#hints.get(thread);
    if (hint === undefined || !fitsHint(hint, event, lives)) return undefined;
    this.#hints.delete(thread);
    return hint.device;
  }
}

function fitsHint(hint: Hint, { iova, size }: UnmapEvent, lives: Pick<Lives, 'liveAt'>): boolean {
  if (hint.kind !== 'dma-unmap-sg') return hint.dma >= iova && hint.dma < iova + size;
  const page = pageOf(hint.physes[0] ?? -1);
  for (const { space, paddr } of lives.liveAt(iova))
    if (space === hint.device && pageOf(paddr) === page) return true;
  return false;
}

/** Whether an unmap by `dma_unmap_page` is the one that this thread was seen doing. */
export const isSameUnmap = (unmap: UnmapEvent, { dma }: DmaUnmapEvent): boolean =>
  dma >= unmap.iova && dma < unmap.iova + unmap.size;

/** The oldest is forgotten when there are too many. */
function remember<V>(map: Map<number, V>, key: number, value: V): void {
  if (map.size >= THREADS_MAX) for (const first of map.keys()) if (map.delete(first)) break;
  map.set(key, value);
}

/** What an event of dma-mapping says was just mapped. Lists merge; only where none did is the memory of each known. */
export function rangesOf(event: DmaMapEvent | DmaAllocEvent | DmaMapSgEvent): readonly NamedRange[] {
  const { device } = event;
  if (event.kind !== 'dma-map-sg') {
    const phys = event.kind === 'dma-map' ? event.phys : undefined;
    return [{ device, dma: event.dma, size: event.size, phys }];
  }
  const { dmas, sizes, physes, entries, segments } = event;
  const ranges: NamedRange[] = [];
  for (let at = 0; at < dmas.length; at += 1) {
    const phys = entries === segments ? physes[at] : undefined;
    ranges.push({ device, dma: dmas[at] ?? 0, size: sizes[at] ?? 0, phys });
  }
  return ranges;
}

/** Whether a mapping is at the addresses of a range. */
export const isAt = ({ iova, size }: Mapping, range: NamedRange): boolean =>
  iova < range.dma + Math.max(range.size, 1) && range.dma < iova + size;

/** The first of the ranges that a mapping was made for; undefined if it is at none of them, or leads elsewhere. */
export function rangeOf(mapping: Mapping, ranges: readonly NamedRange[]): NamedRange | undefined {
  for (const range of ranges) if (isAt(mapping, range) && leadsTo(mapping, range)) return range;
  return undefined;
}

/** Whether it leads to the memory that the range was made for, as far as that is known. */
export const leadsTo = ({ iova, paddr }: Mapping, { dma, phys }: NamedRange): boolean =>
  phys === undefined || phys - paddr === dma - iova;
