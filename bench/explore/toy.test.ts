import { expect } from 'chai';
import { search } from '../../properties/explore/search.ts';
import { explore, type Scope } from '../../properties/index.ts';
import { TOY, ToyTarget, toyCounts } from './toy.ts';
import { ToySystem } from './toy-system.ts';

const scopeOf = (pages: number): Scope => ({ machine: { pages }, few: Math.max(2, pages), depth: 100 });

/** A page counts as used only while somebody has a handle. */
class Forgetful extends ToyTarget {
  protected override usesOf(page: number): number {
    const uses = super.usesOf(page);
    return this.holdersOf(page) === 0 ? 0 : uses;
  }
}

describe('bench/explore: the toy', () => {
  for (const [pages, depth] of [
    [1, 12],
    [2, 16],
  ] as const) {
    it(`has ${toyCounts(pages).states} states with ${pages} pages, as the formula says`, () => {
      const counts = { ...toyCounts(pages), depth, ending: 'complete', frontier: 0 };
      expect(explore(TOY, new ToyTarget(), scopeOf(pages))).to.include(counts);
      expect(search(new ToySystem(pages), { depth: 100, states: 1e9 })).to.include(counts);
    });
  }

  it('has as many as other tools count, by the formula', () => {
    expect(toyCounts(3).states).to.equal(153_664);
    expect(toyCounts(4)).to.deep.equal({ states: 1_679_616, transitions: 24_743_936 });
  });

  /** As other tools count it: what a swap does to the slots of one context it does to those of the other. */
  const jointly: typeof TOY = {
    ...TOY,
    symmetry: {
      sorts: (TOY.symmetry?.sorts ?? []).map(({ name, ids }) => ({ name, ids })),
      roles: (s) => TOY.symmetry?.roles(s) ?? [],
    },
  };

  for (const [name, spec, pages, orbits, renamings] of [
    ['the slots of both contexts swapped jointly', jointly, 3, 6_925, 24],
    ['the slots of each context swapped', TOY, 3, 4_513, 48],
    ['the slots of both contexts swapped jointly', jointly, 4, 20_974, 96],
  ] as const) {
    it(`has ${orbits} orbits with ${pages} pages and ${name}, which stand for all states`, () => {
      const { states, symmetry, ending } = explore(spec, new ToyTarget(), {
        ...scopeOf(pages),
        symmetry: true,
      });
      expect({ states, ending }).to.deep.equal({ states: orbits, ending: 'complete' });
      expect(symmetry).to.deep.equal({ renamings, standsFor: toyCounts(pages).states });
    }).timeout(20_000);
  }

  it('can be wrong', () => {
    const { found, ending } = explore(TOY, new Forgetful(), scopeOf(2));
    expect(ending).to.equal('found');
    expect(found?.finding).to.include({ kind: 'invariant', serves: 'USED' });
    expect(found?.script.commands.map(({ op }) => op)).to.deep.equal(['alloc', 'map', 'drop']);
  });
});
