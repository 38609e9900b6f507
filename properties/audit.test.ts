import { expect } from 'chai';
import {
  type Args,
  type Reply,
  type Rule,
  SPEC,
  type Spec,
  type Target,
  type Value,
} from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { type Audited, Auditor, addAudited, hiding, nothingAudited, showingOnly } from './audit.ts';
import { CLOAKROOM, Cloakroom, type Cloaks, type Room } from './cloakroom.test.ts';
import { runScript } from './drive.ts';
import { Scripts } from './generate.ts';
import { withoutInvariant, withoutRow } from './spec-mutants.ts';
import { Stepper } from './stepper.ts';
import { rowNames } from './tally.ts';

function audit<M, S extends Cloaks>(spec: Spec<M, S>, target: Target<M>, scripts: number): Audited {
  const auditor = new Auditor(spec, target, nothingAudited(rowNames(spec).length));
  const source = new Scripts(spec, 1);
  for (let index = 0; index < scripts; index++) auditor.run(source.at(index));
  return auditor.audited;
}

const namesOf = (spec: Spec<Room, Cloaks>, rows: readonly boolean[]): string[] =>
  rowNames(spec).flatMap(({ op, name }, at) => (rows[at] === true ? [`${op} ${name}`] : []));

const ruleOf = (op: string): Rule<Cloaks, Args, Value> => CLOAKROOM.rules[op] as Rule<Cloaks, Args, Value>;

/** The cloakroom with more rows in the rule for hanging up. */
const withRows = (rows: Partial<Rule<Cloaks, Args, Value>>): Spec<Room, Cloaks> => ({
  ...CLOAKROOM,
  rules: { ...CLOAKROOM.rules, hang: { ...ruleOf('hang'), ...rows } },
});

describe('an audit of a specification', () => {
  it('finds that every row of the cloakroom is needed', () => {
    const { killed } = audit(CLOAKROOM, new Cloakroom(), 100);
    expect(killed).to.deep.equal(rowNames(CLOAKROOM).map(() => true));
  });

  it('finds the condition that another one implies', () => {
    const exists = [
      'a hook that exists',
      ({ room }: Cloaks, _args: Args, { ticket }: Value) =>
        Number(ticket) >= 0 && Number(ticket) < room.hooks,
      'FREE',
    ] as const;
    const spec = withRows({ accept: [...ruleOf('hang').accept, exists] });
    const { killed } = audit(spec, new Cloakroom(), 100);
    expect(
      namesOf(
        spec,
        killed.map((is) => !is),
      ),
    ).to.deep.equal(['hang a hook that exists']);
  });

  it('finds the refusal that another one implies, and the errno that nobody gives', () => {
    const refuse = [
      ...ruleOf('hang').refuse,
      ['EINVAL', (_s: Cloaks, { colour }: Args) => Number(colour) < 0, 'P1'] as const,
    ];
    const spec = withRows({ refuse, may: [['EAGAIN', ({ coat }) => coat.values.every((each) => each > 0)]] });
    const { killed, seenTrue, seenFalse } = audit(spec, new Cloakroom(), 100);
    expect(killed.slice(0, 4)).to.deep.equal([true, true, false, false]);
    expect([seenTrue[3], seenFalse[3]], 'it was asked about all the same').to.deep.equal([true, true]);
  });

  it('knows what was known before, and puts together what several saw', () => {
    const known = nothingAudited(2);
    addAudited(known, { killed: [false, true], seenTrue: [true, false], seenFalse: [false, false] });
    addAudited(known, { killed: [false, false], seenTrue: [false, false], seenFalse: [false, true] });
    expect(known).to.deep.equal({ killed: [false, true], seenTrue: [true, false], seenFalse: [false, true] });
  });

  it('says nothing of what comes after a finding', () => {
    class Wrong extends Cloakroom {
      override hang(): Reply {
        return { errno: 'EPERM' };
      }
    }
    const { killed } = audit(CLOAKROOM, new Wrong(), 20);
    expect(namesOf(CLOAKROOM, killed)).not.to.include('fetch the coat of the ticket');
  });
});

