/** The specification of ionclad as one value, and everything that reads or extends it needs. */
import { type ArgsOf, CALLS, KINDS, type KindName, type Op, SITES, type ValueOf } from './calls.ts';
import { deviceRead, deviceWrite, tickEngine } from './device.ts';
import { dmaMapSg, dmaUnmapSg } from './dma.ts';
import { ACCESS_PAGES_MAX, bind, contextCreate, contextDestroy, submit, unbind } from './gpu.ts';
import { INVARIANTS } from './invariants.ts';
import { domainAlloc, domainFree, iommuMap, iommuUnmap, isDomain } from './iommu.ts';
import { clientCreate, clientDestroy, handlesOf, ionAlloc, ionFree } from './ion.ts';
import { LABELS, PREMISES } from './labels.ts';
import { FIELDS, type Machine, machineProblem, POLICIES } from './machine.ts';
import { kvfree, kvmalloc } from './metadata.ts';
import { allocPages, freePages } from './pages.ts';
import { sgAllocTable, sgFreeTable } from './sg.ts';
import type { Rule, Spec } from './spec.ts';
import type { Args, Value } from './target.ts';
import { KIND, VIEW_COLUMNS } from './view.ts';
import { bootWorld, CONTEXT, type World } from './world.ts';

export * from './calls.ts';
export * from './column.ts';
export * from './judge.ts';
export * from './machine.ts';
export * from './spec.ts';
export type * from './target.ts';
export * from './view.ts';
export type { World } from './world.ts';

const RULES = {
  alloc_pages: allocPages,
  free_pages: freePages,
  kvmalloc,
  kvfree,
  sg_alloc_table_from_pages: sgAllocTable,
  sg_free_table: sgFreeTable,
  iommu_domain_alloc: domainAlloc,
  iommu_domain_free: domainFree,
  iommu_map: iommuMap,
  iommu_unmap: iommuUnmap,
  dma_map_sg: dmaMapSg,
  dma_unmap_sg: dmaUnmapSg,
  ion_client_create: clientCreate,
  ion_client_destroy: clientDestroy,
  ion_alloc: ionAlloc,
  ion_free: ionFree,
  gpu_context_create: contextCreate,
  gpu_context_destroy: contextDestroy,
  gpu_bind: bind,
  gpu_unbind: unbind,
  gpu_submit: submit,
  tick_engine: tickEngine,
  device_write: deviceWrite,
  device_read: deviceRead,
} satisfies { readonly [Name in Op]: Rule<World, ArgsOf<Name>, ValueOf<Name>> };

/** Raw ids of everything of a kind that exists. `pages`, `pageBytes` and so on are the machine's. */
const LIVE: { readonly [Name in KindName]: (s: World) => number[] } = {
  block: (s) => where(s.kind.values, (kind, page) => kind === KIND.BLOCK && s.head.get(page) === page + 1),
  memory: (s) => where(s.memory.values, (bytes) => bytes !== 0).map((word) => word * 8),
  table: (s) => where(s.sgPages.values, (pages) => pages !== 0),
  domain: (s) => where(s.context.values, (_type, id) => isDomain(s, id)),
  mapping: (s) => where(s.sgDomain.values, (domain) => domain !== 0),
  client: (s) => where(s.client.values, (live) => live !== 0),
  handle: (s) => [
    ...new Set(where(s.client.values, (live) => live !== 0).flatMap((client) => handlesOf(s, client))),
  ],
  context: (s) => where(s.context.values, (type) => type === CONTEXT.GPU),
  binding: (s) => {
    const bound = where(s.bound.values, (head) => head !== 0);
    return [...new Set(bound.map((at) => (at % s.ioPages) * s.machine.pageBytes))];
  },
  job: (s) => where(s.job.values, (lines) => lines !== 0),
};

/** Where the things of a kind start, in bytes, for kinds that places can be in. */
const ADDRESSES: Readonly<Record<string, (s: World) => number[]>> = {
  block: (s) => LIVE.block(s).map((pfn) => pfn * s.machine.pageBytes),
  binding: (s) => LIVE.binding(s),
  mapping: (s) => LIVE.mapping(s).map((table) => s.sgIoPage.get(table * s.sgPagesMax) * s.machine.pageBytes),
};

function where(values: Int32Array, holds: (value: number, index: number) => boolean): number[] {
  const found: number[] = [];
  for (let index = 0; index < values.length; index++) if (holds(values[index] ?? 0, index)) found.push(index);
  return found;
}

/** The specification of Linux-like DMA memory management, as one value. */
export const SPEC: Spec<Machine, World> = {
  name: 'ionclad',
  fields: FIELDS,
  policies: POLICIES,
  kinds: KINDS,
  calls: CALLS,
  // The table gives each rule its own argument types; the engine knows only that arguments are named.
  rules: RULES as unknown as Readonly<Record<string, Rule<World, Args, Value>>>,
  sites: SITES,
  view: VIEW_COLUMNS,
  invariants: INVARIANTS,
  labels: LABELS,
  premises: PREMISES,
  closing: [
    'gpu_context_destroy',
    'ion_client_destroy',
    'dma_unmap_sg',
    'iommu_domain_free',
    'sg_free_table',
    'free_pages',
    'kvfree',
  ],
  machineProblem,
  limits: (machine) => ({
    ...(machine as unknown as Readonly<Record<string, number>>),
    ioPages: 2 ** machine.ioBits / machine.pageBytes,
    addressEnd: 2 ** machine.ioBits + machine.pageBytes,
    blockPages: 2 ** machine.orderMax,
    bufferPages: Math.min(machine.pages, 2 ** machine.orderMax + 4),
    accessLines: (2 * machine.pageBytes) / machine.lineBytes,
    accessPages: ACCESS_PAGES_MAX,
  }),
  boot: bootWorld,
  columns: (s) => s.state.columns(VIEW_COLUMNS.length),
  live: (s, kind) => LIVE[kind as KindName](s),
  addresses: (s, kind) => ADDRESSES[kind]?.(s) ?? [],
};
