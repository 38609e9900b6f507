import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Machine, type SlotCall, SPEC } from '../model/index.ts';
import { runRemote } from '../properties/drive.ts';
import type { Finding } from '../properties/finding.ts';
import { Scripts } from '../properties/generate.ts';
import { Stepper } from '../properties/stepper.ts';
import { type ProcessOptions, processTarget, TargetError } from './process.ts';

const PAGES_PY = fileURLToPath(new URL('../../targets/examples/pages.py', import.meta.url));
const PROCESS_JS = new URL('process.js', import.meta.url).href;
const SCRIPTS = 200;

const CALLS: readonly SlotCall[] = [
  { op: 'alloc_pages', args: { order: 0 }, into: 0 },
  { op: 'free_pages', args: { block: { slot: 0, field: 'pfn', consumes: true } } },
];

/** What the programs below have in common: each notes its process id, so that its death can be seen. */
const PRELUDE = `
const fs = require('fs');
fs.appendFileSync(process.argv[1], process.pid + '\\n');
const say = (value) => fs.writeSync(1, (typeof value === 'string' ? value : JSON.stringify(value)) + '\\n');
const hello = () => say({ ionclad: 1, name: 'toy', calls: ['alloc_pages', 'free_pages'], capabilities: [] });
const stay = () => setInterval(() => undefined, 1000);
const serve = (answer) => {
  hello();
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line)));
};
const good = (request) => {
  if (request.boot) say({ ok: true });
  if (request.batch) say({ replies: request.batch.map(() => ({ ok: {} })) });
  if (request.bye) process.exit(0);
};
`;

const OPTIONS = { timeoutMs: 8_000, outputBytesMax: 2 ** 16 };

let folder = '';
let pidFile = '';

const pids = (): number[] =>
  existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim().split('\n').map(Number) : [];

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** An orphan that was killed stays in the table of processes until somebody looks after it. */
const isZombie = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

async function expectDeath(pid: number): Promise<void> {
  for (let tries = 0; tries < 100 && isThere(pid) && !isZombie(pid); tries++) await delay(10);
  expect(!isThere(pid) || isZombie(pid), `process ${pid} is dead`).to.equal(true);
}

const node = (code: string): readonly [string, readonly string[]] => [
  process.execPath,
  ['-e', PRELUDE + code, pidFile],
];
const shell = (code: string): readonly [string, readonly string[]] => ['sh', ['-c', code, 'toy', pidFile]];

