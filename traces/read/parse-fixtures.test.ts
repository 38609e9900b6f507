import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { TraceEvent } from '../event.ts';
import { TraceParser } from './parse.ts';

const FIXTURES = new URL('../../../traces/fixtures/', import.meta.url);
const FILES = readdirSync(FIXTURES).filter((name) => /(ftrace|report|script)\.txt\.gz$/.test(name));

const linesOf = (file: string): readonly string[] =>
  gunzipSync(readFileSync(new URL(file, FIXTURES)))
    .toString('latin1')
    .trimEnd()
    .split('\n');

/** Names by which events stand in reports, where that is not a group and the name that is printed. */
const PROBES: Readonly<Record<string, string>> = {
  attach: 'kprobe:dma_buf_dynamic_attach',
  attach_ret: 'kretprobe:dma_buf_dynamic_attach',
  map_attachment: 'kprobe:dma_buf_map_attachment',
  map_attachment_ret: 'kretprobe:dma_buf_map_attachment',
  unmap_attachment: 'kprobe:dma_buf_unmap_attachment',
  detach: 'kprobe:dma_buf_detach',
  export: 'kretprobe:dma_buf_export',
  tracing_mark_write: 'ftrace:print',
};

/** How often each name stands after a time, without looking at anything else. */
function namesIn(lines: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const name = /\d\.\d{6}: +(?:\w+:)?(\w+):/.exec(line)?.[1];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
const sorted = (counts: Iterable<readonly [string, number]>): unknown =>
  Object.fromEntries([...counts].toSorted());

const HEAD = /^ *(\S.*?)[- ]+(\d+) +\[(\d+)\] +(?:\S+ +)?(\d+)\.(\d{6}): +(?:\w+:)?(\w+): +(.*)$/;

/** The same from patterns, slowly; undefined for other events. */
function plainly(line: string): object | undefined {
  const [, task, pid, cpu, seconds, us, name, text = ''] = HEAD.exec(line) ?? [];
  const number = (key: string, base: number): number =>
    Number.parseInt(new RegExp(`\\b${key}=(?:0x)?(\\w+)`).exec(text)?.[1] ?? '', base);
  const stamp = {
    ...{ task, pid: Number(pid), cpu: Number(cpu) },
    time: Number(seconds) * 1e9 + Number(us) * 1e3,
  };
  const range = { iova: number('iova', 16), size: number('size', 10) };
  const page = { pfn: number('pfn', 16), order: number('order', 10) };
  if (name === 'map') return { kind: 'map', ...stamp, ...range, paddr: number('paddr', 16) };
  if (name === 'unmap') return { kind: 'unmap', ...stamp, ...range, unmapped: number('unmapped_size', 10) };
  if (name === 'mm_page_alloc') return { kind: 'page-alloc', ...stamp, ...page };
  if (name?.startsWith('mm_page_free')) return { kind: 'page-free', ...stamp, ...page };
  return undefined;
}

function read(file: string) {
  const lines = linesOf(file);
  const parser = new TraceParser();
  const events: TraceEvent[] = [];
  for (const line of lines) {
    const event = parser.parse(line);
    if (event !== undefined) events.push(event);
  }
  return { lines, events, heard: parser.heard };
}

/** Of the tool that a file was written by, as its name says. */
const formatOf = (file: string): string =>
  /trace-cmd|perf/.exec(file)?.[0] ?? (file.includes('ftrace') ? 'ftrace' : 'unknown');

describe('recorded traces', () => {
  const traces = new Map<string, ReturnType<typeof read>>();

  before(() => {
    for (const file of FILES) traces.set(file, read(file));
  });

  for (const file of FILES)
    it(`are read to the last line: ${file}`, () => {
      const { lines, events, heard } = traces.get(file) ?? read(file);
      expect(heard).to.include({ lines: lines.length, garbage: 0, malformed: 0, notices: 0, overwritten: 0 });
      expect(heard).to.include({ format: formatOf(file), ticks: false });
      expect(events.length).to.equal(sum(heard.seen.values()));
      expect(events.length + sum(heard.unknown.values()) + heard.headers).to.equal(lines.length);
      const printed = [...namesIn(lines)].map(([name, count]) => [PROBES[name] ?? name, count] as const);
      const heardNames = [...heard.seen, ...heard.unknown].map(
        ([name, count]) =>
          [/^k\w*probe|^ftrace/.test(name) ? name : name.replace(/^\w+:/, ''), count] as const,
      );
      expect(sorted(heardNames)).to.deep.equal(sorted(printed));
    });

  it('are so many that this means something', () => {
    expect(traces.size).to.equal(16);
    expect(sum([...traces.values()].map(({ events }) => events.length))).to.equal(25_878);
  });

  it('say of the most frequent events what plain patterns find in their lines', () => {
    let compared = 0;
    for (const { lines, events } of traces.values())
      for (const event of events) {
        const said = plainly(lines[event.line - 1] ?? '');
        if (said === undefined) continue;
        const read = new Map<string, unknown>(Object.entries(event));
        if (!Object.entries(said).every(([key, value]) => read.get(key) === value))
          expect(event).to.include(said);
        compared += 1;
      }
    expect(compared).to.equal(20_425);
  });

  it('lead bare records of trace-cmd and perf to the pages that the tables name', () => {
    const bare = FILES.filter((name) => /6\.12-strict1-(trace-cmd|perf)/.test(name));
    expect(bare.length).to.equal(2);
    for (const file of bare) {
      const maps = new Map<number, number>();
      let segments = 0;
      for (const event of traces.get(file)?.events ?? []) {
        if (event.kind === 'map') maps.set(event.iova, event.paddr);
        if (event.kind !== 'dma-map-sg') continue;
        expect(event).to.include({ segments: 1, truncated: false, direction: 'FROM_DEVICE' });
        expect(event.entries).to.equal(event.physes.length);
        expect(maps.get(event.dmas[0] ?? 0)).to.equal(event.physes[0]);
        segments += 1;
      }
      expect(segments, file).to.be.above(5);
    }
  });
});
