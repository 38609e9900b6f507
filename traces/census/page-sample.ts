/** Lives of pages for the timeline: of all pages as long as they are few, else of some that are spread evenly. */
import type { PageAllocEvent, PageFreeEvent } from '../event.ts';
import { type Mapping, PAGE } from '../mapping.ts';
import type { PageBar } from '../report.ts';

/** Pages that are followed, and lives that are kept, at the most. */
export const PAGES_MAX = 65_536;
const LIVES_MAX = 20_000;
/** Of a larger mapping the first pages are followed. */
const FOLLOWED_MAX = 512;
/** As many mapped pages stay; if these live too often, their oldest lives are forgotten. */
const FOLLOWED_MIN = 64;

interface Life {
  readonly pfn: number;
  readonly from?: number;
  readonly line?: number;
  readonly to?: number;
  readonly endLine?: number;
}

interface Page {
  /** Undefined while it is free. */
  life: Life | undefined;
  mapped: boolean;
}

export class PageSample {
  #pages = new Map<number, Page>();
  #lives: Life[] = [];
  /** One page of so many is followed: a power of two. */
  #step = 1;

  mapped({ paddr, size }: Mapping): void {
    const first = Math.floor(paddr / PAGE);
    const last = Math.floor((paddr + size - 1) / PAGE);
    for (let pfn = first; pfn <= Math.min(last, first + FOLLOWED_MAX - 1); pfn += 1) {
      if (!this.#isFollowed(pfn)) continue;
      const page = this.#pages.get(pfn);
      if (page === undefined) this.#follow(pfn, { life: { pfn }, mapped: true });
      else page.mapped = true;
    }
  }

  allocated({ pfn: first, order, time, line }: PageAllocEvent): void {
    const end = first + 2 ** order;
    for (let pfn = first; pfn < end; pfn += 1) {
      if (!this.#isFollowed(pfn)) continue;
      const life = { pfn, from: time, line };
      const page = this.#pages.get(pfn);
      if (page === undefined) this.#follow(pfn, { life, mapped: false });
      else {
        // The end of the life before was not seen.
        if (page.mapped && page.life?.from !== undefined) this.#keep(page.life);
        page.life = life;
      }
    }
  }

  freed({ pfn: first, order, time, line }: PageFreeEvent): void {
    const end = first + 2 ** order;
    for (let pfn = first; pfn < end; pfn += 1) {
      if (!this.#isFollowed(pfn)) continue;
      const page = this.#pages.get(pfn);
      if (page?.mapped === true && page.life !== undefined)
        this.#keep({ ...page.life, to: time, endLine: line });
      if (page?.mapped === true) page.life = undefined;
      // Its next life is another one, and nothing was mapped in this one.
      else if (page !== undefined) this.#pages.delete(pfn);
    }
  }

  /** Pages side by side with the same ends are one bar. */
  get bars(): readonly PageBar[] {
    const living = [...this.#pages.values()].flatMap(({ mapped, life }) =>
      mapped && life?.from !== undefined ? [life] : [],
    );
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

  #isFollowed(pfn: number): boolean {
    return isOneOf(pfn, this.#step);
  }

  #follow(pfn: number, page: Page): void {
    this.#pages.set(pfn, page);
    while (this.#pages.size > PAGES_MAX) this.#thin();
  }

  #keep(life: Life): void {
    this.#lives.push(life);
    if (this.#lives.length <= LIVES_MAX) return;
    const staying = [...this.#pages].filter(([pfn, { mapped }]) => mapped && isOneOf(pfn, 2 * this.#step));
    if (staying.length >= FOLLOWED_MIN) this.#thin();
    else this.#lives = this.#lives.slice(LIVES_MAX / 2);
  }

  /** Follows every second of the pages, and forgets what was seen of the others. */
  #thin(): void {
    this.#step *= 2;
    this.#pages = new Map([...this.#pages].filter(([pfn]) => this.#isFollowed(pfn)));
    this.#lives = this.#lives.filter(({ pfn }) => this.#isFollowed(pfn));
  }
}

/** Mixes the digits of a number, so that neighbours and multiples go different ways (after Knuth). */
const isOneOf = (pfn: number, step: number): boolean => Math.imul(pfn, 0x9e3779b1) >>> 0 < 2 ** 32 / step;

const lineOf = ({ line = 0 }: Life): number => line;
const endOf = ({ endLine = Number.MAX_SAFE_INTEGER }: Life): number => endLine;
const goesOn = ({ line, endLine, pfn, count }: PageBar, life: Life): boolean =>
  line === life.line && endLine === life.endLine && pfn + count === life.pfn;
