/** Layer 3, domains and the devices in them. After Linux 6.1, drivers/iommu/iommu.c, io-pgtable-arm.c. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { isTable, showsPages, tablePages } from './sg.ts';
import type { Duty, Rule, Seen } from './spec.ts';
import {
  addressEnd,
  entryAt,
  hasTables,
  ioPagesOf,
  isPageAligned,
  isUnreserved,
  mapPages,
  unmapAll,
  unmapPages,
} from './translations.ts';
import { pageOf, READ, RIGHTS, translation, WRITE } from './units.ts';
import { KIND } from './view.ts';
import { CONTEXT, contextType, isFreeContext, type World } from './world.ts';

type Map = ArgsOf<'iommu_map'>;
type MapSg = ArgsOf<'iommu_map_sg'>;
type Unmap = ArgsOf<'iommu_unmap'>;

const OUTSIDE = 'the range leaves the address space';
const OVER = 'something is mapped there';

const EXISTS: Duty<World, { readonly domain: number }> = [
  'the domain exists',
  (s, { domain }) => isDomain(s, domain),
];
const UNMANAGED: Duty<World, { readonly domain: number }> = [
  'the domain is one that its user maps into',
  (s, { domain }) => contextType(s, domain) === CONTEXT.UNMANAGED,
];

/** `iommu_domain_alloc(type)`. Its top table is a page. Ids are shared with GPU contexts. */
export const domainAlloc: Rule<World, ArgsOf<'iommu_domain_alloc'>, ValueOf<'iommu_domain_alloc'>> = {
  require: [],
  refuse: [['ENOSPC', (s) => !s.context.values.includes(CONTEXT.NONE), 'P1', 'no context id is left']],
  may: [['ENOMEM', (s, _args, seen) => !showsPages(s, 1, seen)]],
  accept: [['an id that is not in use', (s, _args, { domain }) => isFreeContext(s, domain), 'C5']],
  effect: (s, { type }, { domain }) =>
    s.context.set(domain, type === 'dma' ? CONTEXT.DMA : CONTEXT.UNMANAGED),
  owes: () => 'M1',
};

/**
 * `iommu_domain_free(domain)`: what is still mapped is reachable no more, and nothing of it awaits a flush. A
 * device leaves when the DMA API has nothing mapped for it, so nothing of that is left either.
 */
export const domainFree: Rule<World, ArgsOf<'iommu_domain_free'>, ValueOf<'iommu_domain_free'>> = {
  require: [EXISTS, ['no device is attached', (s, { domain }) => !s.device.values.includes(domain + 1)]],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { domain }) {
    s.context.set(domain, CONTEXT.NONE);
    unmapAll(s, domain);
  },
  owes: () => 'P1',
};

/**
 * `iommu_attach_device(domain, device)`: the device reaches what the domain maps, and nothing else. Some drivers make
 * the top table only now: arm-smmu.c `arm_smmu_init_domain_context()`.
 */
export const attachDevice: Rule<World, ArgsOf<'iommu_attach_device'>, ValueOf<'iommu_attach_device'>> = {
  require: [EXISTS],
  refuse: [
    ['ENODEV', (s, { device }) => s.device.peek(device) === undefined, 'C5', 'there is no such device'],
    ['EBUSY', (s, { device }) => (s.device.peek(device) ?? 0) !== 0, 'I6', 'it is attached already'],
  ],
  may: [['ENOMEM', (s, _args, seen) => !showsPages(s, 1, seen)]],
  accept: [
    [
      'the device that was asked for',
      (s, args, { device }) => device === s.machine.contexts + args.device,
      'P1',
    ],
  ],
  effect: (s, { domain, device }) => s.device.set(device, domain + 1),
  owes: () => 'P1',
};

/** `iommu_detach_device(device)`: to the blocking domain, at once; old translations are of no use to it. */
export const detachDevice: Rule<World, ArgsOf<'iommu_detach_device'>, ValueOf<'iommu_detach_device'>> = {
  require: [
    ['the device is attached', (s, { device }) => domainOf(s, device) !== undefined],
    ['the DMA API has nothing mapped for it', (s, { device }) => !isInUse(s, device - s.machine.contexts)],
  ],
  refuse: [],
  may: [],
  accept: [],
  effect: (s, { device }) => s.device.set(device - s.machine.contexts, 0),
  owes: () => 'P1',
};

/**
 * `iommu_map(domain, iova, phys, bytes, prot)`. Nothing is mapped over: a present translation is EEXIST, and
 * then none of the others is left behind. The caller owns the address range and the memory. io-pgtable-arm.c says
 * EEXIST to a present translation, the generic page tables of later kernels EADDRINUSE.
 */
