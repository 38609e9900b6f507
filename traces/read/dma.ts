/** Events of the group `dma` (kernel 6.11 and newer), formatted by the kernel or printed field by field by tools. */
import type { Direction, Stamp, TraceEvent } from '../event.ts';
import type { Fields } from './fields.ts';
import { isNull } from './kmem.ts';
import type { KnownEvent, Reader } from './reader.ts';

/** The address that dma-mapping returns when it has none: all ones. */
const MAPPING_ERROR = 2 ** 64;

const DIRECTIONS: readonly Direction[] = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

/** As kernels and tools print them. */
const DIRECTION_OF: ReadonlyMap<string, Direction> = new Map(
  DIRECTIONS.flatMap((name, index) => [
    [name, name],
    [String(index), name],
    [`DMA_${name}`, name],
  ]),
);

/** Bits of the attributes, as the kernel names them; tools print the number of a record they cannot format. */
const ATTRIBUTES: readonly (readonly [bit: number, name: string])[] = [
  [1, 'WEAK_ORDERING'],
  [2, 'WRITE_COMBINE'],
  [4, 'NO_KERNEL_MAPPING'],
  [5, 'SKIP_CPU_SYNC'],
  [6, 'FORCE_CONTIGUOUS'],
  [7, 'ALLOC_SINGLE_PAGES'],
  [8, 'NO_WARN'],
  [9, 'PRIVILEGED'],
  [10, 'MMIO'],
  [11, 'CACHE_CLEAN'],
];

const SINGLE = ['page', 'phys', 'resource'];
const ALLOCATED = [
  ['', 'coherent'],
  ['_pages', 'pages'],
  ['_sgt', 'sgt'],
] as const;

export const DMA_EVENTS: readonly KnownEvent[] = [
  ...SINGLE.map((api) => ({ name: `dma:dma_map_${api}`, read: map(api) })),
  ...SINGLE.map((api) => ({ name: `dma:dma_unmap_${api}`, read: unmap(api) })),
  { name: 'dma:dma_map_sg', read: readMapSg },
  { name: 'dma:dma_unmap_sg', read: readUnmapSg },
  { name: 'dma:dma_map_sg_err', read: readFailed },
  { name: 'dma:dma_alloc_sgt_err', read: readFailed },
  ...ALLOCATED.map(([suffix, api]) => ({
    name: `dma:dma_alloc${suffix}`,
    read: allocation('dma-alloc', api),
  })),
  ...ALLOCATED.map(([suffix, api]) => ({ name: `dma:dma_free${suffix}`, read: allocation('dma-free', api) })),
  ...(['cpu', 'device'] as const).flatMap((toward) => [
    { name: `dma:dma_sync_single_for_${toward}`, read: syncSingle(toward) },
    { name: `dma:dma_sync_sg_for_${toward}`, read: syncSg(toward) },
  ]),
];

function map(api: string): Reader {
  return (fields, stamp) => {
    const device = deviceOf(fields);
    const direction = directionOf(fields);
    const dma = fields.address('dma_addr=');
    const size = fields.count('size=');
    const phys = fields.address('phys_addr=');
    if (device === '' || direction === undefined || Number.isNaN(dma + size + phys)) return undefined;
    if (dma >= MAPPING_ERROR) return { ...stamp, kind: 'dma-failed', device };
    const { line, time, cpu, task, pid } = stamp;
    const attrs = attrsOf(fields);
    return { kind: 'dma-map', line, time, cpu, task, pid, device, dma, size, phys, direction, api, attrs };
  };
}

function unmap(api: string): Reader {
  return (fields, stamp) => {
    const device = deviceOf(fields);
    const direction = directionOf(fields);
    const dma = fields.address(fields.bare ? 'addr=' : 'dma_addr=');
    const size = fields.count('size=');
    if (device === '' || direction === undefined || Number.isNaN(dma + size)) return undefined;
    const { line, time, cpu, task, pid } = stamp;
    return { kind: 'dma-unmap', line, time, cpu, task, pid, device, dma, size, direction, api };
  };
}

