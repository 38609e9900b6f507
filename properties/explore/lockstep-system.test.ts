import { expect } from 'chai';
import { type Machine, SPEC, type Target } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { bugOf, infect } from '../../targets/zoo/index.ts';
import { LockstepSystem } from './lockstep-system.ts';
import type { Scope } from './scope.ts';
import { type Searched, search } from './search.ts';

const named = (name: string): Scope => SPEC.scopes[name] ?? expect.fail(`there is no scope ${name}`);

const infected = (name: string): Target<Machine> =>
  infect(bugOf(`zoo/${name}`) ?? expect.fail(`there is no ${name}`));

/**
 * The same search where everything is asked after every move, not only of new states, and everything is given back to
 * the last thing: where findings are chosen, a state that was visited says nothing.
 */
function searched(target: Target<Machine>, scope: Scope, isWary: boolean): Searched {
  const system = new LockstepSystem(SPEC, target, scope);
  if (isWary) system.asksToLook = () => true;
  return search(system, { depth: Math.min(scope.depth, 5), states: 20_000 }, isWary ? () => true : undefined);
}

/** Bugs that show in few commands, of several layers and invariants, some only when everything is given back. */
const CAUGHT = [
  ['pages', 'free-first-page-only'],
  ['pages', 'no-merge'],
  ['pages-parked', 'drain-keeps-one'],
  ['devices', 'detach-forgotten'],
  ['metadata', 'vfree-keeps-the-pages'],
  ['descriptors', 'dup-without-reference'],
  ['descriptors', 'array-left-behind'],
  ['descriptors', 'shrinker-frees-nothing'],
  ['gpu', 'freed-while-bound'],
  ['gpu', 'stale-iotlb'],
  ['gpu', 'error-taken-for-an-address'],
] as const;

describe('LockstepSystem', () => {
  for (const [scope, bug] of CAUGHT) {
    it(`misses nothing of ${bug} by looking at a state once, and from there on no further`, () => {
      const [once, always] = [false, true].map((isWary) => searched(infected(bug), named(scope), isWary));
      expect(once).to.deep.equal(always);
    });
  }

  it('tells as many states and moves apart when it looks always', () => {
    for (const name of ['pages', 'pages-parked', 'devices', 'gpu'])
      expect(searched(builtin(), named(name), false)).to.deep.equal(searched(builtin(), named(name), true));
  });

  it('is where it was after a move was taken back', () => {
    const system = new LockstepSystem(SPEC, builtin(), named('gpu'));
    for (const move of [0, 0, 1]) system.make(move);
    const [before, count] = [system.fingerprint(), system.count()];
    const moves = Array.from({ length: count }, (_, move) => JSON.stringify(system.move(move)));
    for (let move = 0; move < count; move++) {
      if (system.make(move) === 'undue') continue;
      system.look();
      system.lookFurther();
      system.back();
      expect(system.fingerprint()).to.deep.equal(before);
    }
    expect(
      Array.from({ length: system.count() }, (_, move) => JSON.stringify(system.move(move))),
    ).to.deep.equal(moves);
  });
});
