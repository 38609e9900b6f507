/** The specification of ionclad as one value, and everything that reads or extends it needs. */
import { leftBehind } from './atomicity.ts';
import { handlesOf } from './buffers.ts';
import { type ArgsOf, CALLS, KINDS, type KindName, type Op, SITES, type ValueOf } from './calls.ts';
import type { Column } from './column.ts';
import { cpuRead, cpuWrite } from './cpu.ts';
import { deviceProbe, deviceRead, deviceWrite, tickEngine } from './device.ts';
import {
  dmaAllocCoherent,
  dmaFreeCoherent,
  dmaMapSg,
  dmaSyncForCpu,
  dmaSyncForDevice,
  dmaUnmapSg,
} from './dma.ts';
import { ACCESS_PAGES_MAX, bind, contextCreate, contextDestroy, submit, unbind } from './gpu.ts';
import { INVARIANTS } from './invariants.ts';
import {
  attachDevice,
  detachDevice,
  domainAlloc,
  domainFree,
  iommuMap,
  iommuMapSg,
  iommuUnmap,
  iovaToPhys,
  isDomain,
} from './iommu.ts';
import { clientCreate, clientDestroy, ionAlloc, ionFree, ionQuery, ionSgTable } from './ion.ts';
import { ISOLATION } from './isolation.ts';
import { LABELS, stateClass } from './labels.ts';
import { FIELDS, type Machine, machineProblem, POLICIES } from './machine.ts';
import { addressOfMapped } from './mappings.ts';
import { kfree, kmalloc, kvfree, kvmalloc, liveMemory, vfree, vmalloc, vmap, vunmap } from './metadata.ts';
import {
  allocPages,
  compact,
  drain,
  freePages,
  freePagesExact,
  isBlock,
  occupy,
  releaseOccupant,
  shrink,
  splitOf,
  splitPage,
} from './pages.ts';
import { PREMISES } from './premises.ts';
import { SCOPES } from './scopes.ts';
import { sgAllocTable, sgCopy, sgFreeTable } from './sg.ts';
import {
  fdClose,
  fdDup,
  fdSend,
  ionImport,
  ionMapKernel,
  ionMmap,
  ionMunmap,
  ionShare,
  ionSync,
  ionUnmapKernel,
} from './sharing.ts';
import type { Rule, Spec } from './spec.ts';
import { SYMMETRY } from './symmetry.ts';
import type { Args, Value } from './target.ts';
import { tickCache, tickFlush, tickIotlb, tickWorker } from './ticks.ts';
import { VIEW_COLUMNS } from './view.ts';
import { bootWorld, CONTEXT, SG_BLOCKS_MAX, type World } from './world.ts';

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
  split_page: splitPage,
  free_pages_exact: freePagesExact,
  occupy,
  release: releaseOccupant,
  compact,
  drain,
  shrink,
  kmalloc,
  kfree,
  vmalloc,
  vfree,
  kvmalloc,
  kvfree,
  vmap,
  vunmap,
  sg_alloc_table_from_pages: sgAllocTable,
  sg_copy: sgCopy,
  sg_free_table: sgFreeTable,
  iommu_domain_alloc: domainAlloc,
  iommu_domain_free: domainFree,
  iommu_attach_device: attachDevice,
  iommu_detach_device: detachDevice,
  iommu_map: iommuMap,
  iommu_map_sg: iommuMapSg,
  iommu_unmap: iommuUnmap,
  iommu_iova_to_phys: iovaToPhys,
  dma_map_sg: dmaMapSg,
  dma_unmap_sg: dmaUnmapSg,
  dma_sync_sg_for_device: dmaSyncForDevice,
  dma_sync_sg_for_cpu: dmaSyncForCpu,
  dma_alloc_coherent: dmaAllocCoherent,
  dma_free_coherent: dmaFreeCoherent,
  device_write: deviceWrite,
  device_read: deviceRead,
  device_probe: deviceProbe,
  cpu_write: cpuWrite,
  cpu_read: cpuRead,
  tick_engine: tickEngine,
  tick_cache: tickCache,
  tick_iotlb: tickIotlb,
  tick_flush: tickFlush,
  tick_worker: tickWorker,
  ion_client_create: clientCreate,
  ion_client_destroy: clientDestroy,
  ion_alloc: ionAlloc,
  ion_free: ionFree,
  ion_share: ionShare,
  ion_import: ionImport,
  ion_sg_table: ionSgTable,
  ion_map_kernel: ionMapKernel,
  ion_unmap_kernel: ionUnmapKernel,
  ion_mmap: ionMmap,
  ion_munmap: ionMunmap,
  ion_sync: ionSync,
  ion_query: ionQuery,
  fd_close: fdClose,
  fd_dup: fdDup,
  fd_send: fdSend,
  gpu_context_create: contextCreate,
  gpu_context_destroy: contextDestroy,
  gpu_bind: bind,
  gpu_unbind: unbind,
  gpu_submit: submit,
} satisfies { readonly [Name in Op]: Rule<World, ArgsOf<Name>, ValueOf<Name>> };

