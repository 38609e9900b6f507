import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase, writeCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

const ionclad = (...args: readonly string[]): ReturnType<typeof record> => record(args);

/** Properties about pairs, each with a bug that breaks it, and what it is called then. */
const PAIRS = [
  ['noninterference', 'zoo/maps-into-the-first-context', 'I3', /^\d+,?\d* answers compared/],
  ['fault', 'zoo/half-made', 'C4', /^\d+,?\d* calls in which a fault was fired/],
] as const;

describe('ionclad run --property', function () {
  this.timeout(30_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-pairs-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [property, target, serves, compared] of PAIRS) {
    const asked = ['run', '--property', property, '--scripts', '100'];
    const run = (...args: readonly string[]): ReturnType<typeof record> =>
      ionclad(...asked, '--cases', folder, ...args);

    it(`${property} holds on the built-in target, and says within which bounds`, async () => {
      const { code, out } = await run('--machine', 'pages=16', '--only', 'ion,gpu,device_probe');
      expect(code, out).to.equal(0);
      const [, said = ''] = new RegExp(`^property +${property}: (.*)$`, 'm').exec(out) ?? [];
      expect(said).to.match(compared).and.not.to.match(/^0 /);
      expect(out).to.match(/^calls +device_probe tick_worker ion_client_create /m);
      expect(out).to.match(/no violation found in [\d,]+ commands of 100 scripts, drawn from seed 1/);
      expect(out).to.match(new RegExp(`^repeat: .* --property ${property}$`, 'm'));
      expect(out, 'what the specification saw').not.to.include('situations met');
    });

    it(`${property} finds ${target}, saves it, and replays it`, async () => {
      const { code, out } = await run('--scripts', '1000', '--target', target, '--threads', '1');
      expect(code, out).to.equal(1);
      expect(out).to.include(`${serves} broken`);
      const saved = (): string[] =>
        readdirSync(folder).filter((each) => each.startsWith(target.replace('/', '-')));
      for (const name of saved()) rmSync(join(folder, name));
      expect(await run('--scripts', '1000', '--target', target, '--threads', '2')).to.deep.include({
        code,
        out,
      });
      const [name = ''] = saved();
      const file = join(folder, name);
      expect(readCase(readFileSync(file, 'utf8'), name).property.name).to.equal(property);
      expect(await ionclad('replay', file)).to.have.property('code', 1);
      expect(await ionclad('replay', file, '--target', 'builtin')).to.deep.include({
        code: 0,
        out: `${file}: on builtin: holds, nothing is found`,
      });
    });
  }

  it('tries the fault of the case, whatever the script says', async () => {
    const [file = ''] = readdirSync(folder).filter((name) => name.startsWith('zoo-half-made'));
    const saved = readCase(readFileSync(join(folder, file), 'utf8'), file);
    const commands = saved.script.commands.map(({ fail, ...command }) => command);
    const bare = join(folder, 'bare.json');
    writeFileSync(bare, writeCase({ ...saved, script: { ...saved.script, commands } }));
    expect((await ionclad('replay', bare)).out).to.match(/: found: .*C4 broken/);
  });

  it('names the client in a report', async () => {
    const { out } = await ionclad(
      ...[
        'run',
        '--property',
        'noninterference',
        '--cases',
        folder,
        '--no-retry',
        '--scripts',
        '1000',
        '--json',
      ],
      ...['--target', 'zoo/maps-into-the-first-context'],
    );
    const report = JSON.parse(out) as { found: { case: { property: object } } };
    expect(report).to.have.property('property', 'noninterference');
    expect(report).to.have.property('compared').that.is.a('number');
    expect(report.found.case.property)
      .to.have.property('client')
      .that.matches(/^client\d$/);
  });

  it('is refused where it cannot be asked', async () => {
    const refused: readonly (readonly [line: string, problem: string])[] = [
      [
        '--property sausage',
        '--property: there is no "sausage" (known: lockstep, noninterference, fault, schedule)',
      ],
      ['--property fault --premise T1', '--premise: with --property lockstep, not fault'],
      [
        '--property noninterference --policy invalidation=lazy',
        '--policy: invalidation: --property noninterference is asked with strict alone',
      ],
    ];
    for (const [line, problem] of refused)
      expect(await ionclad('run', ...line.split(' '))).to.deep.equal({
        code: 2,
        out: '',
        err: `ionclad: ${problem}`,
      });
    const module = join(folder, 'silent.mjs');
    const methods = "boot() {}, apply: () => ({ errno: 'EIO' }), observe() {}";
    const source = `export const target = { name: 'silent', capabilities: new Set(), ${methods} };`;
    writeFileSync(module, source);
    const { code, err } = await ionclad('run', '--property', 'fault', '--target', `module:${module}`);
    expect({ code, err }).to.deep.equal({
      code: 2,
      err: 'ionclad: --property fault: silent has no fault sites',
    });
  });
});
