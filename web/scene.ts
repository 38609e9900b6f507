/** A timeline as rectangles of time and rows: what is drawn, and what is under the pointer. */
import { PAGE } from '../traces/mapping.ts';
import type { Bar, Gap, PageBar, Timeline } from '../traces/report.ts';
import { Rows, type Span, type Stripe } from './rows.ts';

/** How a rectangle looks, and what it means. */
export type Style = 'mapped' | 'mapped-to-end' | 'allocated' | 'reached' | 'free-while-mapped';

/** Nanoseconds from the first event. */
export interface Time {
  readonly begin: number;
  readonly end: number;
}

/** Something that lasted, in one row or several. */
export interface Box extends Stripe, Time {
  readonly style: Style;
  /** What it shows: index of a bar or of a life of pages of the timeline. */
  readonly bar?: number;
  readonly page?: number;
}

export interface Panel {
  readonly rows: Rows;
  /** Where several are at one place, the last of them is meant. */
  readonly boxes: readonly Box[];
}

export interface Scene {
  readonly mappings: Panel;
  readonly pages: Panel;
  /** When events were lost. */
  readonly gaps: readonly Time[];
  /** The last moment that is drawn. */
  readonly end: number;
}

/** The physical pages of a machine are one space. */
export const MEMORY = '';

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

/** Undefined where the driver's call does not tell the memory. */
const memorySpan = ({ paddr, size }: Bar): Span | undefined => {
  if (paddr === undefined) return undefined;
  const start = Math.floor(paddr / PAGE);
  return frameSpan(start, Math.ceil((paddr + size) / PAGE) - start);
};

/** @param last - time of the trace's last event */
export function sceneOf(
  { bars, pages }: Timeline,
  first: number,
  last: number,
  lost: readonly Gap[] = [],
): Scene {
  const end = Math.max(last - first, 1);
  /** Of what has no end, or no beginning, only what is in the trace is drawn. */
  const lasting = ({ from = first, to = first + end }: { from?: number; to?: number }): Time => ({
    begin: from - first,
    end: to - first,
  });
  const io = new Rows(bars.map(ioSpan));
  const frames = new Rows(pages.map(({ pfn, count }) => frameSpan(pfn, count)));
  const mappings = bars.flatMap((bar, at) =>
    io.stripes(ioSpan(bar)).map(
      (stripe): Box => ({
        ...{ style: bar.to === undefined ? 'mapped-to-end' : 'mapped', bar: at },
        ...stripe,
        ...lasting(bar),
      }),
    ),
  );
  const lives = pages.flatMap((life, page) =>
    frames
      .stripes(frameSpan(life.pfn, life.count))
      .map((stripe): Box => ({ style: 'allocated', page, ...stripe, ...lasting(life) })),
  );
  const reached = bars.flatMap((bar, at) => {
    const span = memorySpan(bar);
    const stripes = span === undefined ? [] : frames.stripes(span);
    return stripes.map((stripe): Box => ({ style: 'reached', bar: at, ...stripe, ...lasting(bar) }));
  });
  const wrong = exposed(lives, reached, end).filter(
    ({ bar = -1, page = -1 }) => pages[page]?.alone !== true || shareFinding(bars[bar], pages[page]),
  );
  const boxes = [...lives, ...reached, ...wrong];
  return {
    mappings: { rows: io, boxes: mappings },
    pages: { rows: frames, boxes },
    gaps: lost.map(lasting),
    end,
  };
}

/**
 * Where a page was free although a mapping led to it: the gaps between its lives, and what lies over them. `page` is
 * the life before.
 */
function exposed(lives: readonly Box[], reached: readonly Box[], end: number): Box[] {
  const free = freeTimes(lives, end);
  return reached.flatMap((box) => {
    const found: Box[] = [];
    for (let row = box.from; row < box.to; row += 1) {
      for (const gap of free.get(row) ?? []) {
        const begin = Math.max(gap.begin, box.begin);
        const stop = Math.min(gap.end, box.end);
        const wrong = {
          ...box,
          style: 'free-while-mapped',
          from: row,
          to: row + 1,
          begin,
          end: stop,
        } as const;
        if (begin < stop) found.push({ ...wrong, page: gap.page });
      }
    }
    return found;
  });
}

const shareFinding = (bar: Bar | undefined, page: PageBar | undefined): boolean =>
  bar?.findings?.some((at) => page?.findings?.includes(at)) === true;

/** When a page was free, and index of the life before. */
interface Free extends Time {
  readonly page: number;
}

/** By row: when its page was free. Before its first life nobody knows. */
function freeTimes(lives: readonly Box[], end: number): ReadonlyMap<number, readonly Free[]> {
  const byRow = new Map<number, Box[]>();
  for (const life of lives)
    for (let row = life.from; row < life.to; row += 1) {
      const some = byRow.get(row);
      if (some === undefined) byRow.set(row, [life]);
      else some.push(life);
    }
  return new Map([...byRow].map(([row, some]) => [row, gapsIn(some, end)]));
}

function gapsIn(lives: readonly Box[], end: number): Free[] {
  const gaps: Free[] = [];
  let last: Box | undefined;
  for (const life of lives.toSorted((a, b) => a.begin - b.begin)) {
    if (last !== undefined && last.end < life.begin)
      gaps.push({ begin: last.end, end: life.begin, page: last.page ?? -1 });
    if (last === undefined || life.end > last.end) last = life;
  }
  if (last !== undefined && last.end < end) gaps.push({ begin: last.end, end, page: last.page ?? -1 });
  return gaps;
}

/** Boxes that show the same mapping, or the same life of pages; not when it was wrong. */
export const sameIn = ({ boxes }: Pick<Panel, 'boxes'>, { bar, page }: Box): Box[] =>
  boxes.filter(
    (box) => box.style !== 'free-while-mapped' && (bar === undefined ? box.page === page : box.bar === bar),
  );

/**
 * The last box at a place; next to it, within the tolerances, the nearest one in time.
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

/** The mapping that was made before or after the one that is picked. */
export function neighbour({ mappings }: Scene, picked: Box | undefined, by: number): Box | undefined {
  const sorted = mappings.boxes.toSorted((a, b) => a.begin - b.begin || a.from - b.from);
  const at = picked === undefined ? -1 : sorted.findIndex(({ bar }) => bar === picked.bar);
  return sorted[Math.min(Math.max(at + by, 0), sorted.length - 1)];
}
