/**
 * The view: what specification and target both show of themselves, compared after every command. Memory is seen
 * by page, translation by context and I/O page, everything that users hold by its id.
 */
import type { Machine } from './machine.ts';
import type { Seen, ViewColumn } from './spec.ts';
import { READ, WRITE } from './units.ts';

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
} as const;

/** Position of each counter in its column. `vmallocHole` is the largest hole in pages, its guard page included. */
export const COUNTER = { free: 0, meta: 1, table: 2, vmallocHole: 3 } as const;

/** Content of a line about which the specification promises nothing. */
export const TAG_UNKNOWN = -1;

const byPage = ({ pages }: Machine): number => pages;
const byIoPage = ({ contexts, ioBits, pageBytes }: Machine): number => (contexts * 2 ** ioBits) / pageBytes;
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
];

/** A page that the specification does not know may be free, or hold metadata and tables. */
const isUnownedKind = (shown: number): boolean =>
  shown === KIND.FREE || shown === KIND.META || shown === KIND.TABLE;

const showTranslation = (entry: number): string => {
  if (entry === 0) return 'nothing';
  const access = `${entry & READ ? 'r' : ''}${entry & WRITE ? 'w' : ''}`;
  return `page ${(entry >>> 2) - 1} (${access})`;
};

const showPage = (page: number): string => (page === 0 ? 'nothing' : `the object at page ${page - 1}`);

const MAKES_REACHABLE: ReadonlySet<string> = new Set(['iommu_map', 'dma_map_sg', 'gpu_bind']);

/** A translation that should not be: left over after an end of reachability, too wide a right, or something else. */
function translationServes(own: number, shown: number, { op }: { readonly op: string }): string {
  if (own >>> 2 === shown >>> 2) return (shown & ~own) === 0 ? 'S4' : 'I4';
  if (own !== 0) return 'S4';
  return MAKES_REACHABLE.has(op) ? 'I5' : 'I1';
}

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
    unknown: TAG_UNKNOWN,
    serves: (_own, _shown, { op }) => (op === 'ion_alloc' ? 'I8' : 'H2'),
  },
  { name: 'reach', length: byIoPage, own: true, serves: translationServes, show: showTranslation },
  { name: 'iotlb', length: byIoPage, own: false, serves: () => 'I1', show: showTranslation },
  { name: 'client', length: ({ clients }) => clients, own: true, serves: () => 'C5' },
  { name: 'context', length: ({ contexts }) => contexts, own: true, serves: () => 'C5' },
  {
    name: 'handle',
    length: ({ clients, handles }) => clients * (handles + 1),
    own: true,
    serves: () => 'C5',
    show: showPage,
  },
  { name: 'bound', length: byIoPage, own: true, serves: () => 'I3', show: showPage },
  { name: 'job', length: ({ jobs }) => jobs, own: true, serves: () => 'P1' },
  { name: 'counter', length: () => 4, own: false, serves: () => 'C6' },
];

/** A counter that the target showed before the call, or undefined. */
export function shownCounter({ view }: Seen, counter: number): number | undefined {
  if (view === undefined || (view.shown & (1 << VIEW.counter)) === 0) return undefined;
  return view.columns[VIEW.counter]?.[counter];
}
