import { expect } from 'chai';
import {
  CALLS,
  KIND,
  type Machine,
  type Reply,
  SITES,
  SPEC,
  type Value,
  VIEW,
  VIEW_COLUMNS,
  type View,
  type World,
} from '../model/index.ts';
import { machineOf, type Plan, type Script, Scripts, Stepper } from '../properties/index.ts';
import { type Builtin, builtin } from './builtin.ts';
import { BUILTIN_CALLS } from './builtin-calls.ts';

const machineWith = (fields: Partial<Machine> = {}): Machine =>
  machineOf(SPEC, { pages: 48, vmallocPages: 32, ioBits: 11, ...(fields as object) });

const makeView = (machine: Machine): View => ({
  columns: VIEW_COLUMNS.map(({ length }) => new Int32Array(length(machine))),
  shown: 0,
  touched: 0,
});

function booted(machine: Machine = machineWith()): Builtin {
  const target = builtin();
  target.boot(machine);
  return target;
}

function succeeded(reply: Reply): Value {
  if ('errno' in reply) throw new Error(reply.errno);
  return reply.ok;
}

/** What an observer sees who looks for the first time. */
function freshColumns(target: Builtin, machine: Machine): Int32Array[] {
  const view = makeView(machine);
  target.observe(view);
  return [...view.columns];
}

/** The view of one target, kept up to date, beside first looks at another that gets the same calls. */
class Watched {
  readonly kept: Builtin = builtin();
  readonly #other = builtin();
  #machine = machineWith();
  #view = makeView(this.#machine);
  #before: readonly Int32Array[] = [];

