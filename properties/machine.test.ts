import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { CLOAKROOM } from './cloakroom.test.ts';
import { limitsOf, machineOf } from './machine.ts';
import { ScriptError, type ScriptMachine } from './script.ts';

function problemOf(machine: ScriptMachine): ScriptError {
  try {
    machineOf(SPEC, machine);
  } catch (cause) {
    if (cause instanceof ScriptError) return cause;
    throw cause;
  }
  return expect.fail('the machine is sound');
}

describe('machineOf', () => {
  it('fills in the defaults, the first value of each policy, and an empty start map', () => {
    const machine = machineOf(SPEC, { pages: 8, policies: { contexts: 'shared' } });
    expect(machine).to.include({ pages: 8, pageBytes: 64, orderMax: 3, ioBits: 12 });
    expect([machine.occupied, machine.movable]).to.deep.equal([[], []]);
    const first = Object.entries(SPEC.policies).map(([name, { values }]) => [name, values[0]]);
    expect(machine.policies).to.deep.equal({ ...Object.fromEntries(first), contexts: 'shared' });
  });

  it('keeps both start maps: who holds pages for good, and who may be moved', () => {
    const machine = { pages: 8, occupied: [[0, 2]] as const, movable: [[4, 3]] as const };
    expect(machineOf(SPEC, machine)).to.deep.include({ occupied: [[0, 2]], movable: [[4, 3]] });
  });

  it('gives the same object for the same object, so that targets know a machine again', () => {
    const machine = { pages: 8 };
    expect(machineOf(SPEC, machine)).to.equal(machineOf(SPEC, machine));
    expect(machineOf(SPEC, { pages: 8 })).to.not.equal(machineOf(SPEC, machine));
  });

  it('keeps the machines of two specifications apart', () => {
    const machine = {};
    expect(machineOf(CLOAKROOM, machine)).to.include({ hooks: 2 });
    expect(machineOf(SPEC, machine)).to.include({ pages: 64 });
  });

  for (const [path, machine] of [
    ['machine.paegs', { paegs: 8 }],
    ['machine.pages', { pages: 0 }],
    ['machine.pages', { pages: 8.5 }],
    ['machine.pages', { pages: '8' }],
    ['machine.orderMax', { orderMax: 11 }],
    ['machine.pageBytes', { pageBytes: 96 }],
    ['machine.policies.contxts', { policies: { contxts: 'shared' } }],
    ['machine.policies.contexts', { policies: { contexts: 'common' } }],
    ['machine', { lineBytes: 128 }],
    ['machine', { occupied: [[63, 2]] }],
    ['machine', { movable: [[63, 2]] }],
    ['machine', { occupied: [[3, 2]], movable: [[4, 1]] }],
  ] as const) {
    it(`names ${path} in ${JSON.stringify(machine)}`, () => {
      expect(problemOf(machine).path).to.equal(path);
    });
  }

  it('says what there is where a name is wrong', () => {
    expect(problemOf({ paegs: 8 }).message).to.include('known are pages, pageBytes');
    expect(problemOf({ policies: { contexts: 'common' } }).message).to.include('per-client, shared');
  });
});

describe('limitsOf', () => {
  it('is the machine with what follows from it, worked out once', () => {
    const machine = machineOf(SPEC, { orderMax: 2, ioBits: 9 });
    expect(limitsOf(SPEC, machine)).to.include({ blockPages: 4, ioPages: 8, addressEnd: 576 });
    expect(limitsOf(SPEC, machine)).to.equal(limitsOf(SPEC, machine));
  });

  it('knows no field or policy that every object has', () => {
    expect(() => machineOf(SPEC, { toString: 3 })).to.throw('machine.toString: there is no such field');
    const policies = { constructor: 'x' } as unknown as Record<string, string>;
    expect(() => machineOf(SPEC, { policies })).to.throw(
      'machine.policies.constructor: there is no such policy',
    );
  });
});
