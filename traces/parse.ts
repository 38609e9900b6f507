/** From a line of text to an event. Never throws, whatever the line is: what it cannot read it counts. */
import type { TraceEvent } from './event.ts';
import type { Source } from './report.ts';

/** What was heard besides events. */
export interface Heard {
  lines: number;
  format: Source['format'];
  /** Known events by the kernel's name (`iommu:map`). */
  readonly seen: Map<string, number>;
  readonly unknown: Map<string, number>;
  /** Lines that are neither event nor header. */
  garbage: number;
  firstGarbage: number | undefined;
  /** Lines that look like a known event whose fields cannot be read. */
  malformed: number;
  firstMalformed: number | undefined;
  /** Of `entries-in-buffer/entries-written`: events that were overwritten before the trace was read. */
  overwritten: number;
}

const LINE =
  /^\s*(.+)-(\d+)\s+(?:\([ \d-]*\)\s+)?\[(\d+)\]\s+(?:[^\s\d]\S*\s+)?(\d+)\.(\d+): (?:\w+:)?(\w+):\s+(.*)$/;
const MAP = /^IOMMU: iova=0x([0-9a-f]+) - 0x[0-9a-f]+ paddr=0x([0-9a-f]+) size=(\d+)/;
const UNMAP = /^IOMMU: iova=0x([0-9a-f]+) - 0x[0-9a-f]+ size=(\d+) unmapped_size=(\d+)/;
const PAGE = /pfn=(?:0x)?([0-9a-f]+) order=(\d+)/;

/** Reads the lines of one trace. */
export class TraceParser {
  readonly heard: Heard = {
    lines: 0,
    format: 'unknown',
    seen: new Map(),
    unknown: new Map(),
    garbage: 0,
    firstGarbage: undefined,
    malformed: 0,
    firstMalformed: undefined,
    overwritten: 0,
  };

  /** The event on the next line; undefined for headers, unknown events and garbage. */
  parse(line: string): TraceEvent | undefined {
    this.heard.lines += 1;
    const match = LINE.exec(line);
    if (match === null) return undefined;
    const [, task = '', pid, cpu, seconds, fraction = '', name = '', rest = ''] = match;
    const time = Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0'));
    const stamp = { line: this.heard.lines, time, cpu: Number(cpu), task, pid: Number(pid) };
    const [, iova = '', second = '', third = ''] =
      (name === 'map' ? MAP.exec(rest) : name === 'unmap' ? UNMAP.exec(rest) : null) ?? [];
    if (name === 'map' && iova !== '')
      return { kind: 'map', ...stamp, iova: hex(iova), paddr: hex(second), size: Number(third) };
    if (name === 'unmap' && iova !== '')
      return { kind: 'unmap', ...stamp, iova: hex(iova), size: Number(second), unmapped: Number(third) };
    const page = PAGE.exec(rest);
    if (page !== null && name === 'mm_page_alloc')
      return { kind: 'page-alloc', ...stamp, pfn: hex(page[1] ?? ''), order: Number(page[2]), gfp: '' };
    if (page !== null && name === 'mm_page_free')
      return { kind: 'page-free', ...stamp, pfn: hex(page[1] ?? ''), order: Number(page[2]), batched: false };
    return undefined;
  }
}

const hex = (digits: string): number => Number.parseInt(digits, 16);
