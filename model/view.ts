/**
 * The view: what specification and target both show of themselves, compared after every command. Memory is seen
 * by page, translation by context and I/O page, everything that users hold by its id.
 */
import { goesWith, isAliased, isDirty, isStaleCopy, NOTHING, showLine } from './contents.ts';
import type { Machine } from './machine.ts';
import type { Seen, ViewColumn } from './spec.ts';
import type { View } from './target.ts';
import { READ, WRITE } from './units.ts';

/** Beyond every index of a column. */
const END = 0x7fff_ffff;

/** Number of each column. */
export const VIEW = {
  kind: 0,
  head: 1,
  index: 2,
  refs: 3,
  freeOrder: 4,
  line: 5,
  reach: 6,
  iotlb: 7,
  client: 8,
  context: 9,
  handle: 10,
  bound: 11,
  job: 12,
  counter: 13,
  device: 14,
  fd: 15,
  mapped: 16,
  stale: 17,
  handleCount: 18,
  kernelMaps: 19,
  userMap: 20,
} as const;

/**
 * Position of each counter in its column. Pages: `free` in the buddy lists, `meta`, `table`, `parked`, `pooled`,
 * `deferred`, `movable`. `vmallocHole` is the largest hole of the vmalloc space in pages,
 * its guard page included, `vmallocUsed` what is taken of it.
 */
export const COUNTER = {
  free: 0,
  meta: 1,
  table: 2,
  vmallocHole: 3,
  parked: 4,
  pooled: 5,
  deferred: 6,
  movable: 7,
  vmallocUsed: 8,
} as const;

const byPage = ({ pages }: Machine): number => pages;
const byIoPage = ({ contexts, ioBits, pageBytes }: Machine): number => (contexts * 2 ** ioBits) / pageBytes;
/** Pages of the vmalloc space, then those of each client's address space. */
const byMappedPage = ({ vmallocPages, clients, userPages }: Machine): number =>
  vmallocPages + clients * userPages;
const byHandle = ({ clients, handles }: Machine): number => clients * (handles + 1);
const byLine = ({ pages, pageBytes, lineBytes }: Machine): number => (pages * pageBytes) / lineBytes;

/** Kind of a page. `LOST`: neither free nor owned by anybody; `BOTH`: on a free list and owned. */
export const KIND = {
  FREE: 0,
  OCCUPIED: 1,
  BLOCK: 2,
  BUFFER: 3,
  META: 4,
  TABLE: 5,
  LOST: 6,
  BOTH: 7,
  MOVABLE: 8,
  PARKED: 9,
  POOLED: 10,
  DEFERRED: 11,
  COHERENT: 12,
} as const;

const KIND_NAMES = [
  'free',
  'occupied',
  'a block',
  'a buffer',
  'metadata',
  'a page table',
  'lost',
  'free and owned',
  'movable',
  'parked',
  'in a pool',
  'a deferred buffer',
  'coherent memory',
];

/** A bit for each kind. */
const UNOWNED: number = [
  KIND.FREE,
  KIND.META,
  KIND.TABLE,
  KIND.MOVABLE,
  KIND.PARKED,
  KIND.POOLED,
  KIND.DEFERRED,
].reduce<number>((mask, kind) => mask | (1 << kind), 0);

/** A page that the specification does not know may be free, kept for later, movable, or hold metadata and tables. */
export const isUnownedKind = (shown: number): boolean =>
  shown <= KIND.COHERENT && ((UNOWNED >>> shown) & 1) === 1;

const showTranslation = (entry: number): string => {
  if (entry === 0) return 'nothing';
  const access = `${entry & READ ? 'r' : ''}${entry & WRITE ? 'w' : ''}`;
  return `page ${(entry >>> 2) - 1} (${access})`;
};

const showPage = (page: number): string => (page === 0 ? 'nothing' : `the object at page ${page - 1}`);

const MAKES_REACHABLE: ReadonlySet<string> = new Set([
  'iommu_map',
  'iommu_map_sg',
  'dma_map_sg',
  'dma_alloc_coherent',
  'gpu_bind',
]);

/** A translation that should not be: left over after an end of reachability, too wide a right, or something else. */
function translationServes(own: number, shown: number, { op }: { readonly op: string }): string {
  if (own >>> 2 === shown >>> 2) return (shown & ~own) === 0 ? 'S4' : 'I4';
  if (own !== 0) return 'S4';
  return MAKES_REACHABLE.has(op) ? 'I5' : 'I1';
}

/** Memory that is handed out holds what it should, a copy is where none may be, or something else was changed. */
function contentServes(own: number, shown: number, { op }: { readonly op: string }): string {
  if (isAliased(own, shown)) return 'H3';
  if (op === 'ion_alloc' || op === 'dma_alloc_coherent') return 'I8';
  if (isDirty(shown) || isStaleCopy(own, shown)) return 'H1';
  return 'H2';
}

const showMapped = (entry: number): string =>
  entry === 0 ? 'nothing' : `page ${(entry >>> 1) - 1}${(entry & 1) === 0 ? ', uncached' : ''}`;