function readMapSg(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const device = deviceOf(fields);
  const direction = directionOf(fields);
  const dmas = fields.numbers('dma_addrs=', 8);
  const sizes = fields.numbers(fields.bare ? 'lengths=' : 'sizes=', 4);
  const physes = fields.numbers('phys_addrs=', 8);
  if (device === '' || direction === undefined) return undefined;
  if (dmas === undefined || sizes === undefined || physes === undefined) return undefined;
  const entries = lengthOf(fields, 'nents=', physes.length);
  const segments = lengthOf(fields, 'ents=', dmas.length);
  if (Number.isNaN(entries + segments) || sizes.length !== dmas.length) return undefined;
  const truncated = entries > physes.length || segments > dmas.length;
  const attrs = attrsOf(fields);
  const { line, time, cpu, task, pid } = stamp;
  const lists = { dmas, sizes, physes };
  return {
    kind: 'dma-map-sg',
    line,
    time,
    cpu,
    task,
    pid,
    device,
    direction,
    entries,
    segments,
    truncated,
    attrs,
    ...lists,
  };
}

/** `nents=128/1200`, printed and in all; the first kernels with the event printed no lengths. */
function lengthOf(fields: Fields, key: string, printed: number): number {
  const all = fields.bare ? `full_${key}` : key;
  if (!fields.has(all)) return printed;
  const first = fields.count(all);
  const full = fields.bare ? first : fields.next('/', 10);
  return full >= printed && (fields.bare || first === printed) ? full : Number.NaN;
}

function readUnmapSg(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const device = deviceOf(fields);
  const direction = directionOf(fields);
  const physes = fields.numbers(fields.bare ? 'addrs=' : 'phys_addrs=', 8);
  if (device === '' || direction === undefined || physes === undefined) return undefined;
  const { line, time, cpu, task, pid } = stamp;
  return { kind: 'dma-unmap-sg', line, time, cpu, task, pid, device, direction, physes };
}

function readFailed(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const device = deviceOf(fields);
  return device === '' ? undefined : { ...stamp, kind: 'dma-failed', device };
}

/** Early kernels print no direction of coherent memory: it is always both. */
function allocation(kind: 'dma-alloc' | 'dma-free', api: 'coherent' | 'pages' | 'sgt'): Reader {
  return (fields, stamp) => {
    const device = deviceOf(fields);
    const direction = fields.has('dir=') ? directionOf(fields) : 'BIDIRECTIONAL';
    const dma = fields.address('dma_addr=');
    const size = fields.count('size=');
    const physes = api === 'sgt' ? fields.numbers('phys_addrs=', 8) : [];
    const virt = api === 'sgt' ? '' : fields.word('virt_addr=');
    if (device === '' || direction === undefined || physes === undefined) return undefined;
    if (Number.isNaN(dma + size) || (api !== 'sgt' && virt === '')) return undefined;
    if (kind === 'dma-alloc' && api !== 'sgt' && isNull(virt))
      return { ...stamp, kind: 'dma-failed', device };
    return { ...stamp, kind, device, dma, size, direction, api, virt, physes };
  };
}

function syncSingle(toward: 'cpu' | 'device'): Reader {
  return (fields, stamp) => {
    const device = deviceOf(fields);
    const direction = directionOf(fields);
    const dma = fields.address('dma_addr=');
    const size = fields.count('size=');
    if (device === '' || direction === undefined || Number.isNaN(dma + size)) return undefined;
    return { ...stamp, kind: 'dma-sync', device, direction, toward, dmas: [dma], sizes: [size] };
  };
}

function syncSg(toward: 'cpu' | 'device'): Reader {
  return (fields, stamp) => {
    const device = deviceOf(fields);
    const direction = directionOf(fields);
    const dmas = fields.numbers('dma_addrs=', 8);
    const sizes = fields.numbers(fields.bare ? 'lengths=' : 'sizes=', 4);
    if (device === '' || direction === undefined || dmas === undefined) return undefined;
    if (sizes?.length !== dmas.length) return undefined;
    return { ...stamp, kind: 'dma-sync', device, direction, toward, dmas, sizes };
  };
}

/** The kernel prints it first and without a name, tools that cannot format the record with one. */
function deviceOf(fields: Fields): string {
  if (fields.isBare('device=')) return fields.word('device=');
  const device = fields.first();
  return device.includes('=') ? '' : device;
}

function directionOf(fields: Fields): Direction | undefined {
  return DIRECTION_OF.get(fields.word('dir='));
}

function attrsOf(fields: Fields): string {
  const word = fields.word('attrs=');
  if (!fields.bare || word === '') return word;
  const bits = Number(word);
  return ATTRIBUTES.filter(([bit]) => Math.floor(bits / 2 ** bit) % 2 === 1)
    .map(([, name]) => name)
    .join('|');
}
