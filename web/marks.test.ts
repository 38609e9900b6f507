import { expect } from 'chai';
import type { PageFreeEvent, UnmapEvent } from '../traces/event.ts';
import { TraceChecker, type TraceFinding, type TraceReport } from '../traces/index.ts';
import { markedBy } from './marks.ts';
import { sceneOf } from './scene.ts';

const stamp = { cpu: 0, task: 'dd', pid: 7 };
const free: PageFreeEvent = {
  ...stamp,
  kind: 'page-free',
  line: 5,
  time: 1500,
  pfn: 6,
  order: 0,
  batched: false,
};
const unmap: UnmapEvent = {
  ...stamp,
  kind: 'unmap',
  line: 9,
  time: 1900,
  iova: 0x2000,
  size: 4096,
  unmapped: 4096,
};
const mapping = { paddr: 0x6000, size: 4096, task: 'dd', pid: 7 };

const empty = new TraceChecker({ file: 'trace' }).end();
const report: TraceReport = {
  ...empty,
  source: { ...empty.source, first: 1000, last: 2000 },
  timeline: {
    bars: [
      { ...mapping, iova: 0x1000, from: 1100, line: 2 },
      { ...mapping, iova: 0x2000, from: 1200, to: 1900, line: 3, endLine: 9 },
    ],
    pages: [
      { pfn: 6, count: 1, from: 1000, to: 1500 },
      { pfn: 7, count: 1, from: 1000 },
    ],
    ...{ barsSeen: 2, pagesSeen: 2 },
  },
};
const scene = sceneOf(report.timeline, 1000, 2000);
const finding = (more: Partial<TraceFinding>): TraceFinding => ({
  ...{ check: 'freed-while-mapped', confidence: 'certain', assumptions: [], text: '', subject: {}, more: 0 },
  evidence: [
    { role: 'freed', event: free },
    { role: 'unmapped', event: unmap },
  ],
  ...more,
});

describe('web: marks', () => {
  it('numbers the events of a finding, in time from the first of the trace', () => {
    const { marks } = markedBy(finding({}), report, scene);
    expect(marks).to.deep.equal([
      { number: 1, time: 500 },
      { number: 2, time: 900 },
    ]);
  });

  it('marks the mappings and pages that the events name, and no others', () => {
    const marked = markedBy(finding({}), report, scene);
    expect([...marked.bars]).to.deep.equal([1]);
    expect(marked.mappings).to.deep.equal(
      scene.mappings.rows.stripes({ space: '', start: 0x2000, end: 0x3000 }),
    );
    expect(marked.pages).to.deep.equal([{ from: 0, to: 1 }]);
  });

  it('falls back to the address where no mapping is shown for the events', () => {
    const { bars, mappings, pages } = markedBy(
      finding({ evidence: [{ role: 'freed', event: free }], subject: { iova: 0x1800, size: 16, pfn: 7 } }),
      report,
      scene,
    );
    expect([...bars]).to.deep.equal([]);
    expect(mappings).to.deep.equal([{ from: 0, to: 1 }]);
    expect(pages).to.deep.equal([{ from: 1, to: 2 }]);
  });

  it('looks for the address at the device that is named, where there is one', () => {
    const bars = ['a', 'b'].map((space) => ({ ...mapping, space, iova: 0x1000, from: 1100, line: 2 }));
    const two = { ...report, timeline: { ...report.timeline, bars } };
    const there = sceneOf(two.timeline, 1000, 2000);
    const rows = (device: string) =>
      markedBy(finding({ evidence: [], subject: { device, iova: 0x1000 } }), two, there).mappings;
    expect(rows('b')).to.deep.equal(there.mappings.rows.stripes({ space: 'b', start: 0x1000, end: 0x2000 }));
    expect(rows('unheard of')).to.have.length(2);
  });

  it('marks no row where the finding is about none that is shown', () => {
    const { mappings, pages } = markedBy(finding({ evidence: [], subject: {} }), report, scene);
    expect([mappings, pages]).to.deep.equal([[], []]);
  });
});
