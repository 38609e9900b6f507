import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const BIN = join(dirname(fileURLToPath(import.meta.url)), '../../bin/ionclad.js');

const ionclad = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1' },
  });

describe('bin/ionclad.js', function () {
  this.timeout(30_000);

  it('writes results without colour into a pipe', () => {
    const { status, stdout, stderr } = ionclad('run', '--scripts', '32', '--only', 'pages');
    expect(status).to.equal(0);
    expect(stdout).to.include('no violation found').and.not.to.include('\x1b');
    expect(stderr).to.equal('seed 1\n');
  });

  it('exits 2 with one line for what it does not know', () => {
    const { status, stdout, stderr } = ionclad('frob');
    expect([status, stdout, stderr]).to.deep.equal([2, '', "ionclad: unknown command 'frob'\n"]);
  });

  it('ends quietly when nobody reads on', () => {
    const line = `"${process.execPath}" "${BIN}" calls --json | head -c 10`;
    const { stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
    expect(stderr).to.equal('');
  });

  it('says in one line that results cannot be written, and does not call that a finding', function () {
    if (!existsSync('/dev/full')) this.skip();
    const into = (redirection: string, ...args: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync('sh', ['-c', `"$0" "$@" ${redirection}`, process.execPath, BIN, ...args], {
        encoding: 'utf8',
      });
    expect(into('>/dev/full', 'calls')).to.include({
      status: 2,
      stderr: 'ionclad: standard output cannot be written: ENOSPC; write it elsewhere\n',
    });
    expect(into('2>/dev/full', 'run', '--scripts', '8')).to.include({ status: 0 });
  });

  it('leaves no program behind at Ctrl-C', async () => {
    const hello = '{"ionclad":1,"name":"t","calls":["alloc_pages"],"capabilities":[]}';
    const program = `console.log('${hello}'); process.stdin.on('data', () => { for (;;); }); // ${process.pid}`;
    const line = ['run', '--target', 'process', '--', process.execPath, '-e', program];
    const child = spawn(process.execPath, [BIN, ...line], { stdio: 'pipe' });
    setTimeout(() => child.kill('SIGINT'), 1_500);
    let out = '';
    child.stdout.on('data', (piece) => {
      out += String(piece);
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).to.equal(130);
    expect(out).to.include('nothing ran');
    const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((args) => args.includes(`// ${process.pid}`))).to.deep.equal([]);
  });

  it('exits 130 at Ctrl-C, with what was counted', async () => {
    const child = spawn(process.execPath, [BIN, 'run', '--time', '1000', '--threads', '1'], {
      stdio: 'pipe',
    });
    let out = '';
    child.stdout.on('data', (piece) => {
      out += String(piece);
    });
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGINT'), 800));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).to.equal(130);
    expect(out).to.match(/interrupted: no violation|nothing ran/);
  });
});
