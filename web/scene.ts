/** A timeline as rectangles of time and rows: what is drawn, and what is under the pointer. */
import type { Bar, PageBar, Timeline } from '../traces/report.ts';
import { Rows, type Span, type Stripe } from './rows.ts';

/** How a rectangle looks, and what it means. */
export type Style = 'mapped' | 'mapped-to-end' | 'allocated' | 'reached' | 'free-while-mapped';

/** Something that lasted, in one row or several. Times are nanoseconds from the first event. */
export interface Box extends Stripe {
  readonly style: Style;
  readonly begin: number;
  readonly end: number;
  /** What it shows: index of a bar or of a life of pages of the timeline. */
  readonly bar?: number;
  readonly page?: number;
}

export interface Panel {
  readonly rows: Rows;
  /** Later ones are drawn above earlier ones. */
  readonly boxes: readonly Box[];
}

export interface Scene {
  readonly mappings: Panel;
  readonly pages: Panel;
  /** The last moment that is drawn. */
  readonly end: number;
}

/** The physical pages of a machine are one space. */
export const MEMORY = '';
/** Page frames are told in units of the smallest page that Linux has. */
export const PAGE_BYTES = 4096;

export const ioSpan = ({ space = '', iova, size }: Pick<Bar, 'space' | 'iova' | 'size'>): Span => ({
  space,
  start: iova,
  end: iova + size,
});

export const frameSpan = (start: number, count: number): Span => ({
  space: MEMORY,
  start,
  end: start + count,
});

const memorySpan = ({ paddr, size }: Bar): Span => {
  const start = Math.floor(paddr / PAGE_BYTES);
  return frameSpan(start, Math.ceil((paddr + size) / PAGE_BYTES) - start);
};

/** @param last - time of the trace's last event */
export function sceneOf({ bars, pages }: Timeline, first: number, last: number): Scene {
  const end = Math.max(last - first, 1);
  return { mappings: mappingsPanel(bars, first, end), pages: pagesPanel(bars, pages, first, end), end };
}

function mappingsPanel(bars: readonly Bar[], first: number, end: number): Panel {
  const rows = new Rows(bars.map(ioSpan));
  const boxes = bars.flatMap((bar, at) =>
    rows.stripes(ioSpan(bar)).map(
      (stripe): Box => ({
        ...{ style: bar.to === undefined ? 'mapped-to-end' : 'mapped', ...stripe },
        ...{ begin: bar.from - first, end: bar.to === undefined ? end : bar.to - first, bar: at },
      }),
    ),
  );
  return { rows, boxes };
}

function pagesPanel(bars: readonly Bar[], pages: readonly PageBar[], first: number, end: number): Panel {
  const rows = new Rows(pages.map(({ pfn, count }) => frameSpan(pfn, count)));
  const lives = pages.flatMap(({ pfn, count, from, to }, page) =>
    rows.stripes(frameSpan(pfn, count)).map(
      (stripe): Box => ({
        ...{ style: 'allocated', ...stripe, page },
        ...{ begin: from === undefined ? 0 : from - first, end: to === undefined ? end : to - first },
      }),
    ),
  );
  const reached = bars.flatMap((bar, at) =>
    rows.stripes(memorySpan(bar)).map(
      (stripe): Box => ({
        ...{ style: 'reached', ...stripe, bar: at },
        ...{ begin: bar.from - first, end: bar.to === undefined ? end : bar.to - first },
      }),
    ),
  );
  return { rows, boxes: [...lives, ...reached, ...exposed(rows, pages, reached, first, end)] };
}

/** Where a page was free although a mapping led to it: the gaps between its lives, and what lies over them. */
function exposed(
  rows: Rows,
  pages: readonly PageBar[],
  reached: readonly Box[],
  first: number,
  end: number,
): Box[] {
  const free = freeTimes(rows, pages, first, end);
  return reached.flatMap((box) => {
    const found: Box[] = [];
    for (let row = box.from; row < box.to; row += 1) {
      for (const gap of free.get(row) ?? []) {
        const begin = Math.max(gap.begin, box.begin);
        const stop = Math.min(gap.end, box.end);
        if (begin < stop)
          found.push({ ...box, style: 'free-while-mapped', from: row, to: row + 1, begin, end: stop });
      }
    }
    return found;
  });
}

interface Time {
  readonly begin: number;
  readonly end: number;
}

/** By row: when its page was free. Before the first life and after one whose end was not seen nobody knows. */
function freeTimes(
  rows: Rows,
  pages: readonly PageBar[],
  first: number,
  end: number,
): ReadonlyMap<number, readonly Time[]> {
  const lives = new Map<number, Time[]>();
  for (const { pfn, count, from, to } of pages)
    for (const stripe of rows.stripes(frameSpan(pfn, count)))
      for (let row = stripe.from; row < stripe.to; row += 1) {
        const life = {
          begin: from === undefined ? 0 : from - first,
          end: to === undefined ? end : to - first,
        };
        lives.set(row, [...(lives.get(row) ?? []), life]);
      }
  return new Map([...lives].map(([row, some]) => [row, gapsBetween(some, end)]));
}

function gapsBetween(lives: readonly Time[], end: number): Time[] {
  const sorted = lives.toSorted((a, b) => a.end - b.end || a.begin - b.begin);
  return sorted.flatMap((life, at) => {
    const next = sorted[at + 1]?.begin ?? end;
    return life.end < next ? [{ begin: life.end, end: next }] : [];
  });
}

/**
 * The box that is drawn topmost at a place; next to it, within the tolerances, the nearest one in time.
 *
 * @param near - nanoseconds that are too short to be aimed at
 */
export function boxAt({ boxes }: Panel, time: number, row: number, near: number): Box | undefined {
  let best: Box | undefined;
  let distance = near;
  for (const box of boxes) {
    if (row < box.from || row >= box.to) continue;
    const off = Math.max(box.begin - time, time - box.end, 0);
    if (off <= distance) {
      best = box;
      distance = off;
    }
  }
  return best;
}
