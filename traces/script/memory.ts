/** The memory of a slice of a trace as blocks of a small machine: page frames in order, without what lies between. */

/** A range of page frames. */
export interface Frames {
  readonly first: number;
  readonly count: number;
}

/** Frames that are allocated and freed together: a block of the machine. */
export interface Block extends Frames {
  readonly order: number;
  /** Where it lies in the machine: aligned to its own size, as the page allocator has it. */
  readonly pfn: number;
}

/** The largest block there may be: 4 MiB of pages of 4 KiB. */
const ORDER_MAX = 10;

export class ScriptMemory {
  readonly #blocks: readonly Block[];
  /** Frames that the machine needs for them. */
  readonly pages: number;
  /** The largest block. */
  readonly orderMax: number;

  /**
   * @param used - frames that events name: all of them become part of a block
   * @param cuts - of these, those whose ends are ends of blocks: what is allocated, or listed as a whole
   */
  constructor(used: readonly Frames[], cuts: readonly Frames[]) {
    const ends = new Set(cuts.flatMap(({ first, count }) => [first, first + count]));
    const parts = joined(used).flatMap((run) => cutAt(run, ends));
    let next = 0;
    this.#blocks = parts.map(({ first, count }) => {
      const pfn = Math.ceil(next / count) * count;
      next = pfn + count;
      return { first, count, pfn, order: Math.log2(count) };
    });
    this.pages = next;
    this.orderMax = Math.max(0, ...this.#blocks.map(({ order }) => order));
  }

  /** The blocks that share frames with a range, in order. */
  blocksOf({ first, count }: Frames): readonly Block[] {
    return this.#blocks.filter((block) => block.first < first + count && first < block.first + block.count);
  }
}

/** Sorted, overlapping and neighbouring ranges as one. */
export function joined(ranges: readonly Frames[]): Frames[] {
  const runs: { first: number; count: number }[] = [];
  for (const { first, count } of ranges.toSorted((a, b) => a.first - b.first || a.count - b.count)) {
    const last = runs.at(-1);
    if (last === undefined || first > last.first + last.count) runs.push({ first, count });
    else last.count = Math.max(last.count, first + count - last.first);
  }
  return runs;
}

/** A run in pieces that end where they must, each a power of two. */
function cutAt({ first, count }: Frames, ends: ReadonlySet<number>): Frames[] {
  const marks = [...ends].filter((end) => end > first && end < first + count).toSorted((a, b) => a - b);
  const starts = [first, ...marks];
  return starts.flatMap((start, at) => powersOfTwo(start, (starts[at + 1] ?? first + count) - start));
}

function powersOfTwo(first: number, count: number): Frames[] {
  const pieces: Frames[] = [];
  for (let left = count; left > 0; ) {
    const size = 2 ** Math.min(ORDER_MAX, Math.floor(Math.log2(left)));
    pieces.push({ first: first + count - left, count: size });
    left -= size;
  }
  return pieces;
}
