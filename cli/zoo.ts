/** `ionclad zoo`: the kill table. Every known bug is hunted with every seed, and what is found is shrunk. */
import type { Bug } from '../targets/zoo/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { type Saved, saveText } from './save.ts';
import type { Session } from './session.ts';
import { version } from './version.ts';
import type { HuntedBug } from './worker.ts';
import { certified, KEPT_CASES, keepBest, keptCase, shortestOf } from './zoo-cases.ts';
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
  const rows = await rowsOf(options, session);
  const problems = [...keepCases(rows, options), ...(signal.aborted ? [] : writePage(rows, options))];
  const code = codeOf(rows, problems, signal);
  if (options.json) io.out(JSON.stringify(reportOf(rows, options, code), null, 2));
  else print(rows, options, session);
  for (const problem of problems) io.err(`ionclad: ${problem}`);
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

/** Hunts all bugs, and knows of the shortest case of each whether there is a shorter one. */
async function rowsOf(options: ZooOptions, session: Session): Promise<Row[]> {
  const { bugs, seeds, threads, cases = KEPT_CASES, proof } = options;
  const progress = new Progress(session, seeds.length * bugs.length, undefined, 'hunt');
  const runner = new ThreadRunner(session, progress, threads);
  try {
    const hunted = await huntAll(options, runner, progress, session.signal);
    const rows = await eachIn(bugs, threads, async (bug) => {
      const hunts = hunted.filter((each) => each.hunted.bug === bug.name);
      const kept = await keptCase(cases, bug, session.io);
      const known = shortestOf({ bug, hunts, kept });
      const isAsked = known !== undefined && proof !== undefined;
      const best = isAsked ? await certified(bug, known, proof, runner) : known;
      return hunts.length === 0 ? undefined : rowOf({ bug, hunts, kept: best });
    });
    return rows.filter((row) => row !== undefined);
  } finally {
    progress.end();
    await runner.close();
  }
}

/** Every bug with every seed, all of them with the first before any with the second. */
async function huntAll(
  { bugs, seeds, scripts, threads }: ZooOptions,
  runner: ThreadRunner,
  progress: Progress,
  signal: AbortSignal,
): Promise<HuntedBug[]> {
  const jobs = seeds.flatMap((seed) => bugs.map((bug) => ({ bug, seed })));
  const done = { scripts: 0, commands: 0 };
  const hunted = await eachIn(jobs, threads, async ({ bug, seed }) => {
    if (signal.aborted) return undefined;
    const result = await runner.hunt(bug.name, seed, scripts, true);
    done.scripts++;
    done.commands += result?.hunted.commands ?? 0;
    progress.update(done);
    return result;
  });
  return hunted.filter((each) => each !== undefined);
}

/** What comes of each thing, in their order, with so many under way at once. */
async function eachIn<T, R>(
  things: readonly T[],
  lanes: number,
  act: (thing: T) => Promise<R>,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < things.length) {
      const at = next++;
      done[at] = await act(things[at] as T);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return done;
}

/** @returns what went wrong with files */
const keepCases = (rows: readonly Row[], { cases }: ZooOptions): string[] =>
  cases === undefined ? [] : problemsOf(rows.map(({ bug, kept }) => keepBest(cases, bug, kept)));

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
