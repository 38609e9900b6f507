import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { SeededChoices } from '../properties/index.ts';
import { record } from './main.ts';

const BIN = join(dirname(fileURLToPath(import.meta.url)), '../../bin/ionclad.js');

/** Found by both threads within some scripts, and long to shrink. */
const TARGET = ['--target', 'zoo/iotlb-without-tags'];
/** A search for a shorter script that is given up soon: it is part of what is killed, and no more. */
const SHORT_PROOF = ['--states', '500'];
const KILLS = 50;
/** Runs at a time. */
const LANES = 2;

/** When it is killed, in milliseconds: after its start, or after it has said that it found something. */
interface Moment {
  readonly after: 'start' | 'found';
  readonly milliseconds: number;
}

interface Ended {
  readonly folder: string;
  readonly err: string;
  /** Milliseconds until something was found, and until its end. */
  readonly found: number;
  readonly whole: number;
  readonly killed: boolean;
}

/** Runs it with a folder of its own, and kills it without a warning. */
async function run(root: string, moment: Moment | undefined): Promise<Ended> {
  const folder = join(mkdtempSync(join(root, 'run-')), 'cases');
  const began = performance.now();
  const args = [
    BIN,
    'run',
    ...TARGET,
    '--threads',
    '2',
    '--scripts',
    '600',
    '--cases',
    folder,
    ...SHORT_PROOF,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  let found = 0;
  let timer: NodeJS.Timeout | undefined;
  const killLater = (after: Moment['after']): void => {
    if (moment?.after === after) timer = setTimeout(() => child.kill('SIGKILL'), moment.milliseconds);
  };
  killLater('start');
  child.stderr.on('data', (piece) => {
    err += String(piece);
    if (found > 0 || !err.includes('found, saved in')) return;
    found = performance.now() - began;
    killLater('found');
  });
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  clearTimeout(timer);
  return { folder, err, found, whole: performance.now() - began, killed: signal === 'SIGKILL' };
}

/** Whatever was said to be saved is there, everything there is whole, and the next run starts with it. */
async function check({ folder, err }: Ended): Promise<number> {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.case.json')) : [];
  for (const name of files) readCase(readFileSync(join(folder, name), 'utf8'), name);
  for (const [, file = ''] of err.matchAll(/^script \d+: found, saved in (.*)$/gm))
    expect(files.map((name) => join(folder, name))).to.include(file);
  const next = await record(['run', ...TARGET, '--scripts', '0', '--cases', folder]);
  expect(next.err, 'the next run').to.equal('seed 1');
  if (files.length > 0)
    expect(next.out).to.match(new RegExp(`${files.length} of ${files.length} saved cases? still`));
  expect(existsSync(folder) ? readdirSync(folder) : [], 'nothing else is left').to.have.length(files.length);
  return files.length;
}

describe('a run that is killed', function () {
  this.timeout(300_000);
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ionclad-kill-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it(`loses nothing that was found, at ${KILLS} moments`, async () => {
    const whole = await run(root, undefined);
    expect(await check(whole)).to.be.above(0);
    const choices = new SeededChoices(1, 0);
    const saved: number[] = [];
    let killed = 0;
    const lane = async (): Promise<void> => {
      while (saved.length < KILLS) {
        const at = saved.push(0) - 1;
        const after = at % 2 === 0 ? 'start' : 'found';
        const most = after === 'start' ? whole.found : whole.whole - whole.found;
        const ended = await run(root, { after, milliseconds: (most * choices.below(1_000)) / 1_000 });
        saved[at] = await check(ended);
        if (ended.killed) killed++;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(killed, 'killed before its end').to.be.above(KILLS / 2);
    expect(saved.filter((files) => files > 0).length, 'killed after something was found').to.be.at.least(
      KILLS / 2,
    );
  });
});
