import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { TraceChecker, type TraceReport } from '../traces/index.ts';
import { markedBy } from './marks.ts';
import { type Box, type Scene, sceneOf } from './scene.ts';

const FIXTURES = new URL('../../traces/fixtures/', import.meta.url);

function check(text: string): { readonly report: TraceReport; readonly scene: Scene } {
  const checker = new TraceChecker({ file: 'trace' });
  for (const line of text.split('\n')) checker.line(line);
  const report = checker.end();
  const { first = 0, last = first } = report.source;
  return { report, scene: sceneOf(report.timeline, first, last, report.sight.lost.gaps) };
}

const wrongIn = ({ pages }: Scene): Box[] => pages.boxes.filter(({ style }) => style === 'free-while-mapped');

const LATE_UNMAP = [
  'mm_page_alloc: page=0000000000000000 pfn=0x5a3c order=0 migratetype=0 gfp_flags=GFP_KERNEL',
  'map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000005a3c000 size=4096',
  'mm_page_free: page=0000000000000000 pfn=0x5a3c order=0',
  'unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096',
];

describe('web: recorded traces', () => {
  it('shows no page as free while mapped where there are mappings and pages', () => {
    const recorded = readdirSync(FIXTURES).filter((file) => /(work|api|race)\.ftrace\.txt\.gz$/.test(file));
    expect(recorded).to.have.length.of.at.least(6);
    for (const file of recorded) {
      const { report, scene } = check(gunzipSync(readFileSync(new URL(file, FIXTURES))).toString('latin1'));
      expect(scene.mappings.boxes.length, file).to.be.at.least(report.timeline.bars.length);
      expect(wrongIn(scene), file).to.deep.equal([]);
    }
  });

  it('shows what the checker finds, in the row that it marks', () => {
    const lines = LATE_UNMAP.map(
      (line, at) => `              dd-123     [000] .....     4.10000${at}: ${line}`,
    );
    const { report, scene } = check(lines.join('\n'));
    const [finding] = report.findings.filter(({ check: name }) => name === 'freed-while-mapped');
    if (finding === undefined) throw new Error('the checker finds nothing');
    const marked = markedBy(finding, report, scene);
    const wrong = wrongIn(scene);
    expect(wrong.map(({ begin, end }) => [begin, end])).to.deep.equal([[2000, 3000]]);
    expect(marked.pages).to.deep.equal(wrong.map(({ from, to }) => ({ from, to })));
    expect([...marked.bars]).to.deep.equal([0]);
  });
});
