import { expect } from 'chai';
import fc from 'fast-check';
import { SPEC } from '../model/index.ts';
import { type Bug, infect, ZOO } from '../targets/zoo/index.ts';
import { CLOAKROOM } from './cloakroom.test.ts';
import { runScript } from './drive.ts';
import type { Finding } from './finding.ts';
import type { Script } from './script.ts';
import { holdsButFor, isScript, scripts } from './script-arbitrary.ts';
import { Stepper } from './stepper.ts';

function runOn(name: string): (script: Script) => Finding | undefined {
  const target = infect(ZOO.find((bug) => bug.name === name) ?? expect.fail(`there is no ${name}`));
  const stepper = new Stepper(SPEC, target);
  return (script) => runScript(stepper, target, script);
}

const PAGES = { only: new Set(['alloc_pages', 'free_pages']) };

/** Holds unless the script shows a finding that serves this invariant: another failure is not a failure here. */
const property = (run: (script: Script) => Finding | undefined, serves: string): fc.IProperty<[Script]> =>
  fc.property(scripts(SPEC, PAGES), (script) => run(script)?.serves !== serves);

const counterexampleOf = ({
  counterexample,
}: {
  readonly counterexample: readonly Script[] | null;
}): Script => counterexample?.[0] ?? expect.fail('the defect was not found');

describe('scripts for fast-check', () => {
  it('hold where nothing is wrong', () => {
    fc.assert(
      fc.property(scripts(CLOAKROOM), (script) => isScript(script, CLOAKROOM)),
      { seed: 1, numRuns: 200 },
    );
  });

  it('are as long as those of a run', () => {
    const lengths = fc
      .sample(scripts(SPEC), { seed: 1, numRuns: 300 })
      .map(({ commands }) => commands.length);
    expect(lengths.reduce((sum, length) => sum + length, 0) / 300).to.be.within(45, 55);
  });

  it('are the same for the same seed', () => {
    const sample = (seed: number): Script[] => fc.sample(scripts(SPEC), { seed, numRuns: 5 });
    expect(sample(1)).to.deep.equal(sample(1));
    expect(sample(1)).to.not.deep.equal(sample(2));
  });

  it('shrink to the minimum for every seed', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const script = counterexampleOf(fc.check(property(runOn('free-first-page-only'), 'C1'), { seed }));
      expect(script.commands, `seed ${seed}`).to.have.lengthOf(1);
      expect(script.commands[0]).to.include({ op: 'alloc_pages', order: 1 });
      expect(script.machine).to.deep.equal({});
    }
  }).timeout(20_000);

  it('replay exactly by seed and path', () => {
    const details = fc.check(property(runOn('no-merge'), 'S1'), { seed: 7 });
    const again = fc.check(property(runOn('no-merge'), 'S1'), {
      seed: details.seed,
      path: details.counterexamplePath ?? '',
      endOnFailure: true,
    });
    expect(again.numRuns).to.equal(1);
    expect(counterexampleOf(again)).to.deep.equal(counterexampleOf(details));
  });

  it('shrink when they are handed in as examples', () => {
    const alloc = { op: 'alloc_pages', order: 2 };
    const example: Script = {
      format: 1,
      machine: { pages: 64 },
      commands: [{ ...alloc, as: 'a' }, alloc, { op: 'free_pages', block: 'a' }, alloc],
    };
    const checked = property(runOn('free-first-page-only'), 'C1');
    const details = fc.check(checked, { seed: 1, numRuns: 1, examples: [[example]] });
    expect(details.numRuns).to.equal(1);
    expect(counterexampleOf(details).commands).to.have.lengthOf(1);
  });

  it('slide from one bug to another, unless a predicate keeps the first', () => {
    const bugs = ['free-first-page-only', 'order-as-enomem', 'no-merge'];
    const patch = (kernel: Parameters<Bug['patch']>[0]): void => {
      for (const bug of ZOO) if (bugs.includes(bug.name)) bug.patch(kernel);
    };
    const target = infect({ ...(ZOO[0] ?? expect.fail('the zoo is empty')), patch });
    const stepper = new Stepper(SPEC, target);
    const run = (script: Script): Finding | undefined => runScript(stepper, target, script);
    let slid = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const firsts: string[] = [];
      const noting = (script: Script): Finding | undefined => {
        const finding = run(script);
        if (finding !== undefined) firsts.push(finding.serves);
        return finding;
      };
      const any = fc.check(
        fc.property(scripts(SPEC, PAGES), (script) => noting(script) === undefined),
        { seed },
      );
      if (run(counterexampleOf(any))?.serves !== firsts[0]) slid++;
      const guarded = fc.check(fc.property(scripts(SPEC, PAGES), holdsButFor(run)), { seed });
      expect(run(counterexampleOf(guarded))?.serves, `seed ${seed}`).to.equal(firsts[0]);
    }
    expect(slid, 'without the guard').to.be.above(0);
  }).timeout(20_000);
});

describe('isScript', () => {
  const sound = { format: 1, machine: {}, commands: [{ op: 'alloc_pages', order: 0 }] };

  it('is true for what fits the table of calls', () => {
    expect(isScript(sound, SPEC)).to.equal(true);
    expect(isScript({ ...sound, commands: [{ op: 'free_pages', block: 'gone' }] }, SPEC)).to.equal(true);
  });

  for (const [name, value] of [
    ['nothing', undefined],
    ['null', null],
    ['a word', 'script'],
    ['no machine', { commands: [] }],
    ['no commands', { machine: {} }],
    ['a machine that cannot be', { ...sound, machine: { pages: -1 } }],
    ['a call that does not exist', { ...sound, commands: [{ op: 'alloc' }] }],
    ['an argument that is missing', { ...sound, commands: [{ op: 'alloc_pages' }] }],
    ['commands that are none', { ...sound, commands: [7] }],
    ['a script of another specification', { ...sound, commands: [{ op: 'hang', colour: 1 }] }],
  ] as const) {
    it(`is false for ${name}`, () => expect(isScript(value, SPEC)).to.equal(false));
  }
});
