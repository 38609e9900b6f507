/** What devices reach through an IOMMU: mappings and the pages below them, from events that name no domain. */

import type {
  DmaAllocEvent,
  DmaMapEvent,
  DmaMapSgEvent,
  DmaUnmapEvent,
  MapEvent,
  PageAllocEvent,
  PageFreeEvent,
  TraceEvent,
  UnmapEvent,
} from '../event.ts';
import type { Findings } from '../findings.ts';
import type { LifeListener, Lives, Mapping, Watch } from '../mapping.ts';
import type { Mode } from '../report.ts';
import { Conflicts } from './conflicts.ts';
import { DeathLog } from './death-log.ts';
import { DomainSharing } from './domain-sharing.ts';
import { tellFlushes } from './flush-findings.ts';
import { FlushWatch, type ModeView } from './flush-watch.ts';
import { IommuLeaks } from './iommu-leaks.ts';
import { type Ending, LiveMappings, pageCount, pageOf } from './live-mappings.ts';
import { checkedMap, checkedUnmap } from './map-checks.ts';
import { MappedPages } from './mapped-pages.ts';
import { Suspicions } from './suspicions.ts';
import { type Hint, isSameUnmap, rangeOf, rangesOf, ThreadNames, threadOf } from './thread-names.ts';

/** An unmap whose device may still be named, by the next event of its thread. */
interface Open {
  readonly thread: number;
  readonly event: UnmapEvent;
  device: string | undefined;
  readonly lastBorn: number;
}

/** So many wait for their names at once. */
const OPEN_MAX = 64;

/** Bytes. Mappings above that overlap in thousands of ways; so many are followed at once. */
const GIANT = 2 ** 34;
const GIANTS_MAX = 64;

export class IommuWatch implements Watch, Lives {
  readonly #findings: Findings;
  readonly #listeners: readonly LifeListener[];
  readonly #suspicions: Suspicions;
  readonly #dead = new DeathLog();
  readonly #flushes: FlushWatch;
  readonly #sharing: DomainSharing;
  #leaks: IommuLeaks;
  #names = new ThreadNames();
  #live: LiveMappings;
  #pages: MappedPages;
  #conflicts: Conflicts;
  /** One of each thread, in the order of time. */
  readonly #open: Open[] = [];
  #count = 0;
  #unmaps = false;
  /** Giants that live. */
  #giants = 0;

