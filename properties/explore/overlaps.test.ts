import { expect } from 'chai';
import { type Machine, SPEC, type Target } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { bugOf, infect } from '../../targets/zoo/index.ts';
import { runScript } from '../drive.ts';
import type { Finding } from '../finding.ts';
import { runSchedule } from '../interleave.ts';
import { Stepper } from '../stepper.ts';
import { explore, scriptOfPath } from './explore.ts';
import { LockstepSystem } from './lockstep-system.ts';
import type { Scope } from './scope.ts';

const named = (name: string): Scope => SPEC.scopes[name] ?? expect.fail(`there is no scope ${name}`);

const targetOf = (name: string): Target<Machine> => {
  const bug = bugOf(`zoo/${name}`);
  return bug === undefined ? builtin() : infect(bug);
};

/** What a move comes to where the search stands. */
function madeOf(system: LockstepSystem<Machine, never>, move: number): 'undue' | Finding | undefined {
  const made = system.make(move);
  if (made === 'undue') return made;
  const finding = made === 'made' ? (system.look() ?? system.lookFurther()) : made;
  system.back();
  return finding;
}

/** What the script of a path shows from boot. */
function shownBy(target: Target<Machine>, scope: Scope, path: readonly number[]): Finding | undefined {
  const script = scriptOfPath(SPEC, target, scope, path);
  const run = script.schedule === undefined ? runScript : runSchedule;
  return run(new Stepper(SPEC, target), target, script);
}

const identity = (finding: Finding | undefined): string =>
  finding === undefined ? 'holds' : `${finding.kind} ${finding.serves} ${finding.clause}`;

/** Every move of every state on one way, the way's own moves included: those of the table that make a thing each. */
function compare(name: string, scope: Scope, way: readonly string[]): { held: number; broken: number } {
  const system = new LockstepSystem(SPEC, targetOf(name), scope) as LockstepSystem<Machine, never>;
  const target = targetOf(name);
  const path: number[] = [];
  const seen = { held: 0, broken: 0 };
  for (const op of [...way, undefined]) {
    const count = system.count();
    for (let move = 0; move < count; move++) {
      const { call, during } = system.move(move);
      if (call.fail === undefined && during === undefined) continue;
      const made = madeOf(system, move);
      if (made === 'undue') continue;
      seen[made === undefined ? 'held' : 'broken']++;
      expect(identity(shownBy(target, scope, [...path, move])), JSON.stringify({ call, during })).to.equal(
        identity(made),
      );
    }
    if (op === undefined) break;
    const next = Array.from({ length: count }, (_, move) => move).find((move) => {
      const { call, during } = system.move(move);
      return call.op === op && call.fail === undefined && during === undefined;
    });
    path.push(next ?? expect.fail(`${op} cannot be made`));
    expect(system.make(path.at(-1) ?? 0)).to.equal('made');
  }
  system.close();
  return seen;
}

const BOUND = ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind'];
const MAPPED = ['alloc_pages', 'alloc_pages', 'iommu_domain_alloc', 'iommu_map'];
const SHARED = ['ion_client_create', 'ion_alloc', 'ion_share'];

describe('a search with faults and a second actor', () => {
  for (const [bug, scope, way] of [
    ['builtin', 'gpu-races', BOUND],
    ['late-reference', 'gpu-races', BOUND],
    ['builtin', 'ion-races', SHARED],
    ['shared-without-a-reference', 'ion-races', SHARED],
    ['builtin', 'ion-faults', BOUND],
    ['builtin', 'iommu-faults', MAPPED],
    ['reference-of-a-failed-bind', 'ion-faults', BOUND],
  ] as const) {
    it(`judges each move of ${scope} on ${bug} as its script is judged from boot`, () => {
      const { held, broken } = compare(bug, named(scope), way);
      expect(held).to.be.above(5);
      expect(broken > 0, `${broken} broken`).to.equal(bug !== 'builtin');
    }).timeout(10_000);
  }

  for (const [bug, scope, commands, preemptions] of [
    ['late-reference', 'gpu-races', 5, 1],
    ['known-before-it-is-counted', 'ion-races', 3, 1],
    ['mapped-twice-for-the-kernel', 'ion-races', 4, 1],
    ['split-for-nothing', 'pages-faults', 1, 0],
    ['failed-export-drops', 'ion-faults', 3, 0],
  ] as const) {
    it(`finds ${bug} in ${commands} commands, and not without`, () => {
      const { found } = explore(SPEC, targetOf(bug), named(scope));
      expect(found?.script.commands).to.have.lengthOf(commands);
      expect(found?.script.schedule ?? []).to.have.lengthOf(preemptions);
      expect(found?.script.commands.filter(({ fail }) => fail !== undefined)).to.have.lengthOf(
        1 - preemptions,
      );
      const without = { ...named(scope), faults: 0, overlaps: 0, depth: commands };
      expect(explore(SPEC, targetOf(bug), without).found).to.equal(undefined);
    });
  }

  it('spends its faults once: a script has one at the most', () => {
    const scope = { ...named('pages-faults'), depth: 3 };
    const once = explore(SPEC, builtin(), scope);
    const never = explore(SPEC, builtin(), { ...scope, faults: 0 });
    const twice = explore(SPEC, builtin(), { ...scope, faults: 2 });
    expect(never.states).to.be.below(once.states);
    expect(once.states).to.be.below(twice.states);
    expect(once.found ?? twice.found).to.equal(undefined);
  });
});
