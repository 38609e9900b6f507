import { expect } from 'chai';
import {
  type Bounds,
  Column,
  type Heard,
  type Machine,
  type Naming,
  type Role,
  type Sort,
  SPEC,
  type World,
} from '../../model/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { explore } from './explore.ts';
import { type Change, Followed, forgetting, isWhole, type Part, partsOf } from './orbits.test.ts';
import type { Scope } from './scope.ts';
import { search } from './search.ts';
import { SpecSystem } from './spec-system.ts';
import { renamed, renamingsOf } from './symmetry.ts';

const BOUNDS: Bounds = { calls: new Set(), values: {}, few: 1, alone: true };

const sort = (name: string, ids: readonly number[], of?: string): Sort<undefined> => ({
  name,
  ids: () => ids,
  ...(of === undefined ? {} : { of }),
});

describe('renamings', () => {
  const SORTS = [sort('client', [0, 1]), sort('handle', [1, 2], 'client'), sort('page', [0, 2, 3])];

  it('are all products of permutations, one for each owner', () => {
    const renamings = renamingsOf(SORTS, undefined, BOUNDS);
    expect(renamings).to.have.lengthOf(2 * 2 ** 2 * 6);
    const texts = renamings.map((renaming) => JSON.stringify([...renaming].map(([, { to }]) => to)));
    expect(new Set(texts).size, 'each once').to.equal(renamings.length);
    expect(texts[0], 'nothing is renamed').to.equal('[[0,1],[0,1,2,0,1,2],[0,1,2,3]]');
    expect(
      renamings.every((renaming) => renaming.get('page')?.to[1] === 1),
      'an id that is not swapped',
    ).to.equal(true);
  });

  it('are no more than there may be: the last ids keep their names', () => {
    const many = [sort('client', [0, 1, 2, 3, 4]), sort('fd', [0, 1], 'client'), sort('job', [0, 1])];
    const renamings = renamingsOf(many, undefined, BOUNDS, 100);
    expect(renamings).to.have.lengthOf(24 * 1 * 2);
    expect(renamings.every((renaming) => renaming.get('client')?.to[4] === undefined)).to.equal(true);
  });

  it('change the ids in a number, and nothing else', () => {
    const [swap = expect.fail('no renaming')] = renamingsOf(SORTS, undefined, BOUNDS).filter(
      (renaming) =>
        JSON.stringify([...renaming].map(([, { to }]) => to)) === '[[1,0],[0,2,1,0,1,2],[0,1,3,2]]',
    );
    const of =
      (from: number, ...digits: Naming['digits']): ((value: number) => number) =>
      (value) =>
        renamed({ from, digits }, value, swap);
    expect([0, 1, 2].map(of(0, 'client')), 'an id beyond the last').to.deep.equal([1, 0, 2]);
    expect([-1, 0, 1, 2].map(of(1, 'client')), 'ids + 1').to.deep.equal([-1, 0, 2, 1]);
    expect(
      [0, 1, 2, 3, 4, 5].map(of(0, 'client', ['handle', 3])),
      'the handles of client 0 are swapped',
    ).to.deep.equal([3, 5, 4, 0, 1, 2]);
    expect([3, 4, 11, 12, 19].map(of(4, 'page', 4)), 'above some bits').to.deep.equal([3, 4, 11, 16, 15]);
    expect([7, 8].map(of(0, 'job')), 'of no sort').to.deep.equal([7, 8]);
    expect(renamed(undefined, 1, swap)).to.equal(1);
  });
});

/** Small enough for every state, with two of almost everything. */
const MACHINE = {
  pages: 2,
  orderMax: 0,
  vmallocPages: 2,
  ioBits: 8,
  contexts: 2,
  clients: 2,
  handles: 1,
  fds: 1,
  jobs: 2,
  sgTables: 2,
  devices: 2,
  userPages: 1,
  parked: 0,
  occupants: 2,
};

const VALUES: NonNullable<Scope['values']> = {
  ion_alloc: { heaps: [['iommu']], flags: ['cached'] },
  gpu_bind: { access: ['read'] },
  gpu_submit: { at: [80], access: ['write'] },
  iommu_domain_alloc: { type: ['dma'] },
  dma_map_sg: { direction: ['to_device'] },
  sg_alloc_table_from_pages: { pages: [1], maxSegment: [64] },
  occupy: { count: [1] },
};

const CLIENTS = ['ion_client_create', 'ion_client_destroy'];
const HANDLES = [...CLIENTS, 'ion_alloc', 'ion_free'];
const CONTEXTS = ['gpu_context_create', 'gpu_context_destroy'];
const PAGES = ['alloc_pages', 'free_pages'];
const TABLES = ['sg_alloc_table_from_pages', 'sg_free_table'];
const ATTACHED = ['iommu_domain_alloc', 'iommu_attach_device', 'iommu_detach_device'];
const MAPPED = [...TABLES, ...ATTACHED, 'dma_map_sg', 'dma_unmap_sg'];
const TINY_SPACE = { ioBits: 7, reservedIoPages: 0 };
const LAZY = { ...TINY_SPACE, devices: 1, sgTables: 1, policies: { invalidation: 'lazy' } };

/** Of the specification alone: machine, calls, values of a number, depth; states, and those that symmetry leaves. */
const ALONE: Readonly<
  Record<string, readonly [Scope['machine'], readonly string[], number, number, number, number]>
