/** Pages that devices reach, against what the page allocator does with them. */
import type { PageAllocEvent, PageFreeEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import { type Mapping, PAGE } from '../mapping.ts';
import { areApart } from './domain-sharing.ts';
import { type LiveMappings, pageCount, pageOf } from './live-mappings.ts';
import { PageLog } from './page-log.ts';
import { PageTree } from './page-tree.ts';
import type { Suspicions } from './suspicions.ts';

/**
 * The largest block that an event may speak of: 4 GB, more than any allocator hands out at once. Of a larger mapping it
 * is not asked whether its pages were free when it was made.
 */
const ORDER_MAX = 20;

/** Pages that were mapped after they were freed, and wait for what is heard of them next. */
const DOUBTED_MAX = 65_536;

/** What leads to a page: mostly one mapping. */
type Leading = Mapping | readonly Mapping[];

/** A page that more mappings lead to is crowded: further ones are not looked for when it changes hands. */
const LEADING_MAX = 256;

interface Doubted {
  readonly freed: PageFreeEvent;
  readonly mapping: Mapping;
}

export class MappedPages {
  readonly #findings: Findings;
  readonly #suspicions: Suspicions;
  readonly #live: Pick<LiveMappings, 'excuse'>;
  /** By page frame, the mappings that lead there; some of their pages may be unmapped by now. */
  readonly #by = new PageTree<Leading>((below, above) => this.#together(below, above));
  readonly #log = new PageLog();
  readonly #doubted = new Map<number, Doubted>();

  constructor(findings: Findings, suspicions: Suspicions, live: Pick<LiveMappings, 'excuse'>) {
    this.#findings = findings;
    this.#suspicions = suspicions;
    this.#live = live;
  }

  /** Those of other domains that lead to the memory of one that is new, if there are any. */
  twinsOf(mapping: Mapping): ReadonlySet<Mapping> | undefined {
    const first = pageOf(mapping.paddr);
    const count = pageCount(mapping.paddr, mapping.size);
    return this.#by.isEmptyAt(first, count) ? undefined : this.#twinsAt(first, count, mapping);
  }

  #twinsAt(first: number, count: number, mapping: Mapping): ReadonlySet<Mapping> | undefined {
    let twins: Set<Mapping> | undefined;
    this.#by.read(first, count, (there) => {
      for (const other of eachOf(there))
        if (areApart(other, mapping)) twins = (twins ?? new Set()).add(other);
    });
    return twins;
  }

  born(mapping: Mapping): void {
    const first = pageOf(mapping.paddr);
    const count = pageCount(mapping.paddr, mapping.size);
    this.#by.add(first, count, mapping);
    if (count > 2 ** ORDER_MAX) return;
    const end = first + count;
    for (let pfn = this.#log.nextFree(first, end); pfn < end; pfn = this.#log.nextFree(pfn + 1, end))
      if (this.#doubted.size < DOUBTED_MAX && !this.#doubted.has(pfn))
        this.#doubted.set(pfn, { freed: this.#log.freeOf(pfn), mapping });
  }

  died(mapping: Mapping): void {
    const first = pageOf(mapping.paddr);
    const count = pageCount(mapping.paddr, mapping.size);
    if (!this.#by.takeOnly(mapping, first, count)) this.#leave(mapping, first, count);
  }

  /** Others lead to its pages too. */
  #leave(mapping: Mapping, first: number, count: number): void {
    this.#by.change(first, count, (there) => without(there, mapping));
  }

  on(event: PageAllocEvent | PageFreeEvent): void {
    const { pfn, order } = event;
    if (order > ORDER_MAX) return;
    const count = 1 << order;
    const end = pfn + count;
    if (this.#doubted.size > 0) this.#resolve(event, end);
    if (!this.#by.isEmptyAt(pfn, count)) this.#reached(event, end);
    if (event.kind === 'page-free') this.#log.freed(event, end);
    else this.#log.allocated(pfn, end);
  }

  #together(below: Leading, above: Leading): Leading {
    const all = [...eachOf(below), ...eachOf(above)];
    if (all.length <= LEADING_MAX) return all;
    const text = 'pages that so many addresses lead to that not all are looked at when they are freed';
    this.#findings.tolerate('crowded-page', text, all.at(-1)?.born.line ?? 0);
    return all.slice(0, LEADING_MAX);
  }

  /** Pages change hands: nothing may lead to them. */
  #reached(event: PageAllocEvent | PageFreeEvent, end: number): void {
    const suspects: (readonly [Mapping, number])[] = [];
    this.#by.read(event.pfn, end - event.pfn, (mappings, at, pages) => {
      const low = Math.max(at, event.pfn);
      const high = Math.min(at + pages, end);
      for (const mapping of eachOf(mappings))
        for (let pfn = low; pfn < high; pfn += 1) suspects.push([mapping, pfn]);
    });
    for (const [mapping, pfn] of suspects) {
      const page = pageOf(mapping.iova) + pfn - pageOf(mapping.paddr);
      if (mapping.left > 0 && !this.#live.excuse(mapping, page)) this.#suspect(event, mapping, pfn);
    }
  }

  #suspect(event: PageAllocEvent | PageFreeEvent, mapping: Mapping, pfn: number): void {
    const freed = event.kind === 'page-free';
    const role = freed ? 'freed here' : 'handed out here';
    if (this.#suspicions.has(mapping)) {
      if (!freed) this.#suspicions.show(mapping, 'handed out again here', event);
      return;
    }
    const by = mapping.space === undefined ? '' : ` of ${mapping.space}`;
    const iova = mapping.iova + (pfn - pageOf(mapping.paddr)) * PAGE;
    const what = freed ? 'freed' : 'handed out';
    this.#suspicions.add({
      ...{ check: freed ? 'freed-while-mapped' : 'allocated-while-mapped', mapping, event, provable: true },
      text: `page 0x${pfn.toString(16)} was ${what} while I/O address 0x${iova.toString(16)}${by} led to it`,
      subject: { iova, size: mapping.size, pfn },
      evidence: [
        { role: 'mapped here', event: mapping.born },
        { role, event },
      ],
    });
  }

  /**
   * A page was mapped after its free, and no allocation was seen. Bulk allocation, compaction and CMA write none; but
   * then a free comes next. If it is an allocation, the page was free all the time.
   */
  #resolve(event: PageAllocEvent | PageFreeEvent, end: number): void {
    for (let pfn = event.pfn; pfn < end; pfn += 1) {
      const doubted = this.#doubted.get(pfn);
      if (doubted === undefined) continue;
      this.#doubted.delete(pfn);
      if (event.kind === 'page-alloc') this.#wasFree(doubted, pfn, event);
      else this.#findings.tolerate('quiet-alloc', 'pages that were handed out without an event', event.line);
    }
  }

  #wasFree({ freed, mapping }: Doubted, pfn: number, event: PageAllocEvent): void {
    if (this.#suspicions.has(mapping)) return;
    this.#suspicions.add({
      ...{ check: 'mapped-while-free', mapping, event, provable: false },
      text: `page 0x${pfn.toString(16)} was mapped at I/O address 0x${mapping.iova.toString(16)} while it was free`,
      subject: { iova: mapping.iova, size: mapping.size, pfn },
      evidence: [
        { role: 'freed here', event: freed },
        { role: 'mapped here', event: mapping.born },
        { role: 'handed out here', event },
      ],
    });
  }
}

const eachOf = (there: Leading): readonly Mapping[] => ('length' in there ? there : [there]);

function without(there: Leading, mapping: Mapping): Leading | undefined {
  if (there === mapping) return undefined;
  if (!('length' in there) || !there.includes(mapping)) return there;
  return there.length === 2
    ? there.find((each) => each !== mapping)
    : there.filter((each) => each !== mapping);
}