/** Raw ids of everything of a kind that exists. `pages`, `pageBytes` and so on are the machine's. */
const LIVE: { readonly [Name in KindName]: (s: World) => number[] } = {
  // The pages of a split are blocks too, but no result names them: they go with the split.
  block: (s) => blocks(s).filter((page) => splitOf(s, page) === undefined),
  split: (s) => where(s.split, (pages) => pages !== 0),
  occupant: (s) => where(s.occupant, (first) => first !== 0),
  object: (s) => liveMemory(s, 1),
  area: (s) => liveMemory(s, 2),
  memory: (s) => liveMemory(s, 3),
  vmap: (s) => kernelMappings(s).filter((address) => !isNamedOtherwise(s, address)),
  table: (s) => where(s.sgPages, (pages) => pages !== 0),
  domain: (s) => where(s.context, (_type, id) => isDomain(s, id)),
  attachment: (s) => where(s.device, (domain) => domain !== 0).map((at) => at + s.machine.contexts),
  range: (s) => [...new Set(mappedPages(s).map((at) => (at % s.ioPages) * s.machine.pageBytes))],
  mapping: (s) => where(s.sgDomain, (domain) => domain !== 0),
  coherent: (s) => kept(s.coherentCpu).map((page) => page * s.machine.pageBytes),
  client: (s) => where(s.client, (live) => live !== 0),
  handle: (s) => [...new Set(LIVE.client(s).flatMap((client) => handlesOf(s, client)))],
  fd: (s) => [...new Set(where(s.fd, (head) => head !== 0).map((at) => at % s.machine.fds))],
  kernel_map: (s) => [
    ...new Set(where(s.kernelMaps, (maps) => maps !== 0).map((at) => at % (s.machine.handles + 1))),
  ],
  user_map: (s) =>
    where(s.userMap, (head) => head !== 0).map((at) => addressOfMapped(s, at + s.machine.vmallocPages)),
  context: (s) => where(s.context, (type) => type === CONTEXT.GPU),
  binding: (s) => {
    const bound = where(s.bound, (head) => head !== 0);
    return [...new Set(bound.map((at) => (at % s.ioPages) * s.machine.pageBytes))];
  },
  job: (s) => where(s.job, (lines) => lines !== 0),
};

const blocks = (s: World): number[] => where(s.head, (head, page) => head === page + 1 && isBlock(s, page));

/** Where the things of a kind start, in bytes, for kinds that places can be in. */
const ADDRESSES: Readonly<Record<string, (s: World) => number[]>> = {
  block: (s) => blocks(s).map((pfn) => pfn * s.machine.pageBytes),
  binding: LIVE.binding,
  range: LIVE.range,
  vmap: LIVE.vmap,
  user_map: LIVE.user_map,
  kernel_map: (s) => kept(s.kernelMap).map((page) => page * s.machine.pageBytes),
  mapping: (s) => LIVE.mapping(s).map((table) => s.sgIoPage.get(table * s.sgPagesMax) * s.machine.pageBytes),
  coherent: (s) =>
    where(s.coherentCpu, (page) => page !== 0).map(
      (head) => s.coherentIoPage.get(head) * s.machine.pageBytes,
    ),
};

/** The same, as a CPU names them, where that is another address. */
const CPU_ADDRESSES: Readonly<Record<string, (s: World) => number[]>> = { coherent: LIVE.coherent };

/** Places in the table of translations where something is mapped by the user of a domain. */
const mappedPages = (s: World): number[] =>
  where(
    s.reach,
    (entry, at) => entry !== 0 && s.context.get(Math.floor(at / s.ioPages)) === CONTEXT.UNMANAGED,
  );

/** Addresses at which explicit kernel mappings start. */
const kernelMappings = (s: World): number[] =>
  where(s.area, (pages, at) => pages !== 0 && at < s.machine.vmallocPages).map((at) =>
    addressOfMapped(s, at),
  );

/** The mapping is one of a buffer or of coherent memory. */
function isNamedOtherwise(s: World, address: number): boolean {
  const page = address / s.machine.pageBytes + 1;
  return s.kernelMap.values.includes(page) || s.coherentCpu.values.includes(page);
}

/** Values of a column that keeps something + 1, where it keeps anything. */
const kept = (column: Column): number[] =>
  where(column, (value) => value !== 0).map((index) => column.get(index) - 1);

/** Indices at which a condition holds that does not hold of 0. */
function where(column: Column, holds: (value: number, index: number) => boolean): number[] {
  const found: number[] = [];
  for (let index = column.first; index < column.end; index++)
    if (holds(column.get(index), index)) found.push(index);
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
  isolation: ISOLATION,
  scopes: SCOPES,
  symmetry: SYMMETRY,
  closing: [
    'gpu_context_destroy',
    'ion_client_destroy',
    'dma_unmap_sg',
    'dma_free_coherent',
    'iommu_detach_device',
    'iommu_domain_free',
    'sg_free_table',
    'vunmap',
    'free_pages',
    'free_pages_exact',
    'kfree',
    'vfree',
    'kvfree',
    'release',
    'shrink',
    'drain',
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
    quarterPage: machine.pageBytes / 4,
    linesMax: (ACCESS_PAGES_MAX * machine.pageBytes) / machine.lineBytes + 1,
    kernelPages: machine.pages + machine.vmallocPages,
    kernelWords: ((machine.pages + machine.vmallocPages) * machine.pageBytes) / 8,
    cpuPages: machine.pages + machine.vmallocPages + machine.clients * machine.userPages,
    tablePages: SG_BLOCKS_MAX * 2 ** machine.orderMax,
    tableLines: (SG_BLOCKS_MAX * 2 ** machine.orderMax * machine.pageBytes) / machine.lineBytes,
    initiators: machine.contexts + machine.devices,
    lastPage: machine.pages - 1,
    lastDevice: machine.devices - 1,
  }),
  boot: bootWorld,
  columns: (s) => s.state.columns(VIEW_COLUMNS.length),
  leftBehind,
  stateClass,
  live: (s, kind) => LIVE[kind as KindName](s),
  addresses: (s, kind, side) => ((side && CPU_ADDRESSES[kind]) ?? ADDRESSES[kind])?.(s) ?? [],
};
