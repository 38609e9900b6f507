/** `iommu:map` and `iommu:unmap` as commands, in domains that are told apart only where they must be. */
import type { EventOf, TraceEvent } from '../event.ts';
import { Blocks } from './blocks.ts';
import { type Claim, type Draft, type IoPages, SPACES_MAX, type Teller } from './draft.ts';
import { framesOf, PAGE_BYTES } from './events.ts';
import type { ScriptMemory } from './memory.ts';

/** What is mapped in a domain, in bytes of the trace. */
interface Domain {
  readonly name: string;
  live: readonly { readonly from: number; readonly to: number }[];
}

export class IommuTeller implements Teller {
  readonly #draft: Draft;
  readonly #blocks: Blocks;
  readonly #ioPages: IoPages;
  readonly #claim: Claim;
  readonly #domains: Domain[] = [];
  readonly devices = 0;
  readonly tables = 0;

  constructor(draft: Draft, memory: ScriptMemory, ioPages: IoPages, claim: Claim) {
    this.#draft = draft;
    this.#blocks = new Blocks(draft, memory);
    this.#ioPages = ioPages;
    this.#claim = claim;
  }

  get spaces(): number {
    return this.#domains.length;
  }

  tell(event: TraceEvent): void {
    if (event.kind === 'page-alloc') this.#blocks.allocated(event);
    else if (event.kind === 'page-free') this.#blocks.freed(event);
    else if (event.kind === 'map') this.#map(event);
    else if (event.kind === 'unmap') this.#unmap(event);
  }

  /** One command for each block: a call maps no more than one. */
  #map({ iova, paddr, size, line }: EventOf<'map'>): void {
    const domain = this.#domainFor(iova, iova + size);
    if (domain === undefined) {
      this.#draft.left += 1;
      return;
    }
    domain.live = [...domain.live, { from: iova, to: iova + size }];
    for (const { block, name } of this.#blocks.below(framesOf(paddr, size))) {
      const start = Math.max(paddr, block.first * PAGE_BYTES);
      const end = Math.min(paddr + size, (block.first + block.count) * PAGE_BYTES);
      const at = this.#ioPages.addressOf(iova + start - paddr);
      const phys = { in: name, offset: start - block.first * PAGE_BYTES };
      const range = { iova: at, phys, bytes: end - start, prot: 'both' };
      this.#draft.add(
        line,
        { op: 'iommu_map', domain: domain.name, ...range, as: this.#draft.name('range') },
        { iova: at },
      );
    }
  }

  #unmap({ iova, size, unmapped, line }: EventOf<'unmap'>): void {
    const holds = ({ live }: Domain): boolean => live.some(({ from, to }) => from <= iova && iova < to);
    const known = this.#domains.find(holds);
    if (known === undefined && this.#claim.fromStart !== true) {
      this.#draft.left += 1;
      return;
    }
    const domain = known ?? this.#domains[0] ?? this.#newDomain();
    const command = {
      op: 'iommu_unmap',
      domain: domain.name,
      iova: this.#ioPages.addressOf(iova),
      bytes: size,
    };
    this.#draft.add(line, command, { bytes: unmapped });
    domain.live = domain.live.flatMap(({ from, to }) =>
      [
        { from, to: Math.min(to, iova) },
        { from: Math.max(from, iova + unmapped), to },
      ].filter((rest) => rest.from < rest.to),
    );
  }

  /** The first in which nothing is mapped there; undefined: the machine has no more. */
  #domainFor(from: number, to: number): Domain | undefined {
    if (this.#claim.together === true) return this.#domains[0] ?? this.#newDomain();
    const isFree = ({ live }: Domain): boolean => live.every((range) => range.to <= from || to <= range.from);
    return this.#domains.find(isFree) ?? (this.spaces < SPACES_MAX ? this.#newDomain() : undefined);
  }

  #newDomain(): Domain {
    const domain = { name: this.#draft.name('domain'), live: [] };
    this.#draft.add(
      0,
      { op: 'iommu_domain_alloc', type: 'unmanaged', as: domain.name },
      { domain: this.spaces },
    );
    this.#domains.push(domain);
    return domain;
  }
}
