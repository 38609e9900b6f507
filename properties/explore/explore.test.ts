import { expect } from 'chai';
import {
  type Args,
  type Call,
  isDue,
  type Reply,
  type Rule,
  SPEC,
  type Value,
  type World,
} from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { runScript } from '../drive.ts';
import { machineOf } from '../machine.ts';
import { Stepper } from '../stepper.ts';
import { type Explored, explore } from './explore.ts';
import { Moves } from './moves.ts';
import type { Scope } from './scope.ts';

/** A named scope, which exists. */
const named = (name: string): Scope => SPEC.scopes[name] ?? expect.fail(`there is no scope ${name}`);

/**
 * A block of order k is taken whole, free whole, or split in two that are not both free: f(0) = 2,
 * f(k) = 1 + f(k - 1)^2, so 26 states.
 */
const PAGES = named('pages');

/**
 * A domain is of one of two types, and a device in one of those that there are, or in none: (devices + 1)^2 ways with
 * one domain, and so on. Domain n has page n for its table, which holds what it did before the first of them until
 * there has been one: page 1 only after page 0. So 1 + (1 + 8) + (1 + 8 + 8 + 36).
 */
const DEVICES = named('devices');

/** Everything is given back zeroed, and there are no caches, so that little of the past is left. */
const DESCRIPTORS = named('descriptors');

/** The same with imports, which are counted without end. */
const IMPORTS: Scope = { ...DESCRIPTORS, only: [...(DESCRIPTORS.only ?? []), 'ion_import'], depth: 5 };

const GPU = named('gpu');

const ruleOf = (op: string): Rule<World, Args, Value> => SPEC.rules[op] ?? expect.fail(`${op} has no rule`);

/** The same search without fingerprints and without undo: every path is made again from boot. */
type Counted = Pick<Explored, 'states' | 'transitions' | 'depth'>;

function bruteForce(scope: Scope): Counted {
  const { machine: fields, only = [], depth } = scope;
  const machine = machineOf(SPEC, fields);
  const target = builtin();
  let last: Reply | undefined;
  const worldAfter = (calls: readonly Call[]): World => {
    target.boot(machine);
    const world = SPEC.boot(machine, true);
    for (const call of calls) {
      const reply: Reply = target.apply(call);
      if ('ok' in reply) ruleOf(call.op).effect(world, call.args, reply.ok);
      last = reply;
    }
    return world;
  };
  const faultsIn = (calls: readonly Call[]): number => calls.filter(({ fail }) => fail !== undefined).length;
  const keyAfter = (calls: readonly Call[]): string =>
    `${worldAfter(calls).state.words.join()}|${target.kernel.store.words.join()}|${faultsIn(calls)}`;
  const seen = new Set([keyAfter([])]);
  let paths: (readonly Call[])[] = [[]];
  let transitions = 0;
  let reached = 0;
  for (let length = 1; length <= depth && paths.length > 0; length++) {
    const next: (readonly Call[])[] = [];
    for (const path of paths) {
      const before = worldAfter(path);
      const moves = new Moves(SPEC, scope, only);
      const count = moves.enter(before, { faults: faultsIn(path), overlaps: 0 });
      for (let move = 0; move < count; move++) {
        const { call } = moves.at(move);
        if (!isDue(ruleOf(call.op), before, call.args)) continue;
        const key = keyAfter([...path, call]);
        if (call.fail !== undefined && last?.fired === undefined) continue;
        transitions++;
        if (seen.has(key)) continue;
        seen.add(key);
        next.push([...path, call]);
        reached = length;
      }
    }
    paths = next;
  }
  return { states: seen.size, transitions, depth: reached };
}

const bugNamed = (name: string): ReturnType<typeof infect> =>
  infect(ZOO.find((bug) => bug.name === name) ?? expect.fail(`there is no ${name}`));

