/** What devices reach: the I/O pages of a context, and the holes between them. */
import type { Machine } from './machine.ts';
import { pagesOf } from './memory.ts';
import type { Seen } from './spec.ts';
import { pageOf, roundUpToPowerOfTwo, translation } from './units.ts';
import { availablePages } from './view.ts';
import type { World } from './world.ts';

/** The first address beyond those that a device can name. */
export const addressEnd = ({ ioBits }: Machine): number => 2 ** ioBits;

export const isPageAligned = ({ pageBytes }: Machine, address: number): boolean => address % pageBytes === 0;

/** I/O pages of a byte range, cut off where the address space ends. The range is page-aligned. */
export function* ioPagesOf(s: World, address: number, bytes: number): Generator<number> {
  const first = address / s.machine.pageBytes;
  const end = Math.min(first + bytes / s.machine.pageBytes, s.ioPages);
  for (let ioPage = Math.max(first, 0); ioPage < end; ioPage++) yield ioPage;
}

/** What a context translates an I/O page to, as the view codes it; 0: nothing. */
export const entryAt = (s: World, context: number, ioPage: number): number =>
  s.reach.get(context * s.ioPages + ioPage);

/** Makes pages reachable at consecutive I/O pages. */
export function mapPages(
  s: World,
  context: number,
  ioPage: number,
  pages: readonly number[],
  rights: number,
): void {
  const first = context * s.ioPages + ioPage;
  for (const [at, page] of pages.entries()) s.reach.set(first + at, translation(page, rights));
}

/** After this no access lands. */
export function unmapPages(s: World, context: number, ioPage: number, count: number): void {
  for (let at = context * s.ioPages + ioPage; count > 0; at++, count--) s.reach.set(at, 0);
}

/**
 * Ends a mapping of the DMA API. With lazy invalidation devices may use the translation until a flush.
 * After Linux 6.1, drivers/iommu/dma-iommu.c `__iommu_dma_unmap()`, `queue_iova()`.
 */
export function unmapDma(s: World, domain: number, ioPage: number, count: number): void {
  for (let at = ioPage; at < ioPage + count; at++)
    if (isLazy(s)) s.stale.set(domain * s.ioPages + at, entryAt(s, domain, at));
  unmapPages(s, domain, ioPage, count);
}

/** Nothing in the context is reachable any more, by old translations either. */
export function unmapAll(s: World, context: number): void {
  unmapPages(s, context, 0, s.ioPages);
  for (let at = context * s.ioPages; at < (context + 1) * s.ioPages; at++) s.stale.set(at, 0);
}

/** Unmapped addresses of DMA domains leave the IOTLB with a flush of all that waits for one. */
export const isLazy = ({ machine }: World): boolean => machine.policies['invalidation'] === 'lazy';

/** So many flushes have finished: if that is more than before, no old translation is left. */
export function noteFlushes(s: World, flushes: number): void {
  if (flushes > s.flushes.get(0)) s.stale.fill(0);
  s.flushes.set(0, flushes);
}

/** What a device comes to. `isStale`: by a translation that is no more; an IOTLB may hold it, or may not. */
export interface Hit {
  readonly page: number;
  readonly isStale: boolean;
}

/** Where a device comes to with a right; undefined: the access faults. */
export function translate(s: World, context: number, ioPage: number, right: number): Hit | undefined {
  if (context < 0 || !(ioPage >= 0 && ioPage < s.ioPages)) return undefined;
  const own = entryAt(s, context, ioPage);
  const entry = own === 0 ? s.stale.get(context * s.ioPages + ioPage) : own;
  return (entry & right) === 0 ? undefined : { page: pageOf(entry), isStale: own === 0 };
}

/** The pages of all buffers that are bound in a context. */
export const boundPages = (s: World, context: number): number[] =>
  [...new Set(s.bound.values.subarray(context * s.ioPages, (context + 1) * s.ioPages))]
    .filter((bound) => bound !== 0)
    .flatMap((bound) => pagesOf(s, bound - 1));

/** The first of the last I/O pages, which are doorbells and no memory: nothing is mapped there. */
const reservedFrom = (s: World): number => s.ioPages - s.machine.reservedIoPages;

/** No I/O page of the run is reserved. A run that leaves the address space is wrong for that alone. */
export const isUnreserved = (s: World, ioPage: number, count: number): boolean =>
  count === 0 || ioPage + count <= reservedFrom(s) || ioPage + count > s.ioPages;

/**
 * Every I/O page of the run exists (a fraction is none: the address is aligned), is neither page 0 nor reserved,
 * and is unused, also by what awaits a flush. Address 0 is never handed out: it means failure.
 */
export function isHole(s: World, context: number, ioPage: number, count: number): boolean {
  if (!Number.isSafeInteger(ioPage) || ioPage < 1 || ioPage + count > reservedFrom(s)) return false;
  for (let at = context * s.ioPages + ioPage; count > 0; at++, count--)
    if (s.reach.get(at) !== 0 || s.stale.get(at) !== 0) return false;
  return true;
}

/** A hole exists of the size rounded up to a power of two, aligned to that: then a range must be found. */
export function hasRoundedHole(s: World, context: number, count: number): boolean {
  if (count === 0) return true;
  const rounded = roundUpToPowerOfTwo(count);
  for (let ioPage = rounded; ioPage + rounded <= s.ioPages; ioPage += rounded) {
    if (isHole(s, context, ioPage, rounded)) return true;
  }
  return false;
}

/** Table pages that mapping so many consecutive I/O pages takes at the most, the root not counted. */
export function tablesFor({ tableBits }: Machine, ioPages: number, count: number): number {
  let tables = 0;
  for (let span = 2 ** tableBits; span < ioPages; span *= 2 ** tableBits)
    tables += Math.ceil(count / span) + 1;
  return tables;
}

/** The target shows enough free pages for the tables of such a mapping. */
export const hasTables = (s: World, count: number, seen: Seen): boolean =>
  (availablePages(seen, s.machine) ?? Number.NaN) >= tablesFor(s.machine, s.ioPages, count);
