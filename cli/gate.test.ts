import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { rowNames } from '../properties/index.ts';
import { bugOf, ZOO } from '../targets/zoo/index.ts';
import { gather, isNoticed } from './evidence.ts';
import { UsageError } from './exit.ts';
import { type Hunted, hunt } from './hunt.ts';
import { lastRelease, writeRelease } from './last-release.ts';
import { record } from './main.ts';
import { Progress } from './progress.ts';
import { recordingSession } from './session.ts';
import { version } from './version.ts';

const BUILTIN = new URL('../targets/builtin.js', import.meta.url).href;

describe('ionclad run --gate', function () {
  this.timeout(30_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-gate-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs on a module with some calls of the built-in implementation. */
  const run = (calls: readonly string[], ...args: readonly string[]): ReturnType<typeof record> => {
    const file = join(folder, `${calls.join('-')}.mjs`);
    const set = JSON.stringify(calls);
    writeFileSync(
      file,
      `import { builtin } from '${BUILTIN}';
       const all = builtin();
       export const target = { name: 'some', capabilities: all.capabilities, calls: new Set(${set}),
         boot: (machine) => all.boot(machine), apply: (call) => all.apply(call),
         observe: (view) => all.observe(view) };`,
    );
    return record(['run', '--gate', '--cases', folder, '--target', `module:${file}`, ...args]);
  };

  it('asks of a target what its calls owe, and ends with 0 when it was seen', async () => {
    const { code, out } = await run(['alloc_pages', 'free_pages'], '--scripts', '200');
    expect(out).to.match(/^refusals seen true and false {2}2 of 2 +all +ok$/m);
    expect(out).to.match(/^repeat: ionclad run .* --gate$/m);
    expect(out).not.to.include('MISSED');
    expect(code).to.equal(0);
  });

  it('ends with 5 when a call is never made', async () => {
    const calls = ['alloc_pages', 'free_pages', 'iommu_unmap'];
    const { code, out } = await run(calls, '--scripts', '200');
    expect(out).to.match(/^calls made +2 of 3 +all +MISSED$/m);
    expect(out).to.include('\ncalls made: not iommu_unmap\n');
    expect(code).to.equal(5);
    const json = await run(calls, '--scripts', '200', '--json');
    const { exitCode, gates } = JSON.parse(json.out) as { exitCode: number; gates: { missing: string[] }[] };
    expect(exitCode).to.equal(5);
    expect(gates[0]).to.deep.include({
      name: 'calls made',
      held: false,
      missing: ['iommu_unmap'],
      excused: [],
    });
  });

  it('ends with what was found, or with nothing, before any gate is asked', async () => {
    const nothing = await run(['alloc_pages'], '--scripts', '0');
    expect(nothing).to.deep.include({ code: 4 });
    expect(nothing.out).not.to.include('gate ');
    const found = await record([
      'run',
      '--gate',
      '--target',
      'zoo/no-merge',
      '--cases',
      folder,
      '--scripts',
      '500',
    ]);
    expect(found.code).to.equal(1);
    expect(found.out).not.to.include('MISSED');
  });
});

describe('invariants that are left out', () => {
  const numberOf = (id: string): number => SPEC.invariants.findIndex((each) => each.id === id);
  const hunted = (name: string): Hunted => {
    const bug = bugOf(`zoo/${name}`);
    return bug === undefined ? expect.fail(`no ${name}`) : hunt(bug, 1, 2_000);
  };

  it('are noticed where their bug is not found as that any more', () => {
    const bugs = [hunted('no-merge')];
    expect(bugs[0]?.found?.finding.serves).to.equal('S1');
    expect(isNoticed(numberOf('S1'), bugs)).to.equal(true);
    expect(isNoticed(numberOf('C6'), bugs)).to.equal(false);
    expect(isNoticed(numberOf('S1'), [])).to.equal(false);
  });

  it('are noticed on a target that shows less, where the others see it too', () => {
    const second = SPEC.invariants.findLastIndex(({ id }) => id === 'I1');
    expect(SPEC.invariants[second]?.text).to.include('no flush to wait for');
    expect(isNoticed(second, [hunted('stale-iotlb')])).to.equal(true);
  });
});

describe('the evidence about ionclad itself', function () {
  this.timeout(60_000);
  const evidence = (threads: number, signal?: AbortSignal): ReturnType<typeof gather> => {
    const session = recordingSession(signal);
    const bugs = ZOO.filter(({ name }) => ['stale-iotlb', 'no-merge'].includes(name));
    const asked = { seed: 1, scripts: 260, threads };
    return gather(asked, session, new Progress(session, 260, undefined), bugs);
  };

  it('is the same for any number of threads', async () => {
    const one = await evidence(1);
    expect(one?.hunted.map(({ found }) => found?.finding.serves)).to.have.members(['I1', 'S1']);
    expect(one?.invariants.filter((noticed) => noticed)).to.have.length(3);
    const killed = one?.audited.killed.filter((is) => is).length ?? 0;
    expect(killed).to.be.above((rowNames(SPEC).length * 2) / 3);
    expect(await evidence(2)).to.deep.equal(one);
  });

  it('is none after Ctrl-C', async () => {
    expect(await evidence(1, AbortSignal.abort())).to.equal(undefined);
  });
});

describe('the figures of a release', () => {
  it('are written with the version, and read from the file that is kept with the project', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ionclad-release-'));
    const file = join(folder, 'figures.json');
    try {
      const gate = {
        name: 'rows',
        now: '7 of 8',
        figure: 7,
        least: 'all',
        held: false,
        missing: [],
        excused: [],
      };
      writeRelease(file, [gate]);
      const written = { version: version(), gates: { rows: { now: '7 of 8', figure: 7 } } };
      expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal(written);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(() => writeRelease(file, [])).to.throw(UsageError, 'cannot be written (ENOENT)');
    const { gates } = lastRelease();
    expect(gates['calls made']?.figure).to.be.within(1, Object.keys(SPEC.calls).length);
  });
});
