/** What devices reach through an IOMMU: mappings, the pages below them, and when the IOTLB forgets. */
import type { EventOf, TraceEvent } from './event.ts';
import type { Findings } from './findings.ts';
import type { LifeListener, Mapping, Watch } from './mapping.ts';
import type { Mode } from './report.ts';

export class IommuWatch implements Watch {
  readonly #findings: Findings;
  readonly #listeners: readonly LifeListener[];
  readonly #live = new Map<number, Mapping>();
  #count = 0;

  constructor(findings: Findings, listeners: readonly LifeListener[], _mode: Mode | undefined) {
    this.#findings = findings;
    this.#listeners = listeners;
  }

  on(event: TraceEvent): void {
    if (event.kind === 'map') this.#map(event);
    else if (event.kind === 'unmap') this.#unmap(event);
  }

  end(): void {}

  #map(event: EventOf<'map'>): void {
    const { iova, paddr, size } = event;
    this.#count += 1;
    const id = this.#count;
    const mapping: Mapping = {
      ...{ id, iova, paddr, size, born: event, died: undefined },
      ...{ space: event.device, doubtful: false },
    };
    this.#live.set(iova, mapping);
    for (const listener of this.#listeners) listener.born(mapping);
  }

  #unmap(event: EventOf<'unmap'>): void {
    if (event.unmapped < event.size)
      this.#findings.add({
        ...{ check: 'unmap-short', confidence: 'certain', assumptions: [] },
        text: `${event.unmapped} of ${event.size} bytes were mapped at 0x${event.iova.toString(16)}`,
        subject: { iova: event.iova, size: event.size },
        evidence: [{ role: 'unmapped here', event }],
      });
    for (const mapping of this.#live.values())
      if (mapping.iova >= event.iova && mapping.iova < event.iova + event.unmapped) {
        mapping.died = event;
        this.#live.delete(mapping.iova);
        for (const listener of this.#listeners) listener.died(mapping);
      }
  }
}
