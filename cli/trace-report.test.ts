import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ASSUMPTIONS, CHECKS, TraceChecker, type TraceFinding, type TraceReport } from '../traces/index.ts';
import { commands } from './program.ts';
import { recordingSession } from './session.ts';
import { traceMarkdown } from './trace-markdown.ts';
import { traceSarif } from './trace-sarif.ts';
import { traceText } from './trace-text.ts';

const HEAD = 'dd-17 [001] ..... ';
const LINES = [
  `${HEAD}1.000000: map: IOMMU: iova=0x0000000000010000 - 0x0000000000012000 paddr=0x0000000000200000 size=8192`,
  `${HEAD}1.000100: map: IOMMU: iova=0x0000000000020000 - 0x0000000000021000 paddr=0x0000000000300000 size=4096`,
  'CPU:1 [LOST 7 EVENTS]',
  `${HEAD}1.000300: unmap: IOMMU: iova=0x0000000000010000 - 0x0000000000012000 size=8192 unmapped_size=8192`,
];

function reportOf(lines: readonly string[], file: string): TraceReport {
  const checker = new TraceChecker({ file, mode: 'strict' });
  for (const line of lines) checker.line(line);
  return checker.end();
}

const stamp = { cpu: 1, task: 'dd', pid: 17 };
const FINDING: TraceFinding = {
  ...{ check: 'unmap-short', confidence: 'likely', assumptions: ['nothing-lost'] },
  text: 'only 4096 of 8192 bytes were mapped',
  subject: { iova: 0x10000, size: 8192 },
  evidence: [
    {
      role: 'mapped here',
      event: { kind: 'map', ...stamp, line: 1, time: 1e9, iova: 0x10000, paddr: 0x200000, size: 4096 },
    },
    {
      role: 'unmapped here',
      event: {
        ...{ kind: 'unmap', ...stamp, line: 4, time: 1_000_300_000 },
        ...{ iova: 0x10000, size: 8192, unmapped: 4096 },
      },
    },
  ],
  more: 2,
};

const quiet = { ...reportOf(LINES, 'a.txt'), findings: [], totals: { certain: 0, likely: 0, possible: 0 } };
const wrong = { ...quiet, findings: [FINDING], totals: { certain: 0, likely: 3, possible: 0 } };
const { io } = recordingSession();
const textOf = (report: TraceReport): string => traceText(report, io).join('\n');

const WORK = new URL('../../traces/fixtures/qemu-6.12-strict1-work.ftrace.txt.gz', import.meta.url);
const work = gunzipSync(readFileSync(WORK)).toString('latin1').split('\n');
const recorded = reportOf(work, 'work.txt');

/** A text that was looked at. With IONCLAD_GOLDEN=1 it is written instead: what changed shows in its diff. */
function golden(name: string, text: string): string {
  const file = new URL(`../../cli/test-data/${name}`, import.meta.url);
  if (process.env['IONCLAD_GOLDEN'] === '1') writeFileSync(file, text);
  return readFileSync(file, 'utf8');
}

describe('report of a trace: text', () => {
  it('tells what can be seen, what was found with its lines, and how much was covered', () => {
    const text = `${textOf(wrong)}\n`;
    expect(text).to.equal(golden('trace-report.txt', text));
  });

  it('says the same of a trace without findings, but for these', () => {
    const [head = '', rest = ''] = textOf(wrong).split('Findings: none certain, 3 likely');
    const coverage = rest.slice(rest.indexOf('Coverage'));
    expect(coverage).to.have.length.above(100);
    expect(textOf(quiet)).to.equal(
      `${head}Findings: none certain, none likely, none possible\n\n${coverage}`,
    );
  });

  it('says how many are risks, and how many are only counted', () => {
    const text = textOf({ ...wrong, totals: { certain: 1, likely: 4, possible: 0 }, risks: 1 });
    expect(text).to.include(
      'Findings: 1 certain, 4 likely, none possible; 1 of these is a risk, not a violation',
    );
    expect(text).to.include('\n\n  and 2 more findings of other devices and tasks\n\nCoverage');
  });

  it('fits into a mail, but for events and tables', () => {
    const long = textOf(recorded)
      .split('\n')
      .filter((line) => line.length > 100);
    expect(long).to.deep.equal([]);
  });

  it('lets no name of a task steer the terminal', () => {
    const [first, ...others] = FINDING.evidence;
    if (first === undefined) throw new Error('no evidence');
    const hostile = { ...first, event: { ...first.event, task: '\x1b[2Jdd\r\n' } };
    const text = textOf({ ...wrong, findings: [{ ...FINDING, evidence: [hostile, ...others] }] });
    expect(text.replaceAll('\n', '')).to.not.match(/\p{Cc}/u);
    expect(text.split('\n').length).to.equal(textOf(wrong).split('\n').length);
  });

  it('of nothing has no figures', () => {
    const text = textOf(reportOf([], 'empty'));
    expect(text).to.include('no known format, 0 lines, no event');
    expect(text).to.not.match(/sizes|lifetimes|over time|NaN|Infinity|undefined/);
  });
});

