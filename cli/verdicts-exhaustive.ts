/** `ionclad verdicts --exhaustive`: each choice of each argument, decided by every script of a scope. */
import { join } from 'node:path';
import { type Case, caseFileOf, scopeOf, VERDICTS, type Verdict } from '../counterexamples/index.ts';
import type { Explored, Scope } from '../properties/index.ts';
import { saveCase } from './case-files.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Crew } from './explore-crew.ts';
import { foundCase, withOthers } from './found.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import type { Saved } from './save.ts';
import type { Session } from './session.ts';
import { count, many, table, wrapped } from './table.ts';
import type { VerdictOptions } from './verdicts.ts';
import { version } from './version.ts';

/** One scope of a row, searched. */
interface Searched {
  readonly name: string;
  readonly scope: Scope;
  readonly explored: Explored;
}

interface Decided {
  readonly row: Verdict;
  readonly searched: readonly Searched[];
  /** The shortest of those that show something. */
  readonly broken: { readonly by: Searched; readonly case: Case; readonly saved: Saved } | undefined;
}

/** Those that search, and one that runs single scripts. */
interface Threads {
  readonly crew: Crew;
  readonly runner: ThreadRunner;
}

const COLUMNS = 100;
const TARGET = { name: 'builtin', program: [] } as const;

export async function exhaustiveVerdicts(options: VerdictOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  const rows = VERDICTS.filter(({ argument }) => options.arguments.includes(argument));
  const progress = new Progress(session, rows.length, undefined, 'choice');
  const runner = new ThreadRunner(session, progress, 1);
  const crew = new Crew(options.threads);
  const decided: Decided[] = [];
  try {
    for (const row of rows) {
      progress.say(`${row.argument} ${row.policy}=${row.value}`);
      const result = await decide(row, options, { crew, runner }, signal);
      if (result === undefined) break;
      decided.push(result);
    }
  } finally {
    progress.end();
    await Promise.all([runner.close(), crew.close()]);
  }
  if (options.json) io.out(JSON.stringify(reportOf(decided), null, 2));
  else print(decided, options, session);
  if (signal.aborted) io.err('ionclad: interrupted');
  return signal.aborted ? EXIT.INTERRUPTED : EXIT.HELD;
}

/** Undefined: Ctrl-C came before it was decided. */
async function decide(
  row: Verdict,
  { cases }: VerdictOptions,
  { crew, runner }: Threads,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const { premise } = row;
  const searched: Searched[] = [];
  for (const name of row.scopes) {
    const scope = scopeOf(row, name);
    const explored = await crew.explore({ target: TARGET, premise, scope }, { signal, tell: () => {} });
    if (explored === undefined || signal.aborted) return undefined;
    searched.push({ name, scope, explored });
  }
  const [by] = searched.filter(isBroken).toSorted((one, other) => lengthOf(one) - lengthOf(other));
  if (by?.explored.found === undefined) return { row, searched, broken: undefined };
  const { script, finding } = by.explored.found;
  const task = { target: TARGET, premise, property: 'lockstep', machine: row.machine } as const;
  const found = foundCase(task, script, finding, {
    by: `ionclad verdicts --exhaustive, scope ${by.name}`,
    version: version(),
  });
  const whole = await withOthers(found, {
    find: (other) => runner.find({ ...task, seed: 0, scripts: 0, only: undefined, proof: undefined }, other),
    signal,
  });
  const saved = saveCase(join(cases, caseFileOf(row)), whole);
  return { row, searched, broken: { by, case: whole, saved } };
}

const isBroken = ({ explored }: Searched): boolean => explored.found !== undefined;

const lengthOf = ({ explored }: Searched): number =>
  explored.found?.script.commands.length ?? Number.POSITIVE_INFINITY;

function print(decided: readonly Decided[], { cases }: VerdictOptions, { io }: Session): void {
  const header = ['', 'choice', 'setting', 'verdict', 'states', 'scope'];
  const rows = decided.map((each, at) => cells(each, decided[at - 1]?.row));
  const [first = '', ...lines] = table([header, ...rows], new Set([4]));
  io.out(io.style('bold', first));
  for (const line of lines) io.out(line);
  io.out('');
  const text =
    'states: of specification and implementation, until the shortest case or the end; machine, calls and values of ' +
    'a scope are what `ionclad explore --scope NAME` prints';
  for (const line of wrapped(text, COLUMNS)) io.out(line);
  const saved = decided.flatMap(({ broken }) => (broken === undefined ? [] : [broken.saved]));
  if (saved.some((each) => 'file' in each)) io.out(`the shortest case of every broken choice is in ${cases}`);
  for (const each of saved) if ('problem' in each) io.err(`ionclad: ${each.problem}`);
}

function cells({ row, searched, broken }: Decided, before: Verdict | undefined): string[] {
  const counted = broken === undefined ? searched : [broken.by];
  return [
    row.argument === before?.argument ? '' : row.argument,
    `${row.policy} ${row.value}`,
    row.setting,
    broken === undefined ? `holds for ${scriptsText(searched)}` : brokenText(broken.case),
    count(counted.reduce((sum, { explored }) => sum + explored.states, 0)),
    counted.map(({ name }) => name).join(', '),
  ];
}

const brokenText = ({ finding, script }: Case): string =>
  `${finding?.serves ?? ''} broken in ${many(script.commands.length, 'command')}, the fewest`;

/** What was covered, of several scopes what was covered of each. */
function scriptsText(searched: readonly Searched[]): string {
  const lengths = searched.map(({ explored }) => coveredBy(explored));
  const least = Math.min(...lengths);
  return least === Number.POSITIVE_INFINITY
    ? 'every script'
    : `every script of up to ${many(least, 'command')}`;
}

/** The last level may be covered in part where states were too many. */
function coveredBy({ ending, depth }: Explored): number {
  if (ending === 'complete') return Number.POSITIVE_INFINITY;
  return ending === 'depth' ? depth : Math.max(depth - 1, 0);
}

function reportOf(decided: readonly Decided[]): object {
  return {
    ionclad: version(),
    command: 'verdicts',
    exhaustive: true,
    verdicts: decided.map(({ row, searched, broken }) => ({
      ...row,
      verdict: broken === undefined ? 'holds' : 'broken',
      searched: searched.map(({ name, scope, explored: { found, ...bounds } }) => ({
        name,
        scope,
        ...bounds,
        ...(found === undefined ? {} : { commands: found.script.commands.length }),
      })),
      ...(broken === undefined
        ? {}
        : { scope: broken.by.name, finding: broken.case.finding, case: broken.case, ...broken.saved }),
    })),
  };
}
