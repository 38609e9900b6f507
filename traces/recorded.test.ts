import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { withoutTables } from '../bench/traces/expectations.ts';
import { ASSUMPTIONS, CHECKS, TraceChecker, type TraceReport } from './index.ts';

const FIXTURES = new URL('../../traces/fixtures/', import.meta.url);

/** Findings are explained one by one in `docs/traces.md`. */
interface Recorded {
  readonly mode: TraceReport['sight']['mode'];
  /** Mappings that were made, and those of them that were unmapped. */
  readonly born: number;
  readonly died: number;
  /** Those that a device was named for; kernels before 6.12 name none. */
  readonly named: number;
  readonly findings: readonly string[];
  readonly tolerances: Readonly<Record<string, number>>;
}

const lazyWindow = (pages: number, window: string): string =>
  `possible freed-in-lazy-window: ${pages} pages were freed before the IOTLB was told to forget them, ` +
  `one of them for ${window}`;

const NOTHING = { findings: [], tolerances: {} } as const;
const SHARED = { 'shared-buffer': 46 };

const RECORDED: Readonly<Record<string, Recorded>> = {
  'qemu-6.1-strict0-boot.ftrace': { mode: 'lazy', born: 74, died: 26, named: 0, ...NOTHING },
  'qemu-6.1-strict0-trace-cmd-report': { mode: 'unknown', born: 56, died: 56, named: 0, ...NOTHING },
  'qemu-6.1-strict0-work.ftrace': {
    ...{ mode: 'lazy', born: 1651, died: 1392, named: 0, tolerances: {} },
    findings: [lazyWindow(25, '13.2 ms')],
  },
  'qemu-6.1-strict1-boot.ftrace': { mode: 'strict', born: 74, died: 26, named: 0, ...NOTHING },
  'qemu-6.1-strict1-trace-cmd-report': { mode: 'strict', born: 128, died: 128, named: 0, ...NOTHING },
  'qemu-6.1-strict1-work.ftrace': { mode: 'strict', born: 1630, died: 1371, named: 0, ...NOTHING },
  'qemu-6.12-strict0-api.ftrace': {
    ...{ mode: 'lazy', born: 1505, died: 1059, named: 832, tolerances: SHARED },
    findings: [lazyWindow(4, '12.2 ms')],
  },
  'qemu-6.12-strict0-boot.ftrace': { mode: 'lazy', born: 39, died: 26, named: 38, ...NOTHING },
  'qemu-6.12-strict0-trace-cmd-report': { mode: 'unknown', born: 8, died: 8, named: 8, ...NOTHING },
  'qemu-6.12-strict1-api.ftrace': {
    ...{ mode: 'strict', born: 1510, died: 1061, named: 837, findings: [], tolerances: SHARED },
  },
  'qemu-6.12-strict1-boot.ftrace': { mode: 'strict', born: 51, died: 26, named: 50, ...NOTHING },
  'qemu-6.12-strict1-perf-script': { mode: 'unknown', born: 80, died: 80, named: 80, ...NOTHING },
  'qemu-6.12-strict1-race.ftrace': { mode: 'strict', born: 7, died: 6, named: 7, ...NOTHING },
  'qemu-6.12-strict1-trace-cmd-report': { mode: 'strict', born: 72, died: 72, named: 72, ...NOTHING },
  'qemu-6.12-strict1-work.ftrace': { mode: 'strict', born: 1508, died: 1250, named: 1508, ...NOTHING },
  'qemu-frag-work-strict1.ftrace': { mode: 'strict', born: 2224, died: 2224, named: 2224, ...NOTHING },
};

function linesOf(name: string): readonly string[] {
  const packed = readFileSync(new URL(`${name}.txt.gz`, FIXTURES));
  return gunzipSync(packed).toString('latin1').split('\n');
}

/** Microseconds between the free of each page that an unmap took away and the next flush of all. */
function windowsOf(lines: readonly string[]): readonly number[] {
  const below = new Map<number, number[]>();
  const dead = new Set<number>();
  const freed: number[] = [];
  const windows: number[] = [];
  const at = (line: string, key: string): number =>
    Number.parseInt(new RegExp(`${key}=(?:0x)?(\\w+)`).exec(line)?.[1] ?? '', key === 'size' ? 10 : 16);
  for (const line of lines) {
    const [, micros = '', name = ''] = /(\d+\.\d{6}): (\w+):/.exec(line) ?? [];
    const pages = Array.from({ length: at(line, 'size') / 4096 || 0 }, (_, each) => each);
    for (const each of pages) {
      const address = at(line, 'iova') / 4096 + each;
      const leads = below.get(address) ?? [];
      below.set(address, leads);
      const pfn = name === 'map' ? at(line, 'paddr') / 4096 + each : leads.pop();
      if (pfn !== undefined && name === 'map') leads.push(pfn);
      else if (pfn !== undefined) dead.add(pfn);
    }
    if (name === 'mm_page_free' && dead.delete(at(line, 'pfn'))) freed.push(Number(micros) * 1e6);
    if (!/iotlb_inv dmar0: 0x\w00e2 /.test(line)) continue;
    for (const each of freed.splice(0)) windows.push(Math.round(Number(micros) * 1e6 - each));
    dead.clear();
  }
  return windows;
}

describe('traces of real kernels', () => {
  it('qemu-6.1-strict0-work: its lazy window, counted without the checker', () => {
    const windows = windowsOf(linesOf('qemu-6.1-strict0-work.ftrace'));
    expect(windows).to.have.lengthOf(25);
    expect(Math.max(...windows)).to.equal(13_243);
  });

  it('are explained in a document that has all checks and assumptions', () => {
    const text = readFileSync(new URL('../../docs/traces.md', import.meta.url), 'utf8');
    const names = [...Object.keys(CHECKS), ...Object.keys(ASSUMPTIONS)];
    expect(names.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([]);
  });

  for (const [name, expected] of Object.entries(RECORDED))
    it(`${name}: ${expected.findings.length} findings, all of them explained`, () => {
      const lines = linesOf(name);
      const checker = new TraceChecker({ file: name });
      for (const line of lines) checker.line(line);
      const { sight, coverage, findings, tolerances } = checker.end();
      const told: Recorded = {
        mode: sight.mode,
        born: coverage.born,
        died: coverage.died,
        named: coverage.named,
        findings: findings.map(({ confidence, check, text }) => `${confidence} ${check}: ${text}`),
        tolerances: Object.fromEntries(tolerances.map((each) => [each.name, each.count])),
      };
      expect(told).to.deep.equal(expected);
      expect(coverage.born).to.equal(lines.filter((line) => / (iommu:)?map: +IOMMU/.test(line)).length);
    });

  /** Ranges that drivers mapped, and those of them that were unmapped. */
  for (const [name, born, died] of [
    ['qemu-6.12-strict0-api.ftrace', 81, 50],
    ['qemu-6.12-strict0-boot.ftrace', 36, 26],
    ['qemu-6.12-strict1-api.ftrace', 81, 50],
    ['qemu-6.12-strict1-perf-script', 8, 8],
    ['qemu-6.12-strict1-work.ftrace', 964, 707],
  ] as const)
    it(`${name}, of drivers and pages alone: nothing is found, ${born} ranges are followed`, () => {
      const checker = new TraceChecker({ file: name });
      for (const line of withoutTables(linesOf(name))) checker.line(line);
      const { coverage, findings } = checker.end();
      expect(findings.map(({ text }) => text)).to.deep.equal([]);
      expect([coverage.born, coverage.byDrivers, coverage.died]).to.deep.equal([born, born, died]);
    });
});
