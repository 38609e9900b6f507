/** Who holds which page: the questions that the rules of every layer ask, and the two ways of changing the answer. */
import { pageOf } from './units.ts';
import { KIND, TAG_UNKNOWN } from './view.ts';
import type { World } from './world.ts';

/** No owner that the specification knows holds the page, in whole or in part. */
export const isUnheld = ({ kind, coveredWords }: World, page: number): boolean =>
  kind.values[page] === KIND.FREE && (coveredWords.values[page] ?? 0) === 0;

/**
 * Pages above the reserve that no known owner holds. There are no more to have: the implementation's own tables and
 * metadata are among them.
 */
export function unheldCount(s: World): number {
  const kinds = s.kind.values;
  const covered = s.coveredWords.values;
  let held = 0;
  for (let page = 0; page < s.frames; page++) {
    if (kinds[page] !== KIND.FREE || (page < covered.length && covered[page] !== 0)) held++;
  }
  return s.machine.pages - held - s.machine.reserve;
}

/** True when every page of the run exists and is held by nobody. */
export function isUnheldRun(s: World, first: number, count: number): boolean {
  if (!Number.isSafeInteger(first) || first < 0 || first + count > s.frames) return false;
  for (let page = first; page < first + count; page++) if (!isUnheld(s, page)) return false;
  return true;
}

/** The pages of an object, in its own order. `head` is its first page. */
export function pagesOf(s: World, head: number): number[] {
  const heads = s.head.values;
  const pages = new Array<number>(s.size.get(head)).fill(0);
  for (let page = 0; page < s.frames; page++) if (heads[page] === head + 1) pages[s.index.get(page)] = page;
  return pages;
}

/** Gives pages to an owner, in this order. Their lines hold `tag`. */
export function take(s: World, pages: readonly number[], kind: number, tag: number): void {
  const [head = 0] = pages;
  s.size.set(head, pages.length);
  for (let index = 0; index < pages.length; index++) {
    const page = pages[index] as number;
    s.kind.set(page, kind);
    s.head.set(page, head + 1);
    s.index.set(page, index);
    setLines(s, page, tag);
  }
}

/** Takes pages from their owner. What they hold from now on is nobody's business. */
export function release(s: World, pages: readonly number[]): void {
  const [head = 0] = pages;
  s.size.set(head, 0);
  for (const page of pages) {
    s.kind.set(page, KIND.FREE);
    s.head.set(page, 0);
    s.index.set(page, 0);
    setLines(s, page, TAG_UNKNOWN);
  }
}

function setLines({ line, linesPerPage }: World, page: number, tag: number): void {
  for (let at = page * linesPerPage; at < (page + 1) * linesPerPage; at++) line.set(at, tag);
}

/** Drops one reference to the buffer whose page 0 is `head`; with the last one its pages go. */
export function dropReference(s: World, head: number): void {
  s.refs.set(head, s.refs.get(head) - 1);
  if (s.refs.get(head) === 0) release(s, pagesOf(s, head));
}

/** Some context translates to one of these pages, with any right. */
export function isMapped({ reach: { values } }: World, first: number, count: number): boolean {
  for (let index = 0; index < values.length; index++) {
    const page = pageOf(values[index] as number);
    if (page >= first && page < first + count) return true;
  }
  return false;
}