> = {
  pages: [{ pages: 4 }, PAGES, 1, 100, 16, 5],
  metadata: [{ pages: 3 }, ['kmalloc', 'kfree', 'vmalloc', 'vfree'], 2, 100, 16, 8],
  owners: [{}, [...CLIENTS, ...CONTEXTS], 1, 100, 18, 8],
  jobs: [{ clients: 1 }, [...CLIENTS, ...CONTEXTS, 'gpu_submit', 'tick_engine'], 1, 100, 19, 9],
  devices: [{}, [...ATTACHED, 'iommu_domain_free'], 2, 100, 18, 8],
  'coherent memory': [TINY_SPACE, [...ATTACHED, 'dma_alloc_coherent', 'dma_free_coherent'], 2, 100, 58, 13],
  occupants: [{}, ['occupy', 'release'], 3, 100, 46, 24],
  'kernel mappings': [{}, [...HANDLES, 'ion_map_kernel', 'ion_unmap_kernel'], 1, 5, 38, 12],
  'user mappings': [{}, [...HANDLES, 'ion_share', 'fd_close', 'ion_mmap', 'ion_munmap'], 1, 5, 54, 16],
  'blocks of two pages': [
    { pages: 4, orderMax: 1 },
    [...PAGES, 'split_page', 'free_pages_exact'],
    2,
    100,
    121,
    66,
  ],
  tables: [{}, [...PAGES, ...TABLES], 2, 100, 18, 8],
  bindings: [{ clients: 1 }, [...HANDLES, ...CONTEXTS, 'gpu_bind', 'gpu_unbind'], 1, 5, 47, 16],
  mappings: [{ pages: 1, ...TINY_SPACE }, ['alloc_pages', ...MAPPED], 2, 100, 242, 64],
  'lazy mappings': [LAZY, ['alloc_pages', ...MAPPED, 'tick_flush'], 1, 7, 372, 141],
};

function scopeOf(name: string): Scope {
  const [machine, only, few, depth] = ALONE[name] ?? expect.fail(name);
  return { machine: { ...MACHINE, ...machine }, only, values: VALUES, few, depth, symmetry: true };
}

const whole = (name: string): SpecSystem<Machine, World> =>
  new SpecSystem(SPEC, { ...scopeOf(name), symmetry: false });

/** All states of a scope, with their orbits under the roles as they are, and as each change has them. */
function followed(name: string, changes: readonly Change[] = []): Followed {
  const { depth, few = 1, values = {}, only = [] } = scopeOf(name);
  const system = whole(name);
  const { world } = system;
  const side = {
    roles: () => rolesOf(world),
    listen: (heard: Heard | undefined) => world.state.listen(heard),
  };
  const bounds = { calls: new Set(only), values, few, alone: true };
  const renamings = renamingsOf(SPEC.symmetry?.sorts ?? [], world.machine, bounds);
  return new Followed(system, [side], renamings, [(role) => role, ...changes], depth);
}

const rolesOf = (world: World): readonly Role[] => SPEC.symmetry?.roles(world) ?? [];

/** What each column says of its indices and its values, by name. */
function namedParts(world: World): [name: string, part: Part][] {
  const columns = Object.entries(world).filter(([, column]) => column instanceof Column);
  return partsOf(rolesOf(world)).map((part) => {
    const { first, count } = part.role;
    const named = columns.find(([, column]) => column.base === first && column.count === count);
    return [`${named?.[0]} by ${part.part}`, part];
  });
}

describe('symmetry of a specification', () => {
  for (const [name, [, , , depth, states, orbits]] of Object.entries(ALONE)) {
    it(`leaves ${orbits} of ${states} states of ${name}, which stand for all of them`, () => {
      const { met: [met = new Map()] = [], states: all } = followed(name);
      expect({ states: all, orbits: met.size, isWhole: isWhole(met) }).to.deep.equal({
        states,
        orbits,
        isWhole: true,
      });
      const reduced = search(new SpecSystem(SPEC, scopeOf(name)), { depth, states: 20_000 });
      expect(reduced.states).to.equal(orbits);
    });
  }

  it('does not add up when one column forgets whose ids it has', () => {
    const noticed = new Set<string>();
    const all = new Set<string>();
    for (const name of Object.keys(ALONE)) {
      const parts = namedParts(whole(name).world);
      for (const [column] of parts) all.add(column);
      const left = parts.filter(([column]) => !noticed.has(column));
      const changes = left.map(([, part]) => forgetting(part, 0));
      const [, ...met] = followed(name, changes).met;
      for (const [at, orbits] of met.entries()) if (!isWhole(orbits)) noticed.add(left[at]?.[0] ?? '');
    }
    expect([...all].filter((name) => !noticed.has(name))).to.deep.equal([]);
    expect(noticed.size).to.be.above(50);
  }).timeout(20_000);
});

describe('symmetry', () => {
  it('is for those who say where ids stand', () => {
    const scope = { machine: {}, depth: 1, symmetry: true };
    expect(() => explore(CLOAKROOM, new Cloakroom(), scope)).to.throw('does not say what may be renamed');
    const told = { ...CLOAKROOM, symmetry: { sorts: [], roles: () => [] } };
    expect(() => explore(told, new Cloakroom(), scope)).to.throw('does not say where ids stand');
  });
});
