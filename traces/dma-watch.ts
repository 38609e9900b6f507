/** What drivers ask of dma-mapping: each range has a device, so most of dma-debug's rules can be held against it. */
import type { TraceEvent } from './event.ts';
import type { Findings } from './findings.ts';
import type { Watch } from './mapping.ts';

export class DmaWatch implements Watch {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  on(event: TraceEvent): void {
    if (event.kind === 'dma-unmap' && event.size === 0)
      this.#findings.tolerate('empty-unmap', 'unmaps of no bytes', event.line);
  }

  end(): void {}
}
