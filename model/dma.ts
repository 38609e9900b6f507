/** Layer 3, the DMA API over an IOMMU. After Linux 6.1, drivers/iommu/dma-iommu.c, `iommu_dma_map_sg()`. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { domainOf } from './iommu.ts';
import { hasKernelRoom, isKernelHole, mapForCpu, unmapForCpu } from './mappings.ts';
import {
  areUnheld,
  cleanPages,
  givePages,
  invalidatePages,
  isUnheld,
  pagesOf,
  release,
  take,
  unheldCount,
} from './memory.ts';
import { metadataAddresses, metadataPages } from './metadata.ts';
import { isTable, tablePages } from './sg.ts';
import type { Condition, Duty, Rule, Seen } from './spec.ts';
import {
  hasRoundedHole,
  hasTables,
  isHole,
  isLazy,
  isPageAligned,
  isUnreserved,
  mapPages,
  noteFlushes,
  tablesFor,
  unmapDma,
} from './translations.ts';
import { pagesFor, READ, RIGHTS, WRITE } from './units.ts';
import { KIND } from './view.ts';
import { CONTEXT, contextType, type World } from './world.ts';

type Map = ArgsOf<'dma_map_sg'>;
type Mapped = ValueOf<'dma_map_sg'>;
type Alloc = ArgsOf<'dma_alloc_coherent'>;
type Coherent = ValueOf<'dma_alloc_coherent'>;

const IN_DMA_DOMAIN: Duty<World, { readonly device: number }> = [
  'the device is in a domain of the DMA API',
  (s, { device }) => contextType(s, domainOf(s, device) ?? -1) === CONTEXT.DMA,
];
const IS_MAPPED: Duty<World, { readonly mapping: number }> = [
  'the table is mapped',
  (s, { mapping }) => (s.sgDomain.peek(mapping) ?? 0) !== 0,
];
const FLUSHES: Condition<World, object, { readonly flushes: number }> = [
  'flushes go up, and only where unmapped ranges wait for one',
  (s, _args, { flushes }) => (isLazy(s) ? flushes >= s.flushes.get(0) : flushes === 0),
  'P1',
];

/**
 * `dma_map_sg(device, table, direction)`: at which addresses, and in how many segments, is left open.
 * Segments are pairs of address and bytes. A table is mapped once at a time. The kernel returns 0 on failure;
 * the only reason modelled is ENOMEM, for want of addresses or of pages for tables. The device sees what CPUs
 * wrote before.
 */
export const dmaMapSg: Rule<World, Map, Mapped> = {
  require: [
    IN_DMA_DOMAIN,
    ['the table is allocated', (s, { table }) => isTable(s, table)],
    ['the table is not mapped', (s, { table }) => s.sgDomain.get(table) === 0],
  ],
  refuse: [],
  may: [
    ['ENOMEM', (s, args) => !hasRoundedHole(s, domain(s, args), listedPages(s, args))],
    ['ENOMEM', (s, args, seen) => !hasTables(s, listedPages(s, args), seen)],
  ],
  accept: [
    ['the table that was asked for', (_s, { table }, value) => value.table === table, 'P1'],
    ['no more segments than pages', (s, args, value) => isSegmentCount(s, args, value), 'S5'],
    ['segments as long as the table', (s, args, value) => isWholeTable(s, args, value), 'S5'],
    ['aligned segments of whole pages', (s, _args, value) => areWhole(s, value), 'S3'],
    ['no reserved address', (s, _args, value) => areUnreserved(s, value), 'I7'],
    ['unused addresses', (s, args, value) => areUnused(s, args, value), 'S3'],
    ['the address of the first segment', (_s, _args, { dma, segments }) => dma === segments[0], 'P1'],
  ],
  effect(s, args, value) {
    const ioPages = ioPagesOfSegments(s, value);
    const pages = tablePages(s, args.table);
    for (const [at, page] of pages.entries()) {
      mapPages(s, domain(s, args), ioPages[at] ?? 0, [page], RIGHTS[args.direction] ?? 0);
      s.sgIoPage.set(args.table * s.sgPagesMax + at, ioPages[at] ?? 0);
    }
    s.sgDomain.set(args.table, domain(s, args) + 1);
    s.sgDevice.set(args.table, deviceAt(s, args) + 1);
    s.sgRights.set(args.table, RIGHTS[args.direction] ?? 0);
    showToDevice(s, args.table);
  },
  owes: () => 'M3',
};

