import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { BUG_LAYERS, type Bug, infect, ORIGINS, ZOO } from '../targets/zoo/index.ts';
import { type Finding, identityOf } from './finding.ts';
import { type Plan, Scripts } from './generate.ts';
import { type PropertyName, planOf, trialOf } from './property.ts';
import type { Script, ScriptMachine } from './script.ts';
import { type Shrunk, shrink } from './shrink/shrink.ts';

/** Most bugs take one in a hundred of them at the most; what the others need is rare. */
const SCRIPTS = 6000;
const COMMANDS = 10;
/** Nothing on it runs short in a script, and while nobody occupies pages it has a block for whatever is asked. */
const PLENTY: ScriptMachine = {
  orderMax: 4,
  ...{ pages: 512, vmallocPages: 512, ioBits: 14, userPages: 64, reserve: 0, occupied: [], movable: [] },
  ...{ contexts: 16, clients: 16, handles: 64, fds: 64, sgTables: 64, jobs: 64, occupants: 64 },
};
/** Scripts on it; those with all faults tried are rather the first few of theirs. */
const PLENTY_SCRIPTS = 50;
const SWEPT_SCRIPTS = 100;
/** What goes wrong in it shows only after the call that failed, or is among what may stay behind. */
const BEYOND_THE_CALL = ['split-for-nothing', 'made-without-a-list'];

interface Caught {
  readonly finding: Finding;
  readonly script: Script;
  smaller(): Shrunk;
  /** What a script shows on a target that is as new. */
  again(script: Script): Finding | undefined;
}

/** Property that shows a bug, where one actor is enough. */
const propertyOf = ({ property }: Bug): PropertyName => (property === 'fault' ? property : 'lockstep');

function hunt(bug: Bug, property: PropertyName, count: number, plan: Plan = {}): Caught | undefined {
  const trial = trialOf(property, SPEC, infect(bug));
  const only = bug.only ?? Object.keys(SPEC.calls);
  const scripts = new Scripts(SPEC, 1, planOf(property, SPEC, { only: new Set(only), ...plan }));
  for (let index = 0; index < count; index++) {
    const found = trial.run(scripts.at(index));
    if (found === undefined) continue;
    const smaller = (): Shrunk => shrink(SPEC, found.script, found.finding, trial.again);
    return { ...found, smaller, again: (script) => trialOf(property, SPEC, infect(bug)).again(script) };
  }
  return undefined;
}

const needing = (need: Bug['needs'][number]): readonly Bug[] =>
  ZOO.filter(({ needs }) => needs.includes(need));

describe('the zoo', () => {
  for (const bug of ZOO.filter(({ needs }) => !needs.includes('second actor'))) {
    it(`${bug.name} is caught as ${bug.catches} first, and shrunk to at most ${COMMANDS} commands`, () => {
      const { finding, script, smaller, again } =
        hunt(bug, propertyOf(bug), SCRIPTS) ?? expect.fail('the bug was not found');
      expect(finding.serves).to.equal(bug.catches);
      const shrunk = smaller();
      expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
      expect(shrunk.script.commands.length).to.be.at.most(Math.min(COMMANDS, script.commands.length));
      expect(again(shrunk.script)).to.deep.equal(shrunk.finding);
    }).timeout(20_000);
  }

  it('has a bug for every invariant', () => {
    const caught = new Set(ZOO.map((bug) => bug.catches));
    expect(SPEC.invariants.map(({ id }) => id).filter((id) => !caught.has(id))).to.deep.equal([]);
  });
});

describe('bugs that need a fault', () => {
  it('are at least ten', () => {
    expect(needing('fault').length).to.be.at.least(10);
  });

  for (const bug of needing('fault')) {
    it(`${bug.name} shows where nothing runs short when faults are tried, and else it does not`, () => {
      const plan = { machine: PLENTY, noFaults: true };
      expect(hunt(bug, 'lockstep', PLENTY_SCRIPTS, plan)).to.equal(undefined);
      if (BEYOND_THE_CALL.includes(bug.name)) return;
      expect(hunt(bug, 'fault', SWEPT_SCRIPTS, plan)).not.to.equal(undefined);
    }).timeout(20_000);
  }
});

describe('bugs that need fragmentation', () => {
  it('do not show while free memory is in one piece', () => {
    for (const bug of needing('fragmentation')) {
      const only = new Set(bug.only ?? Object.keys(SPEC.calls));
      only.delete('occupy');
      const plan = { machine: PLENTY, noFaults: true, only };
      expect(hunt(bug, 'lockstep', PLENTY_SCRIPTS, plan), bug.name).to.equal(undefined);
    }
  }).timeout(20_000);
});

describe('what the zoo is made after', () => {
  const known = new Map(ORIGINS.map((origin) => [origin.id, origin]));
  const remade = new Set(ZOO.map(({ origin }) => origin).filter((origin) => origin !== 'invented'));

  it('is a list of bugs that kernels had, each once', () => {
    expect(known.size).to.equal(ORIGINS.length);
    for (const { id, what } of ORIGINS) expect(what.length, id).to.be.above(10);
  });

  it('names all that bugs are said to be after', () => {
    expect([...remade].filter((id) => !known.has(id))).to.deep.equal([]);
  });

  it('has a bug for each of them, or says what is missing for it, and never both', () => {
    const wrong = ORIGINS.filter(({ id, missing }) => remade.has(id) === (missing !== undefined));
    expect(wrong).to.deep.equal([]);
  });

  it('is re-created for at least 45 of them, and at least two bugs in every layer', () => {
    expect(remade.size).to.be.at.least(45);
    for (const layer of BUG_LAYERS)
      expect(ZOO.filter((bug) => bug.layer === layer).length, layer).to.be.at.least(2);
  });

  it('has two names for no bug', () => {
    expect(new Set(ZOO.map(({ name }) => name)).size).to.equal(ZOO.length);
  });
});
