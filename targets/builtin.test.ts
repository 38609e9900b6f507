import { expect } from 'chai';
import fc from 'fast-check';
import type { Machine } from '../model/machine.ts';
import type { Call, Reply, Value, View } from '../model/target.ts';
import { KIND, VIEW, VIEW_COLUMNS } from '../model/view.ts';
import { type Builtin, builtin } from './builtin.ts';
import { BUILTIN_CALLS } from './builtin-calls.ts';

const MACHINE: Machine = {
  pages: 48,
  pageBytes: 64,
  lineBytes: 16,
  orderMax: 3,
  reserve: 0,
  vmallocPages: 32,
  pageArrayEntryBytes: 8,
  ioBits: 11,
  tableBits: 2,
  iotlbEntries: 4,
  contexts: 3,
  clients: 2,
  handles: 4,
  sgTables: 2,
  jobs: 2,
  policies: {},
  occupied: [[40, 2]],
};

const makeView = (machine: Machine): View => ({
  columns: VIEW_COLUMNS.map(({ length }) => new Int32Array(length(machine))),
  shown: 0,
  touched: 0,
});

function booted(fields: Partial<Machine> = {}): Builtin {
  const target = builtin();
  target.boot({ ...MACHINE, ...fields });
  return target;
}

function succeeded(reply: Reply): Value {
  if ('errno' in reply) throw new Error(reply.errno);
  return reply.ok;
}

const numberOf = (value: Value, field: string): number => Number(value[field]);

/** Numbers for a call; what they mean depends on what is there when it is made. */
type Draft = readonly [op: number, a: number, b: number, c: number];

/** What a random caller holds, so that kernel-internal calls are legal. */
interface Held {
  readonly blocks: number[];
  readonly memories: number[];
  readonly tables: number[];
  readonly mapped: number[];
  readonly domains: { id: number; type: string }[];
  readonly jobs: Set<number>;
}

const pick = <Item>(list: readonly Item[], n: number): Item | undefined => list[n % list.length];

function takeOut<Item>(list: Item[], n: number): Item | undefined {
  return list.length === 0 ? undefined : list.splice(n % list.length, 1)[0];
}

/** The address of a binding of a context, or for some numbers anything. */
function bindingIn({ kernel }: Builtin, context: number, n: number): number {
  const first = context * kernel.iommu.ioPages;
  const bound = kernel.gpu.bound.values.subarray(first, first + kernel.iommu.ioPages);
  return 64 * (n % 4 === 0 ? n : bound.findIndex((held) => held !== 0));
}

