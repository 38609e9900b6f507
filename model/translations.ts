/** What devices reach: the I/O pages of a context, and the holes between them. */
import type { Machine } from './machine.ts';
import { showsPages } from './sg.ts';
import type { Seen } from './spec.ts';
import { pageOf, roundUpToPowerOfTwo, translation } from './units.ts';
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

export const setEntry = (s: World, context: number, ioPage: number, entry: number): void =>
  s.reach.set(context * s.ioPages + ioPage, entry);

/** Makes pages reachable at consecutive I/O pages. */
export function mapPages(
  s: World,
  context: number,
  ioPage: number,
  pages: readonly number[],
  rights: number,
): void {
  for (const [at, page] of pages.entries()) setEntry(s, context, ioPage + at, translation(page, rights));
}

export function unmapPages(s: World, context: number, ioPage: number, count: number): void {
  for (let at = 0; at < count; at++) setEntry(s, context, ioPage + at, 0);
}

/** Nothing in the context is reachable any more. */
export const unmapAll = (s: World, context: number): void => unmapPages(s, context, 0, s.ioPages);

/** The page a device reaches with a right, or undefined: the access faults. */
export function translate(s: World, context: number, ioPage: number, right: number): number | undefined {
  if (!(ioPage >= 0 && ioPage < s.ioPages)) return undefined;
  const entry = entryAt(s, context, ioPage);
  return (entry & right) === 0 ? undefined : pageOf(entry);
}

/** Every I/O page of the run exists, is not page 0, and is unused. Address 0 is never handed out: it means failure. */
export function isHole(s: World, context: number, ioPage: number, count: number): boolean {
  if (!Number.isSafeInteger(ioPage) || ioPage < 1 || ioPage + count > s.ioPages) return false;
  for (let at = 0; at < count; at++) if (entryAt(s, context, ioPage + at) !== 0) return false;
  return true;
}

/** Some hole has room for so many I/O pages. */
export const hasHole = (s: World, context: number, count: number): boolean => someHole(s, context, count, 1);

/** A hole exists of the size rounded up to a power of two, aligned to that: then a range must be found. */
export function hasRoundedHole(s: World, context: number, count: number): boolean {
  const rounded = roundUpToPowerOfTwo(count);
  return count === 0 || someHole(s, context, rounded, rounded);
}

function someHole(s: World, context: number, count: number, step: number): boolean {
  for (let ioPage = step; ioPage + count <= s.ioPages; ioPage += step) {
    if (isHole(s, context, ioPage, count)) return true;
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
  showsPages(s, tablesFor(s.machine, s.ioPages, count), seen);
