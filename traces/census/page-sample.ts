/** Lives of pages for the timeline: of all pages as long as they are few, else of some that are spread evenly. */
import type { PageAllocEvent, PageFreeEvent } from '../event.ts';
import { type Life, PAGE } from '../mapping.ts';
import { mixed, NumberTable } from '../number-table.ts';
import type { PageBar } from '../report.ts';

/** Pages that are followed, and lives that are kept, at the most. */
export const PAGES_MAX = 65_536;
const LIVES_MAX = 20_000;
/** Of a larger mapping the first pages are followed. */
const FOLLOWED_MAX = 512;
/** As many mapped pages stay; if these live too often, their oldest lives are forgotten. */
const FOLLOWED_MIN = 64;

interface PageLife {
  readonly pfn: number;
  readonly from?: number;
  readonly line?: number;
  readonly to?: number;
  readonly endLine?: number;
}

/** What is known of a page that is followed. It is allocated, or was when it was mapped. */
const LIVES = 1;
/** Its allocation was seen. */
const BORN = 2;
const MAPPED = 4;

export class PageSample {
  /** Of each page that is followed, where the arrays tell of it: there are too many for an object each. */
  readonly #slots = new NumberTable<number>();
  readonly #states: number[] = [];
  /** Time and line of the allocation. */
  readonly #times: number[] = [];
  readonly #lines: number[] = [];
  /** Slots of pages that are followed no more. */
  readonly #unused: number[] = [];
  #lives: PageLife[] = [];
  /** Pages are followed whose mixed numbers are below: all, later half of them, a quarter. */
  #limit = 2 ** 32;

  mapped({ paddr, size }: Life): void {
    if (paddr === undefined) return;
    const first = Math.floor(paddr / PAGE);
    const last = Math.min(Math.floor((paddr + size - 1) / PAGE), first + FOLLOWED_MAX - 1);
    for (let pfn = first; pfn <= last; pfn += 1) {
      if (mixed(pfn) >= this.#limit) continue;
      const slot = this.#slots.get(pfn);
      if (slot === undefined) this.#follow(pfn, LIVES | MAPPED, 0, 0);
      else this.#states[slot] = this.#stateOf(slot) | MAPPED;
    }
  }

  allocated({ pfn: first, order, time, line }: PageAllocEvent): void {
    const end = first + (1 << order);
    for (let pfn = first; pfn < end; pfn += 1) {
      if (mixed(pfn) >= this.#limit) continue;
      const slot = this.#slots.get(pfn);
      if (slot === undefined) this.#follow(pfn, LIVES | BORN, time, line);
      else {
        const state = this.#stateOf(slot);
        // The end of the life before was not seen.
        if ((state & MAPPED) !== 0 && (state & BORN) !== 0) this.#keep(this.#lifeOf(pfn, slot));
        this.#set(slot, (state & MAPPED) | LIVES | BORN, time, line);
      }
    }
  }

  freed({ pfn: first, order, time, line }: PageFreeEvent): void {
    const end = first + (1 << order);
    for (let pfn = first; pfn < end; pfn += 1) {
      if (mixed(pfn) >= this.#limit) continue;
      const slot = this.#slots.get(pfn);
      if (slot === undefined) continue;
      const state = this.#stateOf(slot);
      if ((state & MAPPED) !== 0) {
        this.#states[slot] = MAPPED;
        if ((state & LIVES) !== 0) this.#keep({ ...this.#lifeOf(pfn, slot, state), to: time, endLine: line });
      }
      // Its next life is another one, and nothing was mapped in this one.
      else this.#leave(pfn, slot);
    }
  }

  /** Pages side by side with the same ends are one bar. */
  get bars(): readonly PageBar[] {
    const living: PageLife[] = [];
    for (const [pfn, slot] of this.#slots.entries())
      if (this.#stateOf(slot) === (LIVES | BORN | MAPPED)) living.push(this.#lifeOf(pfn, slot));
    const lives = [...this.#lives, ...living].toSorted(
      (a, b) => lineOf(a) - lineOf(b) || endOf(a) - endOf(b) || a.pfn - b.pfn,
    );
    const bars: { -readonly [K in keyof PageBar]: PageBar[K] }[] = [];
    for (const life of lives) {
      const before = bars.at(-1);
      if (before !== undefined && goesOn(before, life)) before.count += 1;
      else bars.push({ ...life, count: 1 });
    }
    return bars;
  }

  #stateOf(slot: number): number {
    return this.#states[slot] ?? 0;
  }

  #lifeOf(pfn: number, slot: number, state: number = this.#stateOf(slot)): PageLife {
    if ((state & BORN) === 0) return { pfn };
    return { pfn, from: this.#times[slot] ?? 0, line: this.#lines[slot] ?? 0 };
  }

  #set(slot: number, state: number, time: number, line: number): void {
    this.#states[slot] = state;
    this.#times[slot] = time;
    this.#lines[slot] = line;
  }

  #follow(pfn: number, state: number, time: number, line: number): void {
    const slot = this.#unused.pop() ?? this.#states.length;
    this.#slots.set(pfn, slot);
    this.#set(slot, state, time, line);
    while (this.#slots.size > PAGES_MAX) this.#thin();
  }

  #leave(pfn: number, slot: number): void {
    this.#slots.delete(pfn);
    this.#unused.push(slot);
  }

  #keep(life: PageLife): void {
    this.#lives.push(life);
    if (this.#lives.length <= LIVES_MAX) return;
    let staying = 0;
    for (const [pfn, slot] of this.#slots.entries())
      if ((this.#stateOf(slot) & MAPPED) !== 0 && mixed(pfn) < this.#limit / 2) staying += 1;
    if (staying >= FOLLOWED_MIN) this.#thin();
    else this.#lives = this.#lives.slice(LIVES_MAX / 2);
  }

  /** Follows every second of the pages, and forgets what was seen of the others. */
  #thin(): void {
    this.#limit /= 2;
    for (const [pfn, slot] of [...this.#slots.entries()])
      if (mixed(pfn) >= this.#limit) this.#leave(pfn, slot);
    this.#lives = this.#lives.filter(({ pfn }) => mixed(pfn) < this.#limit);
  }
}

const lineOf = ({ line = 0 }: PageLife): number => line;
const endOf = ({ endLine = Number.MAX_SAFE_INTEGER }: PageLife): number => endLine;
const goesOn = ({ line, endLine, pfn, count }: PageBar, life: PageLife): boolean =>
  line === life.line && endLine === life.endLine && pfn + count === life.pfn;
