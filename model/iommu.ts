/** Layer 3, domains that their user maps into. After Linux 6.1, drivers/iommu/iommu.c, io-pgtable-arm.c. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { showsPages } from './sg.ts';
import type { Rule } from './spec.ts';
import {
  addressEnd,
  entryAt,
  hasTables,
  ioPagesOf,
  isPageAligned,
  mapPages,
  unmapAll,
  unmapPages,
} from './translations.ts';
import { RIGHTS } from './units.ts';
import { KIND } from './view.ts';
import { CONTEXT, contextType, isFreeContext, type World } from './world.ts';

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

/** `iommu_domain_free(domain)`: what is still mapped is reachable no more. */
export const domainFree: Rule<World, ArgsOf<'iommu_domain_free'>, ValueOf<'iommu_domain_free'>> = {
  require: [
    ['the domain exists', (s, { domain }) => isDomain(s, domain)],
    ['no table is mapped in it', (s, { domain }) => !s.sgDomain.values.includes(domain + 1)],
  ],
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
 * `iommu_map(domain, iova, phys, bytes, prot)`. Nothing is mapped over: a present translation is EEXIST, and then
 * none of the others is left behind. The caller owns the address range and the memory.
 */
export const iommuMap: Rule<World, ArgsOf<'iommu_map'>, ValueOf<'iommu_map'>> = {
  require: [
    [
      'the domain is one that its user maps into',
      (s, { domain }) => contextType(s, domain) === CONTEXT.UNMANAGED,
    ],
    ['the memory is one allocated block', (s, args) => isInBlock(s, args)],
  ],
  refuse: [
    ['EINVAL', (s, args) => !isAlignedRequest(s, args), 'P1', 'address and size must be whole pages'],
    ['EINVAL', (_s, { prot, bytes }) => prot === 'none' && bytes !== 0, 'P1', 'no right is asked for'],
    [
      'ERANGE',
      (s, { iova, bytes }) => bytes !== 0 && !isInSpace(s, iova, bytes),
      'P2',
      'the range leaves the address space',
    ],
    ['EEXIST', isMappedOver, 'S4', 'something is mapped there'],
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => bytes > 0 && !hasTables(s, bytes / s.machine.pageBytes, seen)]],
  accept: [],
  effect(s, { domain, iova, phys, bytes, prot }) {
    const { pageBytes } = s.machine;
    const pages = Array.from({ length: bytes / pageBytes }, (_, at) => phys / pageBytes + at);
    mapPages(s, domain, iova / pageBytes, pages, RIGHTS[prot] ?? 0);
  },
  owes: () => 'M1',
};

/**
 * `iommu_unmap(domain, iova, bytes)`: returns the bytes unmapped, up to the first hole; 0 when misaligned. After
 * it returns no access lands, from no cache of translations either.
 */
export const iommuUnmap: Rule<World, ArgsOf<'iommu_unmap'>, ValueOf<'iommu_unmap'>> = {
  require: [
    [
      'the domain is one that its user maps into',
      (s, { domain }) => contextType(s, domain) === CONTEXT.UNMANAGED,
    ],
  ],
  refuse: [],
  may: [],
  accept: [
    ['the bytes that were mapped from there on', (s, args, { bytes }) => isUnmapped(s, args, bytes), 'P1'],
  ],
  effect: (s, { domain, iova }, { bytes }) =>
    unmapPages(s, domain, iova / s.machine.pageBytes, bytes / s.machine.pageBytes),
  owes: () => 'P1',
};

/** A domain of the kernel, of either type. */
export function isDomain(s: World, id: number): boolean {
  const type = contextType(s, id);
  return type === CONTEXT.UNMANAGED || type === CONTEXT.DMA;
}

const isAlignedRequest = ({ machine }: World, { iova, phys, bytes }: ArgsOf<'iommu_map'>): boolean =>
  isPageAligned(machine, iova) && isPageAligned(machine, phys) && isPageAligned(machine, bytes);

const isInSpace = ({ machine }: World, iova: number, bytes: number): boolean =>
  iova >= 0 && bytes >= 0 && iova + bytes <= addressEnd(machine);

function isInBlock(s: World, { phys, bytes }: ArgsOf<'iommu_map'>): boolean {
  const first = Math.floor(phys / s.machine.pageBytes);
  const end = Math.ceil((phys + bytes) / s.machine.pageBytes);
  if (first < 0 || end > s.frames) return false;
  for (let page = first; page < end; page++) {
    if (s.kind.get(page) !== KIND.BLOCK || s.head.get(page) !== s.head.get(first)) return false;
  }
  return true;
}

function isMappedOver(s: World, { domain, iova, bytes }: ArgsOf<'iommu_map'>): boolean {
  if (!isPageAligned(s.machine, iova) || !isPageAligned(s.machine, bytes)) return false;
  for (const ioPage of ioPagesOf(s, iova, bytes)) if (entryAt(s, domain, ioPage) !== 0) return true;
  return false;
}

/** A range that leaves the address space may be unmapped up to its end, or not at all. */
function isUnmapped(s: World, { domain, iova, bytes }: ArgsOf<'iommu_unmap'>, unmapped: number): boolean {
  if (iova < 0 || !isPageAligned(s.machine, iova) || !isPageAligned(s.machine, bytes)) return unmapped === 0;
  let mapped = 0;
  for (const ioPage of ioPagesOf(s, iova, bytes)) {
    if (entryAt(s, domain, ioPage) === 0) break;
    mapped += s.machine.pageBytes;
  }
  return unmapped === mapped || (unmapped === 0 && iova + bytes > addressEnd(s.machine));
}
