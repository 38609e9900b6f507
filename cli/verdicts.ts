/** `ionclad verdicts`: each argument of the review, decided for each of its choices. */
import { join } from 'node:path';
import { type Case, caseFileOf, VERDICTS, type Verdict, writeCase } from '../counterexamples/index.ts';
import { type Machine, SPEC } from '../model/index.ts';
import {
  type Counts,
  type Found,
  isSmaller,
  machineOf,
  measure,
  type Shrunk,
  START_MAPS,
} from '../properties/index.ts';
import { saveCase } from './case-files.ts';
import { COST_PAGES } from './costs.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { caseOf, withOthers } from './found.ts';
import type { MachineOptions } from './options.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import type { Saved } from './save.ts';
import type { Session } from './session.ts';
import { many, table, wrapped } from './table.ts';
import { exhaustiveVerdicts } from './verdicts-exhaustive.ts';
import { version } from './version.ts';
import type { Costs, Task } from './worker.ts';

export interface VerdictOptions extends MachineOptions {
  readonly seed: number;
  /** Scripts for each choice. */
  readonly scripts: number;
  readonly threads: number;
  /** Arguments that are decided. */
  readonly arguments: readonly string[];
  /** As in a run. */
  readonly proof: number | undefined;
  readonly cases: string;
  /** Decided by every script of a scope instead of by scripts that are drawn. */
  readonly exhaustive: boolean;
  readonly json: boolean;
}

/** Seeds beside the first that are asked for a finding too: not every one shrinks to the shortest case. */
const MORE_SEEDS = 2;

/** What came out for one choice. */
interface Decided {
  readonly row: Verdict;
  readonly counts: Counts;
  /** Undefined: Ctrl-C came before they were known. The largest buffer, with the memory of a real machine. */
  readonly costs: Costs | undefined;
  readonly broken: Broken | undefined;
}

interface Broken {
  readonly case: Case;
  readonly saved: Saved;
}

export async function verdictsCommand(options: VerdictOptions, session: Session): Promise<ExitCode> {
  if (options.exhaustive) return exhaustiveVerdicts(options, session);
  const { io, signal } = session;
  const runs = new Progress(session, options.scripts, undefined);
  const runner = new ThreadRunner(session, runs, options.threads);
  const decided: Decided[] = [];
  try {
    for (const row of rowsOf(options)) {
      io.draw?.(rowText(row));
      runs.restart();
      const result = await decide(row, options, runner, signal);
      if (result === undefined) break;
      decided.push(result);
      if (io.draw === undefined)
        io.err(`${rowText(row)}: ${result.broken === undefined ? 'holds' : 'broken'}`);
    }
  } finally {
    runs.end();
    await runner.close();
  }
  if (options.json) io.out(JSON.stringify(reportOf(decided, options), null, 2));
  else print(decided, options, session);
  if (signal.aborted) io.err('ionclad: interrupted');
  return signal.aborted ? EXIT.INTERRUPTED : EXIT.HELD;
}

/** The rows that are asked for. What a recorded memory says itself is not varied. */
function rowsOf({ arguments: names, memory }: VerdictOptions): Verdict[] {
  const asked = VERDICTS.filter(({ argument }) => names.includes(argument));
  if (memory === undefined) return asked;
  const once = new Map(
    asked.map((row) => [`${row.argument} ${row.value} ${startOf(row) ?? row.setting}`, row]),
  );
  return [...once.values()].map((row) => ({ ...row, setting: startOf(row) ?? row.setting }));
}

/** The setting of a row that fixes who holds pages from boot on, when a recorded memory says it. */
const startOf = ({ machine }: Verdict): string | undefined =>
  START_MAPS.some((map) => map in machine) ? '' : undefined;

const rowText = ({ argument, policy, value, setting }: Verdict): string =>
  `${argument} ${policy}=${value}${setting === '' ? '' : `, ${setting}`}`;

/** Runs the scripts of one choice, or undefined: Ctrl-C came before anything was found. */
async function decide(
  row: Verdict,
  options: VerdictOptions,
  runner: ThreadRunner,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const task = taskOf(row, options);
  const limits = { threads: options.threads, deadline: Number.POSITIVE_INFINITY };
  const file = join(options.cases, caseFileOf(row));
  const { counts, found } = await runner.run(task, limits, (first) => {
    saveCase(file, caseOf(task, version(), first));
  });
  if (found === undefined && signal.aborted) return undefined;
  const broken = found === undefined ? undefined : await keep(file, task, found, options, runner, signal);
  const costs = await runner.costs(task.machine, options.memory !== undefined);
  return { row, counts, costs, broken };
}

/** Saves a finding before anything else is tried with it; then shrinks it and others, and keeps the shortest. */
async function keep(
  file: string,
  task: Task,
  found: Found,
  { memory, threads }: VerdictOptions,
  runner: ThreadRunner,
  signal: AbortSignal,
): Promise<Broken> {
  const first = caseOf(task, version(), found);
  const saved = saveCase(file, first);
  let best: { readonly found: Found; readonly task: Task; readonly shrunk: Shrunk } | undefined;
  // A large machine shrinks slowly, and the first finding decides as well.
  for (let more = 0; more <= (memory === undefined ? MORE_SEEDS : 0) && !signal.aborted; more++) {
    const other: Task = { ...task, seed: seedAfter(task.seed, more) };
    const limits = { threads, deadline: Number.POSITIVE_INFINITY };
    const again = more === 0 ? found : (await runner.run(other, limits)).found;
    const shrunk = again === undefined ? undefined : await runner.shrink(other, again);
    if (again === undefined || shrunk === undefined) continue;
    if (best === undefined || isShorter(shrunk, best.shrunk)) best = { found: again, task: other, shrunk };
  }
  if (best === undefined) return { case: first, saved };
  const { task: by, found: shortest, shrunk } = best;
  const whole = await withOthers(caseOf(by, version(), { ...shortest, ...shrunk }), {
    find: (script) => runner.find(by, script),
    signal,
  });
  return { case: whole, saved: saveCase(file, whole) };
}