/** What the audit takes for granted, on whole runs with specifications that are mutants. */
describe('a run with a mutant of the specification', () => {
  const SCRIPTS = 60;
  const source = new Scripts(SPEC, 1);
  const firstWrong = (row: number): number => {
    const target = builtin();
    const stepper = new Stepper(withoutRow(SPEC, row), target);
    for (let index = 0; index < SCRIPTS; index++)
      if (runScript(stepper, target, source.at(index)) !== undefined) return index;
    return -1;
  };
  /** The script at which the audit sees that an errno of the target is called wrong without the row. */
  const firstKilled = (row: number): number => {
    const auditor = new Auditor(SPEC, builtin(), nothingAudited(rowNames(SPEC).length));
    for (let index = 0; index < SCRIPTS; index++) {
      auditor.run(source.at(index));
      if (auditor.audited.killed[row]) return index;
    }
    return -1;
  };
  const rowOf = (op: string, table: string, name: string): number =>
    rowNames(SPEC).findIndex((row) => row.op === op && row.table === table && row.name === name);

  for (const [op, errno] of [
    ['gpu_bind', 'EINVAL'],
    ['ion_client_create', 'EMFILE'],
    ['iommu_attach_device', 'EBUSY'],
  ] as const) {
    it(`goes wrong at the script at which the audit says so: ${op} without ${errno}`, () => {
      const row = rowOf(op, 'refuse', errno);
      expect(firstWrong(row)).to.equal(firstKilled(row)).and.to.be.at.least(0);
    });
  }

  it('is the same run when a condition is left out, and lets the near miss pass that the audit found', () => {
    expect(firstWrong(rowOf('alloc_pages', 'accept', 'a block that nobody holds'))).to.equal(-1);
    class Second extends Cloakroom {
      override give(op: string, ticket: number): Reply {
        return op === 'brush' ? { ok: { colour: 2 } } : super.give(op, ticket);
      }
    }
    const script = {
      format: 1,
      machine: {},
      commands: [
        { op: 'hang', colour: 1, as: 'mine' },
        { op: 'brush', ticket: 'mine' },
      ],
    } as const;
    const run = (spec: typeof CLOAKROOM): string | undefined =>
      runScript(new Stepper(spec, new Second()), new Second(), script)?.clause;
    const row = rowNames(CLOAKROOM).findIndex(({ op }) => op === 'brush');
    expect(run(CLOAKROOM)).to.equal('the coat of the ticket');
    expect(run(withoutRow(CLOAKROOM, row))).to.equal(undefined);
  });

  it('has one row less, or one invariant', () => {
    const { length } = rowNames(CLOAKROOM);
    for (let row = 0; row < length; row++) {
      const left = rowNames(withoutRow(CLOAKROOM, row));
      expect(left).to.deep.equal(rowNames(CLOAKROOM).toSpliced(row, 1));
    }
    const ids = withoutInvariant(CLOAKROOM, 1).invariants.map(({ id }) => id);
    expect(ids).to.deep.equal(['KNOWN', 'CALM', 'EMPTY', 'P1']);
  });
});

describe('a target that shows less', () => {
  it('shows the columns that were asked for, or none and no page numbers', () => {
    const view = { columns: [new Int32Array(2), new Int32Array(1)], shown: 0, touched: 0 };
    const target = new Cloakroom();
    const second = showingOnly(target, 2);
    second.boot({ hooks: 2, colours: 2, policies: {}, occupied: [] });
    expect(second.apply({ op: 'hang', args: { colour: 1 } })).to.deep.equal({ ok: { ticket: 0 } });
    second.observe(view);
    expect(view.shown).to.equal(2);
    hiding(target).observe(view);
    expect(view.shown).to.equal(0);
    expect([...hiding(target).capabilities]).to.deep.equal(['faults']);
  });
});
