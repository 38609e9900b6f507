import { expect } from 'chai';
import { type Call, type Machine, type Reply, SPEC, type View } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { SeededChoices } from './choices.ts';
import { runScript } from './drive.ts';
import { CHUNK_SCRIPTS, drawMachine, type Plan, Scripts } from './generate.ts';
import { type Argument, type Command, type Script, START_MAPS } from './script.ts';
import { Stepper } from './stepper.ts';
import { type Counts, noCounts, rowNames } from './tally.ts';

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

/** What a command names that users hold. */
const usersReferences = (command: Command): Argument[] =>
  Object.entries(SPEC.calls[command.op]?.args ?? {}).flatMap(([name, shape]) => {
    const isUsers = shape.is === 'ref' && shape.of.some((kind) => SPEC.kinds[kind]?.user === true);
    return isUsers ? [command[name] as Argument] : [];
  });

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/**
 * Rows that take more than 2,000 scripts to be met: a client with a descriptor and all of its handles taken by other
 * buffers, and an address space without room.
 */
const RARE = ['ion_import refuse ENOSPC', 'dma_map_sg refuse ENOMEM', 'gpu_bind may ENOSPC'];

/** Rows for other kernels, whose errnos the built-in target does not give. */
const OTHERS = [
  'iommu_attach_device may ENOMEM',
  'iommu_map may EADDRINUSE',
  'iommu_map_sg may EADDRINUSE',
  'ion_share may ENOMEM',
  'ion_mmap may EOVERFLOW',
];

/** What a call must come to in many scripts: success, and every errno that a row of its rule names. */
function outcomesOf(op: string): string[] {
  const { refuse, may } = SPEC.rules[op] ?? expect.fail(`${op} has no rule`);
  const own = may.filter(([errno]) => !OTHERS.includes(`${op} may ${errno}`));
  return [...new Set(['ok', ...[...refuse, ...own].map(([errno]) => errno)])];
}

describe('Scripts', () => {
  it('depend on seed and index alone, whatever was asked before', () => {
    const forwards = draw(300);
    const source = new Scripts(SPEC, 1);
    for (const index of [299, 3, 260, 255, 256, 0, 3])
      expect(source.at(index), `script ${index}`).to.deep.equal(forwards[index]);
    expect(draw(5, {}, 2)).to.not.deep.equal(forwards.slice(0, 5));
  });

  it('have 20 to 80 commands, 50 in the mean; hardly any ends where nothing goes on', () => {
    const lengths = draw(1000).map(({ commands }) => commands.length);
    expect(lengths.filter((length) => length < 20).length).to.be.at.most(5);
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

  it('probe in some what should have become unreachable, through all that there is', () => {
    const probes = SPEC.calls['device_probe']?.probes ?? expect.fail('nothing is probed after');
    const probed = draw(400).filter(({ commands }) => {
      const ends = commands.map(({ op }, at) => [op, commands[at + 1]?.op] as const);
      const after = ends.filter(([op, next]) => probes.includes(op) && next === 'device_probe').length;
      return after > ends.filter(([op]) => probes.includes(op)).length / 2;
    });
    expect(probed.length).to.be.within(40, 120);
    const twice = probed.filter(({ commands }) =>
      commands.some(({ op, through }, at) => {
        const next = commands[at + 1];
        return op === 'device_probe' && next?.op === op && next['through'] !== through;
      }),
    );
    expect(twice.length, 'of several').to.be.above(10);
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

  it('name results of users that are there in most cases, and made-up ones now and then', () => {
    const named = draw(500).flatMap(({ commands }) => commands.flatMap(usersReferences));
    const madeUp = named.filter((reference) => reference === 99).length / named.length;
    expect(madeUp).to.be.within(0.005, 0.02);
    expect(named.every((reference) => typeof reference === 'string' || reference === 99)).to.equal(true);
  });

  it('have hostile literals', () => {
    const sizes = draw(1000).flatMap(({ commands }) => commands.filter(({ op }) => op === 'ion_alloc'));
    const bytes = new Set(sizes.map((command) => command['bytes']));
    expect([...bytes]).to.include.members([-1, 0, '0xffffffffffffffff', '0x8000000000000000']);
  });

  it('arm faults in two of five', () => {
    const armed = draw(1000).filter(({ commands }) => commands.some(({ fail }) => fail !== undefined));
    expect(armed.length).to.be.within(350, 450);
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

describe('two thousand scripts', () => {
  let reached = { counts: noCounts(0), fired: new Set<string>() };

  before(function () {
    this.timeout(60_000);
    reached = run(draw(2000));
  });

  for (const op of Object.keys(SPEC.calls)) {
    it(`come to ${outcomesOf(op).join(', ')} with ${op}`, () => {
      expect(Object.keys(reached.counts.outcomes[op] ?? {})).to.include.members(outcomesOf(op));
    });
  }

  it('meet every situation that has a label', () => {
    const labels = SPEC.labels.map(({ name }) => name);
    expect(Object.keys(reached.counts.labels)).to.have.members(labels);
  });

  it('make every fault site fail', () => {
    expect([...reached.fired]).to.have.members(Object.keys(SPEC.sites));
  });

  it('see every row true that refuses or allows, but for some', () => {
    const { rowsTrue } = reached.counts;
    const names = rowNames(SPEC).map(({ op, table, name }) => `${op} ${table} ${name}`);
    const never = names.filter((_name, row) => rowsTrue[row] === 0);
    expect(never.filter((name) => ![...RARE, ...OTHERS].includes(name))).to.deep.equal([]);
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
    const free = Object.entries(SPEC.policies).filter(([, policy]) => policy.free === true);
    const policies = machines.map((machine) => Object.entries(machine.policies));
    for (const drawn of policies)
      expect(drawn.map(([name]) => name)).to.deep.equal(free.map(([name]) => name));
    const ways = free.reduce((product, [, { values }]) => product * values.length, 1);
    expect(new Set(policies.map((drawn) => JSON.stringify(drawn))).size).to.equal(ways);
  });

  it('has somebody else hold single pages in half of them, some for good and some that may be moved', () => {
    const maps = machines.map((machine) => START_MAPS.filter((map) => machine[map] !== undefined));
    for (const map of START_MAPS)
      expect(maps.filter((drawn) => drawn.join() === map).length, map).to.be.within(35, 65);
    expect(maps.some((drawn) => drawn.length > 1)).to.equal(false);
    for (const { pages, ...machine } of machines) {
      const runs = START_MAPS.flatMap((map) => machine[map] ?? []);
      for (const [page, count] of runs) expect([count, page < pages]).to.deep.equal([1, true]);
    }
  });

  it('draws no crumbs for a start map that is fixed', () => {
    const fixed = { pages: 16, occupied: [[3, 5]] as const };
    const drawn = Array.from({ length: 100 }, (_, index) =>
      drawMachine(SPEC, new SeededChoices(1, index), fixed),
    );
    for (const machine of drawn) expect(machine.occupied).to.equal(fixed.occupied);
    const none = { ...fixed, movable: [] };
    for (let index = 0; index < 20; index++)
      expect(drawMachine(SPEC, new SeededChoices(1, index), none)).to.include(none);
    for (const { movable = [] } of drawn)
      for (const [page] of movable) expect(page, 'nobody holds it already').to.not.be.within(3, 7);
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
