import { expect } from 'chai';
import { TraceChecker } from './checker.ts';
import type { Sight } from './report.ts';

const HEAD = 'dd-17 [001] ..... ';
const MAP = 'map: IOMMU: iova=0x0000000000010000 - 0x0000000000011000 paddr=0x0000000000200000 size=4096';
const UNMAP = 'unmap: IOMMU: iova=0x0000000000010000 - 0x0000000000011000 size=4096 unmapped_size=4096';
const ALLOC = 'mm_page_alloc: page=0000000000000001 pfn=0x200 order=0 migratetype=0 gfp_flags=GFP_KERNEL';
const DMA_MAP = 'dma_map_page: 0000:00:02.0 dir=TO_DEVICE dma_addr=200000 size=4096 phys_addr=200000 attrs=';
const FREE = 'mm_page_free: page=0000000000000001 pfn=0x200 order=0';

function sightOf(bodies: readonly string[], before: readonly string[] = []): Sight {
  const checker = new TraceChecker({ file: 'a.txt' });
  for (const line of before) checker.line(line);
  for (const [at, body] of bodies.entries())
    checker.line(body.startsWith('CPU:') ? body : `${HEAD}1.${String(at).padStart(6, '0')}: ${body}`);
  return checker.end().sight;
}

describe('what a trace can show', () => {
  it('names the events that are missing, and what is blind for that', () => {
    const { blind, enable, verdict } = sightOf([MAP, UNMAP]);
    expect(enable).to.include.members(['kmem:mm_page_alloc', 'kmem:mm_page_free', 'dma']);
    expect(enable).to.not.include('iommu:map');
    expect(blind[0]).to.match(/^no kmem:mm_page_alloc, kmem:mm_page_free: pages freed .* cannot be seen$/);
    expect(verdict).to.match(
      /no sign of wrong unmaps; nothing is told of pages freed while mapped or of overlaps/,
    );
  });

  it('is not blind for what it shows', () => {
    const { blind, enable, verdict } = sightOf([ALLOC, MAP, UNMAP, FREE]);
    expect(enable).to.not.include('kmem:mm_page_alloc');
    expect(blind.join()).to.not.include('kmem');
    expect(verdict).to.match(
      /no sign of wrong unmaps or of pages freed while mapped; nothing is told of overlaps/,
    );
  });

  it('is worth nothing without mappings', () => {
    const { verdict, start } = sightOf([ALLOC, FREE]);
    expect(start).to.deep.equal(['nothing is mapped or unmapped in an IOMMU']);
    expect(verdict).to.equal('finding nothing means nothing: no mapping can be followed in this trace');
    expect(sightOf([]).verdict).to.equal(
      'finding nothing means nothing: no mapping can be followed in this trace',
    );
  });

  it('follows what drivers map where no IOMMU is traced', () => {
    const { verdict, start, blind } = sightOf([ALLOC, DMA_MAP, FREE]);
    expect(verdict).to.match(
      /no sign of pages freed while mapped or of overlaps.*; nothing is told of wrong unmaps$/,
    );
    expect(start.slice(0, 3)).to.deep.equal([
      'nothing is mapped or unmapped in an IOMMU',
      'mappings are what drivers asked for, whatever translates the addresses',
      'the first mapping is made 1 us after the first event',
    ]);
    expect(blind.join()).to.not.include('kmem');
  });

  it('says from when on mappings are seen', () => {
    expect(sightOf([ALLOC, ALLOC, MAP]).start[0]).to.equal(
      'the first mapping is made 2 us after the first event',
    );
    expect(sightOf([UNMAP]).start).to.deep.equal([
      'no mapping is made in it',
      'some of what is unmapped was mapped before; what else was is not known',
    ]);
  });

  it('tells what was lost, between the events of its CPU', () => {
    const { lost, verdict } = sightOf([MAP, 'CPU:1 [LOST 7 EVENTS]', UNMAP, 'CPU:1 [LOST EVENTS]', MAP]);
    expect(lost).to.deep.equal({
      ...{ events: 7, places: 2, uncounted: 1 },
      gaps: [
        { cpu: 1, from: 1e9, to: 1e9 + 2000, count: 7 },
        { cpu: 1, from: 1e9 + 2000, to: 1e9 + 4000 },
      ],
    });
    expect(verdict).to.include('(except where events were lost)');
  });

  it('tells what was overwritten before the first event', () => {
    const { lost } = sightOf([MAP], ['# entries-in-buffer/entries-written: 1/101   #P:2']);
    expect(lost).to.deep.equal({
      ...{ events: 100, places: 1, uncounted: 0 },
      gaps: [{ to: 1e9, count: 100 }],
    });
    expect(sightOf([MAP]).lost).to.deep.equal({ events: 0, places: 0, uncounted: 0, gaps: [] });
  });

  it('tells lines that could not be read', () => {
    expect(sightOf([MAP, UNMAP, 'unmap: IOMMU: iova=0x00']).verdict).to.include(
      '(except where lines could not be read)',
    );
  });
});

describe('a trace of two recordings', () => {
  const other = MAP.replaceAll('00010000', '00030000').replaceAll('00011000', '00031000');
  const lines = [
    'CPU:0 [LOST 3 EVENTS]',
    `${HEAD}5.000000: ${MAP}`,
    `${HEAD}5.000001: ${other}`,
    ...Array.from({ length: 40 }, (_, at) => `${HEAD}1.${String(at).padStart(6, '0')}: ${ALLOC}`),
    `${HEAD}1.500000: ${MAP}`,
    `${HEAD}1.600000: ${UNMAP}`,
  ];
  const checker = new TraceChecker({ file: 'a.txt' });
  for (const line of lines) checker.line(line);
  const { source, coverage, distributions } = checker.end();

  it('covers the time of both', () => {
    expect([source.first, source.last, source.events]).to.deep.equal([1e9, 5e9 + 1000, 44]);
  });

  it('does not take what the first left for alive in the second', () => {
    expect(coverage).to.include({ born: 3, died: 1, alive: 2, unknownDeaths: 0 });
    expect(Math.max(...distributions.live.values)).to.equal(2);
    expect(distributions.live.values.at(-1)).to.be.at.most(2);
    expect(distributions.spaces).to.have.length(1);
    expect(distributions.spaces[0]).to.include({ mappings: 3, alive: 2, bytesMost: 8192 });
  });
});
