/** `ionclad zoo`: the kill table. Every known bug is hunted with every seed, and what is found is shrunk. */
import type { Bug } from '../targets/zoo/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { type Saved, saveText } from './save.ts';
import type { Session } from './session.ts';
import { version } from './version.ts';
import type { HuntedBug } from './worker.ts';
import { KEPT_CASES, keepShortest, keptCase } from './zoo-cases.ts';
import { curveOf } from './zoo-curve.ts';
import { exhaustiveZoo } from './zoo-exhaustive.ts';
import { decidedBy, type Row, rowOf } from './zoo-figures.ts';
import { missingCommand } from './zoo-origins.ts';
import { pageOf } from './zoo-page.ts';
import { explained, printTable, totalLines } from './zoo-table.ts';

export interface ZooOptions {
  readonly bugs: readonly Bug[];
  readonly seeds: readonly number[];
  /** At most so many in one hunt. */
  readonly scripts: number;
  readonly threads: number;
  /** Where the shortest cases are read and kept; undefined: those that come with ionclad are read. */
  readonly cases: string | undefined;
  /** Files that the curve and the page are written to. */
  readonly curve: string | undefined;
  readonly markdown: string | undefined;
  /** Nothing is hunted: the historic bugs that are not re-created are listed. */
  readonly missing: boolean;
  /** As in a run. */
  readonly proof: number | undefined;
  /** Every script of scopes instead of scripts that are drawn. */
  readonly exhaustive: boolean;
  readonly times: boolean;
  readonly json: boolean;
}

export async function zooCommand(options: ZooOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  if (options.missing) return missingCommand(options.json, io);
  if (options.exhaustive) return exhaustiveZoo(options, session);
  const hunted = await huntAll(options, session);
  const rows: Row[] = [];
  for (const bug of options.bugs) {
    const hunts = hunted.filter((each) => each.hunted.bug === bug.name);
    if (hunts.length === 0) continue;
    rows.push(rowOf({ bug, hunts, kept: await keptCase(options.cases ?? KEPT_CASES, bug, io) }));
  }
  const problems = [...keepCases(rows, options), ...(signal.aborted ? [] : writePage(rows, options))];
  const code = codeOf(rows, problems, signal);
  if (options.json) io.out(JSON.stringify(reportOf(rows, options, code), null, 2));
  else print(rows, options, session);
  for (const problem of problems) io.err(`ionclad: ${problem}`);
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

/** Every bug with every seed, all of them with the first before any with the second. */
async function huntAll(
  { bugs, seeds, scripts, threads, proof }: ZooOptions,
  session: Session,
): Promise<HuntedBug[]> {
  const jobs = seeds.flatMap((seed) => bugs.map((bug) => ({ bug, seed })));
  const progress = new Progress(session, jobs.length, undefined, 'hunt');
  const runner = new ThreadRunner(session, progress, threads);
  const done: (HuntedBug | undefined)[] = [];
  let next = 0;
  let commands = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length && !session.signal.aborted) {
      const at = next++;
      const { bug, seed } = jobs[at] as (typeof jobs)[number];
      const result = await runner.hunt(bug.name, seed, scripts, true, proof);
      done[at] = result;
      commands += result?.hunted.commands ?? 0;
      progress.update({ scripts: done.filter((each) => each !== undefined).length, commands });
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, lane));
  } finally {
    progress.end();
    await runner.close();
  }
  return done.filter((each) => each !== undefined);
}

/** @returns what went wrong with files */
const keepCases = (rows: readonly Row[], { cases }: ZooOptions): string[] =>
  cases === undefined ? [] : problemsOf(rows.map((row) => keepShortest(cases, row)));

/** Not after Ctrl-C: a page of some hunts would stand where that of all stood. */
function writePage(rows: readonly Row[], options: ZooOptions): string[] {
  const { curve, markdown } = options;
  return problemsOf([
    curve === undefined ? undefined : saveText(curve, curveOf(rows)),
    markdown === undefined ? undefined : saveText(markdown, pageOf(rows, options)),
  ]);
}

const problemsOf = (saved: readonly (Saved | undefined)[]): string[] =>
  saved.flatMap((each) => (each !== undefined && 'problem' in each ? [each.problem] : []));

function codeOf(rows: readonly Row[], problems: readonly string[], signal: AbortSignal): ExitCode {
  if (signal.aborted) return EXIT.INTERRUPTED;
  if (problems.length > 0) return EXIT.USAGE;
  if (rows.length === 0) return EXIT.NOTHING_RAN;
  return rows.every(({ isCaught }) => isCaught) ? EXIT.HELD : EXIT.GATE;
}

function print(rows: readonly Row[], options: ZooOptions, { io }: Session): void {
  if (rows.length === 0) {
    io.out('nothing ran');
    return;
  }
  printTable(rows, options, io);
  io.out('');
  for (const line of totalLines(rows)) io.out(line);
  io.out('');
  for (const line of explained(options)) io.out(line);
}

function reportOf(rows: readonly Row[], { seeds, scripts, times }: ZooOptions, exitCode: ExitCode): object {
  return {
    ionclad: version(),
    command: 'zoo',
    exitCode,
    seeds,
    scripts,
    bugs: rows.map(({ bug, hunts, figures, isCaught }) => {
      const { name, layer, origin, needs, catches, property = 'lockstep' } = bug;
      const { ms, ...others } = figures;
      return {
        ...{ bug: name, layer, origin, needs, catches, property, caught: isCaught },
        ...others,
        ...(times ? { ms } : {}),
        each: hunts.map((hunt) => huntReport(hunt, times)),
      };
    }),
  };
}

function huntReport(
  { hunted: { seed, scripts, commands, found }, shrunk, ms }: HuntedBug,
  times: boolean,
): object {
  const spent = { seed, scripts, commands, ...(times ? { ms } : {}) };
  if (found === undefined) return spent;
  const { serves } = found.finding;
  return {
    ...spent,
    index: found.index,
    serves,
    by: decidedBy(found.finding),
    length: shrunk?.script.commands.length,
  };
}