/** A call out of a draft, or undefined where it would be illegal. User-level ids are any small numbers. */
function callOf([op, a, b, c]: Draft, held: Held, target: Builtin): Call | undefined {
  const fail: Readonly<Record<string, number>>[] = [{}, {}, { page: 1 + (c % 3) }, { table: 1 + (c % 2) }];
  const call = (name: string, args: Call['args']): Call => ({ op: name, args, fail: fail[b % 4] ?? {} });
  const domain = pick(held.domains, a);
  const address = 64 * (a % 32) + 16 * (b % 4);
  const jobs = [...held.jobs].filter((job) => target.kernel.jobs.left.get(job) !== 0);
  const makers: readonly (() => Call | undefined)[] = [
    () => call('alloc_pages', { order: a % 4 }),
    () => {
      const block = held.tables.length + held.domains.length > 0 ? undefined : takeOut(held.blocks, a);
      return block === undefined ? undefined : call('free_pages', { block });
    },
    () => call('kvmalloc', { bytes: a * 8 }),
    () => {
      const memory = takeOut(held.memories, a);
      return memory === undefined ? undefined : call('kvfree', { memory });
    },
    () => {
      const pages = held.blocks.slice(0, 1 + (a % 3));
      return pages.length === 0
        ? undefined
        : call('sg_alloc_table_from_pages', { pages, maxSegment: 64 * b });
    },
    () => {
      const table = takeOut(held.tables, a);
      return table === undefined ? undefined : call('sg_free_table', { table });
    },
    () => call('iommu_domain_alloc', { type: a % 2 === 0 ? 'dma' : 'unmanaged' }),
    () => {
      const gone = held.mapped.length > 0 ? undefined : takeOut(held.domains, a);
      return gone === undefined ? undefined : call('iommu_domain_free', { domain: gone.id });
    },
    () => {
      const block = pick(held.blocks, b);
      if (domain?.type !== 'unmanaged' || block === undefined) return undefined;
      return call('iommu_map', {
        domain: domain.id,
        iova: 64 * c,
        phys: 64 * block,
        bytes: 64,
        prot: 'both',
      });
    },
    () => {
      if (domain?.type !== 'unmanaged') return undefined;
      return call('iommu_unmap', { domain: domain.id, iova: 64 * c, bytes: 64 * (b % 3) });
    },
    () => {
      const table = domain?.type === 'dma' ? takeOut(held.tables, b) : undefined;
      if (table === undefined) return undefined;
      return call('dma_map_sg', { domain: domain?.id ?? 0, table, direction: 'bidirectional' });
    },
    () => {
      const mapping = takeOut(held.mapped, a);
      return mapping === undefined ? undefined : call('dma_unmap_sg', { mapping });
    },
    () => call('ion_client_create', {}),
    () => (a % 8 === 0 ? call('ion_client_destroy', { client: b % 3 }) : undefined),
    () => call('ion_alloc', { client: a % 2, bytes: 16 * b, heaps: c % 8 === 0 ? [] : ['iommu'] }),
    () => call('ion_free', { client: a % 2, handle: b % 5 }),
    () => call('gpu_context_create', { client: a % 2 }),
    () => (c % 6 === 0 ? call('gpu_context_destroy', { context: a % 4 }) : undefined),
    () => call('gpu_bind', { context: a % 3, handle: b % 5, access: c % 2 === 0 ? 'both' : 'read' }),
    () => call('gpu_unbind', { context: a % 3, binding: bindingIn(target, a % 3, b) }),
    () => {
      const args = { context: c % 3, at: address, bytes: 16 * (1 + (b % 4)), access: 'write', tag: 1 + a };
      return call('gpu_submit', { ...args, access: a % 2 === 0 ? 'write' : 'read' });
    },
    () => {
      const job = pick(jobs, a);
      return job === undefined ? undefined : call('tick_engine', { job });
    },
    () => call('device_write', { context: c % 3, at: address, bytes: 16 * (1 + (b % 8)), tag: 1 + a }),
    () => call('device_read', { context: c % 3, at: address, bytes: 16 * (1 + (b % 8)) }),
  ];
  return makers[op % makers.length]?.();
}

/** Notes what a reply gave, or what a failed call did not take. */
function note({ op, args }: Call, reply: Reply, held: Held): void {
  const failed = 'errno' in reply;
  if (failed && op === 'dma_map_sg') held.tables.push(Number(args['table']));
  if (failed) return;
  const value = reply.ok;
  if (op === 'alloc_pages') held.blocks.push(numberOf(value, 'pfn'));
  if (op === 'kvmalloc') held.memories.push(numberOf(value, 'memory'));
  if (op === 'sg_alloc_table_from_pages') held.tables.push(numberOf(value, 'table'));
  if (op === 'dma_map_sg') held.mapped.push(numberOf(value, 'table'));
  if (op === 'dma_unmap_sg') held.tables.push(Number(args['mapping']));
  if (op === 'gpu_submit') held.jobs.add(numberOf(value, 'job'));
  if (op === 'iommu_domain_alloc') {
    held.domains.push({ id: numberOf(value, 'domain'), type: String(args['type']) });
  }
}

const nothingHeld = (): Held => ({
  blocks: [],
  memories: [],
  tables: [],
  mapped: [],
  domains: [],
  jobs: new Set(),
});

