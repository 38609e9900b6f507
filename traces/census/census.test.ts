import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Series } from '../report.ts';
import { HistogramCounter } from './histogram.ts';
import { SeriesRecorder, STEPS } from './series.ts';

const histogramOf = (values: readonly number[]): HistogramCounter => {
  const histogram = new HistogramCounter('ns');
  for (const value of values) histogram.add(value);
  return histogram;
};

describe('histogram', () => {
  const values = fc.array(
    fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(2 ** 53 - 1, 2 ** 49 - 1, 2 ** 64)),
    {
      minLength: 1,
    },
  );

  it('counts each value in its power of two', () => {
    fc.assert(
      fc.property(values, (all) => {
        const { counts, total } = histogramOf(all).result;
        expect(total).to.equal(all.length);
        for (const [power, count] of counts.entries()) {
          const low = power === 0 ? 0 : 2 ** power;
          expect(count).to.equal(all.filter((value) => value >= low && value < 2 ** (power + 1)).length);
        }
        expect(counts.at(-1)).to.be.above(0);
      }),
    );
  });

  it('knows least and most exactly, and the median to 1/32', () => {
    fc.assert(
      fc.property(values, (all) => {
        const sorted = all.toSorted((a, b) => a - b);
        const median = sorted[Math.ceil(all.length / 2) - 1] ?? 0;
        const { result } = histogramOf(all);
        expect([result.least, result.most]).to.deep.equal([sorted[0], sorted.at(-1)]);
        expect(result.median).to.be.within(Math.max(result.least, median * (31 / 32)), median);
      }),
    );
  });

  it('has zeros where there is nothing', () => {
    expect(histogramOf([]).result).to.deep.equal({
      ...{ unit: 'ns', counts: [], total: 0, least: 0, median: 0, most: 0 },
    });
  });
});

describe('figures over time', () => {
  const change = fc.record({ wait: fc.nat(5_000), value: fc.nat(1_000) });
  const changes = fc.array(change, { minLength: 1, maxLength: 2_000 });
  const start = fc.nat(1e9);

  interface Recorded {
    readonly moments: readonly (readonly [time: number, value: number])[];
    readonly end: number;
    readonly series: Series;
  }

  const recorded = (
    first: number,
    all: readonly { readonly wait: number; readonly value: number }[],
  ): Recorded => {
    const recorder = new SeriesRecorder();
    let time = first;
    const moments = all.map(({ wait, value }) => {
      time += wait;
      recorder.set(time, value);
      return [time, value] as const;
    });
    const end = time + 1_000;
    return { moments, end, series: recorder.result(end) };
  };

  it('has the most of each step, as brute force finds it', () => {
    fc.assert(
      fc.property(start, changes, (first, all) => {
        const { moments, end, series } = recorded(first, all);
        for (const [at, from] of series.times.entries()) {
          const to = series.times[at + 1] ?? end + 1;
          const before = moments.findLast(([time]) => time < from)?.[1] ?? 0;
          const within = moments.filter(([time]) => time >= from && time < to).map(([, value]) => value);
          expect(series.values[at]).to.equal(Math.max(before, ...within));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('has the most of all, in a fixed number of steps', () => {
    fc.assert(
      fc.property(start, changes, (first, all) => {
        const { moments, series } = recorded(first, all);
        expect(Math.max(...series.values)).to.equal(Math.max(...moments.map(([, value]) => value)));
        expect(series.times.length).to.be.at.most(STEPS);
        expect(series.times[0]).to.equal(moments[0]?.[0]);
      }),
      { numRuns: 50 },
    );
  });

  it('counts what comes late as of the latest step', () => {
    const recorder = new SeriesRecorder();
    for (const [time, value] of [
      [100, 1],
      [100 + 4 * STEPS, 2],
      [50, 7],
    ] as const)
      recorder.set(time, value);
    const { times, values } = recorder.result(100 + 4 * STEPS);
    expect([times.at(-1), values.at(-1)]).to.deep.equal([100 + 4 * STEPS, 7]);
    expect(times[0]).to.equal(100);
  });

  it('is empty where nothing was told', () => {
    expect(new SeriesRecorder().result(5)).to.deep.equal({ times: [], values: [] });
  });
});
