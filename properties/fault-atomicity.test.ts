import { expect } from 'chai';
import { type Call, type Machine, type Reply, SITES, SPEC, type Target, type View } from '../model/index.ts';
import { Builtin, type BuiltinOptions, builtin } from '../targets/builtin.ts';
import { infect, ZOO } from '../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import { sweepFaults } from './fault-atomicity.ts';
import { identityOf } from './finding.ts';
import { type Plan, Scripts } from './generate.ts';
import { planOf, type Trial, trialOf } from './property.ts';
import { type Command, FORMAT, type Script } from './script.ts';
import { type Shrunk, shrink } from './shrink/shrink.ts';
import { Stepper } from './stepper.ts';

const SEEDS = [1, 2, 3];
const SCRIPTS = 60;

/** Notes which faults have fired: `op site n`. */
class Noting extends Builtin {
  readonly fired = new Set<string>();

  override apply(call: Call): Reply {
    const reply = super.apply(call);
    for (const site of reply.fired ?? []) this.fired.add(`${call.op} ${site} ${call.fail?.[site]}`);
    return reply;
  }
}

/** A target that cannot go back: what it was asked since boot is asked again. */
const withoutUndo = (options: BuiltinOptions): Target<Machine> => {
  const target = builtin(options);
  const { name, capabilities, calls } = target;
  return {
    ...{ name, capabilities, calls },
    boot: (machine) => target.boot(machine),
    apply: (call) => target.apply(call),
    observe: (view) => target.observe(view),
  };
};

const sourceOf = (seed: number, plan: Plan = {}): Scripts<Machine, ReturnType<typeof SPEC.boot>> =>
  new Scripts(SPEC, seed, planOf('fault', SPEC, plan));

/** The first finding on a target, made as small as it gets. */
function caught(
  target: Target<Machine>,
  plan: Plan = {},
): { readonly trial: Trial; readonly shrunk: Shrunk } {
  const trial = trialOf('fault', SPEC, target);
  const source = sourceOf(1, plan);
  for (let index = 0; index < 500; index++) {
    const found = trial.run(source.at(index));
    if (found !== undefined) return { trial, shrunk: shrink(SPEC, found.script, found.finding, trial.again) };
  }
  return expect.fail(`nothing was found on ${target.name}`);
}

const bugOf = (name: string): Target<Machine> =>
  infect(ZOO.find((bug) => bug.name === name) ?? expect.fail(`there is no ${name}`));

/** A binding takes its reference first, and keeps it when the mapping fails. */
const keepsReference = (): Target<Machine> =>
  builtin({
    name: 'keeps a reference',
    patch({ gpu, ion }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        if (ioPage < 0) ion.takeReference(buffer);
        return ioPage;
      };
    },
  });

/** Who fails half way through a call keeps a line that it wrote. */
const scribbles = (): Target<Machine> =>
  builtin({
    name: 'scribbles',
    patch({ gpu, memory }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        if (ioPage < 0) memory.writeLine(buffer, 0, 77);
        return ioPage;
      };
    },
  });

const GPU = { only: new Set(['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind']) };

/** Targets with what is found on them, in how many commands at the most. */
const BROKEN: readonly (readonly [
  target: Target<Machine>,
  identity: RegExp,
  commands: number,
  plan?: Plan,
])[] = [
  [bugOf('chunks-left-behind'), /^pair\|C4\|counter\|/, 4],
  [bugOf('half-made'), /^pair\|C4\|(kind|counter)\|ion\|/, 3],
  [bugOf('no-vmalloc-fallback'), /^reply\|M2b\|no ENOMEM\|/, 2],
  [keepsReference(), /^pair\|C4\|refs\|gpu\|/, 4, GPU],
  [scribbles(), /^pair\|C4\|line\|gpu\|/, 4, GPU],
];

const script = (...commands: readonly Command[]): Script => ({ format: FORMAT, machine: {}, commands });
const take: Command = { op: 'alloc_pages', order: 0, as: 'block' };

/** Steps that the built-in implementation does without: others may have them. */
const NOT_ASKED = ['dma_alloc_coherent kmalloc', 'dma_alloc_coherent id', 'ion_mmap vmalloc'];

const RARE: readonly (readonly [what: string, machine: Script['machine'], commands: readonly Command[]])[] = [
  [
    'where a large translation is split',
    {},
    [
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
      { op: 'iommu_unmap', domain: 'domain', iova: 256, bytes: 64 },
    ],
  ],
  [
    'where the list of a buffer’s pages is out of single pages',
    { orderMax: 0 },
    [
      { op: 'ion_client_create', as: 'client' },
      { op: 'ion_alloc', client: 'client', bytes: 640, heaps: ['iommu'], flags: 'cached' },
    ],
  ],
];

