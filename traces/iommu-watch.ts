/** What devices reach through an IOMMU: mappings and the pages below them, from events that name no domain. */
import { DeathLog } from './death-log.ts';
import type {
  DeviceEvent,
  DmaUnmapEvent,
  MapEvent,
  PageAllocEvent,
  PageFreeEvent,
  TraceEvent,
  UnmapEvent,
} from './event.ts';
import type { Findings } from './findings.ts';
import { type Ending, LiveMappings, pagesOf } from './live-mappings.ts';
import { checkedMap, checkedUnmap } from './map-checks.ts';
import { MappedPages } from './mapped-pages.ts';
import { type LifeListener, type Lives, type Mapping, PAGE, type Watch } from './mapping.ts';
import type { Mode } from './report.ts';
import { Suspicions } from './suspicions.ts';
import {
  type Hint,
  isIn,
  isSameUnmap,
  type NamedRange,
  rangesOf,
  ThreadNames,
  threadOf,
} from './thread-names.ts';

/** An unmap whose device may still be named, by the next event of its thread. */
interface Open {
  readonly event: UnmapEvent;
  readonly device: string | undefined;
  readonly lastBorn: number;
}

export class IommuWatch implements Watch, Lives {
  readonly #findings: Findings;
  readonly #listeners: readonly LifeListener[];
  readonly #suspicions: Suspicions;
  readonly #names = new ThreadNames();
  readonly #dead = new DeathLog();
  readonly #live = new LiveMappings((ending) => this.#ended(ending));
  readonly #pages: MappedPages;
  readonly #groups = new Map<string, string>();
  readonly #open = new Map<number, Open>();
  #count = 0;
  #lastMap: MapEvent | undefined;
  #lastUnmap: UnmapEvent | undefined;

  constructor(findings: Findings, listeners: readonly LifeListener[], _mode: Mode | undefined) {
    this.#findings = findings;
    this.#listeners = listeners;
    this.#suspicions = new Suspicions(findings);
    this.#pages = new MappedPages(findings, this.#suspicions, this.#live);
  }

  liveAt(iova: number): readonly Mapping[] {
    this.#closeAll();
    return this.#live.at(Math.floor(iova / PAGE));
  }

  lastAt(iova: number, device?: string): Mapping | undefined {
    this.#closeAll();
    return this.#dead.lastAt(iova, device);
  }

  on(event: TraceEvent): void {
    this.#suspicions.seen(event);
    const { kind } = event;
    if (kind === 'map') this.#map(event);
    else if (kind === 'unmap') this.#unmap(event);
    else if (kind === 'page-alloc' || kind === 'page-free') this.#page(event);
    else if (kind === 'dma-map' || kind === 'dma-alloc' || kind === 'dma-map-sg')
      this.#name(event, rangesOf(event));
    else if (kind === 'dma-unmap') this.#dmaUnmap(event);
    else if (kind === 'dma-unmap-sg' || kind === 'dma-free') this.#hint(event);
    else if (kind === 'attach' || kind === 'detach' || kind === 'group-add' || kind === 'group-remove')
      this.#device(event);
  }

