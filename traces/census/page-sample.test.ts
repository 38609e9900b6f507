import { expect } from 'chai';
import type { MapEvent, PageAllocEvent, PageFreeEvent, Stamp } from '../event.ts';
import { PAGE } from '../mapping.ts';
import { PageSample } from './page-sample.ts';

const stamp = (time: number): Stamp => ({ line: time, time, cpu: 0, task: 'dd', pid: 7 });
const allocated = (time: number, pfn: number): PageAllocEvent => ({
  ...{ kind: 'page-alloc', ...stamp(time), pfn, order: 0, gfp: '' },
});
const freed = (time: number, pfn: number): PageFreeEvent => ({
  ...{ kind: 'page-free', ...stamp(time), pfn, order: 0, batched: false },
});
function mapped(sample: PageSample, pfn: number): void {
  const place = { iova: 0, paddr: pfn * PAGE, size: PAGE };
  const born: MapEvent = { kind: 'map', ...stamp(0), ...place };
  sample.mapped({ ...place, born, died: undefined, space: undefined });
}

describe('traces: page sample', () => {
  it('keeps a life whose end was not seen when the next begins', () => {
    const sample = new PageSample();
    sample.allocated(allocated(1, 5));
    mapped(sample, 5);
    sample.allocated(allocated(7, 5));
    sample.freed(freed(9, 5));
    expect(sample.bars).to.deep.equal(
      [
        { pfn: 5, count: 1, from: 7, line: 7, to: 9, endLine: 9 },
        { pfn: 5, count: 1, from: 1, line: 1 },
      ].toSorted((a, b) => a.line - b.line),
    );
  });

  it('shows the latest lives of few pages, without one left out between them', () => {
    const sample = new PageSample();
    const lives = 9000;
    for (const [turn, pfn] of [0, 1, 2].flatMap((area) => Array(lives).fill(area * 512)).entries()) {
      sample.allocated(allocated(2 * turn + 1, pfn));
      mapped(sample, pfn);
      sample.freed(freed(2 * turn + 2, pfn));
    }
    const shown = sample.bars.map(({ line = 0 }) => line);
    const last = 2 * 3 * lives - 1;
    expect(shown.length).to.be.within(10_000, 20_000);
    expect(shown).to.deep.equal(Array.from(shown, (_, at) => last - 2 * (shown.length - 1 - at)));
  });
});
