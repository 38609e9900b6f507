/**
 * What devices reach by ranges that drivers mapped and no event of an IOMMU shows, because there is none or its events
 * are off. The pages below are watched as those below the mappings of an IOMMU are.
 */
import type { PageAllocEvent, PageFreeEvent, Stamp, TraceEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import { pageCount } from '../iommu/live-mappings.ts';
import { MappedPages } from '../iommu/mapped-pages.ts';
import { Suspicions } from '../iommu/suspicions.ts';
import type { Life, LifeListener, Mapping } from '../mapping.ts';
import { apiOf, type DmaApi, type DmaMapping, type DmaRange } from './dma-mapping.ts';

interface Reach {
  /** The ranges of addresses. */
  readonly lives: (Life & { died: Stamp | undefined })[];
  /** The memory; where it is known which belongs to which address, the same as the ranges. */
  readonly memory: Mapping[];
}

/** Bytes; more in one piece is no memory that anybody frees page by page, and is not followed there. */
const FOLLOWED_MAX = 2 ** 34;

/** A driver's unmap names what it ends: it cannot have meant another mapping. */
const NO_EXCUSE = { excuse: () => false };

export class DriverReach {
  readonly #findings: Findings;
  readonly #listeners: readonly LifeListener[];
  readonly #suspicions: Suspicions;
  readonly #reaches = new Map<DmaMapping, Reach>();
  /** Functions whose unmaps the trace has shown. */
  readonly #ended = new Set<DmaApi>();
  #pages: MappedPages;
  /** The IOMMU shows what becomes of all addresses that are not those of the memory. */
  #translates = false;
  #count = 0;

  constructor(findings: Findings, listeners: readonly LifeListener[]) {
    this.#findings = findings;
    this.#listeners = listeners;
    this.#suspicions = new Suspicions(findings, ({ born }) => this.#ended.has(apiOf(born)));
    this.#pages = new MappedPages(findings, this.#suspicions, NO_EXCUSE);
  }

  /** Whether there was any such range. */
  get active(): boolean {
    return this.#count > 0;
  }

  /** Called for each event before it is judged, once there was any. */
  seen(event: TraceEvent): void {
    this.#suspicions.seen(event);
  }

  /** An IOMMU was told a mapping. */
  translates(): void {
    this.#translates = true;
  }

  born(mapping: DmaMapping): void {
    if (this.#translates && !isDirect(mapping)) return;
    const reach = this.#reachOf(mapping);
    if (reach.lives.length === 0) return;
    this.#reaches.set(mapping, reach);
    for (const listener of this.#listeners) for (const life of reach.lives) listener.born(life);
    if (mapping.api !== 'resource') for (const memory of reach.memory) this.#pages.born(memory);
  }

  died(mapping: DmaMapping, event: TraceEvent): void {
    const reach = this.#take(mapping);
    if (reach === undefined) return;
    this.#ended.add(mapping.api);
    for (const memory of reach.memory) this.#suspicions.proven(memory, event);
    for (const life of reach.lives) life.died = event;
    for (const listener of this.#listeners) for (const life of reach.lives) listener.died(life);
  }

  /** It must be over, though no unmap of it was seen. */
  forget(mapping: DmaMapping): void {
    this.#take(mapping);
  }

  /** An unmap of what the trace did not show being mapped. */
  unknownDeath(): void {
    if (!this.#translates) for (const listener of this.#listeners) listener.unknownDeath?.();
  }

  on(event: PageAllocEvent | PageFreeEvent): void {
    this.#pages.on(event);
  }

  /** Another recording follows. */
  restart(): void {
    this.end();
    this.#reaches.clear();
    this.#pages = new MappedPages(this.#findings, this.#suspicions, NO_EXCUSE);
  }

  end(): void {
    this.#suspicions.end();
  }

  #take(mapping: DmaMapping): Reach | undefined {
    const reach = this.#reaches.get(mapping);
    if (reach === undefined) return undefined;
    this.#reaches.delete(mapping);
    for (const memory of reach.memory) {
      memory.left = 0;
      this.#pages.died(memory);
    }
    return reach;
  }

  #reachOf(mapping: DmaMapping): Reach {
    const { ranges, memory } = mapping;
    const reach: Reach = { lives: [], memory: [] };
    const apart = ranges.length === memory.length;
    for (const [at, range] of ranges.entries()) {
      const paddr = apart ? memory[at]?.start : undefined;
      if (this.#translates && paddr !== range.start) continue;
      const life = this.#lifeOf(range, paddr, mapping);
      reach.lives.push(life);
      if ('left' in life && range.size <= FOLLOWED_MAX) reach.memory.push(life);
    }
    const [first] = ranges;
    if (!apart && !this.#translates && first !== undefined)
      for (const { start, size } of memory)
        reach.memory.push(this.#mapping(first.start, start, size, mapping));
    return reach;
  }

  #lifeOf(
    { start, size }: DmaRange,
    paddr: number | undefined,
    made: DmaMapping,
  ): Reach['lives'][number] | Mapping {
    if (paddr !== undefined) return this.#mapping(start, paddr, size, made);
    this.#count += 1;
    return { iova: start, paddr, size, born: made.born, space: made.device, died: undefined };
  }

  #mapping(iova: number, paddr: number, size: number, made: DmaMapping): Mapping {
    this.#count += 1;
    const left = pageCount(paddr, size);
    return {
      ...{ id: this.#count, iova, paddr, size, born: made.born },
      ...{ space: made.device, died: undefined, left },
      // An unmap may turn out later to have meant this one or another.
      get doubtful() {
        return made.doubtful;
      },
    };
  }
}

/** Whether some address is that of its memory. */
function isDirect({ ranges, memory }: DmaMapping): boolean {
  for (let at = 0; at < ranges.length; at += 1) if (ranges[at]?.start === memory[at]?.start) return true;
  return false;
}