describe('fault atomicity', () => {
  const fired = new Set<string>();

  for (const seed of SEEDS) {
    it(`holds on the built-in target, seed ${seed}`, () => {
      const target = new Noting({});
      const trial = trialOf('fault', SPEC, target);
      const source = sourceOf(seed);
      for (let index = 0; index < SCRIPTS; index++)
        expect(trial.run(source.at(index))?.finding).to.equal(undefined);
      expect(trial.counts.scripts).to.equal(SCRIPTS);
      expect(trial.counts.compared).to.be.above(20 * SCRIPTS);
      for (const each of target.fired) fired.add(each);
    }).timeout(30_000);
  }

  for (const [what, machine, commands] of RARE) {
    it(`holds ${what}, which is rare in drawn scripts`, () => {
      const target = new Noting({});
      expect(trialOf('fault', SPEC, target).run({ format: FORMAT, machine, commands })).to.equal(undefined);
      for (const each of target.fired) fired.add(each);
    });
  }

  it('fires every site that a call is said to ask, and later askings too', () => {
    const said = Object.entries(SPEC.calls).flatMap(([op, { sites = [] }]) =>
      sites.map((site) => `${op} ${site}`),
    );
    expect(said.filter((each) => !fired.has(`${each} 1`))).to.deep.equal(NOT_ASKED);
    const later = [...fired].filter((each) => each.endsWith(' 2')).map((each) => each.split(' ')[1]);
    expect(later).to.include.members(['page', 'kmalloc', 'table']);
  });

  for (const [target, identity, commands, plan] of BROKEN) {
    it(`finds that ${target.name} is broken, and makes it small`, () => {
      const { trial, shrunk } = caught(target, plan);
      expect(identityOf(shrunk.finding)).to.match(identity);
      expect(shrunk.script.commands.length).to.be.at.most(commands);
      expect(shrunk.script.commands.at(-1)?.fail, 'the fault').not.to.equal(undefined);
      expect(shrunk.finding.command).to.equal(shrunk.script.commands.length - 1);
      expect(trial.again(shrunk.script)).to.deep.equal(shrunk.finding);
      expect(trialOf('fault', SPEC, builtin()).again(shrunk.script)).to.equal(undefined);
    }).timeout(30_000);
  }

  it('does the same on targets that cannot undo', () => {
    const [undoing, booting] = [builtin(), withoutUndo({})].map((target) => trialOf('fault', SPEC, target));
    for (let index = 0; index < 10; index++) {
      const each = sourceOf(4).at(index);
      expect(undoing?.run(each)).to.equal(undefined);
      expect(booting?.run(each)).to.equal(undefined);
    }
    expect(booting?.counts.compared).to.equal(undoing?.counts.compared).and.to.be.above(0);
  });

  it('leaves the target as the script alone leaves it', () => {
    const { length: columns } = SPEC.view;
    const shownBy = (
      target: Target<Machine>,
      stepper: Stepper<Machine, ReturnType<typeof SPEC.boot>>,
    ): View => {
      const view = stepper.lockstep.shown;
      expect(view.columns).to.have.length(columns);
      target.observe(view);
      return view;
    };
    for (let index = 0; index < 10; index++) {
      const each = sourceOf(5).at(index);
      const [swept, alone] = [builtin(), builtin()];
      const stepper = new Stepper(SPEC, swept);
      expect(sweepFaults(stepper, swept, each)).to.equal(undefined);
      const plain = new Stepper(SPEC, alone);
      alone.boot(plain.begin(each));
      for (let call = plain.next(); call !== undefined; call = plain.next())
        plain.give(alone.apply(call), alone);
      expect(shownBy(swept, stepper).columns).to.deep.equal(shownBy(alone, plain).columns);
    }
  });

  it('says nothing of a call that fails without the fault too', () => {
    const machine = { policies: { layout: 'contiguous' } };
    const trial = trialOf('fault', SPEC, builtin());
    const source = sourceOf(1, { machine });
    for (let index = 0; index < 40; index++) expect(trial.run(source.at(index))?.finding).to.equal(undefined);
  }).timeout(30_000);

  it('tries the fault that a command names, and where none does, none', () => {
    const trial = trialOf('fault', SPEC, builtin());
    expect(trial.again(script(take))).to.equal(undefined);
    expect(trial.counts.compared).to.equal(0);
    expect(trial.again(script({ ...take, fail: { page: 1 } }))).to.equal(undefined);
    expect(trial.counts.compared).to.equal(1);
  });

  it('tells a target that fails when a fault is fired', () => {
    const target = new (class extends Builtin {
      override apply(call: Call): Reply {
        if (call.fail?.['page'] === 1) throw new Error('no plan for this');
        return super.apply(call);
      }
    })({});
    const trial = trialOf('fault', SPEC, target);
    const found = trial.run(script(take, { op: 'drain' }));
    expect(found?.script).to.deep.equal(script({ ...take, fail: { page: 1 } }));
    expect(found?.finding).to.deep.include({ kind: 'crash', command: 0, detail: 'no plan for this' });
    expect(trial.again(found?.script ?? script())).to.deep.equal(found?.finding);
  });

  it('tells a target that fails by itself', () => {
    const target = new (class extends Builtin {
      override apply(call: Call): Reply {
        if (call.op === 'drain') throw new Error('nothing to drain');
        return super.apply(call);
      }
    })({});
    const trial = trialOf('fault', SPEC, target);
    const found = trial.run(script({ op: 'drain' }));
    expect(found?.finding).to.deep.include({ kind: 'crash', command: 0 });
    expect(trial.again(script({ op: 'drain' }))).to.deep.include({ kind: 'crash', command: 0 });
  });

  it('ends with a target that says of every fault that it fired', () => {
    const always = new (class extends Cloakroom {
      override apply(call: Call): Reply {
        const reply = super.apply(call);
        return call.fail === undefined ? reply : { ...reply, fired: ['hook'] };
      }
    })();
    const trial = trialOf('fault', CLOAKROOM, always);
    expect(trial.run(script({ op: 'hang', colour: 1, as: 'coat' }))).to.equal(undefined);
    expect(trial.counts.compared).to.equal(1_000);
  });

  it('is drawn without faults of its own: every site of the table is tried', () => {
    expect(planOf('fault', SPEC, { machine: { pages: 8 } })).to.deep.equal({
      machine: { pages: 8 },
      noFaults: true,
    });
    expect(Object.keys(SPEC.sites)).to.deep.equal(Object.keys(SITES));
  });
});