/** What an observer sees who looks for the first time. */
function freshColumns(target: Builtin, machine: Machine): Int32Array[] {
  const view = makeView(machine);
  target.observe(view);
  return [...view.columns];
}

/** Two clients, each with a context and a buffer. */
const USERS: readonly Draft[] = [12, 12, 16, 16, 14, 14].map((op, at) => [op, at, 8, 1]);

/** Makes calls; after each, the view that is kept up to date must be what a first look shows. */
function checkView(machine: Machine, drafts: readonly Draft[]): Set<string> {
  const kept = builtin();
  const other = builtin();
  kept.boot(machine);
  other.boot(machine);
  const view = makeView(machine);
  const held = nothingHeld();
  const made = new Set<string>();
  for (const draft of [...USERS, ...drafts]) {
    const call = callOf(draft, held, kept);
    if (call === undefined) continue;
    const reply = kept.apply(call);
    expect(other.apply(call)).to.deep.equal(reply);
    note(call, reply, held);
    if (!('errno' in reply)) made.add(call.op);
    const before = view.columns.map((column) => column.slice());
    view.touched = 0;
    kept.observe(view);
    for (const [at, column] of freshColumns(other, machine).entries()) {
      const name = `${VIEW_COLUMNS[at]?.name} after ${JSON.stringify(call)}`;
      expect(view.columns[at], name).to.deep.equal(column);
      if ((view.touched & (1 << at)) === 0) expect(column, name).to.deep.equal(before[at]);
    }
    expect([...(view.columns[VIEW.kind] ?? [])].some((kind) => kind >= KIND.LOST)).to.equal(false);
  }
  return made;
}

const draft = fc.tuple(fc.nat(23), fc.nat(63), fc.nat(63), fc.nat(63));
const drafts = fc.array(draft, { size: 'max', maxLength: 120 });
const policies = fc.record({
  contexts: fc.constantFrom('per-client', 'shared'),
  layout: fc.constantFrom('scattered', 'contiguous'),
  placement: fc.constantFrom('lowest', 'lifo'),
});

