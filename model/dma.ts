/** Layer 3, the DMA API over an IOMMU. After Linux 6.1, drivers/iommu/dma-iommu.c, `iommu_dma_map_sg()`. */
import type { ArgsOf, ValueOf } from './calls.ts';
import { isTable, tablePages } from './sg.ts';
import type { Rule } from './spec.ts';
import { hasRoundedHole, hasTables, isHole, isPageAligned, mapPages, unmapPages } from './translations.ts';
import { RIGHTS } from './units.ts';
import { CONTEXT, contextType, type World } from './world.ts';

type Map = ArgsOf<'dma_map_sg'>;
type Mapped = ValueOf<'dma_map_sg'>;

/**
 * `dma_map_sg(domain, table, direction)`: at which addresses, and in how many segments, is left open. Segments are
 * pairs of address and bytes. A table is mapped once at a time. The kernel returns 0 on failure; the only reason
 * modelled is ENOMEM, for want of addresses or of pages for tables.
 */
export const dmaMapSg: Rule<World, Map, Mapped> = {
  require: [
    ['the domain is one of the DMA API', (s, { domain }) => contextType(s, domain) === CONTEXT.DMA],
    ['the table is allocated', (s, { table }) => isTable(s, table)],
    ['the table is not mapped', (s, { table }) => s.sgDomain.get(table) === 0],
  ],
  refuse: [
    [
      'ENOMEM',
      (s, { domain, table }) => tablePages(s, table).length > unusedCount(s, domain),
      'S3',
      'too few addresses are left',
    ],
  ],
  may: [
    ['ENOMEM', (s, { domain, table }) => !hasRoundedHole(s, domain, tablePages(s, table).length)],
    ['ENOMEM', (s, { table }, seen) => !hasTables(s, tablePages(s, table).length, seen)],
  ],
  accept: [
    ['the table that was asked for', (_s, { table }, value) => value.table === table, 'P1'],
    ['no more segments than pages', (s, { table }, value) => isSegmentCount(s, table, value), 'S5'],
    [
      'segments as long as the table',
      (s, { table }, value) => mappedBytes(value) === bytesOf(s, table),
      'S5',
    ],
    [
      'aligned segments of whole pages',
      (s, _args, value) => segmentsOf(value).every((segment) => isWhole(s, segment)),
      'S3',
    ],
    ['unused addresses', (s, { domain }, value) => areUnused(s, domain, value), 'S3'],
    ['the address of the first segment', (_s, _args, { dma, segments }) => dma === segments[0], 'P1'],
  ],
  effect(s, { domain, table, direction }, value) {
    const ioPages = ioPagesOfSegments(s, value);
    for (const [at, page] of tablePages(s, table).entries()) {
      const ioPage = ioPages[at] ?? 0;
      mapPages(s, domain, ioPage, [page], RIGHTS[direction] ?? 0);
      s.sgIoPage.set(table * s.sgPagesMax + at, ioPage);
    }
    s.sgDomain.set(table, domain + 1);
  },
  owes: () => 'M3',
};

/** `dma_unmap_sg(mapping)`: strict, so no access lands once it has returned. */
export const dmaUnmapSg: Rule<World, ArgsOf<'dma_unmap_sg'>, ValueOf<'dma_unmap_sg'>> = {
  require: [['the table is mapped', (s, { mapping }) => (s.sgDomain.values[mapping] ?? 0) !== 0]],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { mapping }) {
    const domain = s.sgDomain.get(mapping) - 1;
    for (const at of tablePages(s, mapping).keys()) {
      unmapPages(s, domain, s.sgIoPage.get(mapping * s.sgPagesMax + at), 1);
      s.sgIoPage.set(mapping * s.sgPagesMax + at, 0);
    }
    s.sgDomain.set(mapping, 0);
  },
  owes: () => 'P1',
};

/** I/O pages of a domain that translate to nothing; page 0 is not counted, it is never handed out. */
function unusedCount(s: World, domain: number): number {
  let unused = 0;
  for (let ioPage = 1; ioPage < s.ioPages; ioPage++) if (isHole(s, domain, ioPage, 1)) unused++;
  return unused;
}

const bytesOf = (s: World, table: number): number => tablePages(s, table).length * s.machine.pageBytes;

function segmentsOf({ segments }: Mapped): [address: number, bytes: number][] {
  const pairs: [number, number][] = [];
  for (let at = 0; at + 1 < segments.length; at += 2) pairs.push([segments[at] ?? 0, segments[at + 1] ?? 0]);
  return pairs;
}

const mappedBytes = (value: Mapped): number => segmentsOf(value).reduce((sum, [, bytes]) => sum + bytes, 0);

function isSegmentCount(s: World, table: number, { segments }: Mapped): boolean {
  return (
    segments.length % 2 === 0 && segments.length > 0 && segments.length / 2 <= tablePages(s, table).length
  );
}

const isWhole = ({ machine }: World, [address, bytes]: readonly [number, number]): boolean =>
  bytes > 0 && isPageAligned(machine, address) && isPageAligned(machine, bytes);

const ioPagesOfSegments = ({ machine }: World, value: Mapped): number[] =>
  segmentsOf(value).flatMap(([address, bytes]) =>
    Array.from({ length: bytes / machine.pageBytes }, (_, at) => address / machine.pageBytes + at),
  );

function areUnused(s: World, domain: number, value: Mapped): boolean {
  const ioPages = ioPagesOfSegments(s, value);
  return new Set(ioPages).size === ioPages.length && ioPages.every((ioPage) => isHole(s, domain, ioPage, 1));
}
