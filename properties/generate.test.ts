import { expect } from 'chai';
import { type Call, type Machine, type Reply, SPEC, type View } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { SeededChoices } from './choices.ts';
import { runScript } from './drive.ts';
import { CHUNK_SCRIPTS, drawMachine, type Plan, Scripts } from './generate.ts';
import type { Script } from './script.ts';
import { Stepper } from './stepper.ts';
import type { Counts } from './tally.ts';

const draw = (count: number, plan: Plan = {}, seed = 1): Script[] => {
  const scripts = new Scripts(SPEC, seed, plan);
  return Array.from({ length: count }, (_, index) => scripts.at(index));
};

/** What scripts that hold count on the built-in target, and the fault sites that failed in them. */
function run(scripts: readonly Script[]): { readonly counts: Counts; readonly fired: Set<string> } {
  const target = builtin();
  const stepper = new Stepper(SPEC, target);
  const fired = new Set<string>();
  const observed = {
    ...target,
    boot: (machine: Machine) => target.boot(machine),
    observe: (view: View) => target.observe(view),
    apply(call: Call): Reply {
      const reply = target.apply(call);
      for (const site of reply.fired ?? []) fired.add(site);
      return reply;
    },
  };
  for (const script of scripts) expect(runScript(stepper, observed, script)).to.equal(undefined);
  return { counts: stepper.counts, fired };
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** What must occur in 1,500 scripts: every call with `ok`, and every errno that a rule owes. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  alloc_pages: ['ok', 'EINVAL', 'ENOMEM'],
  free_pages: ['ok'],
  kvmalloc: ['ok', 'ENOMEM'],
  kvfree: ['ok'],
  sg_alloc_table_from_pages: ['ok', 'EINVAL', 'ENOMEM'],
  sg_free_table: ['ok'],
  iommu_domain_alloc: ['ok', 'ENOMEM', 'ENOSPC'],
  iommu_domain_free: ['ok'],
  iommu_map: ['ok', 'EEXIST', 'EINVAL', 'ENOMEM', 'ERANGE'],
  iommu_unmap: ['ok'],
  dma_map_sg: ['ok', 'ENOMEM'],
  dma_unmap_sg: ['ok'],
  ion_client_create: ['ok', 'EMFILE'],
  ion_client_destroy: ['ok', 'EBADF'],
  ion_alloc: ['ok', 'EBADF', 'EINVAL', 'ENODEV', 'ENOMEM', 'ENOSPC'],
  ion_free: ['ok', 'EBADF', 'EINVAL'],
  gpu_context_create: ['ok', 'EBADF', 'ENOMEM', 'ENOSPC'],
  gpu_context_destroy: ['ok', 'ENOENT'],
  gpu_bind: ['ok', 'EINVAL', 'ENOENT', 'ENOMEM', 'ENOSPC'],
  gpu_unbind: ['ok', 'EINVAL', 'ENOENT'],
  gpu_submit: ['ok', 'EBUSY', 'EINVAL', 'ENOENT'],
  tick_engine: ['ok'],
  device_write: ['ok', 'EINVAL', 'ENOENT'],
  device_read: ['ok', 'EINVAL', 'ENOENT'],
};

