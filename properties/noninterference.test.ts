import { expect } from 'chai';
import { type Call, type Machine, type Reply, SPEC, type Target } from '../model/index.ts';
import { Builtin, builtin } from '../targets/builtin.ts';
import { infect, ZOO } from '../targets/zoo/index.ts';
import { runChunk } from './campaign.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import { identityOf } from './finding.ts';
import { type Plan, Scripts } from './generate.ts';
import { Answering, runNoninterference } from './noninterference.ts';
import { planOf, type Trial, trialOf } from './property.ts';
import { type Command, FORMAT, type Script } from './script.ts';
import { type Shrunk, shrink } from './shrink/shrink.ts';

const SEEDS = [1, 2, 3];
const SCRIPTS = 200;

const bugOf = (name: string): Target<Machine> =>
  infect(ZOO.find((bug) => bug.name === name) ?? expect.fail(`there is no ${name}`));

interface Caught {
  readonly trial: Trial;
  readonly shrunk: Shrunk;
}

/** The first finding on a target, made as small as it gets. */
function caught(target: Target<Machine>, plan: Plan = {}): Caught {
  const trial = trialOf('noninterference', SPEC, target);
  const source = new Scripts(SPEC, 1, planOf('noninterference', SPEC, plan));
  for (let index = 0; index < 1_000; index++) {
    const found = trial.run(source.at(index));
    if (found !== undefined) return { trial, shrunk: shrink(SPEC, found.script, found.finding, trial.again) };
  }
  return expect.fail(`nothing was found on ${target.name}`);
}

/** Of a bug: what is found, and how many commands show it at the most. */
const BUGS: readonly (readonly [name: string, identity: string, commands: number])[] = [
  ['not-zeroed', 'pair|I8|data|cpu|', 10],
  ['maps-into-the-first-context', 'pair|I3|data|device|', 9],
  ['stale-iotlb', 'pair|I3|data|device|', 20],
];

/** Runs a script of its own calls, on the default machine. */
const run = (
  target: Target<Machine>,
  commands: readonly Command[],
  client?: string,
): ReturnType<Trial['again']> => {
  const script: Script = { format: FORMAT, machine: {}, commands };
  return runNoninterference(new Answering(SPEC, target), target, script, client);
};

const create = (as: string): Command => ({ op: 'ion_client_create', as });
const context = (client: string, as: string): Command => ({ op: 'gpu_context_create', client, as });
const query = (client: string): Command => ({ op: 'ion_query', client });

/** Wrong only while there are two clients, and then as it is told to be. */
class Crowded extends Builtin {
  private readonly answer: (call: Call) => Reply | undefined;
  private clients = 0;

  constructor(answer: (call: Call) => Reply | undefined) {
    super({ name: 'crowded' });
    this.answer = answer;
  }

  override boot(machine: Machine): void {
    this.clients = 0;
    super.boot(machine);
  }

  override apply(call: Call): Reply {
    if (call.op === 'ion_client_create') this.clients++;
    return (this.clients > 1 ? this.answer(call) : undefined) ?? super.apply(call);
  }
}

