/**
 * Addresses squeezed into rows: what nothing ever used takes no room, and what was only ever used as a whole is one
 * row, however large it is. Rows are counted from the lowest address up, as numbers with fractions.
 */

/** A range of addresses, from `start` up to but without `end`. */
export interface Span {
  /** Device or domain; the addresses of two spaces are apart. */
  readonly space: string;
  readonly start: number;
  readonly end: number;
}

/** Rows from `from` up to `to`. */
export interface Stripe {
  readonly from: number;
  readonly to: number;
}

/** The rows of one space. */
export interface Band extends Stripe {
  readonly space: string;
}

/** Between ranges that do not touch, and between spaces. */
const GAP = 0.25;
const BAND_GAP = 2;

/** Addresses between two neighbouring boundaries of spans: nothing ever used only a part of it. */
interface Cell extends Stripe {
  readonly start: number;
  readonly end: number;
}

export class Rows {
  readonly bands: readonly Band[];
  /** How many there are. */
  readonly height: number;
  readonly #cells = new Map<string, readonly Cell[]>();

  constructor(spans: readonly Span[]) {
    const spaces = new Map<string, Span[]>();
    for (const span of spans) {
      const some = spaces.get(span.space);
      if (some === undefined) spaces.set(span.space, [span]);
      else some.push(span);
    }
    const bands: Band[] = [];
    let from = 0;
    for (const [space, some] of [...spaces].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const cells = cellsOf(some, from);
      const to = cells.at(-1)?.to ?? from;
      this.#cells.set(space, cells);
      bands.push({ space, from, to });
      from = to + BAND_GAP;
    }
    this.bands = bands;
    this.height = bands.at(-1)?.to ?? 0;
  }

  /** Where a range is; several stripes where there are addresses in it that have no row. */
  stripes({ space, start, end }: Span): Stripe[] {
    const cells = this.#cells.get(space) ?? [];
    const stripes: Stripe[] = [];
    for (let at = firstEndingAfter(cells, start); at < cells.length; at += 1) {
      const cell = cells[at];
      if (cell === undefined || cell.start >= end) break;
      const last = stripes.at(-1);
      if (last?.to === cell.from) stripes[stripes.length - 1] = { from: last.from, to: cell.to };
      else stripes.push({ from: cell.from, to: cell.to });
    }
    return stripes;
  }

  /** The addresses of a row. */
  at(row: number): Span | undefined {
    const band = this.bands.find(({ from, to }) => row >= from && row < to);
    const cell = band && this.#cells.get(band.space)?.find(({ from, to }) => row >= from && row < to);
    return band && cell && { space: band.space, start: cell.start, end: cell.end };
  }

  /** The middles of rows that are labelled with their addresses: every so many, so that at most `most` are. */
  labelled({ from, to }: Stripe, most: number): number[] {
    const step = Math.max(1, Math.ceil((to - from) / Math.max(most, 1)));
    const found: number[] = [];
    let next = Math.ceil(Math.max(from, 0) / step) * step;
    for (const { space } of this.bands)
      for (const cell of this.#cells.get(space) ?? [])
        if (cell.from >= next && cell.to <= to) {
          found.push((cell.from + cell.to) / 2);
          next = Math.max(next + step, cell.from + step);
        }
    return found;
  }
}

function cellsOf(spans: readonly Span[], first: number): Cell[] {
  const bounds = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].toSorted((a, b) => a - b);
  const changes = new Map<number, number>();
  for (const { start, end } of spans) {
    changes.set(start, (changes.get(start) ?? 0) + 1);
    changes.set(end, (changes.get(end) ?? 0) - 1);
  }
  const cells: Cell[] = [];
  let row = first;
  let depth = 0;
  for (const [at, start] of bounds.entries()) {
    depth += changes.get(start) ?? 0;
    const end = bounds[at + 1];
    if (end === undefined || depth === 0) continue;
    if (cells.length > 0 && cells.at(-1)?.end !== start) row += GAP;
    cells.push({ start, end, from: row, to: row + 1 });
    row += 1;
  }
  return cells;
}

/** Index of the first cell that ends after an address: cells are in order. */
function firstEndingAfter(cells: readonly Cell[], address: number): number {
  let low = 0;
  let high = cells.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cells[middle]?.end ?? 0) > address) high = middle;
    else low = middle + 1;
  }
  return low;
}
