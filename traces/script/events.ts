/** Which events a script can tell, and what they say in page frames and I/O pages. */
import type { DmaMapEvent, DmaMapSgEvent, EventOf, TraceEvent } from '../event.ts';
import { type Frames, joined } from './memory.ts';

/** Bytes of a page, in the trace and on the machine of a script. */
export const PAGE_BYTES = 4096;

/** What a trace tells twice is told once: by the IOMMU's own events, or by those of the DMA API. */
export type Level = 'iommu' | 'dma';

const TOLD = {
  iommu: ['map', 'unmap', 'page-alloc', 'page-free'],
  dma: [
    ...['dma-map', 'dma-unmap', 'dma-map-sg', 'dma-unmap-sg', 'dma-sync', 'detach', 'group-remove'],
    ...['page-alloc', 'page-free'],
  ],
} as const;

/** The DMA API, where some event is of it that a script can tell. */
export const levelOf = (events: readonly TraceEvent[]): Level =>
  events.some(
    ({ kind }) => kind === 'dma-map' || kind === 'dma-unmap' || /^dma-(un)?map-sg$|^dma-sync$/.test(kind),
  )
    ? 'dma'
    : 'iommu';

/** A free of a batch is told by the single free beside it. */
export function isTold(event: TraceEvent, level: Level): boolean {
  if (event.kind === 'page-free' && event.batched) return false;
  return (TOLD[level] as readonly string[]).includes(event.kind);
}

export const framesOf = (start: number, bytes: number): Frames => {
  const first = Math.floor(start / PAGE_BYTES);
  return { first, count: Math.max(1, Math.ceil((start + bytes) / PAGE_BYTES) - first) };
};

export const pagesOfEvent = ({ pfn, order }: EventOf<'page-alloc'> | EventOf<'page-free'>): Frames => ({
  first: pfn,
  count: 2 ** order,
});

/** What a mapping of the DMA API makes reachable: of a list, as far as the event shows where its entries lie. */
export function memoryOf(event: DmaMapEvent | DmaMapSgEvent): Frames[] {
  if (event.kind === 'dma-map') return [framesOf(event.phys, event.size)];
  // Entries of a list have no sizes of their own: one is as long as its segment where there are as many, else a page.
  const sizes = event.physes.length === event.sizes.length ? event.sizes : [];
  return joined(event.physes.map((phys, at) => framesOf(phys, sizes[at] ?? PAGE_BYTES)));
}

export const addressOf = (event: DmaMapEvent | DmaMapSgEvent): number =>
  event.kind === 'dma-map' ? event.dma : (event.dmas[0] ?? 0);
