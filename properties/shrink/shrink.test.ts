import { expect } from 'chai';
import { type Call, type Reply, SPEC } from '../../model/index.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { runScript } from '../drive.ts';
import { type Finding, identityOf } from '../finding.ts';
import { Scripts } from '../generate.ts';
import { runSchedule } from '../interleave.ts';
import type { Command, Script } from '../script.ts';
import { isScript } from '../script-arbitrary.ts';
import { Stepper } from '../stepper.ts';
import { isSmaller, measure } from './measure.ts';
import { candidates, EXECUTIONS_MAX, PASSES, shrink } from './shrink.ts';

const FINDING: Finding = {
  kind: 'view',
  command: 1000,
  call: { op: '', args: {} },
  serves: 'C1',
  clause: 'kind',
  layer: 'pages',
  detail: '',
};

const script = (commands: readonly Command[], machine: Script['machine'] = {}): Script => ({
  format: 1,
  machine,
  commands,
});

const ALLOC: Command = { op: 'alloc_pages', order: 0 };
const KVMALLOC: Command = { op: 'kvmalloc', bytes: 64 };
const client = (as: string): Command => ({ op: 'ion_client_create', as });
const buffer = (name: string): Command => ({
  op: 'ion_alloc',
  client: name,
  bytes: 64,
  heaps: ['iommu'],
  flags: 'uncached',
});

const ops = ({ commands }: Script): string => commands.map(({ op }) => op).join();

/** A start, what must stay true, the pass without which nothing gets smaller, and the end. */
interface Case {
  readonly pass: string;
  readonly from: Script;
  fails(script: Script): boolean;
  readonly to: Script;
}

const CASES: readonly Case[] = [
  {
    pass: 'remove commands',
    from: script([ALLOC, KVMALLOC]),
    fails: (s) => ops(s).includes('kvmalloc') && Object.keys(s.machine).length === 0,
    to: script([KVMALLOC]),
  },
  {
    pass: 're-point references',
    from: script([client('one'), client('two'), buffer('one'), buffer('two')]),
    fails: (s) => ops(s).endsWith('ion_alloc,ion_alloc') && Object.keys(s.machine).length === 0,
    to: script([client('two'), buffer('two'), buffer('two')]),
  },
  {
    pass: 'remove faults, actors and preemptions',
    from: script([{ ...ALLOC, fail: { page: 2 } }]),
    fails: (s) => ops(s) === 'alloc_pages' && s.commands[0]?.fail?.['page'] !== 1 && !('pages' in s.machine),
    to: script([ALLOC]),
  },
  {
    pass: 'smaller machine',
    from: script([ALLOC], { pages: 32 }),
    fails: ({ commands, machine }) => commands.length === 1 && Number(machine['pages']) >= 13,
    to: script([ALLOC], { pages: 13 }),
  },
  {
    pass: 'first values of policies',
    from: script([ALLOC], { policies: { contexts: 'shared', placement: 'lifo' } }),
    fails: ({ commands, machine }) =>
      commands.length === 1 && machine.policies?.['placement'] === 'lifo' && !('pages' in machine),
    to: script([ALLOC], { policies: { placement: 'lifo' } }),
  },
  {
    pass: 'fewer occupied pages',
    from: script([ALLOC], {
      occupied: [
        [1, 1],
        [3, 4],
        [9, 1],
      ],
    }),
    fails: ({ commands, machine }) =>
      commands.length === 1 &&
      !('pages' in machine) &&
      (machine.occupied ?? []).some(([first]) => first === 3),
    to: script([ALLOC], { occupied: [[3, 1]] }),
  },
  {
    pass: 'smaller arguments',
    from: script([{ ...ALLOC, order: 3 }]),
    fails: ({ commands, machine }) => Number(commands[0]?.['order']) >= 2 && !('pages' in machine),
    to: script([{ ...ALLOC, order: 2 }]),
  },
  {
    pass: 'defaults',
    from: script([ALLOC], { pages: 64, policies: { placement: 'lowest' } }),
    fails: ({ commands, machine }) => commands.length === 1 && (machine['pages'] ?? 64) === 64,
    to: script([ALLOC]),
  },
];

/** Only the numbers of these machines are looked at that a case is about. */
const isAbout = ({ from }: Case, { machine }: Script): boolean =>
  Object.keys(machine).every((name) => name in from.machine);

