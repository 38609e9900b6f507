import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { explain } from './exit.ts';
import { record } from './main.ts';

const ionclad = (...args: readonly string[]): ReturnType<typeof record> => record(args);

/** Command lines that are refused, each with all that it writes to standard error. */
const REFUSED: readonly (readonly [line: string, problem: string])[] = [
  ['frob', "ionclad: unknown command 'frob'"],
  ['rum', "ionclad: unknown command 'rum' (Did you mean run?)"],
  ['run --sed 3', "ionclad: unknown option '--sed' (Did you mean --seed?)"],
  ['run extra', "ionclad: too many arguments for 'run'. Expected 0 arguments but got 1."],
  ['run --seed x', 'ionclad: --seed: expected an integer from 0 to 9007199254740991, got "x"'],
  ['run --time 0', 'ionclad: --time: expected seconds above 0, got "0"'],
  ['run --threads 0', 'ionclad: --threads: expected an integer from 1 to 256, got "0"'],
  [
    'run --target builtn',
    'ionclad: there is no target "builtn" (did you mean builtin?); see ionclad targets',
  ],
  ['run --target process', 'ionclad: --target process: which program? Write it behind --'],
  ['run --target process:', 'ionclad: --target process: which program? Write process:COMMAND'],
  ['run -- ls', 'ionclad: "ls": a program goes with --target process'],
  ['run --machine page=3', 'ionclad: --machine: there is no "page" (did you mean pages?)'],
  ['run --machine page', 'ionclad: --machine: expected NAME=VALUE, got "page" (such as pages=VALUE)'],
  ['run --machine pages=0', 'ionclad: --machine: pages: expected an integer from 1 to 4194304, got "0"'],
  [
    'run --machine pageBytes=65536',
    'ionclad: --machine: no machine fits: machine: ioBits 12 leaves fewer than 2 I/O pages of 65536 bytes',
  ],
  ['run --pages 1e3', 'ionclad: --pages: expected an integer from 1 to 4194304, got "1e3"'],
  ['run --memory /does/not/exist', 'ionclad: /does/not/exist: there is no such file'],
  ['run --memory /', 'ionclad: /: it is a folder; name the files in it'],
  ['run --policy contexts=shard', 'ionclad: --policy: contexts: there is no "shard" (did you mean shared?)'],
  ['run --only ionn', 'ionclad: --only: there is no "ionn" (did you mean ion?)'],
  ['run --premise T9', 'ionclad: --premise: there is no "T9" (did you mean T1 or T2 or T3?)'],
  [
    'run --gate --only ion',
    'ionclad: --gate: not with --only: a run that is narrowed says nothing of the whole',
  ],
  [
    'run --gate --machine pages=8',
    'ionclad: --gate: not with --machine: a run that is narrowed says nothing of the whole',
  ],
  ['run --gate --property fault', 'ionclad: --gate: with --property lockstep, not fault'],
  ['run --coverage x', 'ionclad: --coverage: only with --gate'],
  [
    'run --gate --target zoo/no-merge --figures x',
    'ionclad: --figures: it is about ionclad itself: only with --target builtin',
  ],
  ['run --gate --coverage /does/not/exist', 'ionclad: /does/not/exist: there is no such file'],
  ['zoo stale-iotbl', 'ionclad: zoo: there is no "stale-iotbl" (did you mean stale-iotlb?)'],
  [
    'zoo --needs crumbs',
    'ionclad: --needs: there is no "crumbs" (known: fragmentation, fault, second actor)',
  ],
  ['zoo --missing pages', 'ionclad: --missing: it lists what no bug re-creates, and hunts no "pages"'],
  ['explore --spec --step', 'ionclad: --spec: not together with --step'],
  ['explore --step --tests x', 'ionclad: --step: not together with --tests'],
  [
    'explore --spec --target builtin',
    'ionclad: --spec: it searches the specification alone, and no --target',
  ],
  ['explore --scope pags', 'ionclad: --scope: there is no "pags" (did you mean pages?)'],
  ['explore --depth x', 'ionclad: --depth: expected an integer from 0 to 1000, got "x"'],
  ['zoo --seeds 0', 'ionclad: --seeds: expected an integer from 1 to 10000, got "0"'],
  ['calls -- x', 'ionclad: "x": this command takes no arguments'],
  ['replay', "ionclad: missing required argument 'file'"],
  ['replay /does/not/exist', 'ionclad: /does/not/exist: there is no such file'],
  ['replay /', 'ionclad: /: it is a folder; name the files in it'],
  ['shrink /dev/zero', 'ionclad: /dev/zero: more than 64 MiB'],
  ['shrink --out a b c', 'ionclad: --out: for one file, not for 2'],
  ['shrink --out a --in-place b', 'ionclad: --out: not together with --in-place'],
  ['replay /dev/zero', 'ionclad: /dev/zero: more than 64 MiB'],
];

describe('a command line that is wrong', () => {
  for (const [line, problem] of REFUSED) {
    it(line, async () => {
      expect(await ionclad(...line.split(' '))).to.deep.equal({ code: 2, out: '', err: problem });
    });
  }

  it('such as an empty one gets the help', async () => {
    const { code, err } = await ionclad();
    expect(code).to.equal(2);
    expect(err).to.include('Usage: ionclad').and.to.include('130  interrupted');
  });

  it('is told apart from a fault of ionclad', () => {
    const { code, lines } = explain(new Error('oops\nmore'), false);
    expect(code).to.equal(70);
    expect(lines).to.deep.equal(['ionclad: internal error: oops; please report it']);
    expect(explain('text', true).lines).to.have.length(2);
  });
});

