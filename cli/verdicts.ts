/** `ionclad verdicts`: each argument of the review, decided for each of its choices. */
import { type Case, caseFileOf, VERDICTS, type Verdict } from '../counterexamples/index.ts';
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
import { COST_PAGES, type Cost, costOf, largestBuffer } from './costs.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { caseOf, withOthers } from './found.ts';
import type { MachineOptions } from './options.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { type Saved, saveCase } from './save.ts';
import type { Session } from './session.ts';
import { many, table, wrapped } from './table.ts';
import { version } from './version.ts';
import type { Task } from './worker.ts';

export interface VerdictOptions extends MachineOptions {
  readonly seed: number;
  /** Scripts for each choice. */
  readonly scripts: number;
  readonly threads: number;
  /** Arguments that are decided. */
  readonly arguments: readonly string[];
  readonly cases: string;
  readonly json: boolean;
}

/** Seeds beside the first that are asked for a finding too: not every one shrinks to the shortest case. */
const MORE_SEEDS = 2;

/** What came out for one choice. */
interface Decided {
  readonly row: Verdict;
  readonly counts: Counts;
  readonly cost: Cost | undefined;
  /** With the memory of a real machine: the largest single buffer in pages. */
  readonly largest: number | undefined;
  readonly broken: Broken | undefined;
}

interface Broken {
  readonly shrunk: Shrunk;
  readonly case: Case;
  readonly saved: Saved;
}

export async function verdictsCommand(options: VerdictOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  const runner = new ThreadRunner(
    session,
    new Progress(session, options.scripts, undefined),
    options.threads,
  );
  const decided: Decided[] = [];
  try {
    for (const row of rowsOf(options)) {
      io.draw?.(rowText(row));
      const result = await decide(row, options, runner);
      if (signal.aborted || result === undefined) break;
      decided.push(result);
      if (io.draw === undefined)
        io.err(`${rowText(row)}: ${result.broken === undefined ? 'holds' : 'broken'}`);
    }
  } finally {
    io.draw?.('');
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

/** Runs the scripts of one choice; a finding is shrunk, tried on the other choices, and kept. */
async function decide(
  row: Verdict,
  options: VerdictOptions,
  runner: ThreadRunner,
): Promise<Decided | undefined> {
  const task = taskOf(row, options);
  const limits = { threads: options.threads, deadline: Number.POSITIVE_INFINITY };
  const { counts, found } = await runner.run(task, limits);
  const { policies } = row.machine;
  const cost = costOf(policies);
  const largest = options.memory === undefined ? undefined : largestBuffer(task.machine);
  const known = { row, counts, cost, largest };
  if (found === undefined) return { ...known, broken: undefined };
  const findings: Found[] = [found];
  const tasks: Task[] = [task];
  // A large machine shrinks slowly, and the first finding decides as well.
  for (let more = 1; more <= MORE_SEEDS && options.memory === undefined; more++) {
    const other: Task = { ...task, seed: task.seed + more };
    const again = (await runner.run(other, limits)).found;
    if (again === undefined) continue;
    findings.push(again);
    tasks.push(other);
  }
  const broken = await keep(row, tasks, findings, options, runner);
  return broken === undefined ? undefined : { ...known, broken };
}

/** Shrinks all findings, and keeps the shortest. */
async function keep(
  row: Verdict,
  tasks: readonly Task[],
  findings: readonly Found[],
  { cases }: VerdictOptions,
  runner: ThreadRunner,
): Promise<Broken | undefined> {
  let best: { readonly task: Task; readonly found: Found; readonly shrunk: Shrunk } | undefined;
  for (const [at, found] of findings.entries()) {
    const task = tasks[at] as Task;
    const shrunk = await runner.shrink(task, found);
    if (shrunk === undefined) return undefined;
    if (best === undefined || isShorter(shrunk, best.shrunk)) best = { task, found, shrunk };
  }
  if (best === undefined) return undefined;
  const { task, found, shrunk } = best;
  const first = caseOf(task, version(), { ...found, ...shrunk });
  const whole = await withOthers(first, (script) => runner.find(task, script));
  return { shrunk, case: whole, saved: saveCase(cases, caseFileOf(row), whole) };
}

const isShorter = (one: Shrunk, other: Shrunk): boolean =>
  isSmaller(measure(one.script, SPEC), measure(other.script, SPEC));

/** The memory of a real machine says itself what is occupied. */
function taskOf(row: Verdict, { seed, scripts, memory, named }: VerdictOptions): Task {
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
  for (const line of explained(options)) io.out(line);
  const problem = decided.flatMap(({ broken }) =>
    broken !== undefined && 'problem' in broken.saved ? [broken.saved.problem] : [],
  )[0];
  if (problem !== undefined) io.err(`ionclad: ${problem}; other cases likewise`);
}

function cells(
  { row, counts, cost, largest, broken }: Decided,
  before: Verdict | undefined,
  withLargest: boolean,
): string[] {
  const verdict =
    broken === undefined
      ? `holds in ${many(counts.scripts, 'script')}, ${many(counts.commands, 'command')}`
      : `${broken.case.finding?.serves ?? ''} broken in ${many(broken.shrunk.script.commands.length, 'command')}`;
  return [
    row.argument === before?.argument ? '' : row.argument,
    `${row.policy} ${row.value}`,
    row.setting,
    verdict,
    cost === undefined ? '-' : String(cost.pages),
    cost === undefined ? '-' : String(cost.addresses),
    ...(withLargest ? [String(largest ?? '')] : []),
  ];
}

function explained({ cases, memory, machine, seed }: VerdictOptions): string[] {
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
    `scripts are drawn from seed ${seed}; the shortest case of every broken choice is in ${cases}`,
  ];
}

function reportOf(decided: readonly Decided[], { seed, scripts, memory }: VerdictOptions): object {
  return {
    ionclad: version(),
    command: 'verdicts',
    seed,
    scripts,
    ...(memory === undefined ? {} : { memory: memory.lines }),
    verdicts: decided.map(({ row, counts, cost, largest, broken }) => ({
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