  constructor(findings: Findings, listeners: readonly LifeListener[], mode: Mode | undefined) {
    this.#findings = findings;
    this.#listeners = listeners;
    this.#suspicions = new Suspicions(findings, () => this.#unmaps);
    this.#sharing = new DomainSharing(findings, this.#suspicions);
    this.#leaks = new IommuLeaks(findings);
    this.#flushes = new FlushWatch(mode);
    [this.#live, this.#pages, this.#conflicts] = this.#fresh();
  }

  /** Whether unmaps are flushed at once or later, as far as the trace has shown it. */
  get mode(): ModeView {
    return this.#flushes.view;
  }

  liveAt(iova: number): readonly Mapping[] {
    this.#closeAll();
    return this.#live.at(pageOf(iova));
  }

  lastAt(iova: number, device?: string): Mapping | undefined {
    this.#closeAll();
    return this.#dead.lastAt(iova, device);
  }

  on(event: TraceEvent): void {
    this.#suspicions.seen(event);
    const { kind } = event;
    if (kind === 'flush') this.#flushes.flush(event);
    else if (kind !== 'unmap' && this.#flushes.waiting) this.#flushes.other(event);
    if (kind === 'page-alloc' || kind === 'page-free') this.#page(event);
    else if (kind === 'map') this.#map(event);
    else if (kind === 'unmap') this.#unmap(event);
    else if (kind === 'dma-map' || kind === 'dma-alloc' || kind === 'dma-map-sg') this.#name(event);
    else if (kind === 'dma-unmap') this.#dmaUnmap(event);
    else if (kind === 'dma-unmap-sg' || kind === 'dma-free') this.#hint(event);
    else if (kind === 'buffer') this.#sharing.buffer(event);
    else if (kind === 'lost' && event.cause === 'restart') this.#restart();
  }

  end(): void {
    this.#closeAll();
    const alive = this.#live.untouched().filter((mapping) => !this.#suspicions.has(mapping));
    this.#leaks.end(alive, this.#suspicions.now);
    this.#sharing.end();
    this.#settle();
    tellFlushes(this.#flushes, this.#findings, this.#suspicions);
    this.#suspicions.end();
  }

  #map(event: MapEvent): void {
    this.#close(threadOf(event));
    if (!checkedMap(event, this.#findings) || this.#isTooMuch(event)) return;
    const { iova, paddr, size } = event;
    this.#count += 1;
    const left = pageCount(iova, size);
    const mapping: Mapping = {
      id: this.#count,
      iova,
      paddr,
      size,
      born: event,
      died: undefined,
      space: event.device,
      doubtful: false,
      left,
    };
    this.#live.add(mapping);
    const twins = this.#pages.twinsOf(mapping);
    if (twins !== undefined) this.#shared(mapping, twins);
    this.#pages.born(mapping);
    this.#conflicts.born(mapping);
    for (const listener of this.#listeners) listener.born(mapping);
    if (event.device === undefined) this.#names.born(mapping);
    else if (!this.#live.isAlone(mapping)) this.#conflicts.overlaps(mapping, event.device);
  }

  #isTooMuch({ size, line }: MapEvent): boolean {
    if (size <= GIANT) return false;
    this.#giants += 1;
    if (this.#giants <= GIANTS_MAX) return false;
    this.#giants -= 1;
    this.#findings.tolerate('crowded-giants', 'maps of giant ranges while very many live already', line);
    return true;
  }

  #shared(mapping: Mapping, twins: ReadonlySet<Mapping>): void {
    this.#closeAll();
    for (const twin of twins)
      if (!this.#suspicions.lossSince(twin)) this.#sharing.born(mapping, twin, this.#live);
  }

  #unmap(event: UnmapEvent): void {
    const thread = threadOf(event);
    this.#unmaps = true;
    this.#close(thread);
    if (!checkedUnmap(event, this.#findings)) return;
    this.#flushes.unmapped(event);
    const device = this.#names.hintFor(event, this);
    if (this.#open.length >= OPEN_MAX) this.#closeAll();
    this.#open.push({ thread, event, device, lastBorn: this.#count });
  }

  #dmaUnmap(event: DmaUnmapEvent): void {
    const thread = threadOf(event);
    for (const open of this.#open)
      if (open.thread === thread && isSameUnmap(open.event, event)) open.device = event.device;
    this.#close(thread);
  }

  #hint(event: Hint): void {
    this.#close(threadOf(event));
    this.#names.hint(event);
  }

  #page(event: PageAllocEvent | PageFreeEvent): void {
    this.#closeAll();
    this.#pages.on(event);
    if (event.kind === 'page-free' && this.#flushes.waiting) this.#flushes.freedPages(event);
  }

  /** From here on an unmap has no name, if none was told. */
  #close(thread: number): void {
    for (const open of this.#open)
      if (open.thread === thread) {
        this.#open.splice(this.#open.indexOf(open), 1);
        this.#kill(open);
        return;
      }
  }

  #closeAll(): void {
    while (this.#open.length > 0) {
      const open = this.#open.shift();
      if (open !== undefined) this.#kill(open);
    }
  }

  #kill(open: Open): void {
    const { event } = open;
    const count = pageCount(event.iova, event.unmapped);
    const known = this.#live.kill(open, pageOf(event.iova), count);
    if (known >= count) return;
    this.#findings.tolerate(
      'unknown-unmap',
      'unmaps of what the trace did not show being mapped',
      event.line,
    );
    for (const listener of this.#listeners) listener.unknownDeath?.();
  }

  #ended(ending: Ending): void {
    const { mapping, pages, event, sure } = ending;
    mapping.left -= pages;
    this.#flushes.ended(ending);
    if (event !== undefined && sure) this.#suspicions.proven(mapping, event);
    if (mapping.left > 0) return;
    this.#pages.died(mapping);
    if (mapping.size > GIANT) this.#giants -= 1;
    if (event === undefined) return;
    this.#leaks.died(mapping, event.time);
    mapping.died = event;
    this.#dead.add(mapping);
    for (const listener of this.#listeners) listener.died(mapping);
  }

  /** Drivers' events name what their thread has just mapped. */
  #name(event: DmaMapEvent | DmaAllocEvent | DmaMapSgEvent): void {
    this.#closeAll();
    const ranges = rangesOf(event);
    const made = this.#names.take(event);
    for (let at = made.length - 1; at >= 0; at -= 1) {
      const mapping = made[at];
      if (mapping === undefined) continue;
      if (rangeOf(mapping, ranges) !== undefined || this.#conflicts.misled(event, mapping, ranges))
        this.#named(mapping, event.device);
    }
  }

  #named(mapping: Mapping, device: string): void {
    const alone = this.#live.isAlone(mapping);
    if (!alone && this.#isReplaced(mapping, device)) return;
    mapping.space = device;
    for (const listener of this.#listeners) listener.named?.(mapping);
    if (!alone) this.#conflicts.overlaps(mapping, device);
    if (this.#flushes.waiting) this.#flushes.mapped(mapping);
  }

  /** Whether something else was made at the same address for the device meanwhile. */
  #isReplaced({ iova, id }: Mapping, device: string): boolean {
    return this.#live.at(pageOf(iova)).some((other) => other.id > id && other.space === device);
  }

  /** Another recording follows, of which nothing is known. */
  #restart(): void {
    this.#settle();
    this.#suspicions.end();
    this.#flushes.restart();
    this.#giants = 0;
    this.#leaks = new IommuLeaks(this.#findings);
    this.#names = new ThreadNames();
    [this.#live, this.#pages, this.#conflicts] = this.#fresh();
  }

  #settle(): void {
    this.#closeAll();
    this.#live.end();
    if (this.#live.worn > 0)
      this.#findings.tolerate('crowded', 'addresses with too many mappings to tell them apart', 0);
  }

  #fresh(): [LiveMappings, MappedPages, Conflicts] {
    const live = new LiveMappings(
      (ending) => this.#ended(ending),
      (mapping) => this.#suspicions.lossSince(mapping),
    );
    const pages = new MappedPages(this.#findings, this.#suspicions, live);
    return [live, pages, new Conflicts(this.#findings, this.#suspicions, live)];
  }
}