/**
 * `dma_unmap_sg(mapping)`: no access lands once it has returned, or in a lazy machine once the next flush
 * has. CPUs see what the device wrote.
 */
export const dmaUnmapSg: Rule<World, ArgsOf<'dma_unmap_sg'>, ValueOf<'dma_unmap_sg'>> = {
  require: [IS_MAPPED],
  refuse: [],
  may: [],
  accept: [FLUSHES],
  effect(s, { mapping }, { flushes }) {
    noteFlushes(s, flushes);
    for (const at of tablePages(s, mapping).keys()) {
      unmapDma(s, s.sgDomain.get(mapping) - 1, s.sgIoPage.get(mapping * s.sgPagesMax + at), 1);
      s.sgIoPage.set(mapping * s.sgPagesMax + at, 0);
    }
    showToCpu(s, mapping);
    for (const column of [s.sgDomain, s.sgDevice, s.sgRights]) column.set(mapping, 0);
  },
  owes: () => 'P1',
};

/** `dma_sync_sg_for_device(mapping)`: if the device may read, what CPUs wrote is in memory. */
export const dmaSyncForDevice: Rule<
  World,
  ArgsOf<'dma_sync_sg_for_device'>,
  ValueOf<'dma_sync_sg_for_device'>
> = {
  require: [IS_MAPPED],
  refuse: [],
  may: [],
  accept: [],
  effect: (s, { mapping }) => showToDevice(s, mapping),
  owes: () => 'P1',
};

/** `dma_sync_sg_for_cpu(mapping)`: what the device wrote is what CPUs read. */
export const dmaSyncForCpu: Rule<World, ArgsOf<'dma_sync_sg_for_cpu'>, ValueOf<'dma_sync_sg_for_cpu'>> = {
  require: [IS_MAPPED],
  refuse: [],
  may: [],
  accept: [],
  effect: (s, { mapping }) => showToCpu(s, mapping),
  owes: () => 'P1',
};

/**
 * `dma_alloc_coherent(device, bytes)`: zeroed pages, any, at consecutive addresses of the kernel and of the
 * device. CPUs reach them without their caches, so that both sides see them alike. After
 * `iommu_dma_alloc_remap()`.
 */
export const dmaAllocCoherent: Rule<World, Alloc, Coherent> = {
  require: [IN_DMA_DOMAIN],
  refuse: [
    ['ENOMEM', (_s, { bytes }) => bytes <= 0, 'P1', 'no memory is asked for'],
    [
      'ENOMEM',
      (s, { bytes }) => pagesFor(s.machine, bytes) > unheldCount(s),
      'P2',
      'it is more than anybody could have',
    ],
  ],
  may: [
    ['ENOMEM', (s, args) => !hasRoundedHole(s, domain(s, args), pagesFor(s.machine, args.bytes))],
    ['ENOMEM', (s, { bytes }, seen) => !hasCoherentRoom(s, pagesFor(s.machine, bytes), seen)],
  ],
  accept: [
    [
      'as many pages as were asked for',
      (s, { bytes }, { pages }) => pages.length === pagesFor(s.machine, bytes),
      'P1',
    ],
    ['pages that nobody holds, each once', (s, _args, { pages }) => areUnheld(s, pages), 'C1'],
    [
      'unused kernel addresses, and a guard page',
      (s, _args, { cpu, pages }) => isKernelHole(s, cpu, pages.length),
      'S3',
    ],
    [
      'no reserved address',
      (s, _args, { dma, pages }) => isUnreserved(s, ioPageOf(s, dma), pages.length),
      'I7',
    ],
    [
      'unused addresses',
      (s, args, { dma, pages }) => isHole(s, domain(s, args), ioPageOf(s, dma), pages.length),
      'S3',
    ],
  ],
  effect(s, args, { cpu, dma, pages }) {
    const [head = 0] = pages;
    take(s, pages, KIND.COHERENT, 'zero, uncached');
    mapForCpu(s, cpu, pages, false);
    mapPages(s, domain(s, args), ioPageOf(s, dma), pages, RIGHTS['both'] ?? 0);
    s.coherentCpu.set(head, cpu / s.machine.pageBytes + 1);
    s.coherentIoPage.set(head, ioPageOf(s, dma));
    s.coherentDevice.set(head, deviceAt(s, args) + 1);
  },
  owes: () => 'M1',
  fresh: (s, { bytes }) => ({ pages: unheldPages(s).slice(0, pagesFor(s.machine, bytes)) }),
};

