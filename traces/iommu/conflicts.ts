/** Mappings that cannot be true at once: two at one address of a domain, or one that leads to memory of another. */
import type { DmaAllocEvent, DmaMapEvent, DmaMapSgEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import { type Mapping, PAGE } from '../mapping.ts';
import { hex } from '../say.ts';
import { type LiveMappings, pageOf } from './live-mappings.ts';
import type { Suspicions } from './suspicions.ts';
import { isAt, leadsTo, type NamedRange } from './thread-names.ts';

/** The largest page that IOMMUs and kernels count in. */
const GRANULE_MAX = 65_536;

export class Conflicts {
  readonly #findings: Findings;
  readonly #suspicions: Suspicions;
  readonly #live: LiveMappings;
  /** The smallest page that was mapped: what is not of whole such pages may go through a bounce buffer. */
  #granule = GRANULE_MAX;

  constructor(findings: Findings, suspicions: Suspicions, live: LiveMappings) {
    this.#findings = findings;
    this.#suspicions = suspicions;
    this.#live = live;
  }

  born({ iova, size }: Mapping): void {
    while (this.#granule > PAGE && (iova % this.#granule !== 0 || size % this.#granule !== 0))
      this.#granule /= 4;
  }

  /**
   * What was made at a range leads elsewhere: it is not what the range was made for, or goes to a bounce buffer if the
   * range is not of whole pages, or is wrong. Returns whether the range has nothing else.
   */
  misled(
    event: DmaMapEvent | DmaAllocEvent | DmaMapSgEvent,
    mapping: Mapping,
    ranges: readonly NamedRange[],
  ): boolean {
    const range = ranges.find((each) => isAt(mapping, each));
    if (range?.phys === undefined) return false;
    const there = this.#live.at(pageOf(range.dma));
    if (there.some((each) => leadsTo(each, range))) return false;
    if (range.phys % this.#granule !== 0 || range.size % this.#granule !== 0) {
      const text = 'ranges of less than whole pages that are mapped elsewhere';
      this.#findings.tolerate('bounced', text, event.line);
      return true;
    }
    const leads = mapping.paddr + range.dma - mapping.iova;
    this.#suspicions.add({
      ...{ check: 'dma-not-backed', mapping, event, provable: false },
      text: `DMA address ${hex(range.dma)} of ${event.device} leads to ${hex(leads)}, not to ${hex(range.phys)}`,
      subject: { device: event.device, iova: range.dma, size: range.size },
      evidence: [
        { role: 'mapped here', event: mapping.born },
        { role: 'handed to the driver here', event },
      ],
    });
    return true;
  }

  /** A mapping that is not alone. Two of one device at one address: the tables would have refused the second. */
  overlaps(mapping: Mapping, space: string): void {
    const older = this.#live.olderIn(space, mapping);
    if (older.size === 0) return;
    const found = [...older].filter(([other, page]) => !this.#live.excuse(other, page));
    for (const [other] of found) this.#overlap(mapping, other, space);
  }

  #overlap(mapping: Mapping, other: Mapping, space: string): void {
    const iova = Math.max(mapping.iova, other.iova);
    this.#suspicions.add({
      ...{ check: 'overlap', mapping: other, event: mapping.born, provable: false },
      text: `I/O address ${hex(iova)} of ${space} was mapped while it was mapped already`,
      subject: { iova, size: mapping.size },
      evidence: [
        { role: 'mapped here', event: other.born },
        { role: 'mapped again here', event: mapping.born },
      ],
    });
    this.#live.remove(other, undefined);
  }
}