describe('noninterference', () => {
  for (const seed of SEEDS) {
    it(`holds on the built-in target, seed ${seed}`, () => {
      const trial = trialOf('noninterference', SPEC, builtin());
      const source = new Scripts(SPEC, seed, planOf('noninterference', SPEC, {}));
      for (let index = 0; index < SCRIPTS; index++)
        expect(trial.run(source.at(index))?.finding).to.equal(undefined);
      expect(trial.counts.scripts).to.equal(SCRIPTS);
      expect(trial.counts.compared).to.be.above(15 * SCRIPTS);
      const silent = SPEC.isolation?.calls.filter((op) => trial.counts.outcomes[op]?.['ok'] === undefined);
      expect(silent, 'calls that never succeed').to.deep.equal([]);
    }).timeout(30_000);
  }

  for (const [name, identity, commands] of BUGS) {
    it(`finds zoo/${name}, and makes it small`, () => {
      const { trial, shrunk } = caught(bugOf(name));
      expect(identityOf(shrunk.finding)).to.equal(identity);
      expect(shrunk.script.commands.length).to.be.at.most(commands);
      expect(trial.again(shrunk.script)).to.deep.equal(shrunk.finding);
      expect(trialOf('noninterference', SPEC, builtin()).again(shrunk.script)).to.equal(undefined);
    }).timeout(30_000);
  }

  it('decides T1 without the specification: a context for all shows what others have bound', () => {
    const { shrunk } = caught(builtin(), { machine: { policies: { contexts: 'shared' } } });
    expect(identityOf(shrunk.finding)).to.equal('pair|I3|data|device|');
    expect(shrunk.script.commands.length).to.be.at.most(7);
    const { machine } = shrunk.script;
    const own = {
      ...shrunk.script,
      machine: { ...machine, policies: { ...machine.policies, contexts: 'per-client' } },
    };
    expect(trialOf('noninterference', SPEC, builtin()).again(own)).to.equal(undefined);
  }).timeout(30_000);

  it('finds what a pool hands from one client to another', () => {
    const buffer = (client: string): readonly Command[] => [
      { op: 'ion_alloc', client, bytes: 64, heaps: ['system'], flags: 'uncached', as: `${client}_handle` },
      { op: 'ion_share', client, handle: `${client}_handle`, as: `${client}_fd` },
      { op: 'ion_mmap', client, fd: `${client}_fd`, offset: 0, bytes: 64, as: `${client}_map` },
    ];
    const commands: readonly Command[] = [
      ...[create('a'), create('b'), ...buffer('a')],
      { op: 'cpu_write', at: { in: 'a_map', offset: 0 }, bytes: 16, tag: 9 },
      { op: 'ion_client_destroy', client: 'a' },
      { op: 'tick_worker' },
      ...buffer('b'),
      { op: 'cpu_read', at: { in: 'b_map', offset: 0 }, bytes: 16 },
    ];
    expect(run(bugOf('pool-not-zeroed'), commands)?.detail).to.equal(
      'b is told data [9]; alone, without the other clients, data [0]',
    );
    expect(run(builtin(), commands)).to.equal(undefined);
  });

  it('tells the client, the command and both answers', () => {
    const target = new Crowded(({ op }) => (op === 'ion_query' ? { errno: 'EBADF' } : undefined));
    const finding = run(target, [create('a'), create('b'), { op: 'tick_worker' }, query('b')]);
    expect(finding).to.deep.include({
      kind: 'pair',
      command: 3,
      serves: 'P1',
      clause: 'errno',
      layer: 'ion',
    });
    expect(finding?.detail).to.equal('b is told EBADF; alone, without the other clients, heaps 3');
    expect(finding?.reply).to.deep.equal({ errno: 'EBADF' });
  });

  it('looks at one client alone when it is named, and at nothing when there is no other', () => {
    const target = new Crowded(({ op }) => (op === 'ion_query' ? { errno: 'EBADF' } : undefined));
    const commands = [create('a'), create('b'), query('b')];
    expect(run(target, commands, 'a')).to.equal(undefined);
    expect(run(target, commands, 'b')?.command).to.equal(2);
    expect(run(target, [create('a'), query('a')])).to.equal(undefined);
  });

  it('ends behind the first answer that the specification does not allow', () => {
    const target = new Crowded(({ op }) => (op === 'ion_query' ? { errno: 'EBADF' } : undefined));
    expect(run(target, [create('a'), create('b'), query('a'), query('b')], 'b')).to.equal(undefined);
  });

  it('tells a target that fails, whether among others or alone', () => {
    const target = new Crowded(({ op }) => {
      if (op === 'ion_query') throw new Error('too many of them');
      return undefined;
    });
    const finding = run(target, [create('a'), query('a'), { op: 'drain' }, create('b'), query('b')]);
    expect(finding).to.deep.include({ kind: 'crash', command: 4, detail: 'too many of them' });
  });

  it('does not name a job that has ended: its id may be another client’s by now', () => {
    const commands: readonly Command[] = [
      ...[create('a'), create('b'), context('a', 'c1'), context('b', 'c2')],
      { op: 'ion_alloc', client: 'b', bytes: 64, heaps: ['iommu'], flags: 'uncached', as: 'handle' },
      { op: 'gpu_bind', context: 'c2', handle: 'handle', access: 'both', as: 'binding' },
      { op: 'gpu_submit', context: 'c1', at: 0, bytes: 16, access: 'read', tag: 1, as: 'job1' },
      { op: 'tick_engine', job: 'job1' },
      {
        op: 'gpu_submit',
        context: 'c2',
        at: { in: 'binding', offset: 0 },
        bytes: 32,
        access: 'write',
        tag: 1,
        as: 'job2',
      },
      { op: 'tick_engine', job: 'job1' },
      { op: 'tick_engine', job: 'job2' },
    ];
    const target = builtin();
    const stepper = new Answering(SPEC, target);
    expect(runNoninterference(stepper, target, { format: FORMAT, machine: {}, commands })).to.equal(
      undefined,
    );
    expect(stepper.counts.compared, 'all but the tick of the job that has ended').to.equal(
      commands.length - 1,
    );
  });

  it('is drawn with the calls of clients alone, without faults, and strict', () => {
    const plan = planOf('noninterference', SPEC, {
      machine: { pages: 8 },
      only: new Set(['ion_query', 'compact']),
    });
    expect(plan).to.deep.equal({
      machine: { pages: 8, policies: { invalidation: 'strict' } },
      noFaults: true,
      only: new Set(['ion_query']),
    });
  });

  it('runs in chunks, and counts each script once', () => {
    const campaign = {
      spec: SPEC,
      target: builtin(),
      seed: 1,
      plan: {},
      property: 'noninterference',
    } as const;
    const { counts, found } = runChunk(campaign, 0, 40);
    expect(found).to.equal(undefined);
    expect(counts.scripts).to.equal(40);
    expect(counts.compared).to.be.above(0);
  });

  it('needs a specification that says what is isolated', () => {
    expect(() => trialOf('noninterference', CLOAKROOM, new Cloakroom())).to.throw('cloakroom says nothing');
  });
});
