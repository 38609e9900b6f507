import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type Counts, type Finding, noCounts, rowNames } from '../properties/index.ts';
import { ZOO } from '../targets/zoo/index.ts';
import { coverageOf } from './coverage.ts';
import type { Excuse } from './excused.ts';
import { printGates } from './gate-screen.ts';
import { type Evidence, type Gate, ownGates, targetGates } from './gates.ts';
import { recordingSession } from './session.ts';

const ROWS = rowNames(SPEC);
const SCRIPT = { format: 1, machine: {}, commands: [] } as const;
const CALLS = Object.keys(SPEC.calls);

/** A run that saw everything. */
function allSeen(): Counts {
  const counts = noCounts(ROWS.length);
  counts.commands = 900;
  counts.skippedDuty = 100;
  counts.rowsTrue.fill(1);
  counts.rowsFalse.fill(1);
  for (const [op, { refuse, may }] of Object.entries(SPEC.rules)) {
    const errnos = [...refuse, ...may].map(([errno]) => errno);
    counts.outcomes[op] = Object.fromEntries(['ok', ...errnos].map((outcome) => [outcome, 1]));
  }
  for (const { name } of SPEC.labels) counts.labels[name] = { count: 1, script: SCRIPT };
  return counts;
}

const finding = (serves: string): Finding => ({
  kind: 'reply',
  command: 0,
  call: { op: 'boot', args: {} },
  serves,
  clause: '',
  layer: '',
  detail: '',
});

const allProved = (): Evidence => {
  const all = ROWS.map(() => true);
  return {
    audited: { killed: all.slice(), seenTrue: all.slice(), seenFalse: all.slice() },
    hunted: ZOO.map(({ name: bug, catches }) => {
      const found = { index: 0, script: SCRIPT, finding: finding(catches) };
      return { bug, seed: 1, scripts: 1, commands: 1, found };
    }),
    invariants: SPEC.invariants.map(() => true),
    coverage: [],
  };
};

const missed = (gates: readonly Gate[]): Record<string, readonly string[]> =>
  Object.fromEntries(gates.filter(({ held }) => !held).map(({ name, missing }) => [name, missing]));

describe('the gates', () => {
  it('are held by a run that saw everything', () => {
    const gates = ownGates(allSeen(), allProved(), []);
    expect(missed(gates)).to.deep.equal({});
    expect(gates.map(({ figure }) => figure)).to.include.members([
      CALLS.length,
      ZOO.length,
      SPEC.labels.length,
    ]);
    expect(missed(targetGates(allSeen(), CALLS))).to.deep.equal({});
  });

  it('miss a call that is never made, with its errnos', () => {
    const counts = allSeen();
    delete counts.outcomes['ion_free'];
    const names = { 'calls made': ['ion_free'], 'errnos given': ['ion_free: EBADF', 'ion_free: EINVAL'] };
    expect(missed(ownGates(counts, allProved(), []))).to.deep.equal(names);
    const ofOthers = {
      'calls made': names['calls made'],
      'errnos owed that were given': names['errnos given'],
    };
    expect(missed(targetGates(counts, CALLS))).to.deep.equal(ofOthers);
    expect(
      missed(
        targetGates(
          counts,
          CALLS.filter((op) => op !== 'ion_free'),
        ),
      ),
    ).to.deep.equal({});
  });

  it('miss rows that were not seen both ways, refusals in the run, allowances also when they were asked', () => {
    const counts = allSeen();
    const evidence = allProved();
    const refusal = ROWS.findIndex(({ op, table }) => op === 'kmalloc' && table === 'refuse') + 1;
    const allowance = ROWS.findIndex(({ op, table }) => op === 'kmalloc' && table === 'may');
    for (const row of [refusal, allowance]) counts.rowsTrue[row] = 0;
    evidence.audited.seenTrue[refusal] = false;
    expect(missed(ownGates(counts, evidence, []))).to.deep.equal({
      'refusals seen true and false': ['kmalloc: refuse ENOMEM #2'],
    });
    evidence.audited.seenTrue[allowance] = false;
    expect(missed(ownGates(counts, evidence, []))).to.have.property('allowances seen true and false');
  });

  it('miss situations, bugs that were not found as what they are, and invariants that were never at risk', () => {
    const counts = allSeen();
    const { hunted, ...evidence } = allProved();
    for (const name of Object.keys(counts.labels)) delete counts.labels[name];
    const others = hunted.filter(({ bug }) =>
      ZOO.some(({ name, catches }) => name === bug && catches !== 'I7'),
    );
    const [first, ...rest] = others;
    if (first?.found === undefined) return expect.fail('there are no bugs');
    const wrong = { ...first, found: { ...first.found, finding: finding('S9') } };
    const gates = missed(ownGates(counts, { ...evidence, hunted: [wrong, ...rest] }, []));
    expect(gates['situations met']).to.have.length(SPEC.labels.length);
    expect(gates['invariants at risk']).to.deep.equal(['I7']);
    expect(gates['bugs of the zoo found']).to.include(`${first.bug}, as S9`);
  });

  it('miss a condition that rejects nothing alone, and an invariant that nobody would miss', () => {
    const evidence = allProved();
    const row = ROWS.findIndex(({ op, table }) => op === 'alloc_pages' && table === 'accept');
    evidence.audited.killed[row] = false;
    const invariants = evidence.invariants.map((_, at) => SPEC.invariants[at]?.id !== 'C6');
    const gates = missed(ownGates(allSeen(), { ...evidence, invariants }, []));
    const condition = `alloc_pages: accept ${ROWS[row]?.name}`;
    const text = SPEC.invariants.find(({ id }) => id === 'C6')?.text;
    expect(gates).to.deep.equal({
      'near misses rejected by one row': [condition],
      'specification mutants noticed': [condition, `C6: ${text}`],
    });
  });

  it('are held by what has an excuse, and missed by an excuse that is not needed', () => {
    const evidence = allProved();
    const row = ROWS.findIndex(({ op, table }) => op === 'alloc_pages' && table === 'accept');
    const what = [`alloc_pages: accept ${ROWS[row]?.name}`];
    const excused: readonly Excuse[] = [{ what, why: 'because' }];
    const stale = { 'excuses that are needed': what };
    expect(missed(ownGates(allSeen(), evidence, excused))).to.deep.equal(stale);
    evidence.audited.killed[row] = false;
    const gates = ownGates(allSeen(), evidence, excused);
    expect(missed(gates)).to.deep.equal({});
    const near = gates.find(({ name }) => name.startsWith('near misses'));
    expect(near?.now).to.match(/^\d+ of \d+, 1 excused$/);
    expect(near?.excused).to.deep.equal([{ what: what[0], why: 'because' }]);
  });

  it('miss when too many commands are skipped, or too little is covered', () => {
    const counts = allSeen();
    counts.skippedMissing = 900;
    const figures = { lines: { covered: 99, total: 100 }, functions: { covered: 10, total: 10 } };
    const coverage = coverageOf({ '/here/model/a.ts': figures }, '/here', () => true).slice(0, 2);
    expect(missed(ownGates(counts, { ...allProved(), coverage }, []))).to.deep.equal({
      'commands skipped, at most': [],
      'coverage of model/': ['model/a.ts: lines 99/100'],
      'coverage of impl/': [],
    });
  });
});