describe('Scripts', () => {
  it('depend on seed and index alone, whatever was asked before', () => {
    const forwards = draw(300);
    const source = new Scripts(SPEC, 1);
    for (const index of [299, 3, 260, 255, 256, 0, 3])
      expect(source.at(index), `script ${index}`).to.deep.equal(forwards[index]);
    expect(draw(5, {}, 2)).to.not.deep.equal(forwards.slice(0, 5));
  });

  it('have 20 to 80 commands, 50 in the mean', () => {
    const lengths = draw(500).map(({ commands }) => commands.length);
    expect(Math.min(...lengths)).to.be.at.least(20);
    expect(Math.max(...lengths)).to.be.at.most(80);
    expect(mean(lengths)).to.be.within(47, 53);
  });

  it('skip less than a third of their commands for a missing result, a tenth for a duty', () => {
    const scripts = draw(500);
    const { counts } = run(scripts);
    const commands = scripts.reduce((sum, script) => sum + script.commands.length, 0);
    expect(counts.skippedMissing / commands).to.be.below(0.33);
    expect(counts.skippedDuty / commands).to.be.below(0.1);
  }).timeout(20_000);

  it('reach every call with every errno that is owed, every label, and every fault site', () => {
    const { counts, fired } = run(draw(1500));
    const { outcomes, labels } = counts;
    expect(Object.keys(OUTCOMES).sort()).to.deep.equal(Object.keys(SPEC.calls).sort());
    for (const [op, expected] of Object.entries(OUTCOMES))
      expect(Object.keys(outcomes[op] ?? {}), op).to.include.members([...expected]);
    expect(Object.keys(labels).sort()).to.deep.equal(SPEC.labels.map(({ name }) => name).sort());
    expect([...fired].sort()).to.deep.equal(Object.keys(SPEC.sites).sort());
  }).timeout(20_000);

  it('have some calls switched off, each in many scripts, and others dominant', () => {
    const used = draw(300).map(({ commands }) => commands.map(({ op }) => op));
    expect(new Set(used.map((ops) => [...new Set(ops)].sort().join())).size).to.be.above(290);
    for (const op of ['ion_free', 'gpu_context_create', 'iommu_unmap', 'device_write', 'kvfree']) {
      const absent = used.filter((ops) => !ops.includes(op)).length;
      expect(absent, `${op} is absent`).to.be.within(30, 280);
    }
    const dominant = used.filter((ops) => ops.filter((op) => op === 'iommu_unmap').length > ops.length / 4);
    expect(dominant).to.not.have.lengthOf(0);
  });

  it('never switch off what makes something out of nothing', () => {
    for (const { commands } of draw(100, { only: new Set(['ion_client_create', 'ion_alloc']) }))
      expect(commands.map(({ op }) => op)).to.include('ion_client_create');
  });

  it('make only the calls they are asked for', () => {
    const only = new Set(['alloc_pages', 'free_pages']);
    for (const { commands } of draw(50, { only }))
      for (const { op } of commands) expect(only.has(op)).to.equal(true);
  });

  it('are empty when no call can be made', () => {
    const [script] = draw(1, { only: new Set(['free_pages']) });
    expect(script?.commands).to.deep.equal([]);
  });

  it('name results that are there in most cases, and made-up ones now and then', () => {
    const commands = draw(200).flatMap((script) => script.commands);
    const frees = commands.filter(({ op }) => op === 'ion_free').map(({ handle }) => handle);
    const madeUp = frees.filter((handle) => handle === 99).length / frees.length;
    expect(madeUp).to.be.within(0.001, 0.05);
  });

  it('have hostile literals', () => {
    const sizes = draw(200).flatMap(({ commands }) => commands.filter(({ op }) => op === 'ion_alloc'));
    const bytes = new Set(sizes.map((command) => command['bytes']));
    expect([...bytes]).to.include.members([-1, 0, '0xffffffffffffffff', '0x8000000000000000']);
  });

  it('arm faults in half of them', () => {
    const armed = draw(400).filter(({ commands }) => commands.some(({ fail }) => fail !== undefined));
    expect(armed.length).to.be.within(150, 240);
  });

  it('have no faults for targets that cannot fail on demand', () => {
    for (const { commands } of draw(100, { noFaults: true }))
      for (const { fail } of commands) expect(fail).to.equal(undefined);
  });

  it('share at most 8 machines within a chunk, and other chunks have others', () => {
    const machines = draw(2 * CHUNK_SCRIPTS).map(({ machine }) => machine);
    const [first, second] = [machines.slice(0, CHUNK_SCRIPTS), machines.slice(CHUNK_SCRIPTS)];
    expect(new Set(first).size).to.equal(8);
    expect(new Set(second).size).to.equal(8);
    const texts = new Set(first.map((machine) => JSON.stringify(machine)));
    expect(second.some((machine) => texts.has(JSON.stringify(machine)))).to.equal(false);
  });
});

describe('drawMachine', () => {
  const machines = Array.from({ length: 200 }, (_, index) =>
    drawMachine(SPEC, new SeededChoices(1, index)),
  ) as unknown as Machine[];

  it('takes every value that is drawn, and leaves out what is not', () => {
    for (const [name, { drawn }] of Object.entries(SPEC.fields)) {
      const seen = new Set(machines.map((machine) => machine[name as 'pages']));
      const expected = drawn === undefined ? [undefined] : drawn;
      expect([...seen].sort(), name).to.deep.equal([...new Set<number | undefined>(expected)].sort());
    }
  });

  it('draws the policies of which every value is right, not the disputed ones', () => {
    const policies = machines.map((machine) => JSON.stringify(machine.policies));
    expect([...new Set(policies)].sort()).to.deep.equal(['{"placement":"lifo"}', '{"placement":"lowest"}']);
  });

  it('has somebody else hold single pages in a third of them', () => {
    const held = machines.filter(({ occupied }) => occupied.length > 0);
    expect(held.length).to.be.within(45, 90);
    for (const { occupied, pages } of held)
      for (const [page, count] of occupied) expect([count, page < pages]).to.deep.equal([1, true]);
  });

  it('keeps what is fixed', () => {
    const fixed = { pages: 5, occupied: [[2, 2]] as const, policies: { contexts: 'shared' } };
    for (let index = 0; index < 50; index++) {
      const machine = drawMachine(SPEC, new SeededChoices(1, index), fixed);
      expect(machine).to.include({ pages: 5, occupied: fixed.occupied });
      expect(machine.policies).to.include({ contexts: 'shared' });
    }
  });

  it('says what is wrong with fixed numbers that no machine can have', () => {
    const bad = { lineBytes: 256 };
    expect(() => drawMachine(SPEC, new SeededChoices(1, 0), bad)).to.throw('machine: lineBytes 256');
  });
});