/** `dma_free_coherent(coherent)`: the pages and both ranges go, the device's as `dma_unmap_sg` ends one. */
export const dmaFreeCoherent: Rule<World, ArgsOf<'dma_free_coherent'>, ValueOf<'dma_free_coherent'>> = {
  require: [['the memory is allocated', (s, { coherent }) => coherent > 0 && coherentAt(s, coherent) >= 0]],
  refuse: [],
  may: [],
  accept: [FLUSHES],
  effect(s, { coherent }, { flushes }) {
    const head = coherentAt(s, coherent);
    noteFlushes(s, flushes);
    unmapDma(
      s,
      s.device.get(s.coherentDevice.get(head) - 1) - 1,
      s.coherentIoPage.get(head),
      s.size.get(head),
    );
    unmapForCpu(s, coherent);
    release(s, pagesOf(s, head));
    for (const column of [s.coherentCpu, s.coherentIoPage, s.coherentDevice]) column.set(head, 0);
  },
  owes: () => 'P1',
};

/**
 * Dirty copies go to memory. For a device that only writes they may be dropped instead, as arm64 did before 6.1:
 * arch/arm64/mm/dma-mapping.c `arch_sync_dma_for_device()`.
 */
function showToDevice(s: World, table: number): void {
  const mayRead = (s.sgRights.get(table) & READ) !== 0;
  (mayRead ? cleanPages : givePages)(s, tablePages(s, table));
}

/** Copies that caches hold of what the device could write are dropped. */
function showToCpu(s: World, table: number): void {
  if ((s.sgRights.get(table) & WRITE) !== 0) invalidatePages(s, tablePages(s, table));
}

const domain = (s: World, { device }: { readonly device: number }): number => domainOf(s, device) ?? -1;
const deviceAt = ({ machine }: World, { device }: { readonly device: number }): number =>
  device - machine.contexts;
const ioPageOf = ({ machine }: World, address: number): number => address / machine.pageBytes;

/** Page 0 of coherent memory by its kernel address, or -1. */
const coherentAt = (s: World, cpu: number): number =>
  s.coherentCpu.values.indexOf(cpu / s.machine.pageBytes + 1);

/** Names of single pages that nobody holds. */
const unheldPages = (s: World): number[] =>
  Array.from({ length: s.machine.pages }, (_, page) => page).filter((page) => isUnheld(s, page));

/** The target shows enough for the pages, the array that lists them, and the tables of both mappings. */
function hasCoherentRoom(s: World, pages: number, seen: Seen): boolean {
  const array = pages * s.machine.pageArrayEntryBytes;
  const more = pages + metadataPages(s.machine, array) + tablesFor(s.machine, s.ioPages, pages);
  return hasKernelRoom(s, pages + metadataAddresses(s.machine, array), seen, more);
}

const listedPages = (s: World, { table }: Map): number => tablePages(s, table).length;

function segmentsOf({ segments }: Mapped): [address: number, bytes: number][] {
  const pairs: [number, number][] = [];
  for (let at = 0; at + 1 < segments.length; at += 2) pairs.push([segments[at] ?? 0, segments[at + 1] ?? 0]);
  return pairs;
}

const isSegmentCount = (s: World, args: Map, { segments }: Mapped): boolean =>
  segments.length % 2 === 0 && segments.length > 0 && segments.length / 2 <= listedPages(s, args);

const isWholeTable = (s: World, args: Map, value: Mapped): boolean =>
  segmentsOf(value).reduce((sum, [, bytes]) => sum + bytes, 0) === listedPages(s, args) * s.machine.pageBytes;

const areWhole = ({ machine }: World, value: Mapped): boolean =>
  segmentsOf(value).every(
    ([address, bytes]) => bytes > 0 && isPageAligned(machine, address) && isPageAligned(machine, bytes),
  );

const areUnreserved = (s: World, value: Mapped): boolean =>
  segmentsOf(value).every(([address, bytes]) => isUnreserved(s, ioPageOf(s, address), ioPageOf(s, bytes)));

const ioPagesOfSegments = (s: World, value: Mapped): number[] =>
  segmentsOf(value).flatMap(([address, bytes]) =>
    Array.from({ length: ioPageOf(s, bytes) }, (_, at) => ioPageOf(s, address) + at),
  );

function areUnused(s: World, args: Map, value: Mapped): boolean {
  const ioPages = ioPagesOfSegments(s, value);
  return (
    new Set(ioPages).size === ioPages.length &&
    ioPages.every((ioPage) => isHole(s, domain(s, args), ioPage, 1))
  );
}
