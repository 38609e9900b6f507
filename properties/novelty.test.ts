import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { runChunk } from './campaign.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import { runScript } from './drive.ts';
import { CHUNK_SCRIPTS, type Plan, Scripts } from './generate.ts';
import { addTransitions, noteTransition, noveltyOf, type Transitions } from './novelty.ts';
import type { Script } from './script.ts';
import { Stepper } from './stepper.ts';
import { addCounts, type Counts, firstRows, noCounts } from './tally.ts';

/** Notes what each script of each machine shows. */
function noted(machines: readonly (readonly string[])[]): Transitions {
  const transitions: Transitions = new Map();
  let number = 0;
  for (const [machine, shown] of machines.entries()) {
    for (const script of shown) {
      for (const key of script) noteTransition(transitions, key, machine, number);
      number++;
    }
  }
  return transitions;
}

describe('noveltyOf', () => {
  it('counts the scripts that show what no other machine shows', () => {
    const transitions = noted([['aab', 'ac', 'ac'], ['ad'], ['a', 'a']]);
    expect(noveltyOf(transitions, 6)).to.deep.equal({ transitions: 4, sole: 3, chance: 4 / 6 });
  });

  it('knows no bound where nothing ran, and none but the number of scripts where all is shown twice', () => {
    expect(noveltyOf(new Map(), 0).chance).to.equal(1);
    expect(noveltyOf(noted([['ab'], ['ba']]), 2)).to.deep.equal({ transitions: 2, sole: 0, chance: 0 });
  });
});

describe('addTransitions', () => {
  const all = [['ab', 'a'], ['ac', 'd'], ['de'], ['e', 'af', 'f']];

  it('gives what all machines together would have given, however they are put together', () => {
    const whole = noveltyOf(noted(all), 8);
    for (const split of [1, 2, 3]) {
      const [first, rest] = [all.slice(0, split), all.slice(split)];
      for (const [one, other] of [
        [first, rest],
        [rest, first],
      ] as const) {
        const sum = noted(one);
        addTransitions(sum, noted(other), one.length, one.flat().length);
        expect(noveltyOf(sum, 8)).to.deep.equal(whole);
      }
    }
  });
});

/** The abstract transitions of a script. */
function shownBy(script: Script): string[] {
  const stepper = new Stepper(CLOAKROOM, new Cloakroom());
  expect(runScript(stepper, new Cloakroom(), script)).to.equal(undefined);
  return [...stepper.counts.transitions.keys()];
}

describe('an abstract transition', () => {
  it('is a call with its outcome, and how many there are of what it takes and gives', () => {
    const hang = { op: 'hang', colour: 1 };
    const commands = [
      { ...hang, as: 'a' },
      { op: 'fetch', ticket: 'a' },
      { op: 'fetch', ticket: 'a' },
      { ...hang, as: 'b' },
      { ...hang, as: 'c' },
      { ...hang, as: 'd' },
      { ...hang, as: 'e' },
      { ...hang, as: 'f', fail: { hook: 1 } },
    ];
    expect(shownBy({ format: 1, machine: { hooks: 3 }, commands })).to.deep.equal([
      'hang ok 0',
      'fetch ok 1',
      'fetch ENOENT 0',
      'hang ok 1',
      'hang ok 2',
      'hang ENOSPC 2',
      'hang ENOSPC after a fault 2',
    ]);
  });

  it('tells states apart as the specification does', () => {
    const classes = new Set(
      ['strict', 'lazy'].flatMap((invalidation) =>
        ['yes', 'no'].flatMap((coherent) =>
          [1, 4].map((pages) => {
            const policies = { invalidation, coherent };
            const script = {
              format: 1,
              machine: { pages, orderMax: 0, reserve: 0, policies },
              commands: [{ op: 'drain' }],
            };
            const stepper = new Stepper(SPEC, builtin());
            runScript(stepper, builtin(), script);
            return [...stepper.counts.transitions.keys()].join();
          }),
        ),
      ),
    );
    expect(classes.size).to.be.at.least(4);
  });
});

/** What the first scripts predict for the next, and the share of the next ones that show what the first did not. */
function compared(plan: Plan, seed: number, scripts: number): { predicted: number; actual: number } {
  const target = builtin();
  const source = new Scripts(SPEC, seed, plan);
  const stepper = new Stepper(SPEC, target);
  for (let index = 0; index < scripts; index++) runScript(stepper, target, source.at(index));
  const seen = new Set(stepper.counts.transitions.keys());
  const predicted = noveltyOf(stepper.counts.transitions, scripts).chance;
  let fresh = 0;
  for (let index = scripts; index < 2 * scripts; index++) {
    stepper.counts.transitions.clear();
    runScript(stepper, target, source.at(index));
    if ([...stepper.counts.transitions.keys()].some((key) => !seen.has(key))) fresh++;
  }
  return { predicted, actual: fresh / scripts };
}

describe('the chance of something new', function () {
  this.timeout(60_000);
  const layers = (...names: readonly string[]): Plan => ({
    only: new Set(Object.keys(SPEC.calls).filter((op) => names.includes(SPEC.calls[op]?.layer ?? ''))),
  });

  for (const [name, plan] of [
    ['all calls', {}],
    ['ion and gpu', layers('ion', 'gpu')],
    ['pages', layers('pages')],
  ] as const) {
    it(`is what comes true, within a factor of 1.5: ${name}`, () => {
      const { predicted, actual } = compared(plan, 1, 4 * CHUNK_SCRIPTS);
      expect(predicted / actual, `${predicted} and ${actual}`).to.be.within(1 / 1.5, 1.5);
    });
  }

  it('is the same for every order of chunks', () => {
    const chunks = [0, 1, 2].map(
      (chunk) =>
        runChunk({ spec: SPEC, target: builtin(), seed: 5, plan: layers('pages') }, chunk, 600).counts,
    );
    const noveltyIn = (order: readonly number[]): unknown => {
      const sum = noCounts(firstRows(SPEC).rows);
      for (const chunk of order) addCounts(sum, chunks[chunk] as Counts);
      return noveltyOf(sum.transitions, sum.scripts);
    };
    const expected = noveltyIn([0, 1, 2]);
    expect(expected).to.have.property('sole').that.is.above(10);
    expect(noveltyIn([2, 0, 1])).to.deep.equal(expected);
    expect(noveltyIn([1, 2, 0])).to.deep.equal(expected);
  });
});