describe('report of a trace: Markdown', () => {
  it('has the same facts', () => {
    const text = traceMarkdown([wrong]);
    expect(text).to.equal(golden('trace-report.md', text));
  });

  it('keeps the words of a trace from being markup', () => {
    const text = traceMarkdown([{ ...wrong, findings: [{ ...FINDING, text: '<b>*`|' }] }]);
    expect(text).to.include('\\<b\\>\\*\\`\\|.');
  });
});

describe('report of a trace: SARIF', () => {
  it('has a result for each finding, at the line that broke the rule', () => {
    const { runs } = JSON.parse(traceSarif([wrong]));
    const [{ ruleIndex, ...result }] = runs[0].results;
    expect(runs[0].tool.driver.rules[ruleIndex].id).to.equal('unmap-short');
    const place = (startLine: number, text: string): unknown => ({
      physicalLocation: { artifactLocation: { uri: 'a.txt' }, region: { startLine } },
      message: { text },
    });
    const map = 'iova=0x0000000000010000 - 0x0000000000011000 paddr=0x0000000000200000 size=4096';
    const unmap = 'iova=0x0000000000010000 - 0x0000000000012000 size=8192 unmapped_size=4096';
    expect(result).to.deep.equal({
      ruleId: 'unmap-short',
      level: 'warning',
      message: {
        text: `likely: ${FINDING.text}; if: ${ASSUMPTIONS['nothing-lost']}; 2 more of this kind, device and task`,
      },
      locations: [place(4, `unmapped here: dd-17 [001] 1.000300: unmap: IOMMU: ${unmap}`)],
      relatedLocations: [place(1, `mapped here: dd-17 [001] 1.000000: map: IOMMU: ${map}`)],
      partialFingerprints: { 'ionclad/v1': 'unmap-short   65536  4' },
    });
  });

  it('tells all rules, and no result where nothing was found', () => {
    const { runs } = JSON.parse(traceSarif([quiet, quiet]));
    expect(runs[0].results).to.deep.equal([]);
    const ids = runs[0].tool.driver.rules.map(({ id }: { readonly id: string }) => id);
    expect(ids).to.deep.equal(Object.keys(CHECKS));
  });

  it('has a level by confidence, and risks are notes', () => {
    const levels = (['certain', 'likely', 'possible'] as const).map((confidence) => ({
      ...FINDING,
      confidence,
    }));
    const risk = { ...FINDING, check: 'leak', confidence: 'certain' } as const;
    const { runs } = JSON.parse(traceSarif([{ ...wrong, findings: [...levels, risk] }]));
    const shown = runs[0].results.map(({ level }: { readonly level: string }) => level);
    expect(shown).to.deep.equal(['error', 'warning', 'note', 'note']);
  });
});

describe('report of a trace: JSON', () => {
  it('is the same after it was written and read', () => {
    for (const report of [recorded, wrong, reportOf([], 'empty')])
      expect(JSON.parse(JSON.stringify(report))).to.deep.equal(report);
  });

  it('has the same bytes for the same trace', () => {
    expect(JSON.stringify(reportOf(work, 'work.txt'))).to.equal(JSON.stringify(recorded));
  });
});

describe('report of a trace: files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ionclad-report-'));
  const trace = join(folder, 'trace.txt');
  writeFileSync(trace, `${LINES.join('\n')}\n`);

  after(() => rmSync(folder, { recursive: true }));

  it('are written in all forms at once', async () => {
    const session = recordingSession();
    const [markdown, sarif] = [join(folder, 'new', 'a.md'), join(folder, 'a.sarif')];
    const args = ['check-trace', trace, '--markdown', markdown, '--sarif', sarif];
    expect(await commands(args, session)).to.equal(0);
    expect(readFileSync(markdown, 'utf8')).to.match(/^# .*trace\.txt\n\nftrace, 4 lines, 3 events/);
    expect(JSON.parse(readFileSync(sarif, 'utf8')).version).to.equal('2.1.0');
  });

  it('are refused before the trace is read', async () => {
    for (const [path, code] of [
      [folder, 'EISDIR'],
      [join(trace, 'below'), 'ENOTDIR'],
    ] as const) {
      const session = recordingSession();
      const run = commands(['check-trace', join(folder, 'missing'), '--sarif', path], session);
      const error: unknown = await run.then(
        () => undefined,
        (cause: unknown) => cause,
      );
      expect(String(error)).to.equal(`UsageError: ${path} cannot be written: ${code}`);
      expect(session.recorded()).to.deep.equal({ out: '', err: '' });
    }
  });
});
