import { expect } from 'chai';
import { SPEC, type Value } from '../model/index.ts';
import { nearMisses, unitsOf } from './near-miss.ts';

const near = (value: Value, units: readonly number[] = [], taken: readonly number[] = []): Value[] => [
  ...nearMisses(value, units, taken),
];

describe('near misses', () => {
  it('of a number are its neighbours, those a unit away, nothing, failure, and what is taken', () => {
    const pages = near({ pfn: 5 }, [64], [7]).map(({ pfn }) => pfn);
    expect(pages).to.have.members([6, 4, 69, -59, 7, 0, -1]);
  });

  it('are never the value itself', () => {
    const value = { table: 0, dma: 64, segments: [64, 128, 256, 64] };
    const texts = near(value, [64], [0, 128]).map((each) => JSON.stringify(each));
    expect(texts).to.have.length.above(50);
    expect(texts).not.to.include(JSON.stringify(value));
  });

  it('of a list have an entry too few, too many, twice, or in another place', () => {
    const pages = near({ handle: 1, pages: [4, 9] }).map((value) => value['pages']);
    expect(pages).to.deep.include.members([[], [4], [9], [4, 9, 9], [4, 9, 10], [9, 4], [4, 10], [5, 9]]);
  });

  it('move what is told twice in both places', () => {
    const values = near({ table: 0, dma: 64, segments: [64, 128] }, [64]);
    expect(values).to.deep.include({ table: 0, dma: 65, segments: [65, 128] });
    expect(values, 'and in one of them').to.deep.include({ table: 0, dma: 65, segments: [64, 128] });
  });

  it('are none of a call that gives nothing', () => {
    expect(near({})).to.deep.equal([]);
  });

  it('are counted in the units of the table of calls', () => {
    expect(unitsOf(SPEC)).to.have.members(['pageBytes', 'lineBytes']);
  });
});