const smallerThan = (
  from: Script,
  pass: (typeof PASSES)[number],
  fails: (s: Script) => boolean,
): Script[] => {
  const size = measure(from, SPEC);
  return [...pass.candidates(from, SPEC)].filter(
    (each) => isSmaller(measure(each, SPEC), size) && fails(each),
  );
};

describe('shrinking', () => {
  for (const each of CASES) {
    const fails = (s: Script): boolean => isAbout(each, s) && each.fails(s);

    it(`needs the pass "${each.pass}"`, () => {
      const helpful = PASSES.filter((pass) => smallerThan(each.from, pass, fails).length > 0);
      expect(helpful.map(({ name }) => name)).to.deep.equal([each.pass]);
    });

    it(`ends where it should with the pass "${each.pass}"`, () => {
      const run = (s: Script): Finding | undefined => (fails(s) ? FINDING : undefined);
      expect(shrink(SPEC, each.from, FINDING, run).script).to.deep.equal(each.to);
    });
  }

  it('cuts what comes after the finding, without asking', () => {
    const after = script([KVMALLOC, ALLOC, ALLOC, ALLOC], { pages: 1 });
    const found = { ...FINDING, command: 0 };
    const runs: string[] = [];
    shrink(SPEC, after, found, (s) => {
      runs.push(ops(s));
      return undefined;
    });
    expect(runs.filter((run) => run.includes('alloc_pages'))).to.deep.equal([]);
  });

  it('counts its executions, and makes none of what is not smaller', () => {
    const runs: Script[] = [];
    const from = new Scripts(SPEC, 1).at(0);
    const { executions, script: best } = shrink(SPEC, from, FINDING, (s) => {
      runs.push(s);
      return undefined;
    });
    expect(best).to.deep.equal(from);
    expect(runs).to.have.lengthOf(executions + 1);
    for (const run of runs.slice(0, -1))
      expect(isSmaller(measure(run, SPEC), measure(from, SPEC))).to.equal(true);
  });

  it('stops where it is when it has run too much', () => {
    const from = script(Array.from({ length: 150 }, (_, order) => ({ ...ALLOC, order })));
    let first = 0;
    // Nothing but the first of what is left can be removed, and that is tried last.
    const { executions, script: best } = shrink(SPEC, from, FINDING, ({ commands }) => {
      if (commands[0]?.['order'] !== first + 1 || first + 1 + commands.length !== 150) return undefined;
      first++;
      return FINDING;
    });
    expect(executions).to.equal(EXECUTIONS_MAX);
    expect(best.commands.length).to.be.within(1, 149);
  }).timeout(20_000);

  it('keeps the finding when it gets smaller at another command, and reports the last', () => {
    const bug =
      ZOO.find(({ name }) => name === 'free-first-page-only') ?? expect.fail('there is no such bug');
    const target = infect(bug);
    const stepper = new Stepper(SPEC, target);
    const run = (s: Script): Finding | undefined => runScript(stepper, target, s);
    const from = new Scripts(SPEC, 1, { only: new Set(['alloc_pages', 'free_pages']) }).at(1);
    const finding = run(from) ?? expect.fail('the bug was not found');
    const shrunk = shrink(SPEC, from, finding, run);
    expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
    expect(shrunk.finding).to.deep.equal(run(shrunk.script));
    expect(shrunk.script.commands.length).to.be.at.most(2);
  });
});

/** Two bugs: the first needs a second hook, the second shows as soon as there is only one. */
class TwoBugs extends Cloakroom {
  override hang(colour: number): Reply {
    const isFull = colour >= 1 && !this.coats.includes(0);
    return isFull ? { ok: { ticket: 0 } } : super.hang(colour);
  }

  override give(op: string, ticket: number): Reply {
    return super.give(op === 'brush' && ticket > 0 ? 'fetch' : op, ticket);
  }
}