export const iommuMap: Rule<World, Map, ValueOf<'iommu_map'>> = {
  require: [
    UNMANAGED,
    ['the memory is one allocated block', (s, args) => isInBlock(s, args)],
    ['no reserved address is asked for', (s, { iova, bytes }) => isUnreservedRange(s, iova, bytes)],
  ],
  refuse: [
    ['EINVAL', (s, args) => !isAligned(s, args), 'P1', 'address and size must be whole pages'],
    ['EINVAL', (_s, { prot, bytes }) => prot === 'none' && bytes !== 0, 'P1', 'no right is asked for'],
    ['ERANGE', (s, { iova, bytes }) => bytes !== 0 && !isInSpace(s, iova, bytes), 'P2', OUTSIDE],
    ['EEXIST', (s, { domain, iova, bytes }) => isMappedOver(s, domain, iova, bytes), 'S4', OVER],
  ],
  may: [
    ['EADDRINUSE', (s, { domain, iova, bytes }) => isMappedOver(s, domain, iova, bytes)],
    ['ENOMEM', (s, { bytes }, seen) => bytes > 0 && !hasTables(s, bytes / s.machine.pageBytes, seen)],
  ],
  accept: [['the address that was asked for', (_s, args, { iova }) => iova === args.iova, 'P1']],
  effect(s, { domain, iova, phys, bytes, prot }) {
    const { pageBytes } = s.machine;
    const pages = Array.from({ length: bytes / pageBytes }, (_, at) => phys / pageBytes + at);
    mapPages(s, domain, iova / pageBytes, pages, RIGHTS[prot] ?? 0);
  },
  owes: () => 'M1',
};

/** `iommu_map_sg(domain, iova, table, prot)`: all pages of a table, one after the other, or none of them. */
export const iommuMapSg: Rule<World, MapSg, ValueOf<'iommu_map_sg'>> = {
  require: [
    UNMANAGED,
    ['the table is allocated', (s, { table }) => isTable(s, table)],
    ['no reserved address is asked for', (s, args) => isUnreservedRange(s, args.iova, bytesOf(s, args))],
  ],
  refuse: [
    ['EINVAL', (s, { iova }) => !isPageAligned(s.machine, iova), 'P1', 'the address must be that of a page'],
    ['EINVAL', (_s, { prot }) => prot === 'none', 'P1', 'no right is asked for'],
    ['ERANGE', (s, args) => !isInSpace(s, args.iova, bytesOf(s, args)), 'P2', OUTSIDE],
    ['EEXIST', (s, args) => isMappedOver(s, args.domain, args.iova, bytesOf(s, args)), 'S4', OVER],
  ],
  may: [
    ['EADDRINUSE', (s, args) => isMappedOver(s, args.domain, args.iova, bytesOf(s, args))],
    ['ENOMEM', (s, { table }, seen) => !hasTables(s, tablePages(s, table).length, seen)],
  ],
  accept: [['the bytes of the table', (s, args, { bytes }) => bytes === bytesOf(s, args), 'P1']],
  effect: (s, { domain, iova, table, prot }) =>
    mapPages(s, domain, iova / s.machine.pageBytes, tablePages(s, table), RIGHTS[prot] ?? 0),
  owes: () => 'M1',
};

/**
 * `iommu_unmap(domain, iova, bytes)`: returns the bytes unmapped, up to the first hole; 0 when misaligned.
 * After it returns no access lands, from no cache of translations either. A large leaf that is hit in part is
 * split, which takes tables: without pages for them it ends there. After io-pgtable-arm.c
 * `arm_lpae_split_blk_unmap()`.
 */
export const iommuUnmap: Rule<World, ArgsOf<'iommu_unmap'>, ValueOf<'iommu_unmap'>> = {
  require: [UNMANAGED],
  refuse: [],
  may: [],
  accept: [
    [
      'the bytes that were mapped from there on',
      (s, args, { bytes }, seen) => isUnmapped(s, args, bytes) || isShort(s, args, bytes, seen),
      'P1',
    ],
  ],
  effect: (s, { domain, iova }, { bytes }) =>
    unmapPages(s, domain, iova / s.machine.pageBytes, bytes / s.machine.pageBytes),
  recovers: true,
  owes: () => 'P1',
};

/** `iommu_iova_to_phys(domain, iova)`: the low bits stay; 0 for nothing, which page 0 is not told from. */
export const iovaToPhys: Rule<World, ArgsOf<'iommu_iova_to_phys'>, ValueOf<'iommu_iova_to_phys'>> = {
  require: [EXISTS],
  refuse: [],
  may: [],
  accept: [
    ['0 where nothing is mapped', (s, args, { phys }) => entryOf(s, args) !== 0 || phys === 0, 'S4'],
    ['what the tables say', (s, args, { phys }) => phys === physOf(s, args), 'S4', 'page-numbers'],
  ],
  effect: () => {},
  owes: () => 'P1',
};

