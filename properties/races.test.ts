import { expect } from 'chai';
import { type Call, type Concurrent, SPEC } from '../model/index.ts';
import { type Builtin, builtin } from '../targets/builtin.ts';
import { type Bug, infect, ZOO } from '../targets/zoo/index.ts';
import { CLOAKROOM } from './cloakroom.test.ts';
import { identityOf } from './finding.ts';
import { type Plan, Scripts } from './generate.ts';
import { planOf, trialOf } from './property.ts';
import type { Script } from './script.ts';
import { shrink } from './shrink/shrink.ts';

/** None of them takes so many. */
const SCRIPTS = 2000;
const COMMANDS = 10;

const { points = {} } = builtin().concurrent;
const RACES = ZOO.filter(({ needs }) => needs.includes('second actor'));

const scriptsFor = (
  seed: number,
  { only }: Pick<Bug, 'only'>,
  concurrent?: Pick<Concurrent, 'points'>,
): Scripts<never, never> => {
  const plan: Plan = only === undefined ? {} : { only: new Set(only) };
  return new Scripts(SPEC, seed, planOf('schedule', SPEC, plan, concurrent)) as Scripts<never, never>;
};

describe('bugs that take a second actor', () => {
  for (const bug of RACES) {
    it(`${bug.name} is caught as ${bug.catches} first, and shrunk to at most ${COMMANDS} commands`, () => {
      const target = infect(bug);
      const trial = trialOf('schedule', SPEC, target);
      const scripts = scriptsFor(1, bug, target.concurrent);
      let index = 0;
      let found: ReturnType<typeof trial.run>;
      while (found === undefined && index < SCRIPTS) found = trial.run(scripts.at(index++));
      const { script, finding } = found ?? expect.fail('the bug was not found');
      expect(finding.serves).to.equal(bug.catches);
      const shrunk = shrink(SPEC, script, finding, trial.again);
      expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
      expect(shrunk.script.commands.length).to.be.at.most(COMMANDS);
      const { schedule, ...alone } = shrunk.script;
      expect(schedule, 'it takes a preemption').to.have.lengthOf.within(1, 2);
      expect(trial.again(alone), 'without one').to.equal(undefined);
      expect(trialOf('schedule', SPEC, builtin()).again(shrunk.script), 'without the bug').to.equal(
        undefined,
      );
    });

    it(`${bug.name} is not met by one actor alone, also where calls are made in steps`, () => {
      const trial = trialOf('schedule', SPEC, infect(bug));
      const scripts = scriptsFor(1, bug);
      for (let index = 0; index < 200; index++) expect(trial.run(scripts.at(index))).to.equal(undefined);
      expect(trial.counts.preemptions).to.equal(0);
      expect(trial.counts.commands).to.be.above(2000);
    });
  }
});

/** A target that notes which calls are made to stop where somebody else went on. */
function noting(target: Builtin): { readonly target: Builtin; readonly stopped: Set<string> } {
  const stopped = new Set<string>();
  const under = new Map<string, string>();
  const { start, resume } = target.concurrent;
  const concurrent: Concurrent = {
    ...target.concurrent,
    start(actor: string, call: Call) {
      for (const [other, op] of under) if (other !== actor) stopped.add(op);
      const answer = start(actor, call);
      if ('point' in answer) under.set(actor, call.op);
      return answer;
    },
    resume(actor: string) {
      const answer = resume(actor);
      if (!('point' in answer)) under.delete(actor);
      return answer;
    },
  };
  Object.defineProperty(target, 'concurrent', { value: concurrent });
  return { target, stopped };
}

describe('schedules that are drawn', () => {
  it('hold on the built-in target, stop every call that can be, and mostly come to pass', () => {
    const { target, stopped } = noting(builtin());
    const trial = trialOf('schedule', SPEC, target);
    const scripts = scriptsFor(3, {}, target.concurrent);
    for (let index = 0; index < 500; index++)
      expect(trial.run(scripts.at(index)), `script ${index}`).to.equal(undefined);
    expect([...stopped].sort()).to.deep.equal(Object.keys(points).sort());
    expect(trial.counts.preempted).to.be.within(200, 500);
    expect(trial.counts.preemptions).to.be.above(trial.counts.preempted);
  }).timeout(60_000);

  it('name a command that can stop, and an actor that has something to do', () => {
    const scripts = scriptsFor(3, {}, { points });
    const actors = new Set<string | undefined>();
    for (let index = 0; index < 200; index++) {
      const { commands, schedule = [] } = scripts.at(index);
      expect(schedule.length).to.be.at.most(3);
      for (const { in: name, point } of schedule) {
        const stopped = commands.find(({ as }) => as === name);
        // The end of a script is cut off, and a race with it.
        if (stopped !== undefined) expect(points).to.have.property(stopped.op).that.is.at.least(point);
      }
      for (const { actor } of commands) {
        if (actor !== undefined) expect(schedule.map(({ to }) => to)).to.include(actor);
        actors.add(actor);
      }
    }
    expect([...actors].sort()).to.deep.equal(['b', 'c', 'd', undefined]);
  });

  it('depend on seed and index alone', () => {
    const at = (index: number): Script => scriptsFor(3, {}, { points }).at(index);
    expect(at(7)).to.deep.equal(at(7));
    expect(at(7)).to.not.deep.equal(at(8));
  });

  it('are none, and change nothing of a script, where no call can be interrupted', () => {
    const plain = new Scripts(SPEC, 3);
    const scripts = scriptsFor(3, {});
    for (let index = 0; index < 50; index++) expect(scripts.at(index)).to.deep.equal(plain.at(index));
    const toys = new Scripts(CLOAKROOM, 1, planOf('schedule', CLOAKROOM, {}, { points: { hang: 2 } }));
    const stops = Array.from({ length: 50 }, (_, index) => toys.at(index).schedule ?? []).flat();
    expect(new Set(stops.map(({ point }) => point)), 'each point').to.deep.equal(new Set([1, 2]));
  });
});
