import { expect } from 'chai';
import { type Bounds, type Machine, type Renamable, SPEC, type World } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { runScript } from '../drive.ts';
import { Stepper } from '../stepper.ts';
import { explore } from './explore.ts';
import { LockstepSystem } from './lockstep-system.ts';
import { type Change, Followed, forgetting, isWhole, partsOf, unlike } from './orbits.test.ts';
import type { Scope } from './scope.ts';
import { renamingsOf } from './symmetry.ts';
import type { System } from './system.ts';

const MACHINE = {
  pages: 8,
  orderMax: 1,
  vmallocPages: 3,
  ioBits: 8,
  iotlbEntries: 1,
  contexts: 2,
  clients: 2,
  handles: 2,
  fds: 2,
  jobs: 2,
  sgTables: 2,
  devices: 2,
  userPages: 2,
  parked: 0,
  flushEntries: 1,
  occupants: 2,
};

const ZEROED = { policies: { coherent: 'yes', zeroing: 'on-free' } };

const PLAIN = { heaps: [['iommu']], flags: ['cached'] };

const scopeOf = (
  machine: Scope['machine'],
  only: readonly string[],
  depth: number,
  more: Partial<Scope> = {},
): Scope => ({ machine: { ...MACHINE, ...machine }, only, depth, closes: false, ...more });

const CONTEXTS = ['gpu_context_create', 'gpu_context_destroy'];
const DEVICES = ['iommu_domain_alloc', 'iommu_domain_free', 'iommu_attach_device', 'iommu_detach_device'];
const BOUND = ['ion_alloc', 'ion_free', ...CONTEXTS, 'gpu_bind', 'gpu_unbind'];

/** What a search without symmetry says of a scope, its orbits read as they are and as each change has them. */
function followed(scope: Scope, changes: readonly Change[] = [], prefix: readonly string[] = []): Followed {
  const target = builtin();
  const system = new LockstepSystem(SPEC, target, scope);
  const { only = [], few = 1, values = {} } = scope;
  const bounds: Bounds = { calls: new Set(only), few, values, alone: false };
  const { machine } = system.world;
  const renamings = renamingsOf(SPEC.symmetry?.sorts ?? [], machine, bounds);
  const same: Change = (role) => role;
  return new Followed(system, sidesOf(system, target), renamings, [same, ...changes], scope.depth, (told) => {
    for (const op of prefix) makeFirst(told, system, op);
  });
}

function sidesOf({ world }: LockstepSystem<Machine, World>, { undoable }: ReturnType<typeof builtin>): Renamable[] {
  const own: Renamable = {
    roles: () => SPEC.symmetry?.roles(world) ?? [],
    listen: (heard) => world.state.listen(heard),
  };
  return [own, undoable.renamable ?? expect.fail('the target does not say where ids stand')];
}

/** Makes the first call of a kind that can be made. */
function makeFirst(told: System, system: LockstepSystem<Machine, World>, op: string): void {
  const count = told.count();
  for (let move = 0; move < count; move++) {
    if (system.move(move).call.op !== op || told.make(move) === 'undue') continue;
    told.fingerprint();
    told.look(true);
    return;
  }
  expect.fail(`${op} cannot be made`);
}

/** Has every page serve as what a call makes, so that what pages held before is the same for all. */
const inEachPage = (pages: number, make: string, end: string): string[] =>
  Array.from({ length: pages }, (_, page) => [
    ...new Array<string>(page).fill('alloc_pages'),
    make,
    end,
    ...new Array<string>(page).fill('free_pages'),
  ]).flat();