describe('the screen of the gates', () => {
  const gate = (name: string, figure: number, of: number): Gate => ({
    name,
    now: `${figure} of ${of}`,
    figure,
    least: 'all',
    held: figure === of,
    missing: Array.from({ length: of - figure }, (_, at) => `call_${at + 1}`),
    excused: [],
  });
  const shown = (gates: readonly Gate[], last?: Parameters<typeof printGates>[1]): string[] => {
    const session = recordingSession();
    printGates(gates, last, session.io);
    return session.recorded().out.split('\n');
  };

  it('has the last release beside it, and marks what has become less', () => {
    const gates = { 'calls made': { now: '12 of 12', figure: 12 }, rows: { now: '7 of 7', figure: 7 } };
    expect(
      shown([gate('calls made', 2, 12), gate('rows', 8, 8), gate('new', 1, 1)], { version: '0.1.0', gates }),
    ).to.deep.equal([
      'gate        now      0.1.0         least',
      'calls made  2 of 12  12 of 12 (!)  all    MISSED',
      'rows        8 of 8   7 of 7        all    ok',
      'new         1 of 1                 all    ok',
      '',
      'calls made: not call_1 · call_2 · call_3 · call_4 · call_5 · call_6 · call_7 · call_8 · and 2 more',
      '',
    ]);
  });

  it('takes less for better where it is', () => {
    const skipped: Gate = { ...gate('skipped', 3, 3), isLess: true };
    const beside = (figure: number): string =>
      shown([skipped], { version: '1', gates: { skipped: { now: 'then', figure } } })[1] ?? '';
    expect(beside(2)).to.include('then (!)');
    expect(beside(4)).not.to.include('(!)');
  });

  it('says what is not asked of a target that is not ours', () => {
    expect(
      shown([gate('rows', 8, 8)])
        .join(' ')
        .replace(/ +/g, ' '),
    ).to.include('are asked with --target builtin');
  });

  it('fits a screen with all gates there are, all missed', () => {
    const nearly = { lines: { covered: 9_999, total: 10_000 }, functions: { covered: 999, total: 1_000 } };
    const files = ['model', 'impl', 'properties'].map((folder) => [`/here/${folder}/a.ts`, nearly] as const);
    const coverage = coverageOf(Object.fromEntries(files), '/here', () => true);
    const nothing = { killed: [], seenTrue: [], seenFalse: [] };
    const evidence = { audited: nothing, hunted: [], invariants: [], coverage };
    const gates = ownGates(noCounts(ROWS.length), evidence);
    const then = gates.map(({ name, now }): [string, { now: string; figure: number }] => {
      return [name, { now: now.replace(/^\d /, '200 '), figure: 999 }];
    });
    const lines = shown(gates, { version: '0.1.0', gates: Object.fromEntries(then) });
    expect(lines.indexOf('')).to.be.at.most(30);
    expect(Math.max(...lines.map(({ length }) => length))).to.be.at.most(100);
  });
});
