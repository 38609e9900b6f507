/** A mapping of dma-mapping, as drivers ask for it: it has a device, a direction and a function that must undo it. */
import type { BufferEvent, Direction, DmaBirth, EventOf, TraceEvent } from '../event.ts';
import type { Span } from './range-index.ts';

/** Functions that map, by the name of their event; `phys` is what `page` is called since 6.18. */
export type DmaApi = 'page' | 'resource' | 'sg' | 'coherent' | 'pages' | 'sgt';

/** A run of addresses that the device was given. */
export interface DmaRange extends Span {
  readonly mapping: DmaMapping;
}

/** Bytes of memory that the device reaches by a mapping, as far as the event tells. */
export interface ReachedMemory extends Span {
  readonly mapping: DmaMapping;
}

export interface DmaMapping {
  readonly device: string;
  readonly api: DmaApi;
  readonly direction: Direction;
  readonly ranges: readonly DmaRange[];
  readonly memory: readonly ReachedMemory[];
  /** Physical addresses of the entries of a list, by which `dma_unmap_sg` names it. */
  readonly physes: readonly number[];
  /** Not all of the list was printed. */
  readonly truncated: boolean;
  readonly born: DmaBirth;
  died: TraceEvent | undefined;
  /** It was made for an attachment of a shared buffer. */
  readonly buffer: BufferEvent | undefined;
  /** Whether an unmap may have meant this mapping or another one of the same memory. */
  doubtful: boolean;
}

/** `DMA_MAPPING_ERROR`, all ones, of 64 and of 32 bits; what ends beyond 2^52 no machine maps. */
const ERROR_32 = 0xffff_ffff;
const ADDRESS_MAX = 2 ** 52;
const NO_SPANS: readonly never[] = [];

export const isAddress = (dma: number, size: number): boolean =>
  dma !== ERROR_32 && size > 0 && dma + size <= ADDRESS_MAX;

/** What a birth event maps; undefined where it mapped nothing. */
export function mappingOf(born: DmaBirth, buffer: BufferEvent | undefined): DmaMapping | undefined {
  if (isFailedAlloc(born)) return undefined;
  const mapping: { -readonly [K in keyof DmaMapping]: DmaMapping[K] } = {
    device: born.device,
    api: apiOf(born),
    direction: born.direction,
    ranges: NO_SPANS,
    memory: NO_SPANS,
    physes: born.kind === 'dma-map-sg' ? born.physes : NO_SPANS,
    truncated: born.kind === 'dma-map-sg' && born.truncated,
    born,
    died: undefined,
    buffer,
    doubtful: false,
  };
  if (born.kind === 'dma-map-sg') {
    mapping.ranges = rangesOf(born, mapping);
    mapping.memory = memoryOf(born, mapping);
  } else if (isAddress(born.dma, born.size)) mapping.ranges = [{ start: born.dma, size: born.size, mapping }];
  if (born.kind === 'dma-map') mapping.memory = [{ start: born.phys, size: born.size, mapping }];
  return mapping.ranges.length === 0 ? undefined : mapping;
}

/** Arrays that are kept are made as long as they are: those that grow have room for sixteen more. */
function rangesOf({ dmas, sizes }: EventOf<'dma-map-sg'>, mapping: DmaMapping): readonly DmaRange[] {
  const ranges = dmas.map((start, at) => ({ start, size: sizes[at] ?? 0, mapping }));
  const isRange = ({ start, size }: DmaRange): boolean => isAddress(start, size);
  return ranges.every(isRange) ? ranges : ranges.filter(isRange);
}

/** Entries that were merged into segments have lengths that no event tells: of them only the first byte is known. */
function memoryOf(
  { sizes, physes, truncated }: EventOf<'dma-map-sg'>,
  mapping: DmaMapping,
): readonly ReachedMemory[] {
  const apart = physes.length === sizes.length;
  const whole = physes.length === 1 && !truncated ? sizes.reduce((sum, size) => sum + size, 0) : 0;
  return physes.map((start, at) => ({ start, size: Math.max(1, apart ? (sizes[at] ?? 0) : whole), mapping }));
}

/** Name of the function that maps and of the one that undoes it. */
export const apiOf = (event: { readonly kind: string; readonly api?: string }): DmaApi => {
  if (event.kind === 'dma-map-sg' || event.kind === 'dma-unmap-sg') return 'sg';
  switch (event.api) {
    case 'resource':
    case 'coherent':
    case 'pages':
    case 'sgt':
      return event.api;
    default:
      return event.kind === 'dma-alloc' || event.kind === 'dma-free' ? 'coherent' : 'page';
  }
};

const MAPS: Readonly<Record<DmaApi, string>> = {
  ...{ page: 'dma_map_page', resource: 'dma_map_resource', sg: 'dma_map_sg' },
  ...{ coherent: 'dma_alloc_attrs', pages: 'dma_alloc_pages', sgt: 'dma_alloc_noncontiguous' },
};

const UNMAPS: Readonly<Record<DmaApi, string>> = {
  ...{ page: 'dma_unmap_page', resource: 'dma_unmap_resource', sg: 'dma_unmap_sg' },
  ...{ coherent: 'dma_free_attrs', pages: 'dma_free_pages', sgt: 'dma_free_noncontiguous' },
};

export const nameOfMap = (api: DmaApi): string => MAPS[api];
export const nameOfUnmap = (api: DmaApi): string => UNMAPS[api];

/** `%p` of no pointer; `dma_free_attrs` of it does nothing, and an allocation that returns it has failed. */
export const isNull = (virt: string): boolean => virt === '(null)' || /^(0x)?0+$/.test(virt);

const isFailedAlloc = (born: DmaBirth): boolean =>
  born.kind === 'dma-alloc' && born.api !== 'sgt' && isNull(born.virt);
