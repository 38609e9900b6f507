/**
 * When an IOTLB forgets what was unmapped. Strict: before the unmap returns, so a flush follows in the same thread.
 * Lazy: later, with all of a domain. Flushes that are not traced cannot be told from flushes that did not happen, so
 * nothing is said of a trace where unmaps mostly go without.
 */
import type { FlushEvent, PageFreeEvent, TraceEvent, UnmapEvent } from '../event.ts';
import type { Mapping } from '../mapping.ts';
import type { Mode } from '../report.ts';
import { duration } from '../say.ts';
import { type Ending, pageOf } from './live-mappings.ts';
import { PageTree } from './page-tree.ts';
import { threadOf } from './thread-names.ts';

/** Unmaps that wait for a flush at once, and nanoseconds: the flush queues of kernels wait 10 ms, or 1 s in guests. */
const STALE_MAX = 4096;
const WINDOW = 2_000_000_000;

/** Threads that are remembered while nothing waits. */
const THREADS_MAX = 1024;

/** What came too early, of which so many are kept. */
const EARLY_MAX = 256;

/** Of all unmaps, how many must have had a flush for the others to mean something. */
const MOST = 0.9;
/** Of those flushed, how many may have been so later without the trace being one of lazy domains. */
const FEW = 0.02;

/** An unmap that no flush covered yet. */
interface Stale {
  readonly event: UnmapEvent;
  readonly mappings: Mapping[];
  readonly frames: { readonly first: number; readonly count: number }[];
  /** What came too early for it. */
  readonly early: Early[];
}

/** A page that was freed, or an address that was mapped again, between an unmap and its flush. */
export interface Early {
  readonly mapping: Mapping;
  readonly unmap: UnmapEvent;
  readonly event: PageFreeEvent | Mapping['born'];
  readonly pfn: number | undefined;
  /** The flush that came then, if one did. */
  flush: FlushEvent | undefined;
  /** Whether that was the flush of a strict domain: of the addresses, by the thread that unmapped them. */
  owed: boolean;
}

export interface ModeView {
  readonly mode: Mode | 'unknown';
  /** Why it is believed. */
  readonly reason: string;
}

