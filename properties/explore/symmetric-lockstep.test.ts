import { expect } from 'chai';
import { type Bounds, type Machine, type Renamable, SPEC, type World } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { runScript } from '../drive.ts';
import { Stepper } from '../stepper.ts';
import { explore } from './explore.ts';
import { LockstepSystem } from './lockstep-system.ts';
import { Followed, isWhole, unlike } from './orbits.test.ts';
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

/** What a search without symmetry says of a scope, from a state on that some calls have led to. */
function followed(scope: Scope, prefix: readonly string[] = []): Followed {
  const target = builtin();
  const system = new LockstepSystem(SPEC, target, scope);
  const { only = [], few = 1, values = {} } = scope;
  const bounds: Bounds = { calls: new Set(only), few, values, alone: false };
  const { machine } = system.world;
  const renamings = renamingsOf(SPEC.symmetry?.sorts ?? [], machine, bounds);
  return new Followed(system, sidesOf(system, target), renamings, [(role) => role], scope.depth, (told) => {
    for (const op of prefix) makeFirst(told, system, op);
  });
}

function sidesOf(
  { world }: LockstepSystem<Machine, World>,
  { undoable }: ReturnType<typeof builtin>,
): Renamable[] {
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
    told.look();
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

/** Scopes in which new ids and pages are given out in order, so that not every renamed state is reached. */
const OPEN: Readonly<
  Record<string, readonly [scope: Scope, states: number, orbits: number, renamings: number]>
> = {
  devices: [scopeOf({}, DEVICES, 100, { few: 2 }), 63, 45, 4],
  descriptors: [
    scopeOf(
      { ...ZEROED, pages: 4, orderMax: 0 },
      ['ion_client_create', 'ion_alloc', 'ion_free', 'ion_share', 'fd_close', 'fd_send', 'ion_import'],
      5,
    ),
    229,
    169,
    32,
  ],
  'contexts of two clients': [
    scopeOf({ handles: 1 }, ['ion_client_create', ...BOUND, 'device_read', 'tick_iotlb'], 5),
    1475,
    991,
    4,
  ],
  'lazy mappings': [
    scopeOf(
      { contexts: 1, policies: { invalidation: 'lazy' } },
      ['alloc_pages', 'sg_alloc_table_from_pages', ...DEVICES, 'dma_map_sg', 'dma_unmap_sg', 'tick_flush'],
      6,
      {
        few: 2,
        values: {
          alloc_pages: { order: [0] },
          sg_alloc_table_from_pages: { pages: [1], maxSegment: [64] },
          iommu_domain_alloc: { type: ['dma'] },
          dma_map_sg: { direction: ['to_device'] },
        },
      },
    ),
    987,
    834,
    4,
  ],
  'the whole stack': [scopeOf({}, Object.keys(SPEC.calls), 3), 781, 773, 16],
};

/** Scopes in which whatever is reached is reached with all names, once every page was used. */
const CLOSED: Readonly<
  Record<string, readonly [Scope, prefix: readonly string[], states: number, orbits: number]>
> = {
  devices: [
    scopeOf({ pages: 3, orderMax: 0 }, ['alloc_pages', 'free_pages', ...DEVICES], 100, {
      few: 2,
      values: { iommu_domain_alloc: { type: ['dma'] } },
    }),
    inEachPage(3, 'iommu_domain_alloc', 'iommu_domain_free'),
    212,
    80,
  ],
  descriptors: [
    scopeOf(
      { ...ZEROED, pages: 3, orderMax: 0, handles: 1 },
      [
        'ion_client_create',
        'ion_client_destroy',
        'ion_alloc',
        'ion_free',
        'ion_share',
        'fd_close',
        'fd_send',
      ],
      100,
      { values: { ion_alloc: PLAIN } },
    ),
    [],
    65,
    35,
  ],
  'user mappings': [
    scopeOf(
      { ...ZEROED, pages: 4, orderMax: 0, handles: 1, fds: 1 },
      [
        'ion_client_create',
        'ion_client_destroy',
        'ion_alloc',
        'ion_free',
        'ion_share',
        'fd_close',
        'ion_mmap',
        'ion_munmap',
      ],
      100,
      { values: { ion_alloc: PLAIN } },
    ),
    ['ion_client_create', 'ion_client_create'],
    124,
    63,
  ],
  bindings: [
    scopeOf(
      { ...ZEROED, pages: 5, orderMax: 0, clients: 1, handles: 1 },
      ['alloc_pages', 'free_pages', 'ion_client_create', ...BOUND],
      100,
      {
        values: { ion_alloc: PLAIN, gpu_bind: { access: ['read'] } },
      },
    ),
    ['ion_client_create', ...inEachPage(5, 'gpu_context_create', 'gpu_context_destroy')],
    1860,
    966,
  ],
  jobs: [
    scopeOf(
      { pages: 3, orderMax: 0, clients: 1 },
      ['alloc_pages', 'free_pages', 'ion_client_create', ...CONTEXTS, 'gpu_submit', 'tick_engine'],
      100,
      { values: { gpu_submit: { at: [80], access: ['write'] } } },
    ),
    ['ion_client_create', ...inEachPage(3, 'gpu_context_create', 'gpu_context_destroy')],
    212,
    80,
  ],
};

const BUGS = [
  ['detach-forgotten', 'devices', 'I6', 3],
  ['attach-takes-over', 'devices', 'I6', 3],
  ['second-handle', 'descriptors', 'C5', 4],
  ['sent-to-oneself', 'descriptors', 'C5', 5],
  ['failed-export-drops', 'descriptors', 'C2', 5],
  ['tables-of-another', 'contexts of two clients', 'I3', 5],
  ['maps-into-the-first-context', 'contexts of two clients', 'I3', 5],
  ['one-space-for-all', 'contexts of two clients', 'I3', 5],
  ['address-zero', 'lazy mappings', 'S3', 5],
  ['attached-to-the-next', 'the whole stack', 'I6', 2],
] as const;

describe('symmetry of a target in lockstep', () => {
  for (const [name, [scope, states, orbits, renamings]] of Object.entries(OPEN)) {
    it(`visits one state of each orbit of ${name}, and all of an orbit lead to the same`, () => {
      const { met: [met = new Map()] = [], next, states: all } = followed(scope);
      expect({ states: all, orbits: met.size }).to.deep.equal({ states, orbits });
      expect(unlike(met, next)).to.deep.equal([]);
      const reduced = explore(SPEC, builtin(), { ...scope, symmetry: true });
      expect(reduced.states).to.equal(orbits);
      expect(reduced.symmetry?.renamings).to.equal(renamings);
      expect(reduced.found).to.equal(undefined);
    }).timeout(20_000);
  }

  for (const [name, [scope, prefix, states, orbits]] of Object.entries(CLOSED)) {
    it(`counts ${states} states of ${name} in ${orbits} orbits`, () => {
      const { met: [met = new Map()] = [], states: all } = followed(scope, prefix);
      expect({ states: all, orbits: met.size, isWhole: isWhole(met) }).to.deep.equal({
        states,
        orbits,
        isWhole: true,
      });
    }).timeout(20_000);
  }

  for (const [bug, name, serves, length] of BUGS) {
    it(`finds ${bug} with as short a script as without`, () => {
      const [scope] = OPEN[name] ?? expect.fail(name);
      const infected = (): ReturnType<typeof infect> =>
        infect(ZOO.find((known) => known.name === bug) ?? expect.fail(`there is no ${bug}`));
      const whole = explore(SPEC, infected(), scope);
      const reduced = explore(SPEC, infected(), { ...scope, symmetry: true });
      for (const { found } of [whole, reduced]) {
        expect(found?.finding.serves).to.equal(serves);
        expect(found?.script.commands).to.have.lengthOf(length);
      }
      expect(reduced.states).to.be.at.most(whole.states);
      const target = infected();
      const again = reduced.found && runScript(new Stepper(SPEC, target), target, reduced.found.script);
      expect(again?.detail, 'its script is a real one').to.equal(reduced.found?.finding.detail);
    }).timeout(20_000);
  }
});
