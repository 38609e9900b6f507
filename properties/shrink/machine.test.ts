import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { machineOf } from '../machine.ts';
import type { ScriptMachine } from '../script.ts';
import { bareMachine, fewerOccupied, firstPolicies, smallerMachine } from './machine.ts';
import type { Pass } from './pass.ts';

const offers = (pass: Pass, machine: ScriptMachine): ScriptMachine[] =>
  Array.from(pass.candidates({ format: 1, machine, commands: [] }, SPEC), (script) => script.machine);

describe('smaller machine', () => {
  it('tries the eight least values of each number, half-way, and one less, each once', () => {
    const smaller = (pages: number): unknown[] =>
      offers(smallerMachine, { pages })
        .map((machine) => machine['pages'])
        .filter((value) => value !== pages);
    expect(smaller(32)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 16, 31]);
    expect(smaller(9)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(smaller(10)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(smaller(3)).to.deep.equal([1, 2]);
  });

  it('tries numbers that are not there too, if scripts are generated with several', () => {
    const fields = offers(smallerMachine, {}).flatMap((machine) => Object.keys(machine));
    expect(fields).to.include.members(['pages', 'orderMax', 'contexts']);
    expect(fields).to.not.include('lineBytes');
  });

  it('keeps powers of two, and offers sound machines alone', () => {
    const machines = offers(smallerMachine, { pageBytes: 512, pages: 8, occupied: [[2, 6]] });
    const sizes = machines.map((machine) => machine['pageBytes']).filter((bytes) => bytes !== 512);
    expect(sizes).to.deep.equal([64, 128, 256]);
    for (const machine of machines) expect(() => machineOf(SPEC, machine)).to.not.throw();
  });

  it('cuts off who holds pages that are no longer there', () => {
    const four = offers(smallerMachine, {
      pages: 8,
      occupied: [
        [1, 1],
        [3, 4],
      ] as const,
    }).find((machine) => machine['pages'] === 4);
    expect(four?.occupied).to.deep.equal([
      [1, 1],
      [3, 1],
    ]);
    expect(four).to.not.have.property('movable');
    const moved = offers(smallerMachine, { pages: 8, movable: [[2, 6]] });
    expect(moved.find((machine) => machine['pages'] === 4)?.movable).to.deep.equal([[2, 2]]);
  });
});

describe('first values of policies', () => {
  it('takes each policy back on its own', () => {
    const policies = { contexts: 'shared', layout: 'scattered', placement: 'lifo' };
    expect(offers(firstPolicies, { policies }).map((machine) => machine.policies)).to.deep.equal([
      { ...policies, contexts: 'per-client' },
      { ...policies, placement: 'lowest' },
    ]);
  });
});

describe('fewer occupied pages', () => {
  it('frees all, halves, single runs, and single pages', () => {
    const machine = {
      occupied: [
        [0, 1],
        [2, 2],
      ] as const,
    };
    expect(offers(fewerOccupied, machine).map(({ occupied }) => occupied)).to.deep.equal([
      [],
      [[2, 2]],
      [[0, 1]],
      [
        [0, 1],
        [2, 1],
      ],
    ]);
    expect(offers(fewerOccupied, {})).to.deep.equal([]);
  });

  it('frees those that may be moved alike, and leaves the others', () => {
    const machine = { occupied: [[0, 1]] as const, movable: [[2, 2]] as const };
    expect(offers(fewerOccupied, machine)).to.deep.equal([
      { occupied: [], movable: [[2, 2]] },
      { occupied: [[0, 1]], movable: [] },
      { occupied: [[0, 1]], movable: [[2, 1]] },
    ]);
  });
});

describe('defaults', () => {
  it('go, and nothing else', () => {
    const machine = {
      pages: 64,
      orderMax: 2,
      occupied: [],
      movable: [],
      policies: { contexts: 'shared', placement: 'lowest' },
    };
    expect(offers(bareMachine, machine)).to.deep.equal([{ orderMax: 2, policies: { contexts: 'shared' } }]);
    expect(offers(bareMachine, { orderMax: 2 })).to.deep.equal([]);
  });
});