describe('ionclad', () => {
  it('explains every command with an example and the exit codes', async () => {
    for (const command of ['run', 'verdicts', 'zoo', 'replay', 'shrink', 'calls', 'invariants', 'targets']) {
      const { code, out } = await ionclad(command, '--help');
      expect(code).to.equal(0);
      expect(out).to.include(`  ionclad ${command}`).and.to.include('Exit codes:').and.to.include('--json');
    }
    expect((await ionclad('--version')).out).to.match(/^\d+\.\d+\.\d+$/);
  });

  it('lists calls, invariants and targets from the tables', async () => {
    for (const [command, line] of [
      ['calls', /^ion_free +ion +user +client: client, handle: handle!$/m],
      ['invariants', /^I1 +state +zoo\/.*stale-iotlb/m],
      ['targets', /^zoo\/stale-iotlb +I1 /m],
    ] as const) {
      expect((await ionclad(command)).out).to.match(line);
      expect(JSON.parse((await ionclad(command, '--json')).out)).to.have.property(command);
    }
  });
});

describe('ionclad replay', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-replay-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function file(name: string, value: object): string {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(value));
    return path;
  }

  const SCRIPT = { format: 1, machine: { pages: 8 }, commands: [{ op: 'alloc_pages', order: 1, as: 'b' }] };

  it('traces calls, replies, and what changed', async () => {
    const { code, out } = await ionclad('replay', '--trace', file('script.json', SCRIPT));
    expect(code).to.equal(0);
    expect(out).to.include('  1  alloc_pages(order 1) -> pfn 0\n       kind[0..1] free -> a block\n');
    expect(out).to.include('script.json: on builtin: holds, nothing is found');
  });

  it('says which replies would have been right', async () => {
    const path = file('wrong.json', {
      format: 1,
      machine: {},
      commands: [{ op: 'ion_client_destroy', client: 3 }],
    });
    const { code, out } = await ionclad('replay', '--trace', '--target', 'zoo/dead-client-lives', path);
    expect(code).to.equal(1);
    expect(out).to.match(/: C5 broken: replied ok, expected errno EBADF: .*\n {4}allowed: EBADF\n?$/);
    const json = await ionclad('replay', '--json', '--target', 'zoo/dead-client-lives', path);
    const { results } = JSON.parse(json.out) as { readonly results: readonly { readonly finding: object }[] };
    expect(results[0]?.finding).to.include({ kind: 'reply', allowed: 'EBADF' });
  });

  it('runs the files that can be read, and exits 2 for the others', async () => {
    const good = file('good.json', SCRIPT);
    const { code, out, err } = await ionclad('replay', join(folder, 'none.json'), good);
    expect(code).to.equal(2);
    expect(out).to.include('good.json: on builtin: holds');
    expect(err).to.include('none.json: there is no such file');
  });

  it('starts no program because a file says so', async () => {
    const { script, ...rest } = { script: SCRIPT, format: 1, title: 't', property: { name: 'lockstep' } };
    const path = file('foreign.json', { ...rest, target: 'process:touch /tmp/x', script });
    const { code, err } = await ionclad('replay', path);
    expect(code).to.equal(2);
    expect(err).to.include('name the target with --target, a case starts no programs');
  });

  it('names the file whose target there is not', async () => {
    const rest = {
      format: 1,
      title: 't',
      property: { name: 'lockstep' },
      target: 'zoo/none',
      script: SCRIPT,
    };
    const path = file('none.json', rest);
    expect(await ionclad('replay', path)).to.deep.equal({
      code: 2,
      out: '',
      err: `ionclad: ${path}: target: there is no target "zoo/none"; see ionclad targets`,
    });
  });

  it('hears of Ctrl-C between two files, and tells what it had', async () => {
    const path = file('again.json', SCRIPT);
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const { code, out, err } = await record(
      ['replay', '--json', ...Array(2_000).fill(path)],
      controller.signal,
    );
    expect([code, err]).to.deep.equal([130, 'ionclad: interrupted']);
    expect(JSON.parse(out)).to.include({ exitCode: 130 });
  });

  it('runs a schedule', async () => {
    const commands = [
      { op: 'ion_client_create', as: 'c' },
      { op: 'gpu_context_create', client: 'c', as: 'g' },
      { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'cached', as: 'h' },
      { op: 'gpu_bind', context: 'g', handle: 'h', access: 'both', as: 'm' },
      { op: 'ion_free', client: 'c', handle: 'h', actor: 'other' },
    ];
    const path = file('schedule.json', {
      ...SCRIPT,
      commands,
      schedule: [{ in: 'm', point: 1, to: 'other' }],
    });
    const { code, out } = await ionclad('replay', '--trace', path);
    expect(out).to.include('main: gpu_bind stops at its switch point 1');
    expect(code).to.equal(0);
  });

  it('gives one JSON object', async () => {
    const { out } = await ionclad('replay', '--json', '--trace', file('json.json', SCRIPT));
    expect(JSON.parse(out)).to.deep.include({ command: 'replay', exitCode: 0 });
  });
});
