import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Case, readCase, writeCase } from '../counterexamples/index.ts';
import type { Finding, Script } from '../properties/index.ts';
import { Corpus, keyOf } from './corpus.ts';
import { keep, type Pursuit } from './found.ts';
import { record } from './main.ts';
import { runOptions } from './options.ts';

const LEAK: Script = {
  format: 1,
  machine: { pages: 4 },
  commands: [{ op: 'alloc_pages', order: 0, as: 'block1' }],
};

const FOUND: Case = {
  format: 1,
  title: 'a page is lost',
  property: { name: 'lockstep' },
  target: 'zoo/a-bug',
  finding: { kind: 'invariant', serves: 'C1', clause: 'state', layer: 'pages', detail: 'lost', command: 0 },
  expect: { 'zoo/a-bug': 'broken' },
  script: LEAK,
};

const withCommands = (count: number): Case => ({
  ...FOUND,
  script: {
    ...LEAK,
    commands: Array.from({ length: count }, (_, at) => ({ op: 'alloc_pages', order: 0, as: `block${at}` })),
  },
});

const NEVER = async (): Promise<boolean> => false;
const STILL = async (): Promise<boolean> => true;

describe('the folder of cases', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-corpus-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const names = (): string[] => readdirSync(folder).sort();
  const lengthOf = (name: string): number =>
    readCase(readFileSync(join(folder, name), 'utf8'), name).script.commands.length;
  /** Saves a finding and what it has come to, as a run does. */
  async function settle(first: Case, last: Case, isFound: typeof NEVER): Promise<object> {
    const corpus = new Corpus(folder);
    return corpus.settle(corpus.save(first), last, isFound);
  }

  it('has one name for a finding, whatever script shows it', async () => {
    await settle(withCommands(9), withCommands(3), NEVER);
    const [name = ''] = names();
    expect(name).to.match(/^zoo-a-bug-C1-[0-9a-f]{8}\.case\.json$/);
    expect(lengthOf(name)).to.equal(3);
    rmSync(join(folder, name));
    await settle(withCommands(8), withCommands(2), NEVER);
    expect(names()).to.deep.equal([name]);
  });

  it('has one file for a finding that an older file shows still: the older one, with the smaller script', async () => {
    writeFileSync(join(folder, 'by-hand.json'), writeCase(withCommands(3)));
    expect(await settle(withCommands(9), withCommands(5), STILL)).to.deep.equal({
      file: join(folder, 'by-hand.json'),
      known: true,
    });
    expect([names(), lengthOf('by-hand.json')]).to.deep.equal([['by-hand.json'], 3]);
    await settle(withCommands(9), withCommands(2), STILL);
    expect([names(), lengthOf('by-hand.json')]).to.deep.equal([['by-hand.json'], 2]);
  });

  it('leaves an older file alone that shows its finding no more, though it be the same', async () => {
    await settle(withCommands(9), withCommands(2), NEVER);
    const [older = ''] = names();
    await settle(withCommands(8), withCommands(4), NEVER);
    const number = older.replace('.case', '-2.case');
    expect(names()).to.deep.equal([number, older].sort());
    expect([lengthOf(older), lengthOf(number)]).to.deep.equal([2, 4]);
  });

  it('keeps what two threads find at once in one file if it is the same, and else in two', async () => {
    const other: Case = { ...FOUND, finding: { ...FOUND.finding, serves: 'C2' } as Case['finding'] & object };
    const corpus = new Corpus(folder);
    const saved = corpus.save(withCommands(9));
    expect(corpus.save(withCommands(7))).to.deep.equal({ ...saved, known: true });
    corpus.save(other);
    expect(corpus.own).to.have.length(2);
    const settled = await corpus.settle(saved, withCommands(2), NEVER);
    await corpus.settleOthers(settled, NEVER);
    expect(names().map(lengthOf).sort()).to.deep.equal([1, 2]);
    const again = new Corpus(folder);
    again.save(other);
    await again.settleOthers({ problem: '' }, STILL);
    expect(names(), 'the other is known by now').to.have.length(2);
  });

  it('goes by what shrinking has made of it', async () => {
    const chosen: Case = { ...FOUND, script: { ...LEAK, machine: { policies: { contexts: 'shared' } } } };
    expect(keyOf(chosen)).to.not.equal(keyOf(FOUND));
    await settle(chosen, FOUND, NEVER);
    const [name = '', ...others] = names();
    expect(others).to.deep.equal([]);
    rmSync(join(folder, name));
    await settle(FOUND, FOUND, NEVER);
    expect(names()).to.deep.equal([name]);
  });

  it('removes what a killed process was writing, and nothing of one that runs', () => {
    // No process has this number.
    const dead = '.zoo.case.json.4194305.tmp';
    const live = `.zoo.case.json.${process.pid}.tmp`;
    for (const name of [dead, live, '.hidden']) writeFileSync(join(folder, name), '{');
    expect(new Corpus(folder).problems).to.deep.equal([]);
    expect(names()).to.deep.equal(['.hidden', live].sort());
  });

  it('reads what is a case, and tells what is none', () => {
    writeFileSync(join(folder, 'b.case.json'), writeCase(FOUND));
    writeFileSync(join(folder, 'a.json'), '{ "format": 99 }');
    writeFileSync(join(folder, 'notes.txt'), 'notes');
    mkdirSync(join(folder, 'c.json'));
    const { cases, problems } = new Corpus(folder);
    expect(cases.map(({ file }) => file)).to.deep.equal([join(folder, 'b.case.json')]);
    expect(problems.join('\n')).to.match(/a\.json: format 99 is newer.*\n.*c\.json: it is a folder/);
    expect(new Corpus(join(folder, 'none')).cases).to.deep.equal([]);
  });
});

