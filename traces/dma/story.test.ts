/** For tests of what drivers ask for: events told one after the other, and what is found in them. */

import type {
  BufferEvent,
  Direction,
  DmaAllocEvent,
  DmaMapEvent,
  DmaMapSgEvent,
  Stamp,
  TraceEvent,
} from '../event.ts';
import { Findings } from '../findings.ts';
import type { Lives } from '../mapping.ts';
import { DmaWatch } from './dma-watch.ts';

const NO_TABLES: Lives = { liveAt: () => [], lastAt: () => undefined };
export const NIC = '0000:00:03.0';
export const DISK = '0000:00:04.0';

/** Events one after the other, each a millisecond after the one before, on one CPU. */
export class Story {
  readonly events: TraceEvent[] = [];
  /** What the IOMMU shows. */
  tables: Lives = NO_TABLES;

  constructor() {
    for (const n of [1, 2, 3]) this.map(n * 0x10_0000, { device: NIC, phys: 2 ** 33 + n * n * 0x1000 });
    for (const n of [1, 2, 3]) this.map(n * 0x10_0000, { device: DISK, phys: 2 ** 34 + n * n * 0x1000 });
  }

  get stamp(): Stamp {
    const line = this.events.length + 1;
    return { line, time: line * 1e6, cpu: 0, task: 'dd', pid: 7 };
  }

  map(dma: number, more: Partial<DmaMapEvent> = {}): this {
    const ways = { device: NIC, size: 0x1000, direction: 'TO_DEVICE', api: 'page', attrs: '' } as const;
    return this.add({ kind: 'dma-map', dma, phys: dma + 0x7000_0000, ...this.stamp, ...ways, ...more });
  }

  unmap(dma: number, size = 0x1000, direction: Direction = 'TO_DEVICE', api = 'page'): this {
    return this.add({ kind: 'dma-unmap', device: NIC, dma, size, direction, api, ...this.stamp });
  }

  mapSg(dma: number, physes: readonly number[], more: Partial<DmaMapSgEvent> = {}): this {
    const size = physes.length * 0x1000;
    return this.add({
      ...{ kind: 'dma-map-sg', device: NIC, direction: 'TO_DEVICE', attrs: '', truncated: false },
      ...{ entries: physes.length, segments: 1, dmas: [dma], sizes: [size], physes },
      ...{ ...this.stamp, ...more },
    });
  }

  unmapSg(physes: readonly number[], direction: Direction = 'TO_DEVICE'): this {
    return this.add({ kind: 'dma-unmap-sg', device: NIC, direction, physes, ...this.stamp });
  }

  coherent(kind: 'dma-alloc' | 'dma-free', dma: number, more: Partial<DmaAllocEvent> = {}): this {
    const ways = {
      direction: 'BIDIRECTIONAL',
      api: 'coherent',
      virt: '00000000902d4e85',
      physes: [],
    } as const;
    return this.add({ kind, device: NIC, dma, size: 0x1000, ...ways, ...this.stamp, ...more });
  }

  sync(dma: number, size: number, direction: Direction = 'TO_DEVICE'): this {
    const range = { dmas: [dma], sizes: [size] };
    return this.add({
      kind: 'dma-sync',
      device: NIC,
      direction,
      toward: 'device',
      ...range,
      ...this.stamp,
    });
  }

  fault(iova: number, flags = 0, device = NIC): this {
    return this.add({ kind: 'fault', device, driver: 'arm-smmu', iova, flags, ...this.stamp });
  }

  leave(device: string): this {
    return this.add({ kind: 'group-remove', device, group: 3, ...this.stamp });
  }

  /** Mappings that live for a millisecond. */
  rounds(count: number): this {
    for (let n = 0; n < count; n += 1) this.map(C).unmap(C);
    return this;
  }

  pause(events: number): this {
    for (let n = 0; n < events; n += 1) this.add({ kind: 'mark', text: '', ...this.stamp });
    return this;
  }

  buffer(action: BufferEvent['action'], attachment: string, more: Partial<BufferEvent> = {}): this {
    return this.add({
      kind: 'buffer',
      action,
      buffer: '0x1',
      attachment,
      device: '',
      ...this.stamp,
      ...more,
    });
  }

  lost(): this {
    return this.add({ kind: 'lost', cause: 'overrun', ...this.stamp });
  }

  add(event: TraceEvent): this {
    this.events.push(event);
    return this;
  }

  /** Check and confidence of each finding, in the order of the report. */
  get found(): readonly string[] {
    return this.findings.list.map(({ check, confidence }) => `${confidence} ${check}`);
  }

  get findings(): Findings {
    const findings = new Findings();
    const watch = new DmaWatch(findings, this.tables, []);
    for (const event of this.events) watch.on(event);
    watch.end();
    return findings;
  }

  get tolerated(): readonly string[] {
    return this.findings.tolerances.map(({ name, count }) => `${name} ${count}`);
  }

  get texts(): readonly string[] {
    return this.findings.list.map(({ text }) => text);
  }
}

export const story = (): Story => new Story();

export const A = 0xffff_a000;
export const B = 0xffff_b000;
export const C = 0xfff0_0000;
