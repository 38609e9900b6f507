import { expect } from 'chai';
import * as fc from 'fast-check';
import type { EventOf } from '../event.ts';
import type { TraceFinding } from '../finding.ts';
import { type Mapping, PAGE } from '../mapping.ts';
import type { PageBar } from '../report.ts';
import { PageLives } from './page-lives.ts';
import { PAGES_MAX, PageSample } from './page-sample.ts';
import { SpaceTally } from './space-tally.ts';
import { BARS_MAX, TimelineSample } from './timeline-sample.ts';

const stampOf = (line: number): Omit<EventOf<'other'>, 'kind' | 'name'> => ({
  ...{ line, time: 1000 * line, cpu: 0, task: 'dd', pid: 17 },
});

function mappingOf(line: number, pfn: number, pages = 1, space?: string): Mapping {
  const place = { iova: pfn * PAGE, paddr: pfn * PAGE, size: pages * PAGE };
  const born = { kind: 'map', ...stampOf(line), ...place } as const;
  return { id: line, ...place, born, space, died: undefined, doubtful: false, left: pages };
}

const allocOf = (line: number, pfn: number, order = 0): EventOf<'page-alloc'> => ({
  ...{ kind: 'page-alloc', ...stampOf(line), pfn, order, gfp: '' },
});
const freeOf = (line: number, pfn: number, order = 0, batched = false): EventOf<'page-free'> => ({
  ...{ kind: 'page-free', ...stampOf(line), pfn, order, batched },
});

const endsOf = ({ line, endLine }: PageBar): readonly (number | undefined)[] => [line, endLine];

describe('timeline', () => {
  it('shows all mappings of a short trace', () => {
    const sample = new TimelineSample();
    const mappings = [mappingOf(1, 5, 2, '0000:00:08.0'), mappingOf(2, 9)];
    for (const mapping of mappings) sample.born(mapping);
    const [first] = mappings;
    if (first !== undefined) first.died = stampOf(7);
    const { bars, barsSeen } = sample.timeline([], 0);
    const owner = { task: 'dd', pid: 17 };
    expect(bars).to.deep.equal([
      {
        ...{ iova: 5 * PAGE, paddr: 5 * PAGE, size: 2 * PAGE, space: '0000:00:08.0', ...owner },
        ...{ from: 1000, line: 1, to: 7000, endLine: 7 },
      },
      { iova: 9 * PAGE, paddr: 9 * PAGE, size: PAGE, ...owner, from: 2000, line: 2 },
    ]);
    expect(barsSeen).to.equal(2);
  });

  it('shows a sample at equal distances of a long one, and what findings name', () => {
    const sample = new TimelineSample();
    const seen = 3 * BARS_MAX;
    for (let line = 1; line <= seen; line += 1) sample.born(mappingOf(line, line));
    const unmap = { kind: 'unmap', ...stampOf(9), iova: 2 * PAGE, size: PAGE, unmapped: PAGE } as const;
    const finding: TraceFinding = {
      ...{ check: 'overlap', confidence: 'certain', assumptions: [], text: '', subject: {}, more: 0 },
      evidence: [
        { role: 'mapped here', event: mappingOf(2, 2).born },
        { role: 'freed here', event: freeOf(8, 2) },
        { role: 'unmapped here', event: unmap },
      ],
    };
    const { bars, pages, barsSeen } = sample.timeline([finding], 0);
    const lines = bars.map(({ line }) => line);
    expect(barsSeen).to.equal(seen);
    expect(lines.slice(0, -1)).to.deep.equal(Array.from({ length: seen / 4 }, (_, at) => 1 + 4 * at));
    expect(bars.at(-1)).to.include({ line: 2, endLine: 9 });
    expect(bars.at(-1)?.findings).to.deep.equal([0]);
    expect(bars[0]).to.not.have.property('findings');
    expect(pages).to.deep.equal([{ pfn: 2, count: 1, to: 8000, endLine: 8, alone: true, findings: [0] }]);
  });

  it('shows the range of a driver that a finding names, where no IOMMU shows it', () => {
    const ways = { direction: 'TO_DEVICE', api: 'page', device: '0000:00:08.0' } as const;
    const rangeOf = (line: number): EventOf<'dma-map'> => ({
      ...{
        kind: 'dma-map',
        ...stampOf(line),
        dma: line * PAGE,
        phys: 7 * PAGE,
        size: PAGE,
        ...ways,
        attrs: '',
      },
    });
    const unmap = { kind: 'dma-unmap', ...stampOf(9), dma: 2 * PAGE, size: PAGE, ...ways } as const;
    const finding: TraceFinding = {
      ...{
        check: 'freed-while-mapped',
        confidence: 'certain',
        assumptions: [],
        text: '',
        subject: {},
        more: 0,
      },
      evidence: [
        { role: 'mapped here', event: rangeOf(2) },
        { role: 'unmapped here', event: unmap },
      ],
    };
    const barsAt = (line: number, sample: TimelineSample): readonly unknown[] =>
      sample
        .timeline([finding], 0)
        .bars.filter((bar) => bar.line === line)
        .map(({ iova, paddr, endLine, findings }) => ({ iova, paddr, endLine, findings }));
    const shown = [{ iova: 2 * PAGE, paddr: 7 * PAGE, endLine: 9, findings: [0] }];
    const drivers = new TimelineSample();
    drivers.born({ iova: PAGE, paddr: 0, size: PAGE, born: rangeOf(1), space: ways.device, died: undefined });
    expect(barsAt(2, drivers)).to.deep.equal(shown);
    const tables = new TimelineSample();
    tables.born(mappingOf(1, 1));
    expect(barsAt(2, tables), 'the IOMMU has bars of its own').to.deep.equal([]);
  });
});