describe('a finding', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ionclad-keep-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is kept as small as it was when its shrinking was broken off', async () => {
    const call = { op: 'alloc_pages', args: { order: 0 } };
    const finding = { ...FOUND.finding, call } as Finding;
    const options = runOptions({ target: 'builtin', seed: '1', cases: folder }, []);
    const lengths: number[] = [];
    const onDisk = (): number =>
      readCase(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8'), '').script.commands.length;
    const pursuit: Pursuit = {
      signal: AbortSignal.abort(),
      find: async () => undefined,
      isFound: NEVER,
      async shrink({ script }, onSmaller) {
        lengths.push(script.commands.length, onDisk());
        for (const count of [5, 2]) {
          onSmaller({ script: withCommands(count).script, finding });
          lengths.push(onDisk());
        }
        return undefined;
      },
    };
    const found = { index: 3, script: withCommands(9).script, finding };
    const told = await keep(options, '0.0.0', found, pursuit, new Corpus(folder));
    expect(lengths).to.deep.equal([9, 9, 5, 2]);
    expect([told.found.script.commands.length, told.case.script.commands.length, onDisk()]).to.deep.equal([
      2, 2, 2,
    ]);
  });
});

describe('ionclad run, before it draws anything', function () {
  this.timeout(60_000);
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-retry-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: readonly string[]): ReturnType<typeof record> =>
    record(['run', '--cases', folder, '--machine', 'pages=16', '--scripts', '40', '--threads', '1', ...args]);
  const only = (): string => join(folder, readdirSync(folder)[0] ?? '');

  it('runs what it has found again, and draws nothing while that fails', async () => {
    const bug = ['--target', 'zoo/stale-iotlb'];
    const { out: first } = await run(...bug);
    expect(first).to.include(`case:   ${only()}\n`);
    const { code, out, err } = await run(...bug);
    expect([code, err]).to.deep.equal([1, 'seed 1']);
    expect(out).to.match(/case\.json: on zoo\/stale-iotlb: found: .* I1 broken/);
    expect(out).to.match(
      /\nnothing was drawn: 1 of 1 saved case still fails; --no-retry draws all the same$/,
    );
    const copy = join(folder, 'zz.json');
    copyFileSync(only(), copy);
    const { out: twice } = await run(...bug);
    expect(twice).to.match(/zz\.json: on zoo.*\n {4}the same finding as .*-I1-\w+\.case\.json\n/);
    expect(twice).to.include('nothing was drawn: 2 of 2 saved cases still fail;');
    rmSync(copy);
    const report = JSON.parse((await run(...bug, '--json')).out) as object;
    expect(report).to.nested.include({ exitCode: 1, 'retried.holding': 0 });
    expect(report).to.have.nested.property('retried.failing[0].file', only());
    const all = await run(...bug, '--no-retry');
    expect(all.out).to.include(`case:   ${only()}, where the same finding was saved before\n`);
    expect(readdirSync(folder)).to.have.length(1);
  });

  it('counts what holds by now, and leaves alone what another target or property has shown', async () => {
    await run('--target', 'zoo/stale-iotlb');
    const read = readCase(readFileSync(only(), 'utf8'), 'found');
    expect((await run()).out, 'of another target').to.not.include('saved:');
    writeFileSync(only(), writeCase({ ...read, target: 'builtin' }));
    expect((await run()).out).to.include(`saved:  1 case of ${folder} holds now\n`);
    expect((await run('--no-retry')).out).to.not.include('saved:');
    expect((await run('--property', 'fault')).out, 'of another property').to.not.include('saved:');
    expect(
      (await run('--policy', 'contexts=shared', '--only', 'pages')).out,
      'of another choice',
    ).to.not.include('saved:');
    expect(JSON.parse((await run('--json')).out)).to.have.nested.property('retried.holding', 1);
  });

  it('passes over what it cannot read', async () => {
    writeFileSync(join(folder, 'broken.case.json'), '{');
    const { code, err } = await run('--only', 'pages');
    expect(code).to.equal(0);
    expect(err).to.match(/^seed 1\nionclad: .*broken\.case\.json: .*; it is passed over$/m);
  });

  it('stops at Ctrl-C between two cases', async () => {
    await run('--target', 'zoo/stale-iotlb');
    const args = ['run', '--cases', folder, '--target', 'zoo/stale-iotlb', '--scripts', '40'];
    const { code, out } = await record(args, AbortSignal.abort());
    expect(code).to.equal(130);
    expect(out).to.include('nothing ran').and.not.include('still fails');
  });
});