describe('explore', () => {
  for (const [name, scope, expected] of [
    ['pages', PAGES, { states: 26, transitions: 129, depth: 6, ending: 'complete' }],
    ['parked pages', named('pages-parked'), { states: 92, transitions: 505, depth: 8, ending: 'complete' }],
    ['metadata', named('metadata'), { states: 580, transitions: 987, depth: 4, ending: 'depth' }],
    [
      'coherent memory and a fault',
      named('dma-faults'),
      { states: 128, transitions: 838, depth: 9, ending: 'complete' },
    ],
    ['devices', DEVICES, { states: 63, transitions: 428, depth: 5, ending: 'complete' }],
    ['imports', IMPORTS, { states: 180, transitions: 3766, depth: 5, ending: 'depth' }],
    ['GPU contexts', GPU, { states: 511, transitions: 4188, depth: 5, ending: 'depth' }],
  ] as const) {
    it(`finds ${expected.states} states of ${name}, and brute force as many`, () => {
      expect(explore(SPEC, builtin(), scope)).to.include(expected);
      const { ending, ...counted } = expected;
      expect(bruteForce(scope)).to.deep.equal(counted);
      expect(ending === 'complete').to.equal(scope.depth > expected.depth);
    }).timeout(20_000);
  }

  /**
   * Ways to hold one buffer: its maker may have a handle, both clients any set of descriptors, and somebody has
   * something; with both clients, then with either alone.
   */
  const holders = (fds: number): number => 3 * 4 ** fds - 1 + 2 * (2 * 2 ** fds - 1);

  it('finds as many ways to hold a buffer as there are, for each kind of buffer', () => {
    const [one = 0, two = 0, three = 0] = [1, 2, 3].map((fds) => {
      const scope = { ...DESCRIPTORS, machine: { ...DESCRIPTORS.machine, fds } };
      const { states, ending } = explore(SPEC, builtin(), scope);
      expect(ending).to.equal('complete');
      return states;
    });
    const kinds = (two - one) / (holders(2) - holders(1));
    expect(kinds % 2, 'each is cached, or uncached').to.equal(0);
    expect((one - kinds * holders(1)) % 4, 'without a buffer there are four sets of clients').to.equal(0);
    expect(three).to.equal(two + kinds * (holders(3) - holders(2)));
  }).timeout(20_000);

  it('tells states of lifo apart by the order of their free lists', () => {
    const scope = { ...PAGES, machine: { ...PAGES.machine, policies: { placement: 'lifo' } } };
    expect(explore(SPEC, builtin(), scope).states).to.be.above(26);
  });

  it('gives the same result the second time, on the same target', () => {
    const target = builtin();
    expect(explore(SPEC, target, GPU)).to.deep.equal(explore(SPEC, target, GPU));
  }).timeout(20_000);

  it('stops at a number of states, and says that there was more', () => {
    const { states, ending, frontier } = explore(SPEC, builtin(), { ...PAGES, states: 10 });
    expect(states).to.be.within(10, 20);
    expect(ending).to.equal('states');
    expect(frontier).to.be.above(0);
  });

  it('finds a bug with a shortest script, confirmed from boot', () => {
    const target = bugNamed('freed-while-bound');
    const { found, ending } = explore(SPEC, target, GPU);
    expect(ending).to.equal('found');
    expect(found?.finding).to.include({ kind: 'invariant', serves: 'I2' });
    expect(found?.script.commands.map(({ op }) => op)).to.deep.equal([
      'ion_client_create',
      'ion_alloc',
      'gpu_context_create',
      'gpu_bind',
      'ion_free',
    ]);
    const again = bugNamed('freed-while-bound');
    const replayed = found && runScript(new Stepper(SPEC, again), again, found.script);
    expect(replayed).to.deep.equal(found?.finding);
    expect(explore(SPEC, bugNamed('freed-while-bound'), { ...GPU, depth: 4 }).found).to.equal(undefined);
  });

  it('finds what shows only in an invariant of one step', () => {
    class Panicking extends Cloakroom {
      override give(op: string, ticket: number): ReturnType<Cloakroom['give']> {
        const reply = super.give(op, ticket);
        if ('errno' in reply && this.coats[1] === 2) this.coats.fill(0);
        return reply;
      }
    }
    const { found } = explore(CLOAKROOM, new Panicking(), { machine: {}, depth: 9, few: 2 });
    expect(found?.finding).to.include({ serves: 'CALM', clause: 'step' });
    expect(found?.script.commands).to.have.lengthOf(3);
  });

  it('needs a target that can go back', () => {
    const { undoable, ...target } = new Cloakroom();
    expect(undoable).to.not.equal(undefined);
    expect(() => explore(CLOAKROOM, target as unknown as Cloakroom, { machine: {}, depth: 1 })).to.throw(
      'cloakroom cannot go back',
    );
  });
});