  boot(machine: Machine): void {
    this.#machine = machine;
    this.#view = makeView(machine);
    for (const target of [this.kept, this.#other]) target.boot(machine);
    this.look('boot');
  }

  apply(call: Parameters<Builtin['apply']>[0]): Reply {
    const reply = this.kept.apply(call);
    expect(this.#other.apply(call)).to.deep.equal(reply);
    this.look(JSON.stringify(call));
    return reply;
  }

  look(after: string): void {
    this.#view.touched = 0;
    this.kept.observe(this.#view);
    for (const [at, column] of freshColumns(this.#other, this.#machine).entries()) {
      const name = `${VIEW_COLUMNS[at]?.name} after ${after}`;
      expect(this.#view.columns[at], name).to.deep.equal(column);
      if ((this.#view.touched & (1 << at)) === 0) expect(column, name).to.deep.equal(this.#before[at]);
    }
    this.#before = this.#view.columns.map((column) => column.slice());
  }
}

type Made = (call: Parameters<Builtin['apply']>[0], reply: Reply, at: number) => void;

/** Makes the calls of a script as far as the specification agrees: with the loser of an argument it does not. */
function drive(
  stepper: Stepper<Machine, World>,
  target: Pick<Builtin, 'apply' | 'boot'>,
  script: Script,
  made: Made = () => {},
): void {
  target.boot(stepper.begin(script));
  let at = 0;
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    const reply = target.apply(call);
    if (stepper.give(reply, { observe: () => {} }) !== undefined) return;
    made(call, reply, at++);
  }
}

/** Machines as the two sides of each argument want them. */
const SIDES: readonly Plan[] = [
  {},
  { machine: { policies: { contexts: 'shared', layout: 'contiguous', aliasing: 'ignore' } } },
  { machine: { policies: { mapping: 'heap', backing: 'dma-alloc', zeroing: 'on-free' } } },
  { machine: { policies: { sync: 'never', zeroing: 'none', pageArray: 'vmalloc' } } },
];

const scriptsOf = (seed: number, count: number, plan: Plan = {}): Script[] => {
  const scripts = new Scripts(SPEC, seed, plan);
  return Array.from({ length: count }, (_, index) => scripts.at(index));
};

describe('builtin', () => {
  it('shows after each call what a first look would show', () => {
    const succeededOnce = new Set<string>();
    for (const [side, plan] of SIDES.entries()) {
      const watched = new Watched();
      const stepper = new Stepper(SPEC, watched.kept);
      for (const script of scriptsOf(side, 40, plan)) {
        drive(stepper, watched, script, ({ op }, reply) => {
          if ('ok' in reply) succeededOnce.add(op);
        });
      }
    }
    expect([...succeededOnce].sort()).to.deep.equal(Object.keys(BUILTIN_CALLS).sort());
  }).timeout(60_000);

  it('shows after undo what it showed at the mark, with the same fingerprint', () => {
    const target = builtin();
    target.undoable.attach();
    const stepper = new Stepper(SPEC, target);
    let changed = 0;
    for (const script of scriptsOf(1, 60)) {
      const machine = machineOf<Machine, World>(SPEC, script.machine);
      const view = makeView(machine);
      const middle = script.commands.length >> 1;
      let shown: Int32Array[] = [];
      let fingerprint: readonly number[] = [];
      drive(stepper, target, script, (_call, _reply, at) => {
        if (at < middle || at % 4 === 0) target.observe(view);
        if (at !== middle) return;
        target.observe(view);
        shown = view.columns.map((column) => column.slice());
        fingerprint = target.undoable.fingerprint();
        target.undoable.mark();
      });
      if (shown.length === 0) continue;
      if (target.undoable.fingerprint().join() !== fingerprint.join()) changed++;
      target.undoable.undo();
      target.undoable.drop();
      target.observe(view);
      expect(view.columns).to.deep.equal(shown);
      expect(target.undoable.fingerprint()).to.deep.equal(fingerprint);
    }
    expect(changed).to.be.above(20);
  }).timeout(30_000);

  it('starts afresh with every boot', () => {
    const target = builtin({ name: 'mine' });
    expect(target.name).to.equal('mine');
    expect(() => target.kernel).to.throw('mine was not booted');
    target.undoable.attach();
    const machine = machineWith();
    target.boot(machine);
    const first = freshColumns(target, machine);
    const kernel = target.kernel;
    target.apply({ op: 'alloc_pages', args: { order: 2 } });
    target.boot(machine);
    expect(target.kernel === kernel).to.equal(true);
    expect(freshColumns(target, machine)).to.deep.equal(first);
    target.boot(machineWith({ pages: 8 }));
    expect(target.kernel === kernel).to.equal(false);
    expect(target.undoable.fingerprint()).to.deep.equal([0, 0]);
  });

  it('puts a bug in when it makes a kernel', () => {
    const target = builtin({
      patch: (kernel) => {
        kernel.buffers.zero = () => {};
      },
    });
    const machine = machineWith();
    target.boot(machine);
    target.apply({ op: 'ion_client_create', args: {} });
    const args = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'uncached' };
    expect(target.apply({ op: 'ion_alloc', args })).to.deep.equal({ ok: { handle: 1, pages: [1] } });
    expect(freshColumns(target, machine)[VIEW.line]?.[4]).to.equal(0xa5);
  });

  it('shows pages that nobody holds, and pages that are free and held', () => {
    const machine = machineWith({ parked: 1 });
    const target = booted(machine);
    const { pages } = target.kernel;
    for (let page = 0; page < 4; page++) expect(pages.allocateBlock(0)).to.equal(page);
    pages.disown(0, 1);
    pages.free(1, 0);
    pages.disown(2, 1);
    pages.free(2, 0);
    pages.free(3, 0);
    const kinds = freshColumns(target, machine)[VIEW.kind] ?? [];
    expect([...kinds.slice(0, 5)]).to.deep.equal([KIND.LOST, KIND.BOTH, KIND.FREE, KIND.BOTH, KIND.FREE]);
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
    const buffer = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' };
    succeeded(target.apply({ op: 'ion_alloc', args: buffer }));
    succeeded(target.apply({ op: 'gpu_context_create', args: { client: 0 } }));
    const args = { context: 0, handle: 1, access: 'both' };
    expect(start('a', { op: 'gpu_bind', args, fail: { table: 1 } })).to.deep.equal({ point: 1 });
    expect(start('b', { op: 'gpu_bind', args })).to.deep.equal({ point: 1 });
    expect(resume('b')).to.deep.equal({ ok: { address: 64 } });
    expect(resume('a')).to.deep.equal({ ok: { address: 128 } });
    expect(start('a', { op: 'gpu_bind', args: { ...args, handle: 2 } })).to.deep.equal({ errno: 'EINVAL' });
    expect(start('a', { op: 'gpu_bind', args, fail: { iova: 1 } })).to.deep.equal({ point: 1 });
    expect(target.apply({ op: 'gpu_unbind', args: { context: 0, binding: 64 } })).to.deep.equal({ ok: {} });
    expect(resume('a')).to.deep.equal({ errno: 'ENOSPC', fired: ['iova'] });
  });
});

/** Calls with the sites that they were seen to ask. */
type Asked = Map<string, Set<string>>;

/** Makes each call with each site failing the first time it is asked, the second, and so on, and goes back. */
class Sweeping {
  readonly asked: Asked = new Map();
  readonly target: Builtin = builtin();

  constructor() {
    this.target.undoable.attach();
  }

  boot(machine: Machine): void {
    this.target.boot(machine);
  }

  apply(call: Parameters<Builtin['apply']>[0]): Reply {
    const { undoable } = this.target;
    const fingerprint = undoable.fingerprint();
    undoable.mark();
    const reply = this.target.apply({ op: call.op, args: call.args });
    undoable.undo();
    for (const site of Object.keys(SITES)) {
      for (let n = 1; this.#fires({ ...call, fail: { [site]: n } }, site, reply); n++) undoable.undo();
      undoable.undo();
      expect(undoable.fingerprint(), call.op).to.deep.equal(fingerprint);
    }
    undoable.drop();
    return this.target.apply({ op: call.op, args: call.args });
  }

  #fires(call: Parameters<Builtin['apply']>[0], site: string, plain: Reply): boolean {
    const reply = this.target.apply(call);
    if (reply.fired === undefined) expect(reply).to.deep.equal(plain);
    else {
      // What is fallen back to may be short itself: whether the call may fail then is what its rule says.
      const errnos = site === 'kmalloc_large' ? ['ENOMEM'] : SITES[site as keyof typeof SITES];
      expect(reply.fired).to.deep.equal([site]);
      if ('errno' in reply) expect([...errnos, 'errno' in plain && plain.errno]).to.include(reply.errno);
      this.asked.set(call.op, (this.asked.get(call.op) ?? new Set()).add(site));
    }
    return reply.fired !== undefined;
  }
}

/** In crumbs, a large leaf of which a part is unmapped, and a buffer whose list of pages does not fit a page. */
const LARGE: Script = {
  format: 1,
  machine: { ioBits: 12, occupied: Array.from({ length: 30 }, (_, at) => [2 * at + 5, 1]) },
  commands: [
    { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'domain' },
    { op: 'alloc_pages', order: 2, as: 'block' },
    {
      op: 'iommu_map',
      domain: 'domain',
      iova: 256,
      phys: { in: 'block', offset: 0 },
      bytes: 256,
      prot: 'both',
    },
    { op: 'iommu_unmap', domain: 'domain', iova: 320, bytes: 64 },
    { op: 'ion_client_create', as: 'client' },
    { op: 'ion_alloc', client: 'client', bytes: 640, heaps: ['iommu'], flags: 'uncached' },
  ],
};

describe('builtin: faults', () => {
  it('fire by name and number, change nothing when they do not, and are those of the table', () => {
    const sweeping = new Sweeping();
    const stepper = new Stepper(SPEC, sweeping.target);
    for (const script of [LARGE, ...scriptsOf(2, 60)]) drive(stepper, sweeping, script);
    const never: string[] = [];
    for (const [op, shape] of Object.entries(CALLS)) {
      const named: readonly string[] = 'sites' in shape ? shape.sites : [];
      const asked = [...(sweeping.asked.get(op) ?? [])];
      never.push(...named.filter((site) => !asked.includes(site)).map((site) => `${op} ${site}`));
      // The page of a table is a page like others.
      const unnamed = asked.filter((site) => !named.includes(site));
      expect(unnamed, op).to.deep.equal(unnamed.length > 0 && named.includes('table') ? ['page'] : []);
    }
    expect(never).to.deep.equal(['dma_alloc_coherent kmalloc', 'dma_alloc_coherent id', 'ion_mmap vmalloc']);
  }).timeout(60_000);

  it('are forgotten with the next call, and unknown ones are none', () => {
    const target = booted();
    const fail = { kmalloc_large: 1, vmalloc: 1, sausage: 1 };
    expect(target.apply({ op: 'kvmalloc', args: { bytes: 200 }, fail })).to.deep.equal({
      errno: 'ENOMEM',
      fired: ['kmalloc_large', 'vmalloc'],
    });
    expect(target.apply({ op: 'kvmalloc', args: { bytes: 0 } })).to.deep.equal({ ok: { memory: 16 } });
  });
});
