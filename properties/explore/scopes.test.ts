import { expect } from 'chai';
import { type Choice, SPEC } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { machineOf } from '../machine.ts';
import { explore } from './explore.ts';

/** What some of them come to. A rule, a call or a value more, and the counts are others. */
const COUNTED = [
  ['pages-compacted', { states: 19, transitions: 89, depth: 6, ending: 'complete' }],
  ['metadata-one-page', { states: 31, transitions: 240, depth: 5, ending: 'complete' }],
  ['iommu-leaves-short', { states: 103, transitions: 769, depth: 7, ending: 'complete' }],
  ['iommu-lists-short', { states: 101, transitions: 968, depth: 5, ending: 'complete' }],
  ['dma-races', { states: 275, transitions: 2832, depth: 10, ending: 'complete' }],
  ['small-space', { states: 32, transitions: 175, depth: 9, ending: 'complete' }],
  ['ion-two-pages', { states: 8, transitions: 224, depth: 3, ending: 'complete' }],
  ['ion-reserve', { states: 80, transitions: 1406, depth: 9, ending: 'complete' }],
  ['ion-races', { states: 117, transitions: 4493, depth: 7, ending: 'depth' }],
  ['descriptors-imported', { states: 73, transitions: 1528, depth: 7, ending: 'depth' }],
  ['user-maps', { states: 212, transitions: 3985, depth: 7, ending: 'depth' }],
  ['user-maps-two', { states: 71, transitions: 3395, depth: 11, ending: 'complete' }],
  ['gpu-tags', { states: 318, transitions: 2013, depth: 7, ending: 'depth' }],
  ['smallest-space', { states: 197, transitions: 3307, depth: 11, ending: 'complete' }],
  ['whole', { states: 805, transitions: 4465, depth: 3, ending: 'depth' }],
  ['whole-faults', { states: 1126, transitions: 7585, depth: 3, ending: 'depth' }],
] as const;

describe('scopes', () => {
  for (const [name, expected] of COUNTED) {
    it(`${name} has ${expected.states} states, and the implementation holds in all of them`, () => {
      const scope = SPEC.scopes[name] ?? expect.fail(`there is no ${name}`);
      expect(explore(SPEC, builtin(), scope)).to.include(expected);
    }).timeout(10_000);
  }

  for (const [name, { machine, only, values = {}, depth, text }] of Object.entries(SPEC.scopes)) {
    it(`${name} names what there is`, () => {
      expect(() => machineOf(SPEC, machine)).to.not.throw();
      expect(depth).to.be.above(0);
      expect(text).to.match(/[^.]$/).and.to.have.lengthOf.at.most(110);
      expect(only).to.deep.equal([...new Set(only)]);
      for (const op of only) expect(SPEC.calls, op).to.have.property(op);
      for (const [op, given] of Object.entries(values)) {
        for (const [argument, choices] of Object.entries(given)) {
          const shape = SPEC.calls[op]?.args[argument] ?? expect.fail(`${op} has no ${argument}`);
          expect(
            choices.every((choice) => fits(choice, shape)),
            `${op} ${argument}`,
          ).to.equal(true);
        }
      }
    });
  }

  it('make every call there is', () => {
    const made = new Set(
      Object.entries(SPEC.scopes).flatMap(([name, { only }]) => (name.startsWith('whole') ? [] : only)),
    );
    const all = Object.keys(SPEC.calls).filter((op) => !made.has(op));
    expect(all).to.deep.equal([]);
  });

  it('are followed further in a night', () => {
    for (const [name, { depth, large, states, ...same }] of Object.entries(SPEC.scopes)) {
      if (large !== true) continue;
      const small = SPEC.scopes[name.replace(/-night$/, '')] ?? expect.fail(`${name} is of no other`);
      expect(small).to.include(same).and.not.include({ large });
      expect(depth).to.be.above(small.depth);
      expect(states).to.be.above(1_000_000);
    }
  });

  it('fault and interrupt calls in some', () => {
    const scopes = Object.values(SPEC.scopes);
    expect(scopes.filter(({ faults }) => faults === 1).length).to.be.at.least(5);
    expect(scopes.filter(({ overlaps }) => overlaps === 1).length).to.be.at.least(5);
  });
});

type Shape = NonNullable<(typeof SPEC.calls)[string]>['args'][string];

/** A choice has the form that the table of calls asks for. */
function fits(choice: Choice, shape: Shape): boolean {
  switch (shape.is) {
    case 'word':
      return typeof choice === 'string' && shape.of.includes(choice);
    case 'words':
      return Array.isArray(choice) && choice.every((word) => shape.of.includes(word));
    case 'address':
      return typeof choice === 'number' || (typeof choice === 'object' && 'offset' in choice);
    case 'number':
      return Number.isInteger(Number(choice));
    case 'ref':
    case 'refs':
      return Number.isInteger(choice);
  }
}
