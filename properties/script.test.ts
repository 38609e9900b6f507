import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { SeededChoices } from './choices.ts';
import { runScript } from './drive.ts';
import { Scripts } from './generate.ts';
import { machineOf } from './machine.ts';
import { compile } from './program.ts';
import { argumentsOf, isLiteral, nameOf, type Script, ScriptError } from './script.ts';
import { isScript } from './script-arbitrary.ts';
import { Stepper } from './stepper.ts';

const scripts = new Scripts(SPEC, 1);

/** Some of the commands, in their order. */
function subsequence(script: Script, index: number): Script {
  const choices = new SeededChoices(9, index);
  const keep = 1 + choices.below(4);
  return { ...script, commands: script.commands.filter(() => choices.below(5) < keep) };
}

describe('script', () => {
  it('survives JSON, and then compiles to the same steps', () => {
    for (let index = 0; index < 100; index++) {
      const script = scripts.at(index);
      const read: Script = JSON.parse(JSON.stringify(script));
      expect(read).to.deep.equal(script);
      const steps = compile(SPEC, script, machineOf(SPEC, script.machine));
      expect(compile(SPEC, read, machineOf(SPEC, read.machine))).to.deep.equal(steps);
    }
  });

  it('is total: every subsequence is a script, and holds', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target);
    for (let index = 0; index < 300; index++) {
      const part = subsequence(scripts.at(index % 100), index);
      expect(isScript(part, SPEC)).to.equal(true);
      expect(runScript(stepper, target, part), `script ${index}`).to.equal(undefined);
    }
    expect(stepper.counts.skippedMissing, 'commands without what they refer to').to.be.above(100);
  });

  it('may name results in any order of its commands', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target);
    for (let index = 0; index < 50; index++) {
      const script = scripts.at(index);
      const backwards = { ...script, commands: script.commands.toReversed() };
      expect(runScript(stepper, target, backwards)).to.equal(undefined);
    }
  });

  it('tells arguments from its other keys', () => {
    const command = { op: 'ion_free', as: 'x', actor: 'a', fail: { id: 1 }, client: 'c', handle: 99 };
    expect(argumentsOf(command)).to.deep.equal([
      ['client', 'c'],
      ['handle', 99],
    ]);
  });

  it('tells names, fields and literals apart', () => {
    expect(['m', 'm.dma'].map(nameOf)).to.deep.equal(['m', 'm']);
    expect(['0xff', 'm'].map(isLiteral)).to.deep.equal([true, false]);
  });

  it('has errors that name the field', () => {
    expect(new ScriptError('commands[3].handle', 'is odd')).to.include({
      name: 'ScriptError',
      path: 'commands[3].handle',
      message: 'commands[3].handle: is odd',
    });
  });
});