export class FlushWatch {
  readonly #forced: Mode | undefined;
  /** In the order of time. */
  #stale: Stale[] = [];
  /** By page, the last unmap there, if it waits and took something. */
  readonly #byAddress = new Map<number, Stale>();
  readonly #byFrame = new PageTree<Stale>((below, above) =>
    below.event.time > above.event.time ? below : above,
  );
  /** By thread, what it last did beside unmapping. */
  readonly #busy = new Map<number, { event: TraceEvent }>();
  readonly #early: Early[] = [];
  #seen = false;
  #prompt = 0;
  #late = 0;
  #never = 0;
  #longest = 0;
  /** Pages freed before the flush of their unmap, with those that are not kept. */
  freed = 0;

  constructor(forced: Mode | undefined) {
    this.#forced = forced;
  }

  /** Whether anything waits for a flush; if not, other events do not matter. */
  get waiting(): boolean {
    return this.#stale.length > 0;
  }

  get early(): readonly Early[] {
    return this.#early;
  }

  /** Whether flushes are traced so well that one which is not there did not happen. */
  get reliable(): boolean {
    return (this.#prompt + this.#late) / (this.#prompt + this.#late + this.#never) >= MOST;
  }

  get view(): ModeView {
    const { mode, reason } = this.#inferred();
    return this.#forced === undefined
      ? { mode, reason }
      : { mode: this.#forced, reason: `--${this.#forced}` };
  }

  unmapped(event: UnmapEvent): void {
    if (!this.#seen) return;
    if (this.#stale.length > 0) this.#giveUp(event);
    this.#stale.push({ event, mappings: [], frames: [], early: [] });
    this.#byAddress.delete(pageOf(event.iova));
  }

  /** What an unmap took away, as soon as it is known. */
  ended({ mapping, first, pages, event, sure }: Ending): void {
    if (event === undefined || !sure || mapping.doubtful) return;
    const stale = this.#staleOf(event);
    if (stale === undefined) return;
    this.#byAddress.set(pageOf(event.iova), stale);
    const frame = pageOf(mapping.paddr) + first - pageOf(mapping.iova);
    if (stale.mappings.at(-1) !== mapping) stale.mappings.push(mapping);
    stale.frames.push({ first: frame, count: pages });
    this.#byFrame.add(frame, pages, stale);
  }

  /** Mostly it is one of the last. */
  #staleOf(event: UnmapEvent): Stale | undefined {
    for (let at = this.#stale.length - 1; at >= 0; at -= 1) {
      const stale = this.#stale[at];
      if (stale?.event === event) return stale;
      if (stale !== undefined && stale.event.time < event.time) return undefined;
    }
    return undefined;
  }

  /** Anything a thread does beside unmapping: a flush that comes later is not that of its unmaps. */
  other(event: TraceEvent): void {
    const thread = threadOf(event);
    const busy = this.#busy.get(thread);
    if (busy !== undefined) busy.event = event;
    else this.#busy.set(thread, { event });
  }

  /** Another recording follows, whose clock begins anew. */
  restart(): void {
    this.#busy.clear();
  }

  flush(event: FlushEvent): void {
    this.#seen = true;
    if (this.#stale.length > 0) this.#cover(event);
    if (this.#stale.length === 0 && this.#busy.size > THREADS_MAX) this.#busy.clear();
  }

  #cover(event: FlushEvent): void {
    const left: Stale[] = [];
    for (const stale of this.#stale)
      if (covers(event, stale.event)) this.#flushed(stale, event);
      else left.push(stale);
    this.#stale = left;
  }

  #flushed(stale: Stale, event: FlushEvent): void {
    const thread = threadOf(event);
    const since = this.#busy.get(thread)?.event.time ?? Number.NEGATIVE_INFINITY;
    const sameThread = threadOf(stale.event) === thread;
    if (sameThread && since <= stale.event.time) this.#prompt += 1;
    else {
      this.#late += 1;
      this.#longest = Math.max(this.#longest, event.time - stale.event.time);
    }
    for (const early of stale.early) {
      early.flush = event;
      early.owed = sameThread && event.iova !== undefined;
    }
    this.#forget(stale);
  }

  freedPages(event: PageFreeEvent): void {
    const count = 2 ** event.order;
    if (!this.#byFrame.isEmptyAt(event.pfn, count)) this.#freedEarly(event, event.pfn + count);
  }

  #freedEarly(event: PageFreeEvent, end: number): void {
    this.#byFrame.read(event.pfn, end - event.pfn, (stale, at, pages) => {
      for (let pfn = Math.max(at, event.pfn); pfn < Math.min(at + pages, end); pfn += 1)
        this.#freedPage(stale, event, pfn);
    });
  }

  #freedPage(stale: Stale, event: PageFreeEvent, pfn: number): void {
    if (stale.early.some((early) => early.pfn === pfn)) return;
    this.freed += 1;
    this.#add(stale, event, pfn, stale.mappings[0]);
  }

  /** A mapping whose device is known: the address must not have waited for a flush of that device's domain. */
  mapped({ iova, space, born }: Mapping): void {
    const stale = this.#byAddress.get(pageOf(iova));
    if (stale === undefined || stale.event.line >= born.line) return;
    const before = stale.mappings.find((mapping) => mapping.space === space && !mapping.doubtful);
    if (before !== undefined) this.#add(stale, born, undefined, before);
  }

  #add(stale: Stale, event: Early['event'], pfn: number | undefined, mapping: Mapping | undefined): void {
    if (mapping === undefined || this.#early.length >= EARLY_MAX) return;
    const early: Early = { mapping, unmap: stale.event, event, pfn, flush: undefined, owed: false };
    stale.early.push(early);
    this.#early.push(early);
  }

  /** The oldest, if they wait for too long or are too many. */
  #giveUp({ time }: UnmapEvent): void {
    for (let [oldest] = this.#stale; oldest !== undefined; [oldest] = this.#stale) {
      if (this.#stale.length < STALE_MAX && time - oldest.event.time < WINDOW) return;
      this.#never += 1;
      this.#stale.shift();
      this.#forget(oldest);
    }
  }

  #forget(stale: Stale): void {
    if (stale.frames.length === 0) return;
    const page = pageOf(stale.event.iova);
    if (this.#byAddress.get(page) === stale) this.#byAddress.delete(page);
    for (const { first, count } of stale.frames)
      if (!this.#byFrame.takeOnly(stale, first, count)) this.#leave(stale, first, count);
  }

  /** Others took frames of the same range. */
  #leave(stale: Stale, first: number, count: number): void {
    this.#byFrame.change(first, count, (cell) => (cell === stale ? undefined : cell));
  }

  #inferred(): ModeView {
    const all = this.#prompt + this.#late;
    if (all === 0)
      return { mode: 'unknown', reason: 'no unmap in the trace is followed by a flush that is traced' };
    const at = `${this.#prompt} of ${all} unmaps were flushed by their own thread at once`;
    if (this.#late / all <= FEW) return { mode: 'strict', reason: at };
    const longest = duration(this.#longest);
    return {
      mode: 'lazy',
      reason: `${this.#late} of ${all} unmaps waited for a later flush, up to ${longest}`,
    };
  }

  /** Whether what came too early broke a rule, or took the risk that lazy domains take. */
  isWrong({ flush, owed }: Early): boolean {
    if (this.#forced !== undefined) return this.#forced === 'strict';
    return flush === undefined ? this.view.mode === 'strict' && this.#late === 0 : owed;
  }
}

/** Whether a flush may have been for an unmap; of which domain that was is not known. */
function covers({ iova, size }: FlushEvent, unmap: UnmapEvent): boolean {
  if (iova === undefined || size === undefined) return true;
  return iova < unmap.iova + unmap.unmapped && unmap.iova < iova + size;
}
