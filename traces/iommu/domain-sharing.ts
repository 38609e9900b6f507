/**
 * Memory that two domains reach. Two I/O addresses of one page are usual within a domain, where two ranges share a
 * page; but one address that is mapped twice at once is mapped in two domains.
 */
import type { BufferEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import { isNamedByDriver, type Mapping, PAGE } from '../mapping.ts';
import { hex } from '../say.ts';
import { type LiveMappings, pageOf, pagesOf } from './live-mappings.ts';
import { PageTree } from './page-tree.ts';
import type { Suspicions } from './suspicions.ts';

/** Drivers' events come soon after a mapping: so many pairs wait for them, twice as many at the most. */
const WAITING = 2048;
/** Tasks that are in `dma_buf_map_attachment` at once. */
const TASKS_MAX = 1024;
/** Pairs of devices that are told apart. */
const KINDS_MAX = 64;

interface Pair {
  readonly old: Mapping;
  readonly mapping: Mapping;
  /** It was made for an attachment of a shared buffer. */
  readonly attached: boolean;
}

interface Shared {
  readonly first: Pair;
  readonly pages: PageTree<true>;
}

/** Whether two mappings that lead to one page are of two domains, if both live. */
export function areApart(a: Mapping, b: Mapping): boolean {
  const [one, other] = [a.born.device, b.born.device];
  if (one !== undefined && other !== undefined) return one !== other;
  // Reserved regions are mapped one to one in every domain.
  return a.paddr - a.iova === b.paddr - b.iova && a.paddr !== a.iova;
}

export class DomainSharing {
  readonly #findings: Findings;
  readonly #suspicions: Suspicions;
  /** Tasks that map an attachment now. */
  readonly #attaching = new Set<number>();
  readonly #pairs: Pair[] = [];
  /** By names of devices, where maps name them. */
  readonly #shared = new Map<string, Shared>();

  constructor(findings: Findings, suspicions: Suspicions) {
    this.#findings = findings;
    this.#suspicions = suspicions;
  }

  buffer({ action, pid }: BufferEvent): void {
    if (action !== 'map') this.#attaching.delete(pid);
    else if (this.#attaching.size < TASKS_MAX) this.#attaching.add(pid);
  }

  /** @param old - it is apart from the mapping, which was just made, and leads to the same memory */
  born(mapping: Mapping, old: Mapping, live: LiveMappings): void {
    const { first } = common(old, mapping);
    const page = pageOf(old.iova) + first - pageOf(old.paddr);
    if (!live.isSure(old, page)) return;
    this.#pairs.push({ old, mapping, attached: this.#attaching.has(mapping.born.pid) });
    if (this.#pairs.length >= 2 * WAITING)
      for (const pair of this.#pairs.splice(0, WAITING)) this.#judge(pair);
  }

  end(): void {
    for (const pair of this.#pairs.splice(0)) this.#judge(pair);
    for (const shared of this.#shared.values()) this.#tell(shared);
    this.#shared.clear();
  }

  #judge(pair: Pair): void {
    const { old, mapping, attached } = pair;
    if (this.#suspicions.has(old) || (isNamedByDriver(old) && isNamedByDriver(mapping))) return;
    if (attached) {
      const text = 'mappings of memory that another mapping reaches too: a dma-buf is attached to both';
      this.#findings.tolerate('shared-buffer', text, mapping.born.line);
      return;
    }
    const kind = `${old.born.device ?? ''} ${mapping.born.device ?? ''}`;
    const known = this.#shared.get(kind);
    if (known === undefined && this.#shared.size >= KINDS_MAX) return;
    const shared = known ?? { first: pair, pages: new PageTree<true>(() => true) };
    this.#shared.set(kind, shared);
    const { first, count } = common(old, mapping);
    shared.pages.add(first, count, true);
  }

  #tell({ first: { old, mapping }, pages }: Shared): void {
    const pfn = common(old, mapping).first;
    const count = countOf(pages);
    const { size, born } = mapping;
    const iova = mapping.iova + pfn * PAGE - mapping.paddr;
    const which =
      old.born.device === undefined || born.device === undefined
        ? `two domains: mapped at ${hex(iova)} of both`
        : `${old.born.device} and ${born.device}`;
    const more = count === 1 ? '' : ` and ${count - 1} more`;
    const text = `page ${hex(pfn)}${more} reached by ${which}`;
    this.#findings.add({
      ...{ check: 'two-devices', confidence: 'possible', assumptions: ['not-shared', 'nothing-lost'], text },
      subject: { iova, size, pfn, ...(born.device === undefined ? {} : { device: born.device }) },
      evidence: [
        { role: 'mapped here', event: old.born },
        { role: 'mapped here too', event: born },
      ],
    });
  }
}

/** Page frames that both lead to. */
function common(a: Mapping, b: Mapping): { readonly first: number; readonly count: number } {
  const start = Math.max(a.paddr, b.paddr);
  return pagesOf(start, Math.min(a.paddr + a.size, b.paddr + b.size) - start);
}

function countOf(pages: PageTree<true>): number {
  let count = 0;
  let end = 0;
  // Blocks come in order, each before the parts of it that were added besides.
  pages.read(0, Number.MAX_SAFE_INTEGER, (_, at, there) => {
    count += Math.max(0, at + there - Math.max(at, end));
    end = Math.max(end, at + there);
  });
  return count;
}
