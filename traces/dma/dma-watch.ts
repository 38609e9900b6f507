/** What drivers ask of dma-mapping: each range has a device, so dma-debug's rules can be held against it. */

import type { DmaBirth, PageAllocEvent, PageFreeEvent, TraceEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import type { LifeListener, Lives, Watch } from '../mapping.ts';
import { BufferWatch } from './buffer-watch.ts';
import { DmaLeaks } from './dma-leaks.ts';
import { type DmaMapping, mappingOf } from './dma-mapping.ts';
import { DmaOverlaps } from './dma-overlaps.ts';
import { DmaSharing } from './dma-sharing.ts';
import { DmaState } from './dma-state.ts';
import { DmaSyncs } from './dma-syncs.ts';
import { DmaUnmaps } from './dma-unmaps.ts';
import { DriverReach } from './driver-reach.ts';
import { FaultWatch } from './fault-watch.ts';

export class DmaWatch implements Watch {
  readonly #state: DmaState;
  readonly #buffers: BufferWatch;
  readonly #unmaps: DmaUnmaps;
  readonly #syncs: DmaSyncs;
  readonly #overlaps: DmaOverlaps;
  readonly #sharing: DmaSharing;
  readonly #reach: DriverReach;
  readonly #leaks: DmaLeaks;
  readonly #faults: FaultWatch;
  #now = 0;

  /**
   * @param tables - the mappings of IOMMUs, for what no driver's event tells of
   * @param listeners - told of what drivers map where no IOMMU shows it
   */
  constructor(findings: Findings, tables: Lives, listeners: readonly LifeListener[]) {
    const state = new DmaState(findings, tables);
    this.#state = state;
    this.#buffers = new BufferWatch(state.verdicts);
    this.#unmaps = new DmaUnmaps(state, {
      died: (mapping, event) => this.#died(mapping, event),
      stranger: () => this.#reach.unknownDeath(),
    });
    this.#syncs = new DmaSyncs(state);
    this.#overlaps = new DmaOverlaps(state, (mapping) => this.#forget(mapping));
    this.#sharing = new DmaSharing(state);
    this.#reach = new DriverReach(findings, listeners);
    this.#leaks = new DmaLeaks(state, (mapping) => this.#forget(mapping));
    this.#faults = new FaultWatch(state);
  }

  on(event: TraceEvent): void {
    const { kind, time } = event;
    this.#now = time;
    if (kind === 'lost') this.#state.verdicts.lost(event);
    this.#state.verdicts.seen(event, time);
    if (this.#reach.active) this.#reach.seen(event);
    this.#unmaps.next(event);
    switch (kind) {
      case 'map':
        this.#state.mapped(event);
        this.#reach.translates();
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
        if (event.cause === 'restart') this.#restart();
        break;
      case 'buffer':
      case 'other':
        this.#buffers.on(event);
        break;
      case 'page-alloc':
      case 'page-free':
        if (this.#reach.active) this.#page(event);
        break;
    }
  }

  end(): void {
    this.#unmaps.end();
    this.#overlaps.end();
    this.#leaks.end(this.#now);
    this.#faults.end();
    this.#reach.end();
    this.#state.verdicts.end();
  }

  #born(event: DmaBirth): void {
    const mapping = mappingOf(event, this.#buffers.attachmentOf(event));
    if (mapping === undefined || !this.#overlaps.admits(mapping)) return;
    this.#state.add(mapping);
    this.#sharing.born(mapping);
    this.#reach.born(mapping);
  }

  #page(event: PageAllocEvent | PageFreeEvent): void {
    this.#unmaps.end();
    this.#reach.on(event);
  }

  #died(mapping: DmaMapping, event: TraceEvent): void {
    this.#overlaps.died(mapping, event);
    this.#sharing.died(mapping);
    this.#reach.died(mapping, event);
    this.#leaks.died(mapping, event.time);
  }

  /** Another boot, or another trace: nothing is mapped that was. */
  #restart(): void {
    this.#unmaps.end();
    this.#overlaps.end();
    for (const device of this.#state.devices)
      for (const { mapping } of device.live.all()) this.#forget(mapping);
    this.#state.restart();
    this.#reach.restart();
  }

  #forget(mapping: DmaMapping): void {
    this.#state.device(mapping.device).remove(mapping);
    this.#sharing.died(mapping);
    this.#reach.forget(mapping);
  }
}
