import { expect } from 'chai';
import type { Bar, PageBar } from '../traces/report.ts';
import { type Box, boxAt, neighbour, sceneOf } from './scene.ts';

const FIRST = 1000;
const LAST = 2000;
const bar = (from: number, to: number | undefined, more: Partial<Bar> = {}): Bar => ({
  ...{ iova: 0x10000, paddr: 0x5000, size: 4096, from, line: 1, task: 'dd', pid: 7 },
  ...(to === undefined ? {} : { to }),
  ...more,
});
const life = (from: number | undefined, to: number | undefined, pfn = 5): PageBar => ({
  ...{ pfn, count: 1 },
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});
const scene = (bars: readonly Bar[], pages: readonly PageBar[] = []) =>
  sceneOf({ bars, pages, barsSeen: bars.length, pagesSeen: pages.length }, FIRST, LAST);
const timesOf = (boxes: readonly Box[], style: Box['style']): number[][] =>
  boxes.filter((box) => box.style === style).map(({ begin, end }) => [begin, end]);
/** When the page was free while it was mapped. */
const exposures = (bars: readonly Bar[], pages: readonly PageBar[]): number[][] =>
  timesOf(scene(bars, pages).pages.boxes, 'free-while-mapped');

describe('web: scene', () => {
  it('draws what is not unmapped to the end, and as such', () => {
    const { boxes } = scene([bar(1100, 1200), bar(1300, undefined)]).mappings;
    expect(timesOf(boxes, 'mapped')).to.deep.equal([[100, 200]]);
    expect(timesOf(boxes, 'mapped-to-end')).to.deep.equal([[300, 1000]]);
  });

  it('shows when a page was free while it was mapped', () => {
    expect(exposures([bar(1100, 1500)], [life(1050, 1300)])).to.deep.equal([[300, 500]]);
    expect(exposures([bar(1100, undefined)], [life(1050, 1300), life(1400, 1900)])).to.deep.equal([
      [300, 400],
      [900, 1000],
    ]);
    expect(exposures([bar(1100, 1500)], [life(undefined, 1300)])).to.deep.equal([[300, 500]]);
  });

  it('shows nothing of the kind where the page was in use, or nobody knows', () => {
    expect(exposures([bar(1100, 1300)], [life(1050, 1300)])).to.deep.equal([]);
    expect(exposures([bar(1100, 1500)], [life(1050, undefined)])).to.deep.equal([]);
    expect(exposures([bar(1100, 1500)], [life(1200, 1600)]), 'before its first life').to.deep.equal([]);
    expect(exposures([bar(1100, 1500)], [life(1050, 1300), life(undefined, 1600)])).to.deep.equal([]);
    expect(exposures([bar(1100, 1500)], [life(1050, 1300, 6)]), 'another page').to.deep.equal([]);
  });

  it('takes a page for in use until all of its lives are over', () => {
    const block: PageBar = { pfn: 4, count: 4, from: 1010, to: 1800 };
    expect(exposures([bar(1100, 1700)], [life(1050, 1300), life(1400, 1500), block])).to.deep.equal([]);
  });

  it('believes a life that is shown for a finding alone where the finding is about the mapping', () => {
    const alone: PageBar = { ...life(undefined, 1300), findings: [3], alone: true };
    expect(exposures([bar(1100, 1500)], [alone])).to.deep.equal([]);
    expect(exposures([bar(1100, 1500, { findings: [2] })], [alone])).to.deep.equal([]);
    expect(exposures([bar(1100, 1500, { findings: [2, 3] })], [alone])).to.deep.equal([[300, 500]]);
  });

  it('shows only those pages of a mapping that were free', () => {
    const wide = bar(1100, 1500, { paddr: 0x4000, size: 3 * 4096 });
    const lives = [life(1000, 2000, 4), life(1000, 1300, 5), life(1000, 2000, 6)];
    const { boxes } = scene([wide], lives).pages;
    const wrong = boxes.filter(({ style }) => style === 'free-while-mapped');
    expect(wrong.map(({ from, to, bar: index }) => [from, to, index])).to.deep.equal([[1, 2, 0]]);
  });

  it('knows when events were lost, from the first event on', () => {
    const { gaps } = sceneOf({ bars: [], pages: [], barsSeen: 0, pagesSeen: 0 }, FIRST, LAST, [
      { to: 1100 },
      { from: 1200, to: 1300, count: 7 },
    ]);
    expect(gaps).to.deep.equal([
      { begin: 0, end: 100 },
      { begin: 200, end: 300 },
    ]);
  });

  it('keeps the addresses of two devices apart', () => {
    const { rows } = scene([
      bar(1100, 1200, { space: '0:1.0' }),
      bar(1100, 1200, { space: '0:2.0' }),
    ]).mappings;
    expect(rows.bands.map(({ space }) => space)).to.deep.equal(['0:1.0', '0:2.0']);
    expect(rows.bands[1])
      .to.have.property('from')
      .that.is.above(rows.bands[0]?.to ?? Infinity);
  });

  it('goes through mappings in the order of time, and stops at both ends', () => {
    const now = scene([bar(1300, 1400), bar(1100, 1200), bar(1200, 1250)]);
    const first = neighbour(now, undefined, 1);
    const second = neighbour(now, first, 1);
    expect([first, second, neighbour(now, second, 1)].map((box) => box?.bar)).to.deep.equal([1, 2, 0]);
    expect(neighbour(now, first, -1)).to.equal(first);
    expect(neighbour(now, neighbour(now, second, 1), 1)?.bar).to.equal(0);
    expect(neighbour(scene([]), undefined, 1)).to.equal(undefined);
  });

  it('finds what is under the pointer, or just beside it', () => {
    const { mappings } = scene([bar(1100, 1200), bar(1150, 1190), bar(1300, 1400)]);
    const found = (time: number, row = 0.5): number | undefined => boxAt(mappings, time, row, 10)?.bar;
    expect([found(120), found(160), found(195), found(205)]).to.deep.equal([0, 1, 0, 0]);
    expect([found(292), found(250), found(160, 1.5)]).to.deep.equal([2, undefined, undefined]);
  });
});