describe('lives of pages on the timeline', () => {
  it('are those of mapped pages, from the life on in which they were', () => {
    const sample = new PageSample();
    sample.allocated(allocOf(1, 4));
    sample.freed(freeOf(2, 4));
    sample.allocated(allocOf(3, 4, 1));
    sample.allocated(allocOf(4, 8));
    sample.mapped(mappingOf(5, 4, 2));
    sample.freed(freeOf(6, 4, 1));
    sample.freed(freeOf(7, 4, 1, true));
    sample.freed(freeOf(8, 8));
    sample.allocated(allocOf(9, 5));
    expect(sample.bars).to.deep.equal([
      { pfn: 4, count: 2, from: 3000, line: 3, to: 6000, endLine: 6 },
      { pfn: 5, count: 1, from: 9000, line: 9 },
    ]);
  });

  it('have no beginning where it was not seen', () => {
    const sample = new PageSample();
    sample.mapped(mappingOf(1, 4));
    sample.freed(freeOf(2, 4));
    expect(sample.bars).to.deep.equal([{ pfn: 4, count: 1, to: 2000, endLine: 2 }]);
  });

  it('are of some pages where there are many, and of these all', () => {
    const sample = new PageSample();
    const pages = 3 * PAGES_MAX;
    for (let pfn = 0; pfn < pages; pfn += 1024) sample.allocated(allocOf(pfn + 1, pfn, 10));
    for (let pfn = 0; pfn < pages; pfn += 512) sample.mapped(mappingOf(pfn, pfn, 512));
    const shown = sample.bars.reduce((sum, { count }) => sum + count, 0);
    expect(shown).to.be.within(pages / 4.4, pages / 3.6);
    for (let pfn = 0; pfn < 2048; pfn += 1) sample.freed(freeOf(pages + pfn, pfn));
    const ended = sample.bars.filter(({ endLine }) => endLine !== undefined);
    expect(ended.length).to.be.within(2048 / 4.8, 2048 / 3.2);
    expect(ended.every(({ pfn, line }) => line === pfn - (pfn % 1024) + 1)).to.equal(true);
  });

  it('are the latest ones of a page that changes hands very often', () => {
    const sample = new PageSample();
    sample.mapped(mappingOf(1, 4));
    const last = 44_000;
    for (let line = 2; line < last; line += 2) {
      sample.freed(freeOf(line, 4));
      sample.allocated(allocOf(line + 1, 4));
    }
    const { bars } = sample;
    expect(bars.length).to.be.within(10_000, 20_001);
    expect(bars.slice(-2).map(endsOf)).to.deep.equal([
      [last - 3, last - 2],
      [last - 1, undefined],
    ]);
  });
});

describe('lives of pages, counted', () => {
  it('are whole with both ends, and a page freed in a batch is freed once', () => {
    const lives = new PageLives();
    lives.allocated(allocOf(1, 4, 2));
    lives.freed(freeOf(2, 4, 1));
    lives.freed(freeOf(3, 4, 1, true));
    lives.freed(freeOf(4, 9));
    expect([lives.whole, lives.part], '6 and 7 live, the birth of 9 was not seen').to.deep.equal([2, 3]);
    lives.allocated(allocOf(5, 6));
    expect([lives.whole, lives.part], 'the free of 6 was not seen').to.deep.equal([2, 4]);
  });
});

describe('use of I/O addresses', () => {
  it('is what brute force finds, for each device and for what has none', () => {
    const step = fc.record({
      name: fc.constantFrom(undefined, 'a', 'b'),
      pfn: fc.nat(1000),
      pages: fc.integer({ min: 1, max: 8 }),
      dies: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tally = new SpaceTally();
        const alive: Mapping[] = [];
        const most = new Map<string | undefined, number>();
        const all = steps.map(({ name, pfn, pages, dies }, at) => {
          const mapping = mappingOf(at, pfn, pages, name);
          tally.born(mapping);
          alive.push(mapping);
          const bytes = alive.filter(({ space }) => space === name).reduce((sum, { size }) => sum + size, 0);
          most.set(name, Math.max(most.get(name) ?? 0, bytes));
          const dead = dies ? alive.shift() : undefined;
          if (dead !== undefined) tally.died(dead);
          return mapping;
        });
        const uses = tally.result(alive);
        expect(uses.length).to.equal(most.size);
        for (const use of uses) {
          const own = all.filter(({ space }) => space === use.space);
          expect(use).to.deep.include({
            mappings: own.length,
            alive: alive.filter(({ space }) => space === use.space).length,
            lowest: Math.min(...own.map(({ iova }) => iova)),
            highest: Math.max(...own.map(({ iova, size }) => iova + size - 1)),
            bytesMost: most.get(use.space),
          });
        }
      }),
    );
  });

  it('moves to a device once it is named', () => {
    const tally = new SpaceTally();
    const mapping = mappingOf(1, 4, 2);
    tally.born(mapping);
    mapping.space = 'a';
    tally.named(mapping);
    const use = { mappings: 1, alive: 1, lowest: 4 * PAGE, highest: 6 * PAGE - 1, bytesMost: 2 * PAGE };
    expect(tally.result([mapping])).to.deep.equal([{ space: 'a', ...use }]);
  });
});
