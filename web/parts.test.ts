import { expect } from 'chai';
import { h } from 'preact';
import { renderToStaticMarkup } from 'preact-render-to-string';
import type { ToldReport, TraceFinding, TraceReport } from '../traces/index.ts';
import { TraceChecker } from '../traces/index.ts';
import { App } from './app.tsx';
import { Clock } from './clock.ts';
import { Details } from './details.tsx';
import { Distribution } from './distribution.tsx';

const stamp = { cpu: 1, task: '<b>dd</b>', pid: 7 };
const finding: TraceFinding = {
  ...{ check: 'freed-while-mapped', confidence: 'likely', assumptions: ['nothing-lost'], more: 2 },
  ...{ text: 'page 0x6 was freed while <mapped>', subject: { pfn: 6 } },
  evidence: [
    {
      role: 'freed here',
      event: { ...stamp, kind: 'page-free', line: 1234, time: 1_500_000, pfn: 6, order: 0, batched: false },
    },
  ],
};
const empty = new TraceChecker({ file: 'a & b' }).end();
const report: TraceReport = {
  ...empty,
  source: { ...empty.source, first: 1_000_000, last: 9_000_000 },
  findings: [finding],
  totals: { certain: 0, likely: 3, possible: 0 },
  risks: 0,
  timeline: {
    bars: [
      { iova: 0x1000, paddr: 0x6000, size: 8192, from: 1_100_000, line: 2, ...stamp },
      {
        iova: 0x9000,
        paddr: 0x8000,
        size: 4096,
        from: 2_000_000,
        to: 2_500_000,
        line: 3,
        endLine: 4,
        ...stamp,
      },
    ],
    pages: [{ pfn: 6, count: 2, to: 1_500_000, endLine: 1234 }],
    ...{ barsSeen: 2, pagesSeen: 1 },
  },
};
const wordsOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
const told = (each: TraceReport): ToldReport => ({
  report: each,
  source: 'ftrace, 9 lines',
  sight: [
    ['events', 'iommu:map 2'],
    ['blind', 'no faults', 'no flushes'],
  ],
  coverage: [['mappings', '2 made']],
  spaces: [
    ['device', 'mappings'],
    ['0000:00:04.0', '2'],
  ],
});
const app = (reports: readonly TraceReport[]): string =>
  renderToStaticMarkup(h(App, { reports: reports.map(told) }));

describe('web: parts', () => {
  it('begins with what was found, and what the trace can show', () => {
    const words = wordsOf(app([report]));
    expect(words).to.match(/^ ?a &amp; b ionclad check-trace 0 certain 3 likely 0 possible/);
    expect(words).to.include('Findings 3 likely freed-while-mapped and 2 more page 0x6 was freed');
    expect(words).to.match(
      /possible ftrace, 9 lines.*blind no faults; no flushes mappings 2 made.*events iommu:map 2/,
    );
    expect(words).to.match(/device mappings 0000:00:04.0 2 $/);
    expect(words.indexOf('certain')).to.be.below(words.indexOf('Mappings by I/O address'));
  });

  it('tells the events of a finding, and what it takes for granted', () => {
    const words = wordsOf(app([report]));
    expect(words).to.include('freed here at 0.001500 s (+0.000500 s), line 1,234, CPU 1,');
    expect(words).to.include('mm_page_free: ').and.to.include('pfn=0x6 order=0');
    expect(words).to.match(/takes for granted.*no event is missing/i);
  });

  it('shows what a trace says as text, and never as elements', () => {
    const html = app([report]);
    expect(html).to.include('&lt;b>dd').and.to.include('while &lt;mapped>');
    expect(html).not.to.include('<b>').and.not.to.include('<mapped>');
  });

  it('has a panel for pages only where pages are known', () => {
    expect(app([report])).to.include('Pages by frame number');
    const blind = { ...report, timeline: { ...report.timeline, pages: [] } };
    expect(app([blind]))
      .to.include('Mappings by I/O address')
      .and.not.to.include('Pages by frame number');
  });

  it('lets one choose among several traces', () => {
    expect(app([report, empty])).to.match(/<select>.*<option>a &amp; b<\/option>.*<\/select>/);
    expect(app([report])).not.to.include('<select>');
    expect(app([])).to.include('No trace');
  });

  it('says that nothing was found', () => {
    expect(wordsOf(app([empty]))).to.include('Findings 0 Nothing was found.');
  });

  it('tells a mapping, and a page, that is pointed at', () => {
    const place = { from: 0, to: 1, begin: 0, end: 1000 };
    const words = (more: { readonly bar?: number; readonly page?: number }): string =>
      wordsOf(renderToStaticMarkup(h(Details, { report, box: { ...place, style: 'mapped', ...more } })));
    expect(words({ bar: 0 }))
      .to.include('0x1000–0x2fff → physical 0x6000, 8 KiB; mapped by')
      .and.to.include('-7 at 0.001100 s (+0.000100 s), line 2, not unmapped in the 7.9 ms until the end');
    expect(words({ bar: 1 })).to.include('unmapped after 500 us at 0.002500 s (+0.001500 s), line 4');
    expect(words({ page: 0 }))
      .to.include('frame 0x6 2 pages from physical 0x6000; allocated not seen; freed at')
      .and.not.to.include('lived');
    expect(wordsOf(renderToStaticMarkup(h(Details, { report, box: undefined })))).to.include(
      'Point at a bar',
    );
  });

  it('draws a histogram from its first to its last count', () => {
    const histogram = {
      ...empty.distributions.sizes,
      counts: [...Array(12).fill(0), 8, 0, 4, 0],
      median: 4096,
    };
    const html = renderToStaticMarkup(h(Distribution, { title: 'Sizes', histogram, clock: new Clock({}) }));
    expect(wordsOf(html))
      .to.include('median 4 KiB')
      .and.to.match(/4 KiB 8 8 KiB 0 16 KiB 4 $/);
    expect(html.match(/width:\s*[\d.]+%/g)).to.deep.equal(['width:100%', 'width:0%', 'width:50%']);
  });

  it('draws no histogram of nothing', () => {
    const histogram = { ...empty.distributions.sizes, counts: [0, 0] };
    expect(
      renderToStaticMarkup(h(Distribution, { title: 'Sizes', histogram, clock: new Clock({}) })),
    ).to.equal('');
  });
});
