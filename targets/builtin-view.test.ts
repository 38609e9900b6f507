import { expect } from 'chai';
import { type Machine, SPEC, type Target, type View } from '../model/index.ts';
import { runScript, Scripts, Stepper } from '../properties/index.ts';
import { builtin } from './builtin.ts';
import { infect, ZOO } from './zoo/index.ts';

const SCRIPTS = 10;

/** The same target, whose whole view is looked at after every call. */
function shownWhole(target: Target<Machine>): Target<Machine> {
  return {
    name: target.name,
    capabilities: target.capabilities,
    ...(target.calls === undefined ? {} : { calls: target.calls }),
    boot: (machine) => target.boot(machine),
    apply: (call) => target.apply(call),
    observe(view: View): void {
      target.observe(view);
      view.touched = ~(-1 << view.columns.length);
      for (const [at, { length }] of view.columns.entries()) {
        view.from?.fill(0, at, at + 1);
        view.to?.fill(length, at, at + 1);
      }
    },
  };
}

/** What every script comes to, and how often a view was wrong. */
function findings(target: Target<Machine>, only: readonly string[] | undefined): [unknown[], number] {
  const stepper = new Stepper(SPEC, target);
  const scripts = new Scripts(SPEC, 1, only === undefined ? {} : { only: new Set(only) });
  const found = Array.from({ length: SCRIPTS }, (_, index) => runScript(stepper, target, scripts.at(index)));
  const wrong = found.filter((finding) => finding?.kind === 'invariant' || finding?.kind === 'view');
  return [[...found, stepper.counts], wrong.length];
}

describe('what the built-in target says has changed', () => {
  it('is enough: looking at everything finds the same, at the same call', () => {
    let wrong = 0;
    for (const bug of ZOO) {
      const [narrow, count] = findings(infect(bug), bug.only);
      const [whole] = findings(shownWhole(infect(bug)), bug.only);
      expect(narrow, bug.name).to.deep.equal(whole);
      wrong += count;
    }
    expect(wrong).to.be.above(60);
  }).timeout(60_000);

  it('is enough for several who look at one target in turn', () => {
    const bug = ZOO.find(({ name }) => name === 'iotlb-without-tags') ?? expect.fail('there is no such bug');
    const target = infect(bug);
    const steppers = [new Stepper(SPEC, target), new Stepper(SPEC, target)];
    const scripts = new Scripts(SPEC, 1, {});
    for (let index = 0; index < 8 * SCRIPTS; index++) {
      const script = scripts.at(index);
      const alone = infect(bug);
      const expected = runScript(new Stepper(SPEC, alone), alone, script);
      const started = { ...script, commands: script.commands.slice(0, index % 8) };
      for (const run of [script, started, script]) {
        for (const stepper of steppers) {
          const found = runScript(stepper, target, run);
          if (run === script) expect(found, `script ${index}`).to.deep.equal(expected);
        }
      }
    }
  }).timeout(60_000);

  it('is little: most calls change less than half of what they touch', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target);
    const scripts = new Scripts(SPEC, 1);
    let narrow = 0;
    let touched = 0;
    const measured: Target<Machine> = {
      ...shownWhole(target),
      observe(view): void {
        target.observe(view);
        for (const [at, { length }] of view.columns.entries()) {
          if ((view.touched & (1 << at)) === 0 || length === 0) continue;
          touched++;
          if (2 * ((view.to?.[at] ?? length) - (view.from?.[at] ?? 0)) < length) narrow++;
        }
      },
    };
    for (let index = 0; index < SCRIPTS; index++)
      expect(runScript(stepper, measured, scripts.at(index))).to.equal(undefined);
    expect(narrow / touched).to.be.above(0.5);
  });
});
