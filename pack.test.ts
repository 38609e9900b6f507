import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const TIMEOUT_MS = 120_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** A user's environment: none of what npm, or coverage, tells its own children. */
function userEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(npm_(package|lifecycle)_.*|npm_command|npm_config_(local_prefix|loglevel)|NODE_V8_COVERAGE|INIT_CWD)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

function execute(cwd: string, command: string, ...args: readonly string[]): string {
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  return execFileSync(command, [...args], {
    cwd,
    encoding: 'utf8',
    env: userEnvironment(),
    stdio: [...stdio],
  });
}

describe('the package', function () {
  this.timeout(TIMEOUT_MS);
  let folder = '';
  let packed: readonly string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-pack-'));
    execute(root, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
    const [tarball = ''] = readdirSync(folder);
    packed = execute(folder, 'tar', '-tzf', tarball).trim().split('\n');
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    // What `npm ci` has just put into npm's cache is enough; only what is missing there is asked for.
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    execute(folder, 'npm', 'install', ...quiet, join(folder, tarball));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('carries no tests, benches or build records', () => {
    expect(packed.filter((file) => /\.(test|bench)\.|tsbuildinfo|\/bench\//.test(file))).to.deep.equal([]);
  });

  it('carries the page of traces as it was built, and nothing that it was built from', () => {
    expect(packed.filter((file) => /\/(page|web)\//.test(file))).to.have.members([
      'package/dist/page/main.js',
      'package/dist/page/page.css',
    ]);
  });

  it('answers npx ionclad --help where it is installed', () => {
    expect(execute(folder, 'npx', '--no-install', 'ionclad', '--help')).to.include('ionclad');
  });

  it('can be imported by each of its names', () => {
    writeFileSync(
      join(folder, 'user.js'),
      `for (const name of ['ionclad', 'ionclad/model', 'ionclad/target', 'ionclad/zoo']) await import(name);
       console.log(Object.keys(await import('ionclad')).length > 0);\n`,
    );
    expect(execute(folder, 'node', 'user.js').trim()).to.equal('true');
  });
});
