import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { machineOf } from '../machine.ts';
import type { ScriptMachine } from '../script.ts';
import { defaults, fewerOccupied, fewPages, smallerMachine } from './machine.ts';
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

  it('leaves numbers that are not there alone, but for the pages of which some are held', () => {
    expect(offers(smallerMachine, {})).to.deep.equal([]);
    const cut = offers(smallerMachine, {
      occupied: [
        [0, 1],
        [9, 1],
      ],
    });
    expect(cut).to.deep.include({ pages: 4, occupied: [[0, 1]] });
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

describe('fewer occupied pages', () => {
  it('frees halves, single runs, and single pages', () => {
    const machine = {
      occupied: [
        [0, 1],
        [2, 2],
      ] as const,
    };
    expect(offers(fewerOccupied, machine).map(({ occupied }) => occupied)).to.deep.equal([
      [[0, 1]],
      [[2, 2]],
      [
        [0, 1],
        [2, 1],
      ],
    ]);
    expect(offers(fewerOccupied, {})).to.deep.equal([]);
  });

  it('frees those that may be moved alike, and leaves the others', () => {
    const machine = { occupied: [[0, 1]] as const, movable: [[2, 2]] as const };
    expect(offers(fewerOccupied, machine)).to.deep.equal([{ occupied: [[0, 1]], movable: [[2, 1]] }]);
  });
});

describe('few pages instead of held ones', () => {
  it('are a machine of up to eight pages, or of single ones, with all else as it was', () => {
    const machine = { contexts: 2, occupied: [[0, 1]] as const, movable: [[2, 2]] as const };
    expect(offers(fewPages, machine)).to.deep.equal([
      { contexts: 2, orderMax: 0 },
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((pages) => ({ contexts: 2, pages })),
    ]);
    expect(offers(fewPages, { pages: 9 })).to.deep.equal([]);
  });
});

describe('defaults', () => {
  it('put everything back that is named, or halves of it, or each alone', () => {
    const machine = {
      pages: 8,
      occupied: [[0, 1]] as const,
      policies: { contexts: 'shared', placement: 'lifo' },
    };
    const offered = offers(defaults, machine);
    expect(offered[0]).to.deep.equal({});
    expect(offered).to.deep.include({ pages: 8, occupied: [[0, 1]] });
    expect(offered).to.deep.include({ ...machine, policies: { placement: 'lifo' } });
    expect(offers(defaults, {})).to.deep.equal([]);
  });

  it('are only put back where that leaves a machine', () => {
    const offered = offers(defaults, { pages: 128, occupied: [[100, 1]] });
    expect(offered).to.deep.equal([{}, { pages: 128 }]);
  });
});