const showDomain = (domain: number): string => (domain === 0 ? 'no domain' : `domain ${domain - 1}`);

/** The columns of the view. What is compared, and which invariant a difference breaks. */
export const VIEW_COLUMNS: readonly ViewColumn<Machine>[] = [
  {
    name: 'kind',
    length: byPage,
    own: true,
    agrees: (own, shown) => own === KIND.FREE && isUnownedKind(shown),
    serves: () => 'C1',
    show: (kind) => KIND_NAMES[kind] ?? `kind ${kind}`,
  },
  { name: 'head', length: byPage, own: true, serves: () => 'C1', show: showPage },
  { name: 'index', length: byPage, own: true, serves: () => 'C1' },
  { name: 'refs', length: byPage, own: true, serves: () => 'C2' },
  { name: 'freeOrder', length: byPage, own: false, serves: () => 'S1' },
  {
    name: 'line',
    length: byLine,
    own: true,
    unknown: NOTHING,
    agrees: goesWith,
    serves: contentServes,
    show: showLine,
  },
  { name: 'reach', length: byIoPage, own: true, serves: translationServes, show: showTranslation },
  { name: 'iotlb', length: byIoPage, own: false, serves: () => 'I1', show: showTranslation },
  { name: 'client', length: ({ clients }) => clients, own: true, serves: () => 'C5' },
  { name: 'context', length: ({ contexts }) => contexts, own: true, serves: () => 'C5' },
  { name: 'handle', length: byHandle, own: true, serves: () => 'C5', show: showPage },
  { name: 'bound', length: byIoPage, own: true, serves: () => 'I3', show: showPage },
  { name: 'job', length: ({ jobs }) => jobs, own: true, serves: () => 'P1' },
  { name: 'counter', length: () => 9, own: false, serves: () => 'C6' },
  { name: 'device', length: ({ devices }) => devices, own: true, serves: () => 'I6', show: showDomain },
  { name: 'fd', length: ({ clients, fds }) => clients * fds, own: true, serves: () => 'C5', show: showPage },
  { name: 'mapped', length: byMappedPage, own: true, serves: () => 'P3', show: showMapped },
  {
    name: 'stale',
    length: byIoPage,
    own: true,
    agrees: (_own, shown) => shown === 0,
    serves: () => 'I1',
    show: showTranslation,
  },
  { name: 'handleCount', length: byHandle, own: true, serves: () => 'C2' },
  { name: 'kernelMaps', length: byHandle, own: true, serves: () => 'C2' },
  {
    name: 'userMap',
    length: ({ clients, userPages }) => clients * userPages,
    own: true,
    serves: () => 'P3',
    show: showPage,
  },
];

/** A set of columns, one bit each. */
export const setOf = (...columns: readonly number[]): number =>
  columns.reduce((set, column) => set | (1 << column), 0);

/** One of a set of columns may have changed since the invariants were asked last. */
export const hasChanged = ({ from, touched }: View, columns: number): boolean =>
  from === undefined || (touched & columns) !== 0;

/** Index from which on one of a set of columns may have changed; all are about the same things by index. */
export function changedFrom({ from, touched }: View, columns: number): number {
  if (from === undefined) return 0;
  let first = END;
  for (let left = touched & columns; left !== 0; left &= left - 1)
    first = Math.min(first, from[31 - Math.clz32(left & -left)] ?? 0);
  return first;
}

/** Index up to which one of a set of columns may have changed. */
export function changedTo({ to, touched }: View, columns: number): number {
  if (to === undefined) return END;
  let end = 0;
  for (let left = touched & columns; left !== 0; left &= left - 1)
    end = Math.max(end, to[31 - Math.clz32(left & -left)] ?? END);
  return end;
}

/** A counter that the target showed before the call, or undefined. */
export function shownCounter({ view }: Seen, counter: number): number | undefined {
  if (view === undefined || (view.shown & (1 << VIEW.counter)) === 0) return undefined;
  return view.columns[VIEW.counter]?.[counter];
}

/** The target shows this column. */
export const shows = ({ view }: Seen, column: number): boolean =>
  view !== undefined && (view.shown & (1 << column)) !== 0;

/**
 * Pages above the reserve that the target shows as free, or that it keeps and must give up before it fails; undefined
 * when it shows no counters.
 */
export function availablePages(seen: Seen, { reserve }: Machine): number | undefined {
  const free = shownCounter(seen, COUNTER.free);
  if (free === undefined) return undefined;
  const kept = [COUNTER.parked, COUNTER.pooled, COUNTER.deferred];
  return kept.reduce((sum, counter) => sum + (shownCounter(seen, counter) ?? 0), free - reserve);
}

const NO_VALUES = new Int32Array(0);

/** A column of a view by its number; empty where the view has none. */
export const column = (view: View, number: number): Int32Array => view.columns[number] ?? NO_VALUES;

/** A value of a column. What a target shows may be out of range: then this is undefined, which equals nothing. */
export const at = (values: Int32Array, index: number): number => values[index] as number;
