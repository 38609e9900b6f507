/** Who holds which page, and what it contains: what the rules of every layer ask and change. */
import {
  cleaned,
  cpuWrote,
  deviceWrote,
  givenToWrite,
  invalidated,
  NOTHING,
  written,
  writtenUncached,
} from './contents.ts';
import { pageOf } from './units.ts';
import { KIND } from './view.ts';
import { hasStaleCopies, type World } from './world.ts';

/** No owner that the specification knows holds the page, in whole or in part. */
export const isUnheld = ({ kind, coveredWords }: World, page: number): boolean =>
  kind.peek(page) === KIND.FREE && (coveredWords.peek(page) ?? 0) === 0;

/**
 * Pages above the reserve that no known owner holds. There are no more to have: the implementation's own tables and
 * metadata are among them.
 */
export const unheldCount = ({ machine, held, movable }: World): number =>
  machine.pages - held.get(0) - movable.get(0) - machine.reserve;

/** True when every page of the run exists and is held by nobody. */
export function isUnheldRun(s: World, first: number, count: number): boolean {
  if (!Number.isSafeInteger(first) || first < 0 || first + count > s.frames) return false;
  for (let page = first; page < first + count; page++) if (!isUnheld(s, page)) return false;
  return true;
}

/** Each page is held by nobody, and named once. */
export const areUnheld = (s: World, pages: readonly number[]): boolean =>
  new Set(pages).size === pages.length && pages.every((page) => isUnheld(s, page));

/** The pages of an object, in its own order. `head` is its first page. */
export function pagesOf({ size, next }: World, head: number): number[] {
  const pages: number[] = [];
  let page = head;
  for (let left = size.get(head); left > 0; left--) {
    pages.push(page);
    page = next.get(page) - 1;
  }
  return pages;
}

/** What a page of new memory holds: anything, zeros that CPUs wrote through their caches, or zeros in memory. */
export type Contents = 'anything' | 'zeroed by a CPU' | 'zero, uncached';

function contentOf(s: World, contents: Contents): number {
  if (contents === 'anything') return NOTHING;
  if (contents === 'zero, uncached') return writtenUncached(0);
  return hasStaleCopies(s) ? cpuWrote(NOTHING, 0) : written(0);
}

/** Gives pages to an owner, in this order. */
export function take(s: World, pages: readonly number[], kind: number, contents: Contents): void {
  const [head = 0] = pages;
  const content = contentOf(s, contents);
  s.size.set(head, pages.length);
  s.uncached.set(head, contents === 'zero, uncached' ? 1 : 0);
  s.held.set(0, s.held.get(0) + pages.length);
  for (let index = 0; index < pages.length; index++) {
    const page = pages[index] as number;
    s.kind.set(page, kind);
    s.head.set(page, head + 1);
    s.index.set(page, index);
    s.next.set(page, (pages[index + 1] ?? -1) + 1);
    setLines(s, page, () => content);
  }
}

const NOTHING_IS_KNOWN = (): number => NOTHING;

/** Takes pages from their owner. What they hold from now on is nobody's business. */
export function release(s: World, pages: readonly number[]): void {
  const [head = 0] = pages;
  s.size.set(head, 0);
  s.uncached.set(head, 0);
  s.held.set(0, s.held.get(0) - pages.length);
  for (const page of pages) {
    s.kind.set(page, KIND.FREE);
    s.head.set(page, 0);
    s.index.set(page, 0);
    s.next.set(page, 0);
    setLines(s, page, NOTHING_IS_KNOWN);
  }
}

/** Changes what every line of a page holds. */
export function setLines(
  { line, linesPerPage }: World,
  page: number,
  change: (line: number) => number,
): void {
  for (let at = page * linesPerPage; at < (page + 1) * linesPerPage; at++) line.set(at, change(line.get(at)));
}

/** CPUs have written: what they wrote is in memory now, and copies may stay. */
export function cleanPages(s: World, pages: readonly number[]): void {
  if (hasStaleCopies(s)) for (const page of pages) setLines(s, page, cleaned);
}

/** Devices are about to write, and read nothing. Whether what CPUs wrote is in memory is left open. */
export function givePages(s: World, pages: readonly number[]): void {
  if (hasStaleCopies(s)) for (const page of pages) setLines(s, page, givenToWrite);
}

/** Devices have written: no CPU sees an older copy any more. */
export function invalidatePages(s: World, pages: readonly number[]): void {
  if (hasStaleCopies(s)) for (const page of pages) setLines(s, page, invalidated);
}

/** A device writes a line of memory. */
export const writeByDevice = (s: World, line: number, tag: number): void =>
  s.line.set(line, hasStaleCopies(s) ? deviceWrote(s.line.get(line), tag) : writtenTo(s, line, tag));

/** A CPU writes a line, through its cache unless the page has none. */
export const writeByCpu = (s: World, line: number, tag: number): void =>
  s.line.set(line, hasStaleCopies(s) ? cpuWrote(s.line.get(line), tag) : writtenTo(s, line, tag));

/** A machine without stale copies: memory alone counts. */
function writtenTo(s: World, line: number, tag: number): number {
  return s.kind.get(Math.floor(line / s.linesPerPage)) === KIND.FREE ? NOTHING : written(tag);
}

/** Drops one reference to the buffer whose page 0 is `head`; with the last one its pages go. */
export function dropReference(s: World, head: number): void {
  s.refs.set(head, s.refs.get(head) - 1);
  if (s.refs.get(head) === 0) release(s, pagesOf(s, head));
}

/** Some context translates to one of these pages, with any right. */
export function isMapped({ reach }: World, first: number, count: number): boolean {
  for (let index = reach.first; index < reach.end; index++) {
    const page = pageOf(reach.get(index));
    if (page >= first && page < first + count) return true;
  }
  return false;
}

/** Some explicit mapping of kernel or user addresses leads to one of these pages. */
export function isCpuMapped({ mapped }: World, first: number, count: number): boolean {
  for (let index = mapped.first; index < mapped.end; index++) {
    const page = (mapped.get(index) >>> 1) - 1;
    if (page >= first && page < first + count) return true;
  }
  return false;
}
