import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

type Ran = Awaited<ReturnType<typeof record>>;

const ionclad = (...args: readonly string[]): ReturnType<typeof record> => record(args);

describe('ionclad run on a module', function () {
  this.timeout(30_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-module-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: readonly string[]): Promise<Ran> => ionclad('run', '--cases', folder, ...args);

  it('runs a module, and looks at its replies', async () => {
    const good = join(folder, 'good.mjs');
    const bad = join(folder, 'bad.mjs');
    const rest = `name: 'm', capabilities: new Set(), calls: new Set(['alloc_pages']), observe() {},`;
    writeFileSync(good, `export const target = { ${rest} boot() {}, apply: () => ({ errno: 'EIO' }) };`);
    writeFileSync(bad, `export const createTarget = () => ({ ${rest} boot() {}, apply: () => 5 });`);
    expect((await run('--target', `module:${good}`, '--scripts', '50')).out).to.include('replied EIO');
    const crashed = await run('--target', `module:${bad}`, '--scripts', '50');
    expect(crashed.code).to.equal(3);
    expect(crashed.err).to.include('the reply to alloc_pages is neither');
  });

  it('does not believe a module that answers by a counter that outlives its boots', async () => {
    const flaky = join(folder, 'flaky.mjs');
    const cases = join(folder, 'flaky');
    const rest = `name: 'm', capabilities: new Set(), calls: new Set(['alloc_pages']), observe() {}, boot() {},`;
    const apply = `apply: () => (++asked % 7 === 0 ? { errno: 'EIO' } : { ok: {} })`;
    writeFileSync(flaky, `let asked = 0; export const target = { ${rest} ${apply} };`);
    const asked = [
      '--scripts',
      '50',
      '--only',
      'alloc_pages',
      '--cases',
      cases,
      '--target',
      `module:${flaky}`,
    ];
    const { code, out } = await ionclad('run', ...asked);
    expect(code, out).to.equal(1);
    expect(out).to.match(/the target does not do the same every time: one run answered .*EIO/);
    const [name = ''] = readdirSync(cases);
    const file = join(cases, name);
    expect(name).to.match(/^module-determinism-\w+\.case\.json$/);
    expect(readCase(readFileSync(file, 'utf8'), name).property).to.deep.equal({ name: 'nondeterminism' });
    expect((await ionclad('replay', file, '--target', `module:${flaky}`)).out).to.include(': found: ');
    expect((await ionclad('replay', file, '--target', 'builtin')).code).to.equal(0);
    const { code: again, out: retried } = await ionclad('run', ...asked);
    expect(again).to.equal(1);
    expect(retried).to.include('nothing was drawn: 1 of 1 saved case still fails');
  });

  it('exits 3 when a module fails outside of a call, 2 when it is none', async () => {
    const failing = join(folder, 'failing.mjs');
    const none = join(folder, 'none.mjs');
    const rest = `name: 'm', capabilities: new Set(), observe() {}, apply() {}`;
    writeFileSync(failing, `export default { ${rest}, boot() { throw new Error('no memory'); } };`);
    writeFileSync(none, 'export const target = 3;');
    const failed = await run('--target', `module:${failing}`, '--scripts', '50');
    expect(failed.code).to.equal(3);
    expect(failed.out).to.match(/^boot\(\): the target failed: m: boot failed: no memory\n/);
    expect(await run('--target', `module:${none}`)).to.deep.include({
      code: 2,
      err: `ionclad: module:${none}: it exports no target: export const target, or createTarget()`,
    });
    expect((await run('--target', 'module:/none.mjs')).code).to.equal(2);
  });
});

describe('ionclad run on a program', function () {
  this.timeout(30_000);
  const hello = `console.log('{"ionclad":1,"name":"t","calls":["alloc_pages"],"capabilities":[]}');`;

  const run = (program: string): Promise<Ran> =>
    ionclad(
      'run',
      '--cases',
      '/proc/none',
      '--target',
      'process',
      '--scripts',
      '20',
      '--',
      'node',
      '-e',
      program,
    );

  it('reports a wrong answer as a finding, made smaller', async () => {
    const answer = `JSON.stringify(r.boot ? { ok: true } : { replies: r.batch.map(() => ({ errno: 'EIO' })) })`;
    const loop = `require('readline').createInterface({ input: process.stdin })
      .on('line', (l) => { const r = JSON.parse(l); if (r.bye) process.exit(); console.log(${answer}); });`;
    const { code, out } = await run(hello + loop);
    expect(out).to.include('replied EIO, expected success');
    expect(out).to.match(/shrunk from \d+ to 1 commands/);
    expect(code).to.equal(1);
  });

  it('does not believe a program that answers by a counter that outlives its boots', async () => {
    const reply = `(++asked % 5 ? { ok: { pfn: asked } } : { errno: 'EIO' })`;
    const answer = `JSON.stringify(r.boot ? { ok: true } : { replies: r.batch.map(() => ${reply}) })`;
    const loop = `let asked = 0; require('readline').createInterface({ input: process.stdin })
      .on('line', (l) => { const r = JSON.parse(l); if (r.bye) process.exit(); console.log(${answer}); });`;
    const { code, out } = await run(hello + loop);
    expect(code, out).to.equal(1);
    expect(out).to.match(/the target does not do the same every time: one run answered .*EIO/);
    expect(out).to.include('"property": { "name": "nondeterminism" }');
  });

  it('exits 3 with one line when the program is missing, dies, or talks nonsense', async () => {
    const missing = await ionclad('run', '--target', 'process:/does/not/exist');
    expect(missing).to.deep.include({ code: 3, out: '' });
    expect(missing.err).to.match(/^ionclad: [^\n]*cannot be started[^\n]*$/);
    expect((await run('process.exit(3)')).code).to.equal(3);
    const nonsense = await run(`console.log('hello')`);
    expect(nonsense.code).to.equal(3);
    expect(nonsense.err.split('\n')[0]).to.include('wrote "hello"');
    const dies = await run(`${hello} process.stdin.once('data', () => process.exit(7));`);
    expect(dies.code).to.equal(3);
    expect(dies.err).to.match(/the target failed: .*exited with code 7/);
  });
});