describe('shrinking with two bugs', () => {
  const target = new TwoBugs();
  const stepper = new Stepper(CLOAKROOM, target);
  const run = (s: Script): Finding | undefined => runScript(stepper, target, s);
  const hang = (as: string): Command => ({ op: 'hang', colour: 2, as });
  const from = script([hang('a'), hang('b'), { op: 'brush', ticket: 'b' }, hang('c')], { hooks: 3 });
  const finding = run(from) ?? expect.fail('nothing was found');

  it('stays with the one that was found', () => {
    const shrunk = shrink(CLOAKROOM, from, finding, run);
    expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
    expect(shrunk.script).to.deep.equal(
      script([
        { op: 'hang', colour: 1, as: 'a' },
        { op: 'hang', colour: 1, as: 'b' },
        { op: 'brush', ticket: 'b' },
      ]),
    );
  });

  it('would slide to the other if any finding would do', () => {
    const any = (s: Script): Finding | undefined => run(s) && { ...finding, command: 1000 };
    const { script: slid } = shrink(CLOAKROOM, from, { ...finding, command: 1000 }, any);
    expect(run(slid)).to.include({ kind: 'reply', clause: 'refuse ENOSPC' });
    expect(slid.commands).to.have.lengthOf(2);
  });
});

/** A cloakroom that is put off when a coat is fetched while it hangs another up. */
class Startled extends Cloakroom {
  #calls: Call[] = [];
  #fetched = false;

  readonly concurrent = {
    start: (_actor: string, call: Call): Reply | { point: number } => {
      if (call.op !== 'hang') {
        this.#fetched = call.op === 'fetch';
        return this.apply(call);
      }
      this.#calls.push(call);
      this.#fetched = false;
      return { point: 1 };
    },
    resume: (): Reply => {
      const call = this.#calls.pop() ?? expect.fail('nothing is under way');
      return this.#fetched ? { errno: 'EINVAL' } : this.apply(call);
    },
  };
}

describe('shrinking under a schedule', () => {
  it('keeps the later command that went before the finding', () => {
    const target = new Startled();
    const stepper = new Stepper(CLOAKROOM, target);
    const run = (s: Script): Finding | undefined => runSchedule(stepper, target, s);
    const hang = { op: 'hang', colour: 2 };
    const from: Script = {
      ...script([
        { ...hang, as: 'x' },
        hang,
        { ...hang, as: 'y', actor: 'a' },
        { op: 'brush', ticket: 'x' },
        { op: 'fetch', ticket: 'x', actor: 'b' },
        hang,
      ]),
      schedule: [
        { in: 'x', point: 1, to: 'nobody' },
        { in: 'y', point: 1, to: 'b' },
      ],
    };
    const finding = run(from) ?? expect.fail('nothing was found');
    expect(finding).to.include({ kind: 'reply', clause: 'no EINVAL', command: 2 });
    const shrunk = shrink(CLOAKROOM, from, finding, run);
    expect(identityOf(shrunk.finding)).to.equal(identityOf(finding));
    expect(run(shrunk.script)).to.deep.equal(shrunk.finding);
    expect(shrunk.script.commands.map(({ op }) => op)).to.deep.equal(['hang', 'hang', 'fetch']);
    expect(shrunk.script.schedule).to.deep.equal([{ in: 'y', point: 1, to: 'b' }]);
  });
});

describe('candidates', () => {
  const from = new Scripts(SPEC, 5).at(3);
  const text = JSON.stringify(from);
  const offered = [...candidates(from, SPEC)];

  it('are the same for the same script, which stays as it was', () => {
    expect(JSON.stringify([...candidates(from, SPEC)])).to.equal(JSON.stringify(offered));
    expect(JSON.stringify(from)).to.equal(text);
  });

  it('are all smaller, and all scripts', () => {
    expect(offered.length).to.be.above(100);
    for (const { script: candidate } of offered) {
      expect(isSmaller(measure(candidate, SPEC), measure(from, SPEC))).to.equal(true);
      expect(isScript(candidate, SPEC)).to.equal(true);
    }
  });

  it('come from every pass, starting with the one that is asked for', () => {
    const order = (first: number): number[] => [
      ...new Set([...candidates(from, SPEC, first)].map(({ pass }) => pass)),
    ];
    const all = order(0);
    expect(all).to.include.members([0, 1]);
    expect(order(1)).to.deep.equal([...all.slice(1), 0]);
    expect(new Set([...candidates(from, SPEC, 1)].map((each) => JSON.stringify(each.script))).size).to.equal(
      new Set(offered.map((each) => JSON.stringify(each.script))).size,
    );
  });

  it('are made one by one', () => {
    let asked = 0;
    for (const { pass } of candidates(from, SPEC)) {
      expect(pass).to.equal(0);
      if (++asked === 2) break;
    }
    expect(asked).to.equal(2);
  });
});
