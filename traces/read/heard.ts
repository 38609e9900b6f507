/** What was heard of a trace besides its events. Every line is counted once: see `TraceParser.parse`. */
import type { Source } from '../report.ts';

/** Names of unknown events that are told apart; damaged traces hold any number of them. */
const MOST_UNKNOWN = 500;
const MORE_UNKNOWN = '(further names)';

/** How often something was seen: counted in place, once for each line. */
export interface Tally {
  count: number;
}

export class Heard {
  lines = 0;
  format: Source['format'] = 'unknown';
  /** Whether times are ticks of a clock that counts no seconds, such as `x86-tsc` and `counter`. */
  ticks = false;
  readonly #seen = new Map<string, Tally>();
  readonly unknown: Map<string, number> = new Map<string, number>();
  /** Lines of a trace that are no events: comments, headers, call chains, blank ones. */
  headers = 0;
  /** Lines that say that events are missing. */
  notices = 0;
  /** How many, by notices that say it; `notices` of which so many say no number. */
  lost = 0;
  uncounted = 0;
  /** Lines that are neither event nor header. */
  garbage = 0;
  firstGarbage: number | undefined;
  /** Lines that look like a known event whose fields cannot be read, or that end too early. */
  malformed = 0;
  firstMalformed: number | undefined;
  /** Of `entries-in-buffer/entries-written`: events that were overwritten before the trace was read. */
  overwritten = 0;

  /** Known events by the kernel's name (`iommu:map`). */
  get seen(): ReadonlyMap<string, number> {
    const some = [...this.#seen].filter(([, { count }]) => count > 0);
    return new Map(some.map(([name, { count }]) => [name, count]));
  }

  /** The same for each name, which may be printed in several ways. */
  tallyOf(name: string): Tally {
    const known = this.#seen.get(name);
    if (known !== undefined) return known;
    const tally = { count: 0 };
    this.#seen.set(name, tally);
    return tally;
  }

  countUnknown(name: string): void {
    const count = this.unknown.get(name);
    const known = count !== undefined || this.unknown.size < MOST_UNKNOWN;
    const key = known ? name : MORE_UNKNOWN;
    this.unknown.set(key, (known ? (count ?? 0) : (this.unknown.get(key) ?? 0)) + 1);
  }

  countNotice(count: number | undefined): void {
    this.notices += 1;
    if (count === undefined) this.uncounted += 1;
    else this.lost += count;
  }

  countGarbage(): void {
    this.garbage += 1;
    this.firstGarbage ??= this.lines;
  }

  countMalformed(): void {
    this.malformed += 1;
    this.firstMalformed ??= this.lines;
  }
}
