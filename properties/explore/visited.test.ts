import { expect } from 'chai';
import { SeededChoices } from '../choices.ts';
import { spread } from './fingerprint.ts';
import { Visited } from './visited.ts';

describe('Visited', () => {
  it('says what is new, and counts it once', () => {
    const visited = new Visited();
    expect([
      visited.add(...spread([1, 2])),
      visited.add(...spread([1, 2])),
      visited.add(...spread([2, 1])),
    ]).to.deep.equal([true, false, true]);
    expect(visited.size).to.equal(2);
  });

  it('has room for the fingerprint that is zero', () => {
    const visited = new Visited();
    expect([visited.add(...spread([0, 0])), visited.add(...spread([0, 0]))]).to.deep.equal([true, false]);
  });

  it('tells fingerprints apart that differ in one half, however many share the other', () => {
    const visited = new Visited();
    for (let high = 0; high < 2000; high++) expect(visited.add(...spread([-7, high]))).to.equal(true);
    for (let low = 0; low < 2000; low++) expect(visited.add(...spread([low << 20, -1]))).to.equal(true);
    expect(visited.size).to.equal(4000);
  });

  it('agrees with a set of strings while it grows', () => {
    const visited = new Visited();
    const set = new Set<string>();
    const choices = new SeededChoices(1, 0);
    for (let round = 0; round < 50_000; round++) {
      const [low, high] = [Math.imul(choices.below(5000), 0x9e3779b1), choices.below(4) - 2];
      expect(visited.add(...spread([low, high]))).to.equal(!set.has(`${low},${high}`));
      set.add(`${low},${high}`);
    }
    expect(visited.size).to.equal(set.size);
  }).timeout(20_000);
});