describe('builtin', () => {
  it('shows after each call what a first look would show', () => {
    const made = new Set<string>();
    fc.assert(
      fc.property(policies, drafts, (policy, list) => {
        for (const op of checkView({ ...MACHINE, policies: policy }, list)) made.add(op);
      }),
      { numRuns: 150 },
    );
    expect([...made].sort()).to.deep.equal(Object.keys(BUILTIN_CALLS).sort());
  }).timeout(60_000);

  it('shows after undo what it showed at the mark, with the same fingerprint', () => {
    fc.assert(
      fc.property(drafts, drafts, (before, after) => {
        const target = booted();
        target.undoable.attach();
        const held = nothingHeld();
        const run = (list: readonly Draft[]): void => {
          for (const one of list) {
            const call = callOf(one, held, target);
            if (call !== undefined) note(call, target.apply(call), held);
          }
        };
        run(before);
        const view = makeView(MACHINE);
        target.observe(view);
        const shown = view.columns.map((column) => column.slice());
        const fingerprint = target.undoable.fingerprint();
        target.undoable.mark();
        run(after);
        target.observe(view);
        target.undoable.undo();
        target.undoable.drop();
        target.observe(view);
        expect(view.columns).to.deep.equal(shown);
        expect(target.undoable.fingerprint()).to.deep.equal(fingerprint);
      }),
    );
  }).timeout(30_000);

  it('starts afresh with every boot', () => {
    const target = builtin({ name: 'mine' });
    expect(target.name).to.equal('mine');
    expect(() => target.kernel).to.throw('mine was not booted');
    target.undoable.attach();
    target.boot(MACHINE);
    const first = freshColumns(target, MACHINE);
    const kernel = target.kernel;
    target.apply({ op: 'alloc_pages', args: { order: 2 } });
    target.boot(MACHINE);
    expect(target.kernel === kernel).to.equal(true);
    expect(freshColumns(target, MACHINE)).to.deep.equal(first);
    target.boot({ ...MACHINE, pages: 8, occupied: [] });
    expect(target.kernel === kernel).to.equal(false);
    expect(target.undoable.fingerprint()).to.deep.equal([0, 0]);
  });

  it('says which faults fired', () => {
    const target = booted();
    const fail = { kmalloc_large: 1, vmalloc: 1, sausage: 1 };
    expect(target.apply({ op: 'kvmalloc', args: { bytes: 200 }, fail })).to.deep.equal({
      errno: 'ENOMEM',
      fired: ['kmalloc_large', 'vmalloc'],
    });
    expect(target.apply({ op: 'kvmalloc', args: { bytes: 0 } })).to.deep.equal({ ok: { memory: 16 } });
  });

  it('puts a bug in when it makes a kernel', () => {
    const target = builtin({
      patch: (kernel) => {
        kernel.buffers.zero = () => {};
      },
    });
    const machine = { ...MACHINE, occupied: [] };
    target.boot(machine);
    target.apply({ op: 'ion_client_create', args: {} });
    const reply = target.apply({ op: 'ion_alloc', args: { client: 0, bytes: 64, heaps: ['iommu'] } });
    expect(reply).to.deep.equal({ ok: { handle: 1, pages: [1] } });
    expect(freshColumns(target, machine)[VIEW.line]?.[4]).to.equal(0xa5);
  });

  it('shows pages that nobody holds, and pages that are free and held', () => {
    const target = booted({ occupied: [] });
    const { pages } = target.kernel;
    pages.allocateBlock(0);
    pages.allocateBlock(0);
    pages.disown(0, 1);
    pages.free(1, 0);
    expect([...(freshColumns(target, MACHINE)[VIEW.kind] ?? [])].slice(0, 3)).to.deep.equal([
      KIND.LOST,
      KIND.BOTH,
      KIND.FREE,
    ]);
  });

  it('throws where an engine does not fit', () => {
    const target = booted();
    expect(() => target.apply({ op: 'sausage', args: {} })).to.throw('does not know sausage');
    expect(() => target.observe({ columns: [], shown: 0, touched: 0 })).to.throw('has no column');
    expect(() => target.concurrent.resume('a')).to.throw('a has no call to go on with');
  });

  it('interrupts binds, and keeps the faults of each call apart', () => {
    const target = booted();
    const { start, resume } = target.concurrent;
    expect(start('a', { op: 'ion_client_create', args: {} })).to.deep.equal({ ok: { client: 0 } });
    succeeded(target.apply({ op: 'ion_alloc', args: { client: 0, bytes: 64, heaps: ['iommu'] } }));
    succeeded(target.apply({ op: 'gpu_context_create', args: { client: 0 } }));
    const args = { context: 0, handle: 1, access: 'both' };
    expect(start('a', { op: 'gpu_bind', args, fail: { table: 1 } })).to.deep.equal({ point: 1 });
    expect(start('b', { op: 'gpu_bind', args })).to.deep.equal({ point: 1 });
    expect(resume('b')).to.deep.equal({ point: 2 });
    expect(resume('a')).to.deep.equal({ point: 2 });
    expect(resume('b')).to.deep.equal({ ok: { address: 64 } });
    expect(resume('a')).to.deep.equal({ ok: { address: 128 } });
    expect(start('a', { op: 'gpu_bind', args: { ...args, handle: 2 } })).to.deep.equal({ errno: 'EINVAL' });
    expect(start('a', { op: 'gpu_bind', args, fail: { iova: 1 } })).to.deep.equal({ point: 1 });
    expect(target.apply({ op: 'gpu_unbind', args: { context: 0, binding: 64 } })).to.deep.equal({ ok: {} });
    expect(resume('a')).to.deep.equal({ errno: 'ENOSPC', fired: ['iova'] });
  });
});
