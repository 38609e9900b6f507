/** For tests of the IOMMU level: events told one after the other, and what is found in them. */
import type { TraceEvent } from '../event.ts';
import { Findings } from '../findings.ts';
import type { Mode } from '../report.ts';
import { IommuWatch } from './iommu-watch.ts';

export const NIC = '0000:00:03.0';
export const DISK = '0000:00:04.0';
export const A = 0xffff_f000;
export const PAGE = 4096;
export const PFN = 0x5000;

/** An event without its stamp. */
export type Said = TraceEvent extends infer E
  ? E extends TraceEvent
    ? Omit<E, 'line' | 'time' | 'cpu' | 'task' | 'pid'>
    : never
  : never;
export interface Place {
  readonly cpu?: number;
  readonly pid?: number;
  /** Microseconds since the event before. */
  readonly after?: number;
}

/** Events of IOMMUs and pages, one after the other. */
export class Tale {
  readonly events: TraceEvent[] = [];
  #time = 1e9;

  say(said: Said, { cpu = 0, pid = 7, after = 100 }: Place = {}): this {
    this.#time += after * 1000;
    const stamp = { line: this.events.length + 1, time: this.#time, cpu, task: `task ${pid}`, pid };
    this.events.push({ ...stamp, ...said } as TraceEvent);
    return this;
  }

  map(iova: number, pfn: number, pages = 1, place?: Place): this {
    return this.say({ kind: 'map', iova, paddr: pfn * PAGE, size: pages * PAGE }, place);
  }

  /** As kernels of some vendors write it. */
  vendorMap(device: string, iova: number, pfn: number): this {
    return this.say({ kind: 'map', iova, paddr: pfn * PAGE, size: PAGE, device });
  }

  /** Mappings that live for 100 us, by tasks of one kind or for a device. */
  rounds(count: number, device?: string): this {
    for (let n = 0; n < count; n += 1) {
      if (device === undefined) this.map(A - PAGE, 0x100 + n, 1, { pid: n });
      else this.vendorMap(device, A - PAGE, 0x100 + n);
      this.unmap(A - PAGE);
    }
    return this;
  }

  unmap(iova: number, pages = 1, place?: Place): this {
    return this.say({ kind: 'unmap', iova, size: pages * PAGE, unmapped: pages * PAGE }, place);
  }

  /** What `dma_map_page` leaves in a trace. */
  dmaMap(device: string, dma: number, pfn: number, leads = pfn): this {
    const rest = { direction: 'TO_DEVICE', api: 'page', attrs: '' } as const;
    return this.map(dma, leads).say({ kind: 'dma-map', device, dma, size: PAGE, phys: pfn * PAGE, ...rest });
  }

  /** What `dma_unmap_page` leaves, of a strict domain with flushes if `flush`. */
  dmaUnmap(device: string, dma: number, { flush = false } = {}): this {
    this.unmap(dma);
    if (flush) this.flush(dma);
    const rest = { direction: 'TO_DEVICE', api: 'page' } as const;
    return this.say({ kind: 'dma-unmap', device, dma, size: PAGE, ...rest });
  }

  flush(iova?: number, place?: Place): this {
    const range = iova === undefined ? {} : { iova, size: PAGE };
    return this.say({ kind: 'flush', unit: 'dmar0', domain: 3, ...range, step: 'submitted' }, place);
  }

  alloc(pfn: number, order = 0, place?: Place): this {
    return this.say({ kind: 'page-alloc', pfn, order, gfp: '' }, place);
  }

  free(pfn: number, order = 0, place?: Place): this {
    return this.say({ kind: 'page-free', pfn, order, batched: false }, place);
  }

  lost(cpu = 0): this {
    return this.say({ kind: 'lost', cause: 'overrun' }, { cpu });
  }

  /** Checks, confidences and numbers of what is found. */
  told(mode?: Mode): readonly string[] {
    return this.findings(mode).list.map(
      ({ check, confidence, more }) => `${confidence} ${check}${more > 0 ? ` +${more}` : ''}`,
    );
  }

  findings(mode?: Mode): Findings {
    const findings = new Findings();
    const watch = new IommuWatch(findings, [], mode);
    for (const event of this.events) watch.on(event);
    watch.end();
    return findings;
  }
}