/** Boots a program and sends it a batch. The message of its failure; nobody may be left. */
async function failureOf(
  [command, args]: readonly [string, readonly string[]],
  options: ProcessOptions = OPTIONS,
): Promise<string> {
  try {
    const target = await processTarget<object>(command, args, options);
    await target.boot({ pages: 4 });
    await target.batch(CALLS);
    await target.close();
  } catch (cause) {
    expect(cause).to.be.instanceOf(TargetError);
    expect(pids().filter(isThere), 'processes left').to.deep.equal([]);
    return String(cause);
  }
  throw new Error('it did not fail');
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ionclad-'));
  pidFile = join(folder, 'pids');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('process: an allocator in Python', () => {
  before(function () {
    if (spawnSync('python3', ['--version']).status !== 0) this.skip();
  });

  async function firstFinding(args: readonly string[]): Promise<[Finding | undefined, commands: number]> {
    const target = await processTarget<Machine>('python3', [PAGES_PY, ...args]);
    const plan = { only: new Set(['alloc_pages', 'free_pages']), noFaults: true };
    const scripts = new Scripts(SPEC, 1, plan);
    const stepper = new Stepper(SPEC, target);
    let finding: Finding | undefined;
    for (let index = 0; index < SCRIPTS && finding === undefined; index++) {
      finding = await runRemote(stepper, target, scripts.at(index));
    }
    await target.close();
    return [finding, stepper.counts.commands];
  }

  it('says what the protocol says that it says', () => {
    const text = readFileSync(new URL('../../targets/PROTOCOL.md', import.meta.url), 'utf8');
    const [, example = ''] = text.split('```');
    const lines = example.split(/\n(?=[<>])/).map((line) => line.replace(', …', '').trim());
    const said = (by: string): unknown[] =>
      lines.filter((line) => line.startsWith(by)).map((line) => JSON.parse(line.slice(1)));
    const input = said('>').map((request) => `${JSON.stringify(request)}\n`);
    const { stdout } = spawnSync('python3', [PAGES_PY], { input: input.join(''), encoding: 'utf8' });
    const answers = stdout.trim().split('\n');
    expect(answers.map((answer) => JSON.parse(answer))).to.deep.equal(said('<'));
    const lineCount = readFileSync(PAGES_PY, 'utf8').trimEnd().split('\n').length;
    expect(text).to.include(`examples/pages.py), ${lineCount} lines`);
  });

  it(`holds over ${SCRIPTS} scripts`, async function () {
    this.timeout(8_000);
    const [finding, commands] = await firstFinding([]);
    expect(finding).to.equal(undefined);
    expect(commands).to.be.above(20 * SCRIPTS);
  });

  it('is caught when it leaks', async function () {
    this.timeout(8_000);
    const [finding] = await firstFinding(['--bug', 'leak']);
    expect(finding?.serves).to.equal('C3');
  });
});

describe('process: a program that behaves', function () {
  this.timeout(8_000);

  it('answers, and is gone after close', async () => {
    const target = await processTarget<object>(...node('serve(good)'), OPTIONS);
    expect(target.name).to.equal('toy');
    expect(target.calls?.has('alloc_pages')).to.equal(true);
    expect(target.capabilities.size).to.equal(0);
    await target.boot({});
    expect(await target.batch(CALLS)).to.deep.equal([{ ok: {} }, { ok: {} }]);
    await target.close();
    await target.close();
    expect(pids().filter(isThere)).to.deep.equal([]);
    expect(await target.boot({}).catch(String)).to.match(/it was closed/);
  });

  it('may write its answer in pieces, and any amount to standard error', async () => {
    const pieces = `serve((request) => {
      process.stderr.write('noise\\n'.repeat(100000));
      if (request.boot) { fs.writeSync(1, '{"ok"'); setTimeout(() => say(':true}'), 20); } else good(request);
    })`;
    const target = await processTarget<object>(...node(pieces), OPTIONS);
    await target.boot({});
    expect(await target.batch(CALLS)).to.have.length(2);
    await target.close();
  });

  it('is killed when it does not leave after close', async () => {
    const target = await processTarget<object>(...node('hello(); stay()'), OPTIONS);
    await target.close();
    expect(pids()).to.have.length(1);
    expect(pids().filter(isThere)).to.deep.equal([]);
  });

  it('is killed by close while an answer is awaited', async () => {
    const target = await processTarget<object>(...node('hello(); stay()'), OPTIONS);
    const answer = target.boot({}).catch(String);
    await target.close();
    expect(await answer).to.match(/it was closed while an answer was awaited/);
    expect(pids().filter(isThere)).to.deep.equal([]);
  });
});

const CRASHES: readonly [title: string, code: string, message: RegExp][] = [
  [
    'exits before its hello, with its last words',
    'console.error("no licence"); process.exit(3)',
    /exited with code 3 instead of writing its hello; expected .*; run it by hand.*\n.*ended with:\nno licence$/,
  ],
  ['exits later', 'serve(() => process.exit(0))', /exited with code 0 instead of writing the answer to boot/],
  [
    'exits between two requests',
    'serve((request) => { good(request); process.exit(4); })',
    /exited with code 4 instead of writing .*(boot|replies to a batch of 2 calls)/,
  ],
  [
    'is killed',
    'serve((request) => request.boot ? good(request) : process.kill(process.pid, "SIGSEGV"))',
    /was killed by SIGSEGV instead of writing the replies to a batch of 2 calls/,
  ],
  ['says no hello', 'say({ ok: true }); stay()', /first line is \{"ok":true\}; expected the hello/],
  ['has another version', 'say({ ionclad: 7 }); stay()', /protocol version is 7; expected version 1; bring/],
  [
    'writes garbage first',
    'say("Loading...\\n{}"); hello(); stay()',
    /it wrote "Loading\.\.\."; expected the hello/,
  ],
  [
    'writes garbage later',
    'serve((request) => request.boot ? good(request) : say("Segmentation fault"))',
    /it wrote "Segmentation fault"; expected \{"replies":\[…\]\} as the answer to a batch; write JSON/,
  ],
  [
    'gives too few replies',
    'serve((r) => r.boot ? good(r) : say({ replies: [] }))',
    /gave 0 replies to .* 2 calls/,
  ],
  [
    'gives an ill-formed reply',
    'serve((r) => r.boot ? good(r) : say({ replies: ["skipped", { ok: { pfn: "7" } }] }))',
    /replies\[1\]\.ok\.pfn is "7"; expected a number/,
  ],
  [
    'writes a line too many',
    'serve(() => say("{\\"ok\\":true}\\ndone"))',
    /it wrote a line too many: done; expected one line for each request; write everything else to standard error/,
  ],
  [
    'writes lines for ever',
    'hello(); for (;;) say("tick")',
    /it wrote a line too many: tick|it wrote "tick"; expected /,
  ],
  [
    'writes for ever without a newline',
    'hello(); for (;;) fs.writeSync(1, "x".repeat(9999))',
    /wrote more than 65536 bytes without a newline; expected the answer to boot as one line; end every answer/,
  ],
  [
    'closes its input',
    'fs.closeSync(0); hello(); stay()',
    /closed its standard input; expected it to read requests/,
  ],
  [
    'closes its output',
    'hello(); fs.closeSync(1); stay()',
    /closed its standard output; expected it to answer there/,
  ],
];

describe('process: a program that', function () {
  this.timeout(8_000);

  for (const [title, code, message] of CRASHES) {
    it(title, async () => {
      expect(await failureOf(node(code))).to.match(message);
      expect(pids()).to.have.length(1);
    });
  }

  it('does not exist', async () => {
    const message = await failureOf([join(folder, 'nowhere'), []]);
    expect(message).to.match(/nowhere: it cannot be started \(ENOENT\); expected a program; check its path/);
    expect(await failureOf(['\0', []])).to.match(/it cannot be started/);
  });

  it('may not be executed', async () => {
    expect(await failureOf([folder, []])).to.match(/it cannot be started \(EACCES\)/);
  });

  it('hangs, with a child of its own', async () => {
    const hello = `echo '{"ionclad":1,"name":"toy","capabilities":[]}'`;
    const code = `${hello}; sleep 99 & echo $! >"$1"; read -r boot; echo '{"ok":true}'; wait`;
    const args = shell(code);
    const target = await processTarget<object>(...args, { timeoutMs: 500 });
    await target.boot({});
    const [sleeper = 0] = pids();
    expect(isThere(sleeper)).to.equal(true);
    const message = await target.batch(CALLS).catch(String);
    expect(message).to.match(/it wrote nothing within 500 ms; expected the replies to a batch/);
    await expectDeath(sleeper);
  });

  it('floods its standard error and dies, of which the end is kept', async () => {
    const code =
      'for (let n = 0; n < 1e4; n++) fs.writeSync(2, "noise ".repeat(99)); fs.writeSync(2, "END"); process.exit(1)';
    const message = await failureOf(node(code));
    expect(message).to.match(/exited with code 1[\s\S]*noise END$/);
    expect(Buffer.byteLength(message.slice(message.indexOf('ended with:')))).to.be.within(2_000, 2_100);
  });
});

describe('process: after a failure', function () {
  this.timeout(8_000);
  const DIES_IN_BATCH = 'serve((request) => request.batch ? process.exit(1) : good(request))';

  it('a batch needs a boot, which starts the program afresh', async () => {
    const target = await processTarget<object>(...node(DIES_IN_BATCH), OPTIONS);
    await target.boot({});
    expect(await target.batch(CALLS).catch(String)).to.match(/exited with code 1/);
    expect(await target.batch(CALLS).catch(String)).to.match(/does not run; expected .*; boot before/);
    await target.boot({});
    expect(pids()).to.have.length(2);
    await target.close();
    expect(pids().filter(isThere)).to.deep.equal([]);
  });

  it('there is an end to fresh starts', async () => {
    const target = await processTarget<object>(...node(DIES_IN_BATCH), { ...OPTIONS, restartsMax: 1 });
    for (let life = 0; life < 2; life++) {
      await target.boot({});
      await target.batch(CALLS).catch(() => undefined);
    }
    expect(await target.boot({}).catch(String)).to.match(
      /was started again 1 times; expected fewer failures/,
    );
    expect(pids().filter(isThere)).to.deep.equal([]);
  });
});

describe('process: the end of this process', function () {
  this.timeout(8_000);

  for (const end of ['process.exit(0)', 'process.kill(process.pid, "SIGTERM")', 'throw new Error("ours")']) {
    it(`takes the program along: ${end}`, async () => {
      const [command, args] = node('hello(); stay()');
      const start = `await processTarget(${JSON.stringify(command)}, ${JSON.stringify(args)})`;
      const code = `import { processTarget } from '${PROCESS_JS}'; ${start}; ${end}; await new Promise(() => {});`;
      spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 7_000 });
      const [pid = 0] = pids();
      expect(pid).to.be.above(0);
      await expectDeath(pid);
    });
  }
});
