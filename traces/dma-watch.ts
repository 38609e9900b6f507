/** What drivers ask of dma-mapping: each range has a device, so dma-debug's rules can be held against it. */
import type { BufferWatch } from './buffer-watch.ts';
import { DmaLeaks } from './dma-leaks.ts';
import { type DmaBirth, type DmaMapping, mappingOf } from './dma-mapping.ts';
import { DmaOverlaps } from './dma-overlaps.ts';
import { DmaSharing } from './dma-sharing.ts';
import { DmaState } from './dma-state.ts';
import { DmaSyncs } from './dma-syncs.ts';
import { DmaUnmaps } from './dma-unmaps.ts';
import type { TraceEvent } from './event.ts';
import { FaultWatch } from './fault-watch.ts';
import type { Findings } from './findings.ts';
import type { Watch } from './mapping.ts';

export class DmaWatch implements Watch {
  readonly #state: DmaState;
  readonly #buffers: BufferWatch;
  readonly #unmaps: DmaUnmaps;
  readonly #syncs: DmaSyncs;
  readonly #overlaps: DmaOverlaps;
  readonly #sharing: DmaSharing;
  readonly #leaks: DmaLeaks;
  readonly #faults: FaultWatch;
  #now = 0;

  /** @param buffers - which has been told of an event already when this one is */
  constructor(findings: Findings, buffers: BufferWatch) {
    const state = new DmaState(findings);
    this.#state = state;
    this.#buffers = buffers;
    this.#unmaps = new DmaUnmaps(state, (mapping, event) => this.#died(mapping, event));
    this.#syncs = new DmaSyncs(state);
    this.#overlaps = new DmaOverlaps(state, (mapping) => this.#forget(mapping));
    this.#sharing = new DmaSharing(state);
    this.#leaks = new DmaLeaks(state);
    this.#faults = new FaultWatch(state);
  }

  on(event: TraceEvent): void {
    this.#now = event.time;
    switch (event.kind) {
      case 'map':
        this.#state.mapped(event);
        break;
      case 'unmap':
        this.#unmaps.settle(event);
        break;
      case 'dma-map':
      case 'dma-map-sg':
      case 'dma-alloc':
        this.#born(event);
        break;
      case 'dma-unmap':
      case 'dma-free':
        this.#unmaps.byAddress(event);
        break;
      case 'dma-unmap-sg':
        this.#unmaps.byList(event);
        break;
      case 'dma-sync':
        this.#syncs.on(event);
        break;
      case 'fault':
        this.#faults.on(event);
        break;
      case 'detach':
      case 'group-remove':
        this.#leaks.gone(event);
        break;
      case 'lost':
        this.#state.gaps.on(event);
        break;
    }
  }

  end(): void {
    this.#overlaps.end();
    this.#leaks.end(this.#now);
    this.#faults.end();
  }

  #born(event: DmaBirth): void {
    const mapping = mappingOf(event, this.#buffers.attachmentOf(event));
    if (mapping === undefined || !this.#overlaps.admits(mapping)) return;
    this.#state.add(mapping);
    this.#sharing.born(mapping);
  }

  #died(mapping: DmaMapping, event: TraceEvent): void {
    this.#overlaps.died(mapping, event);
    this.#sharing.died(mapping);
    this.#leaks.died(mapping, event.time);
  }

  #forget(mapping: DmaMapping): void {
    this.#state.device(mapping.device).remove(mapping);
    this.#sharing.died(mapping);
  }
}
