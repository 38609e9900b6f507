import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { runScript } from '../drive.ts';
import { type Finding, identityOf } from '../finding.ts';
import { Scripts } from '../generate.ts';
import type { Script } from '../script.ts';
import { isScript } from '../script-arbitrary.ts';
import { Stepper } from '../stepper.ts';
import { isSmaller, measure } from './measure.ts';
import { candidates, PASSES, Shrinking } from './shrink.ts';

/** One that needs fragmentation, one with a chain of handles, one of a device. */
const BUGS = ['no-vmalloc-fallback', 'exit-leaves-descriptors', 'last-segment-lost'];
const SEEDS = [1, 2, 3];

interface Failing {
  readonly script: Script;
  readonly finding: Finding;
  run(script: Script): Finding | undefined;
}

function failing(name: string, seed: number): Failing {
  const bug = ZOO.find((each) => each.name === name) ?? expect.fail(`there is no bug ${name}`);
  const target = infect(bug);
  const stepper = new Stepper(SPEC, target);
  const run = (script: Script): Finding | undefined => runScript(stepper, target, script);
  const scripts = new Scripts(SPEC, seed, { only: new Set(bug.only ?? Object.keys(SPEC.calls)) });
  for (let index = 0; index < 2000; index++) {
    const script = scripts.at(index);
    const finding = run(script);
    if (finding !== undefined) return { script, finding, run };
  }
  return expect.fail('the bug was not found');
}

/** Shrinks, and writes down what was kept. */
function shrunk({ script, finding, run }: Failing): { readonly kept: Script[]; readonly last: Script } {
  const shrinking = new Shrinking(SPEC, script, finding);
  const kept: Script[] = [];
  for (let next = shrinking.next(); next !== undefined; next = shrinking.next()) {
    const before = shrinking.best.script;
    shrinking.give(run(next));
    if (shrinking.best.script !== before) kept.push(shrinking.best.script);
  }
  return { kept, last: shrinking.best.script };
}

describe('the contract of shrinking', function () {
  this.timeout(20_000);

  for (const name of BUGS) {
    it(`${name}: the same finding, smaller each time, until nothing smaller is offered that shows it`, () => {
      for (const seed of SEEDS) {
        const found = failing(name, seed);
        const { kept, last } = shrunk(found);
        let size = measure(found.script, SPEC);
        for (const script of kept) {
          expect(identityOf(found.run(script) ?? expect.fail('nothing is found'))).to.equal(
            identityOf(found.finding),
          );
          expect(isSmaller(measure(script, SPEC), size)).to.equal(true);
          size = measure(script, SPEC);
        }
        expect(kept.at(-1)).to.equal(last);
        for (const { script } of candidates(last, SPEC)) {
          const other = found.run(script);
          if (other === undefined || identityOf(other) !== identityOf(found.finding)) continue;
          expect.fail(`${JSON.stringify(script)} is smaller and shows it, too`);
        }
      }
    });

    it(`${name}: the same script shrinks to the same, and what is shrunk stays as it is`, () => {
      const found = failing(name, 4);
      const { last } = shrunk(found);
      expect(shrunk(failing(name, 4)).last).to.deep.equal(last);
      expect(
        shrunk({ ...found, script: last, finding: found.run(last) ?? expect.fail('nothing') }).last,
      ).to.deep.equal(last);
    });
  }

  it('every pass offers scripts alone, whatever the script, and leaves it as it was', () => {
    const scripts = new Scripts(SPEC, 11);
    for (const script of [0, 1, 2, 3].map((index) => scripts.at(index))) {
      const some = { ...script, commands: script.commands.slice(0, 11) };
      const text = JSON.stringify(some);
      for (const pass of PASSES) {
        for (const candidate of pass.candidates(some, SPEC))
          expect(isScript(candidate, SPEC), `${pass.name}: ${JSON.stringify(candidate)}`).to.equal(true);
      }
      expect(JSON.stringify(some)).to.equal(text);
    }
  });
});