/** A domain of the kernel, of either type. */
export function isDomain(s: World, id: number): boolean {
  const type = contextType(s, id);
  return type === CONTEXT.UNMANAGED || type === CONTEXT.DMA;
}

/** The domain of a device, by its id as an initiator; undefined: it is in none, or there is no such. */
export function domainOf({ device, machine }: World, initiator: number): number | undefined {
  const domain = device.peek(initiator - machine.contexts) ?? 0;
  return domain === 0 ? undefined : domain - 1;
}

const isInUse = ({ sgDevice, coherentDevice }: World, device: number): boolean =>
  sgDevice.values.includes(device + 1) || coherentDevice.values.includes(device + 1);

const isAligned = ({ machine }: World, { iova, phys, bytes }: Map): boolean =>
  [iova, phys, bytes].every((value) => isPageAligned(machine, value));

const bytesOf = (s: World, { table }: MapSg): number => tablePages(s, table).length * s.machine.pageBytes;

const isUnreservedRange = (s: World, iova: number, bytes: number): boolean =>
  isUnreserved(s, iova / s.machine.pageBytes, bytes / s.machine.pageBytes);

const isInSpace = ({ machine }: World, iova: number, bytes: number): boolean =>
  iova >= 0 && bytes >= 0 && iova + bytes <= addressEnd(machine);

function isInBlock(s: World, { phys, bytes }: Map): boolean {
  const first = Math.floor(phys / s.machine.pageBytes);
  const end = Math.ceil((phys + bytes) / s.machine.pageBytes);
  if (first < 0 || end > s.frames) return false;
  for (let page = first; page < end; page++) {
    if (s.kind.get(page) !== KIND.BLOCK || s.head.get(page) !== s.head.get(first)) return false;
  }
  return true;
}

function isMappedOver(s: World, domain: number, iova: number, bytes: number): boolean {
  if (!isPageAligned(s.machine, iova) || !isPageAligned(s.machine, bytes)) return false;
  for (const ioPage of ioPagesOf(s, iova, bytes)) if (entryAt(s, domain, ioPage) !== 0) return true;
  return false;
}

/** A range that leaves the address space may be unmapped up to its end, or not at all. */
function isUnmapped(s: World, args: Unmap, unmapped: number): boolean {
  return (
    unmapped === mappedBytes(s, args) || (unmapped === 0 && args.iova + args.bytes > addressEnd(s.machine))
  );
}

/** It ended before what may be a large leaf: something failed, or too few pages for tables are shown. */
function isShort(s: World, args: Unmap, unmapped: number, seen: Seen): boolean {
  const { pageBytes } = s.machine;
  if (!(unmapped >= 0 && unmapped < mappedBytes(s, args)) || !isPageAligned(s.machine, unmapped))
    return false;
  const isAtLarge = mayBeLarge(s, args.domain, (args.iova + unmapped) / pageBytes);
  return isAtLarge && (seen.fired.length > 0 || !hasTables(s, args.bytes / pageBytes, seen));
}

/** What is mapped from there on, up to the first hole. */
function mappedBytes(s: World, { domain, iova, bytes }: Unmap): number {
  if (iova < 0 || !isPageAligned(s.machine, iova) || !isPageAligned(s.machine, bytes)) return 0;
  let mapped = 0;
  for (const ioPage of ioPagesOf(s, iova, bytes)) {
    if (entryAt(s, domain, ioPage) === 0) break;
    mapped += s.machine.pageBytes;
  }
  return mapped;
}

/** The I/O page may be in a large leaf: it and those in the same table lead to aligned memory in a row. */
function mayBeLarge(s: World, domain: number, ioPage: number): boolean {
  const span = 2 ** s.machine.tableBits;
  const first = ioPage - (ioPage % span);
  if (span >= s.ioPages) return false;
  const entry = entryAt(s, domain, first);
  if (s.pageNumbers && pageOf(entry) % span !== 0) return false;
  for (let at = 1; at < span; at++)
    if (entryAt(s, domain, first + at) !== translation(pageOf(entry) + at, entry & (READ | WRITE)))
      return false;
  return true;
}

/** What a device address translates to, as the view codes it; 0: nothing. */
const entryOf = (s: World, { domain, iova }: ArgsOf<'iommu_iova_to_phys'>): number =>
  isInSpace(s, iova, 1) ? entryAt(s, domain, Math.floor(iova / s.machine.pageBytes)) : 0;

/** The address of memory that a device address leads to, whatever the rights; 0 for none. */
function physOf(s: World, args: ArgsOf<'iommu_iova_to_phys'>): number {
  const { pageBytes } = s.machine;
  const entry = entryOf(s, args);
  return entry === 0 ? 0 : pageOf(entry) * pageBytes + (args.iova % pageBytes);
}
