import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

const BUG = 'zoo/shared-without-a-reference';

describe('ionclad run --property schedule', function () {
  this.timeout(30_000);
  let folder = '';
  const run = (...args: readonly string[]): ReturnType<typeof record> =>
    record(['run', '--property', 'schedule', '--no-retry', '--cases', folder, ...args]);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-schedule-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds on the built-in target, and says how many calls were interrupted', async () => {
    const { code, out } = await run('--scripts', '100');
    expect(code, out).to.equal(0);
    const [, calls, scripts] =
      /^property +schedule: (\d+) calls interrupted by others, in (\d+) scripts$/m.exec(out) ?? [];
    expect(Number(scripts)).to.be.within(30, 100);
    expect(Number(calls)).to.be.above(Number(scripts));
    expect(out).to.match(/no violation found in [\d,]+ commands of 100 scripts, drawn from seed 1/);
    expect(out).to.match(/^repeat: .* --property schedule$/m);
    expect(out, 'the specification is asked').to.include('situations met');
    const report = JSON.parse((await run('--scripts', '100', '--json')).out) as object;
    expect(report).to.include({ preemptions: Number(calls), preempted: Number(scripts) });
  });

  it('finds a race, saves it with its schedule, and replays it, whatever the number of threads', async () => {
    const asked = ['--target', BUG, '--scripts', '600'];
    const { code, out } = await run(...asked, '--threads', '1');
    expect(code, out).to.equal(1);
    expect(out).to.match(/^ {2}\w+ stops at its switch point 1, [bcd] goes on$/m);
    const [found] = out.split('\ncase: ');
    expect((await run(...asked, '--threads', '2')).out.split('\ncase: ')[0]).to.equal(found);
    const [name = ''] = readdirSync(folder);
    const file = join(folder, name);
    const { property, script } = readCase(readFileSync(file, 'utf8'), name);
    expect(property).to.deep.equal({ name: 'schedule' });
    expect(script.schedule).to.have.lengthOf(1);
    expect(await record(['replay', file])).to.have.property('code', 1);
    expect(await record(['replay', file, '--target', 'builtin'])).to.deep.include({
      code: 0,
      out: `${file}: on builtin: holds, nothing is found`,
    });
  });

  it('is refused where no call has switch points', async () => {
    const module = join(folder, 'whole.mjs');
    const methods = "boot() {}, apply: () => ({ errno: 'EIO' }), observe() {}";
    writeFileSync(module, `export const target = { name: 'whole', capabilities: new Set(), ${methods} };`);
    const { code, err } = await run('--target', `module:${module}`);
    expect({ code, err }).to.deep.equal({
      code: 2,
      err: 'ionclad: --property schedule: whole has no calls with switch points',
    });
  });
});