/** Another seed, which is a number that JSON can hold. */
const seedAfter = (seed: number, more: number): number =>
  seed > Number.MAX_SAFE_INTEGER - MORE_SEEDS ? seed - more : seed + more;

const isShorter = (one: Shrunk, other: Shrunk): boolean =>
  isSmaller(measure(one.script, SPEC), measure(other.script, SPEC));

/** The memory of a real machine says itself what is occupied. */
function taskOf(row: Verdict, { seed, scripts, memory, named, proof }: VerdictOptions): Task {
  const policies = { ...named.policies, ...row.machine.policies };
  const machine = { ...row.machine, ...memory?.machine, ...named, policies };
  return {
    target: { name: 'builtin', program: [] },
    seed,
    scripts,
    machine,
    only: row.only,
    premise: row.premise,
    property: 'lockstep',
    proof,
  };
}

/** One row a choice. Bounds stand with every choice that holds, the case with every one that does not. */
function print(decided: readonly Decided[], options: VerdictOptions, { io }: Session): void {
  for (const line of options.memory?.lines ?? []) io.out(line);
  const withLargest = options.memory !== undefined;
  const header = [
    '',
    'choice',
    'setting',
    'verdict',
    'pages',
    'addresses',
    ...(withLargest ? ['largest'] : []),
  ];
  const rows = decided.map((each, at) => cells(each, decided[at - 1]?.row, withLargest));
  const [first = '', ...lines] = table([header, ...rows], new Set([4, 5, 6]));
  io.out(io.style('bold', first));
  for (const line of lines) io.out(line);
  io.out('');
  const isKept = decided.some(({ broken }) => broken !== undefined && 'file' in broken.saved);
  for (const line of [...explained(options, isKept), ...provenLines(decided)]) io.out(line);
  for (const { broken } of decided) {
    if (broken === undefined || !('problem' in broken.saved)) continue;
    io.err(`ionclad: ${broken.saved.problem}; the case is printed instead`);
    io.out('');
    io.out(writeCase(broken.case).trimEnd());
  }
}

function cells(
  { row, counts, costs, broken }: Decided,
  before: Verdict | undefined,
  withLargest: boolean,
): string[] {
  const verdict =
    broken === undefined
      ? `holds in ${many(counts.scripts, 'script')}, ${many(counts.commands, 'command')}`
      : `${broken.case.finding?.serves ?? ''} broken in ${many(broken.case.script.commands.length, 'command')}`;
  return [
    row.argument === before?.argument ? '' : row.argument,
    `${row.policy} ${row.value}`,
    row.setting,
    verdict,
    ...(costs === undefined ? ['', ''] : [costText(costs.cost?.pages), costText(costs.cost?.addresses)]),
    ...(withLargest ? [String(costs?.largest ?? '')] : []),
  ];
}

/** Nothing where the buffer cannot be had. */
const costText = (value: number | undefined): string => String(value ?? '-');

function explained({ cases, memory, machine, seed }: VerdictOptions, isKept: boolean): string[] {
  const { pageBytes, pageArrayEntryBytes } = machineOf(SPEC, machine) as Machine;
  const entries = pageBytes / pageArrayEntryBytes;
  const costs =
    `pages, addresses: what a buffer of ${COST_PAGES} pages takes on an empty machine beside its own pages, ` +
    'and of the vmalloc space';
  const largest =
    memory === undefined ? '' : '; largest: pages of the largest single buffer right after boot';
  return [
    ...wrapped(`${costs}${largest}`, 100),
    `pages have ${pageBytes} bytes: the list of a buffer's pages outgrows one page at ${entries + 1} of them`,
    `scripts are drawn from seed ${seed}${isKept ? `; the shortest case of every broken choice is in ${cases}` : ''}`,
  ];
}

/** Of how many broken choices nothing shorter shows it. */
function provenLines(decided: readonly Decided[]): string[] {
  const certificates = decided.flatMap(({ broken }) => broken?.case.certificate ?? []);
  if (certificates.length === 0) return [];
  const proven = certificates.filter(({ result }) => result === 'proven');
  const cases = `${proven.length} of ${many(certificates.length, 'case')}`;
  return [`${cases} proven to be the shortest possible with their calls and values`];
}

function reportOf(decided: readonly Decided[], { seed, scripts, memory }: VerdictOptions): object {
  return {
    ionclad: version(),
    command: 'verdicts',
    seed,
    scripts,
    ...(memory === undefined ? {} : { memory: memory.lines }),
    verdicts: decided.map(({ row, counts, costs: { cost, largest } = {}, broken }) => ({
      ...row,
      verdict: broken === undefined ? 'holds' : 'broken',
      scripts: counts.scripts,
      commands: counts.commands,
      ...(cost === undefined ? {} : { cost }),
      ...(largest === undefined ? {} : { largest }),
      ...(broken === undefined ? {} : { finding: broken.case.finding, case: broken.case, ...broken.saved }),
    })),
  };
}
