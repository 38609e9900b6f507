import { expect } from 'chai';
import { type Choices, choicesFrom, everyChoice, SeededChoices } from './choices.ts';

/** What a consumer makes of every sequence of choices. */
const everything = <T>(consume: (choices: Choices) => T): T[] => Array.from(everyChoice(), consume);

/** What a consumer makes of the first `count` scripts' choices. */
const seeded = (seed: number, index: number, count: number, bound = 1000): number[] => {
  const choices = new SeededChoices(seed, index);
  return Array.from({ length: count }, () => choices.below(bound));
};

describe('everyChoice', () => {
  it('enumerates exactly the product of independent questions, in lexical order', () => {
    const pairs = everything((choices) => [choices.below(3), choices.below(2), choices.below(2)].join(''));
    expect(pairs).to.have.lengthOf(12);
    expect(pairs).to.deep.equal([...new Set(pairs)].sort());
  });

  it('asks one consumer that asks nothing once', () => {
    expect(everything(() => 'once')).to.deep.equal(['once']);
  });

  it('follows questions that depend on earlier answers', () => {
    const lists = everything((choices) => {
      const length = choices.below(4);
      return Array.from({ length }, () => choices.below(2)).join('');
    });
    expect(lists).to.deep.equal([
      '',
      ...['0', '1'],
      ...['00', '01', '10', '11'],
      ...['000', '001', '010', '011', '100', '101', '110', '111'],
    ]);
  });

  it('follows bounds that depend on earlier answers', () => {
    const triangle = everything((choices) => choices.below(1 + choices.below(5)));
    expect(triangle).to.have.lengthOf(15);
  });

  it('picks every index with a weight once, and none without', () => {
    const picked = everything((choices) => [choices.pick([0, 5, 0, 1, 100]), choices.pick([0, 7])].join());
    expect(picked).to.deep.equal(['1,1', '3,1', '4,1']);
  });

  it('refuses a consumer whose questions depend on something else', () => {
    let calls = 0;
    const moody = (): unknown => everything((choices) => choices.below(2 + calls++) + choices.below(2));
    expect(moody).to.throw('the same choices led to another question');
  });
});

describe('SeededChoices', () => {
  it('gives the same numbers for the same seed and index', () => {
    expect(seeded(1, 7, 100)).to.deep.equal(seeded(1, 7, 100));
  });

  it('gives other numbers for another index, another seed, and another seed above 2^32', () => {
    const streams = [seeded(1, 7, 20), seeded(1, 8, 20), seeded(2, 7, 20), seeded(1 + 2 ** 32, 7, 20)];
    expect(new Set(streams.map((stream) => stream.join())).size).to.equal(streams.length);
  });

  it('stays below the bound, and reaches all of it', () => {
    for (const bound of [1, 2, 3, 7, 64]) {
      const drawn = new Set(seeded(3, 1, 2000, bound));
      expect([...drawn].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: bound }, (_, at) => at));
    }
  });

  it('is roughly uniform over one stream', () => {
    const counts = new Array<number>(10).fill(0);
    for (const value of seeded(11, 0, 20_000, 10)) counts[value] = (counts[value] ?? 0) + 1;
    for (const count of counts) expect(count).to.be.within(1800, 2200);
  });

  it('is roughly uniform over the first numbers of neighbouring indices, whose pairs are independent', () => {
    const counts = new Array<number>(16).fill(0);
    for (let index = 0; index < 16_000; index++) {
      const [here = 0] = seeded(5, index, 1, 4);
      const [next = 0] = seeded(5, index + 1, 1, 4);
      counts[4 * here + next] = (counts[4 * here + next] ?? 0) + 1;
    }
    for (const count of counts) expect(count).to.be.within(850, 1150);
  });

  it('picks in proportion to the weights', () => {
    const choices = new SeededChoices(1, 0);
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 8000; draw++) {
      const index = choices.pick([1, 0, 3]);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[1]).to.equal(0);
    expect(counts[0]).to.be.within(1800, 2200);
  });

  it('cannot pick where no weight is above 0', () => {
    expect(() => new SeededChoices(1, 0).pick([0, 0])).to.throw('no choice has a weight above 0');
  });
});

describe('choicesFrom', () => {
  it('picks the index that the number falls to', () => {
    const at = (number: number): number => choicesFrom(() => number).pick([2, 0, 3, 1]);
    expect([0, 1, 2, 3, 4, 5].map(at)).to.deep.equal([0, 0, 2, 2, 2, 3]);
  });
});
