import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

type Ran = Awaited<ReturnType<typeof record>>;

const ionclad = (...args: readonly string[]): ReturnType<typeof record> => record(args);

const CHECKERBOARD = fileURLToPath(new URL('../../cli/test-data/checkerboard.txt', import.meta.url));

/** The values of policies that fail in crumbs. */
const DECIDED = [
  ['layout=contiguous', 'T7'],
  ['pageArray=kmalloc', 'T4'],
] as const;

const SHORT = ['--machine', 'pages=16', '--scripts', '300'];

describe('ionclad run', function () {
  this.timeout(30_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-run-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: readonly string[]): Promise<Ran> => ionclad('run', '--cases', folder, ...args);

  it('holds on the built-in target and says what it covered', async () => {
    const { code, out } = await run(...SHORT, '--threads', '1');
    expect(code).to.equal(0);
    expect(out).to.match(/no violation found in [\d,]+ commands of 300 scripts, drawn from seed 1/);
    expect(out).to.match(/^alloc_pages +[\d,]+/m);
    expect(out).to.match(/^repeat: ionclad run --target builtin --seed 1 --scripts 300 --machine pages=16$/m);
    expect(await run(...SHORT, '--threads', '2')).to.deep.include({ code, out });
  });

  it('finds the same with any number of threads, saves it, and replays it', async () => {
    const one = await run('--target', 'zoo/stale-iotlb', ...SHORT, '--threads', '1');
    expect(one.code).to.equal(1);
    expect(one.out).to.include('I1 broken');
    const [name = ''] = readdirSync(folder);
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    expect(readCase(text, name)).to.deep.include({
      target: 'zoo/stale-iotlb',
      property: { name: 'lockstep' },
    });
    rmSync(file);
    expect(await run('--target', 'zoo/stale-iotlb', ...SHORT, '--threads', '2')).to.deep.include({
      code: 1,
      out: one.out,
    });
    expect(readFileSync(file, 'utf8')).to.equal(text);
    expect((await ionclad('replay', file)).code).to.equal(1);
    expect(await ionclad('replay', file, '--target', 'builtin')).to.deep.include({
      code: 0,
      out: `${file}: on builtin: holds, nothing is found`,
    });
  });

  it('says of each value of a policy whether it holds', async () => {
    const { code, out } = await run(
      '--policy',
      'contexts=shared',
      '--premise',
      'T1',
      '--scripts',
      '2000',
      '--json',
    );
    expect(code).to.equal(1);
    const report = JSON.parse(out) as { found: { case: object; file: string } };
    expect(report.found.case).to.deep.include({
      property: { name: 'verdict', policy: 'contexts', premise: 'T1' },
      expect: { shared: 'broken', 'per-client': 'holds' },
    });
    const replayed = await ionclad('replay', report.found.file);
    expect(replayed.code).to.equal(1);
    expect(replayed.out)
      .to.include('on builtin, per-client: holds')
      .and.to.include('on builtin, shared: found');
  });

  it('starts with the memory of a kernel, and says what it is', async () => {
    const fragmented = ['--memory', CHECKERBOARD, '--pages', '512', '--scripts', '50'];
    const { code, out } = await run(...fragmented, '--only', 'pages', '--threads', '1');
    expect(code).to.equal(0);
    const text = out.replaceAll(/\s+/g, ' ');
    expect(
      text.startsWith(`memory ${CHECKERBOARD}: 2 zones (DMA DMA32), 22,178 of 54,340 pages free`),
    ).to.equal(true);
    expect(text).to.include(' rounded: order 0 208.96 to 209, reserve 4.29 to 4 ');
    expect(out).to.match(/^fixed +pages 512, .*occupied 303 pages in \d+ runs$/m);
    expect(out).to.match(/^repeat: .* --memory .*checkerboard\.txt --pages 512 --only /m);
    const { out: json } = await run(...fragmented, '--only', 'pages', '--json');
    expect(JSON.parse(json)).to.have.nested.property('memory.laid.pages', 512);
  });

  it('decides on it what the review decided', async () => {
    for (const [policy, premise] of DECIDED) {
      const fragmented = ['--memory', CHECKERBOARD, '--pages', '512', '--scripts', '2000'];
      const { code, out } = await run(...fragmented, '--policy', policy, '--premise', premise);
      expect(code, out).to.equal(1);
      expect(out).to.match(/replied ENOMEM, expected success/);
    }
  });

  it('says which replies would have been right', async () => {
    const { code, out } = await run('--target', 'zoo/dead-client-lives', ...SHORT, '--threads', '1');
    expect(code).to.equal(1);
    expect(out).to.match(/^ion_client_destroy\(client 1\): C5 broken: .*\n {4}allowed: EBADF\n {2}C5: /m);
  });

  it('prints the case where it cannot be saved: nothing that was found is lost', async () => {
    const { code, out, err } = await ionclad(
      'run',
      '--target',
      'zoo/stale-iotlb',
      '--cases',
      '/proc/none',
      ...SHORT,
    );
    expect(code).to.equal(1);
    expect(err).to.include('cannot be written: ENOENT; the case is printed instead');
    const text = out.slice(out.indexOf('\n{') + 1, out.indexOf('\n}\n') + 3);
    expect(readCase(text, 'printed').target).to.equal('zoo/stale-iotlb');
  });

  it('ends by time, and names the scripts that repeat it', async () => {
    const { code, out } = await run('--time', '0.2', '--only', 'pages', '--threads', '2');
    expect(code).to.equal(0);
    const [, scripts = ''] = /--scripts (\d+) --only alloc_pages,free_pages/.exec(out) ?? [];
    expect(Number(scripts) % 256).to.equal(0);
    expect(Number(scripts)).to.be.above(0);
  });

  it('says that nothing ran', async () => {
    expect((await run('--scripts', '0')).code).to.equal(4);
    expect(await run('--only', 'free_pages', '--scripts', '10')).to.include({
      code: 4,
      out: 'nothing ran\nrepeat: ionclad run --target builtin --seed 1 --scripts 10 --only free_pages',
    });
  });

  it('stops at Ctrl-C with what was counted so far', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 700);
    const { code, out, err } = await record(['run', '--time', '1000', '--threads', '1'], controller.signal);
    expect(code).to.equal(130);
    expect(err).to.include('ionclad: interrupted');
    expect(out).to.match(/interrupted: no violation|nothing ran/);
  });
});
