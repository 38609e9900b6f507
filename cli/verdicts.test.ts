import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { caseFileOf, readCase, VERDICTS } from '../counterexamples/index.ts';
import { execute, record } from './main.ts';
import { recordingSession } from './session.ts';

/** Rows of a table by their choice, with what came out. */
function verdictsIn(out: string): Record<string, string> {
  const rows = out.split('\n').flatMap((line) => {
    const [, choice, verdict] = /^\S*\s+(\w+ [\w-]+)\s.*?(holds|\w+ broken) in/.exec(line) ?? [];
    return choice === undefined || verdict === undefined ? [] : [[choice, verdict]];
  });
  return Object.fromEntries(rows) as Record<string, string>;
}

describe('ionclad verdicts', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-verdicts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]): ReturnType<typeof record> =>
    record(['verdicts', '--cases', folder, ...args]);

  it('decides every choice of an argument, with bounds, costs and a case that replays', async () => {
    const { code, out, err } = await run('T3', 'T5', '--scripts', '512');
    expect(code).to.equal(0);
    expect(verdictsIn(out)).to.deep.equal({
      'backing pages': 'holds',
      'backing dma-alloc': 'M1 broken',
      'backing dma-alloc-no-kernel-mapping': 'holds',
      'aliasing clean': 'holds',
      'aliasing ignore': 'H3 broken',
    });
    expect(out).to.match(/holds in 512 scripts, [\d,]+ commands +3 +0$/m);
    expect(out).to.match(/^2 of 2 cases proven to be the shortest possible with their calls and values$/m);
    expect(out).to.match(/backing dma-alloc +M1 broken in 2 commands +3 +13$/m);
    expect(err).to.include('T5 aliasing=ignore, caches not coherent: broken');
    expect(readdirSync(folder).sort()).to.deep.equal([
      't3-dma-alloc.case.json',
      't5-ignore-caches-not-coherent.case.json',
    ]);
    for (const file of readdirSync(folder)) {
      const { expect: all, property } = readCase(readFileSync(join(folder, file), 'utf8'), file);
      expect(Object.values(all ?? {}).filter((each) => each === 'broken')).to.have.length(1);
      expect(property.name).to.equal('verdict');
      expect((await record(['replay', join(folder, file)])).code).to.equal(1);
    }
  }).timeout(60_000);

  it('gives the same bytes for any number of threads', async () => {
    const one = await run('zeroing', '--scripts', '300', '--threads', '1', '--json');
    const two = await run('zeroing', '--scripts', '300', '--threads', '2', '--json');
    expect(one.out).to.equal(two.out);
    expect(JSON.parse(one.out)).to.nested.include({
      'verdicts[2].value': 'none',
      'verdicts[2].verdict': 'broken',
    });
  }).timeout(60_000);

  it('starts from the memory of a real machine', async () => {
    const memory = ['--memory', 'cli/test-data/checkerboard.txt', '--pages', '128', '--scripts', '64'];
    const { out } = await run('T7', ...memory);
    expect(verdictsIn(out)).to.deep.equal({ 'layout scattered': 'holds', 'layout contiguous': 'M1 broken' });
    expect(out).to.include('scaled from 54,340 to 128 pages');
    expect(out).to.match(/layout contiguous +M1 broken in 2 commands +- +- +1$/m);
  }).timeout(60_000);

  it('tells costs of the machine that was asked for, and takes arguments behind --', async () => {
    const { out } = await run('--machine', 'pageBytes=4096,ioBits=20', '--scripts', '32', '--', 'T3');
    expect(out).to.match(/^T3 +backing pages +holds in 32 scripts, [\d,]+ commands +2 +0$/m);
    expect(out).to.include('pages have 4096 bytes').and.not.to.include('T4');
  }).timeout(60_000);

  it('prints the case where it cannot be saved', async () => {
    const { code, out, err } = await record(['verdicts', 'T5', '--scripts', '64', '--cases', '/proc/none']);
    expect(code).to.equal(0);
    expect(err).to.include(
      'ignore-caches-not-coherent.case.json cannot be written: ENOENT; the case is printed',
    );
    expect(readCase(out.slice(out.indexOf('\n{') + 1), 'printed').expect).to.deep.equal({
      clean: 'holds',
      ignore: 'broken',
    });
  }).timeout(60_000);

  it('keeps at Ctrl-C what was found, and says nothing of choices that were not tried', async () => {
    const controller = new AbortController();
    const session = recordingSession(controller.signal);
    const saved = join(folder, 't1-shared.case.json');
    const watch = setInterval(() => existsSync(saved) && controller.abort(), 1);
    const args = ['verdicts', 'T1', '--scripts', '64', '--threads', '1', '--cases', folder];
    const code = await execute(args, session);
    clearInterval(watch);
    const { out, err } = session.recorded();
    expect(code).to.equal(130);
    expect(err).to.include('ionclad: interrupted');
    expect(out).to.match(/contexts shared +I3 broken in \d+ commands/);
    expect(readCase(readFileSync(saved, 'utf8'), 'saved').expect).to.deep.equal({ shared: 'broken' });
  }).timeout(60_000);

  it('refuses what it does not know', async () => {
    for (const [args, problem] of [
      [['T8'], 'ionclad: verdicts: there is no "T8" ('],
      [['--scripts', '0'], 'ionclad: --scripts: expected an integer from 1'],
    ] as const) {
      const { code, err, out } = await run(...args);
      expect([code, out]).to.deep.equal([2, '']);
      expect(err).to.include(problem);
    }
  });

  it('has a case of its own for every row', () => {
    const files = VERDICTS.map(caseFileOf);
    expect(new Set(files).size).to.equal(files.length);
  });
});
