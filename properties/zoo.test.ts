import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type Bug, infect, ZOO } from '../targets/zoo/index.ts';
import { runScript } from './drive.ts';
import { type Finding, identityOf } from './finding.ts';
import { type Plan, Scripts } from './generate.ts';
import type { Script } from './script.ts';
import { type Shrunk, shrink } from './shrink/shrink.ts';
import { Stepper } from './stepper.ts';

/** Most bugs take one in a hundred of them at the most; what the others need is rare. */
const SCRIPTS = 6000;
const COMMANDS = 10;
const planOf = ({ only }: Bug): Plan => (only === undefined ? {} : { only: new Set(only) });

function hunt(bug: Bug): { readonly finding: Finding; readonly script: Script; smaller(): Shrunk } {
  const target = infect(bug);
  const stepper = new Stepper(SPEC, target);
  const scripts = new Scripts(SPEC, 1, planOf(bug));
  const run = (script: Script): Finding | undefined => runScript(stepper, target, script);
  for (let index = 0; index < SCRIPTS; index++) {
    const script = scripts.at(index);
    const finding = run(script);
    if (finding !== undefined) return { finding, script, smaller: () => shrink(SPEC, script, finding, run) };
  }
  return expect.fail('the bug was not found');
}

describe('the zoo', () => {
  for (const bug of ZOO.filter(({ needs }) => !needs.includes('second actor'))) {
    it(`${bug.name} is caught as ${bug.catches} first, and shrunk to at most ${COMMANDS} commands`, () => {
      const { finding, script, smaller } = hunt(bug);
      expect(finding.serves).to.equal(bug.catches);
      const shrunk = smaller();
      expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
      expect(shrunk.script.commands.length).to.be.at.most(Math.min(COMMANDS, script.commands.length));
      const target = infect(bug);
      expect(runScript(new Stepper(SPEC, target), target, shrunk.script)).to.deep.equal(shrunk.finding);
    }).timeout(20_000);
  }

  it('has a bug for every invariant', () => {
    const caught = new Set(ZOO.map((bug) => bug.catches));
    expect(SPEC.invariants.map(({ id }) => id).filter((id) => !caught.has(id))).to.deep.equal([]);
  });

  it('has bugs that one actor alone never meets', () => {
    for (const bug of ZOO.filter(({ needs }) => needs.includes('second actor'))) {
      const target = infect(bug);
      const stepper = new Stepper(SPEC, target);
      const scripts = new Scripts(SPEC, 1, planOf(bug));
      for (let index = 0; index < 200; index++)
        expect(runScript(stepper, target, scripts.at(index)), bug.name).to.equal(undefined);
    }
  });
});