  end(): void {
    this.#closeAll();
    this.#live.end();
    if (this.#live.worn > 0)
      this.#findings.tolerate('crowded', 'addresses with too many mappings to tell them apart', 0);
    this.#suspicions.end();
  }

  #map(event: MapEvent): void {
    this.#close(threadOf(event));
    const last = this.#lastMap;
    this.#lastMap = event;
    if (!checkedMap(event, last, this.#findings)) return;
    const { iova, paddr, size } = event;
    this.#count += 1;
    const left = pagesOf(iova, size).count;
    const mapping: Mapping = {
      ...{ id: this.#count, iova, paddr, size, born: event, died: undefined },
      ...{ space: event.device, doubtful: false, left },
    };
    this.#live.add(mapping);
    this.#pages.born(mapping);
    for (const listener of this.#listeners) listener.born(mapping);
    if (event.device === undefined) this.#names.born(mapping);
    else this.#overlaps(mapping, event.device);
  }

  #unmap(event: UnmapEvent): void {
    const thread = threadOf(event);
    this.#close(thread);
    const last = this.#lastUnmap;
    this.#lastUnmap = event;
    if (!checkedUnmap(event, last, this.#findings)) return;
    const device = this.#names.hintFor(event, (iova) => this.liveAt(iova));
    this.#open.set(thread, { event, device: this.#spaceOf(device), lastBorn: this.#count });
  }

  #dmaUnmap(event: DmaUnmapEvent): void {
    const thread = threadOf(event);
    const open = this.#open.get(thread);
    if (open !== undefined && isSameUnmap(open.event, event))
      this.#open.set(thread, { ...open, device: this.#spaceOf(event.device) });
    this.#close(thread);
  }

  #hint(event: Hint): void {
    this.#close(threadOf(event));
    this.#names.hint(event);
  }

  #page(event: PageAllocEvent | PageFreeEvent): void {
    this.#closeAll();
    this.#pages.on(event);
  }

  /** From here on an unmap has no name, if none was told. */
  #close(thread: number): void {
    const open = this.#open.get(thread);
    if (open === undefined) return;
    this.#open.delete(thread);
    const { event } = open;
    const { first, count } = pagesOf(event.iova, event.unmapped);
    const known = this.#live.kill(open, first, count);
    if (known >= count) return;
    this.#findings.tolerate(
      'unknown-unmap',
      'unmaps of what the trace did not show being mapped',
      event.line,
    );
    for (const listener of this.#listeners) listener.unknownDeath?.(event, count - known);
  }

  #closeAll(): void {
    if (this.#open.size > 0) for (const thread of [...this.#open.keys()]) this.#close(thread);
  }

  #ended({ mapping, pages, event, sure }: Ending): void {
    mapping.left -= pages;
    if (event !== undefined && sure) this.#suspicions.proven(mapping, event);
    if (mapping.left > 0) return;
    this.#pages.died(mapping);
    if (event === undefined) return;
    mapping.died = event;
    this.#dead.add(mapping);
    for (const listener of this.#listeners) listener.died(mapping);
  }

  /** Drivers' events name what their thread has just mapped. */
  #name(event: TraceEvent, ranges: readonly NamedRange[]): void {
    this.#closeAll();
    const fits = (mapping: Mapping): boolean => ranges.some((range) => isIn(mapping, range));
    for (const mapping of this.#names.take(event, fits)) {
      mapping.space = this.#spaceOf(ranges[0]?.device);
      for (const listener of this.#listeners) listener.named?.(mapping);
      if (mapping.space !== undefined) this.#overlaps(mapping, mapping.space);
    }
  }

  /** Two mappings of one device at one address: the tables would have refused the second. */
  #overlaps(mapping: Mapping, space: string): void {
    const found = this.#live
      .sharing(mapping)
      .filter((other) => other.mapping.space === space && other.mapping.id < mapping.id)
      .filter((other) => !this.#live.excuse(other.mapping, other.page));
    for (const { mapping: other } of found) {
      const iova = Math.max(mapping.iova, other.iova);
      this.#suspicions.add({
        ...{ check: 'overlap', mapping: other, event: mapping.born, provable: false },
        text: `I/O address 0x${iova.toString(16)} of ${space} was mapped while it was mapped already`,
        subject: { iova, size: mapping.size },
        evidence: [
          { role: 'mapped here', event: other.born },
          { role: 'mapped again here', event: mapping.born },
        ],
      });
      this.#live.remove(other, undefined);
    }
  }

  #device(event: DeviceEvent): void {
    this.#closeAll();
    if (event.kind === 'group-add' && event.group !== undefined)
      this.#groups.set(event.device, `group ${event.group}`);
  }

  #spaceOf(device: string | undefined): string | undefined {
    return device;
  }
}
