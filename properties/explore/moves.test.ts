import { expect } from 'chai';
import { type Args, type Call, SPEC, type Spec, type Stateful, type Value } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { CLOAKROOM, type Cloaks, type Room } from '../cloakroom.test.ts';
import { machineOf } from '../machine.ts';
import { scriptOf } from '../record.ts';
import { Moves } from './moves.ts';
import type { Scope } from './scope.ts';

/** A room with these coats. */
function roomWith(coats: readonly number[]): Cloaks {
  const cloaks = CLOAKROOM.boot(machineOf<Room, Cloaks>(CLOAKROOM, { hooks: 3 }), true);
  for (const [hook, colour] of coats.entries()) cloaks.coat.set(hook, colour);
  return cloaks;
}

const all = (cloaks: Cloaks, only: readonly string[], few: number): Call[] =>
  callsOf(CLOAKROOM, cloaks, { machine: { hooks: 3 }, depth: 1, few }, only);

/** The calls of a state, in their order. */
function callsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  world: S,
  scope: Scope,
  only: readonly string[],
): Call[] {
  const moves = new Moves(spec, scope, only);
  const count = moves.enter(world, { faults: 0, overlaps: 0 });
  return Array.from({ length: count }, (_, move) => moves.at(move).call);
}

describe('Moves', () => {
  it('makes every call with few values for each argument', () => {
    expect(all(roomWith([]), ['hang'], 1).map(({ args }) => args)).to.deep.equal([{ colour: 1 }]);
    expect(all(roomWith([]), ['hang'], 9).map(({ args }) => args)).to.deep.equal([
      { colour: 1 },
      { colour: 2 },
    ]);
  });

  it('refers to everything that exists, and to one thing that does not', () => {
    const tickets = all(roomWith([1, 0, 2]), ['fetch'], 1).map(({ args }) => args['ticket']);
    expect(tickets).to.deep.equal([0, 2, 3]);
  });

  it('refers to nothing made up where only the kernel names things', () => {
    const machine = machineOf(SPEC, { pages: 4 });
    const world = SPEC.boot(machine, true);
    const scope = { machine: { pages: 4 }, depth: 1, few: 3 };
    expect(callsOf(SPEC, world, scope, ['free_pages', 'iommu_map'])).to.deep.equal([]);
  });

  it('accesses coherent memory where the side that is meant finds it', () => {
    const machine = machineOf(SPEC, { pages: 8 });
    const world = SPEC.boot(machine, true);
    const make = (op: string, args: Args, value: Value): void => SPEC.rules[op]?.effect(world, args, value);
    make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
    make('iommu_attach_device', { domain: 0, device: 0 }, { device: 4 });
    make('dma_alloc_coherent', { device: 4, bytes: 64 }, { cpu: 20 * 64, dma: 128, pages: [3] });
    make('alloc_pages', { order: 0 }, { pfn: 5 });
    const at = (op: string): unknown[] =>
      callsOf(SPEC, world, { machine: { pages: 8 }, depth: 1, few: 2 }, [op]).map(({ args }) => args['at']);
    expect(new Set(at('cpu_read'))).to.deep.equal(new Set([5 * 64, 5 * 64 + 16, 20 * 64, 20 * 64 + 16]));
    expect(new Set(at('device_read'))).to.deep.equal(new Set([128, 144]));
  });

  it('passes over calls that there are none of', () => {
    expect(all(roomWith([1]), ['sing'], 1)).to.deep.equal([]);
  });

  it('makes no call twice', () => {
    const machine = machineOf(SPEC, { pages: 8, orderMax: 1 });
    const world = SPEC.boot(machine, true);
    for (const pfn of [0, 2, 4]) SPEC.rules['alloc_pages']?.effect(world, { order: 1 }, { pfn });
    const scope = { machine: { pages: 8, orderMax: 1 }, depth: 1, few: 3 };
    const calls = callsOf(SPEC, world, scope, ['sg_alloc_table_from_pages']);
    const texts = calls.map((call) => JSON.stringify(call));
    expect(texts.filter((text, at) => texts.indexOf(text) !== at)).to.deep.equal([]);
  });

  it('lists a thing twice, names ids that it is told of, and takes numbers above 2^53', () => {
    const machine = { pages: 8, orderMax: 1 };
    const world = SPEC.boot(machineOf(SPEC, machine), true);
    SPEC.rules['alloc_pages']?.effect(world, { order: 1 }, { pfn: 4 });
    SPEC.rules['ion_client_create']?.effect(world, {}, { client: 0 });
    const values = {
      vmap: { pages: [2] },
      kvmalloc: { bytes: ['0xffffffffffffffff'] },
      ion_query: { client: [0, 7] },
    };
    const scope: Scope = { machine, values, depth: 1 };
    const calls = callsOf(SPEC, world, scope, ['vmap', 'kvmalloc', 'ion_query']);
    expect(calls.map(({ args }) => args)).to.deep.equal([
      { pages: [4, 4] },
      { bytes: 2 ** 64 },
      { client: 0 },
      { client: 7 },
    ]);
    const { commands } = scriptOf(
      SPEC,
      builtin(),
      machine,
      calls.map((call) => ({ call })),
    );
    expect(commands[1]).to.include({ bytes: '0xffffffffffffffff' });
  });

  it('names a move by the same number whenever it is in the state', () => {
    const moves = new Moves(CLOAKROOM, { machine: { hooks: 3 }, depth: 1, few: 2 }, ['hang', 'fetch']);
    const nothing = { faults: 0, overlaps: 0 };
    const count = moves.enter(roomWith([1, 2]), nothing);
    const forwards = Array.from({ length: count }, (_, move) => moves.at(move));
    moves.enter(roomWith([]), nothing);
    expect(moves.enter(roomWith([1, 2]), nothing)).to.equal(count);
    for (let move = count - 1; move >= 0; move--) expect(moves.at(move)).to.deep.equal(forwards[move]);
  });
});
