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
import { ALLOC, FINDING, KVMALLOC, ops, script } from './examples.test.ts';
import { isSmaller, measure } from './measure.ts';
import type { Pass } from './pass.ts';
import { candidates, EXECUTIONS_MAX, shrink } from './shrink.ts';

describe('shrinking', () => {
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
    expect(runs).to.have.lengthOf(executions);
    expect(new Set(runs.map((run) => JSON.stringify(run))).size, 'none twice').to.equal(executions);
    for (const run of runs) expect(isSmaller(measure(run, SPEC), measure(from, SPEC))).to.equal(true);
  });

  it('stops where it is when it has run too much', () => {
    const from = script([{ ...ALLOC, order: 30_000 }]);
    const orderOf = ({ commands }: Script): number => Number(commands[0]?.['order']);
    const oneLess: Pass = {
      name: 'one less',
      *candidates(s) {
        yield script([{ ...ALLOC, order: orderOf(s) - 1 }]);
      },
    };
    const { executions, script: best } = shrink(SPEC, from, FINDING, () => FINDING, [oneLess]);
    expect(executions).to.equal(EXECUTIONS_MAX);
    expect(orderOf(best)).to.equal(30_000 - EXECUTIONS_MAX);
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
    const other = run(slid) ?? expect.fail('nothing is left');
    expect(identityOf(other)).to.not.equal(identityOf(finding));
    expect(slid.commands).to.have.lengthOf(1);
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
