/** `ionclad run`: generated scripts against a target. */
import {
  type Counts,
  chunkCount,
  type Finding,
  type Found,
  type Outcome,
  type Script,
  type Shrunk,
} from '../properties/index.ts';
import { runLine } from './command-line.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { keep, type Told, tell, warn } from './found.ts';
import type { RunOptions } from './options.ts';
import { checkProperty, narrowed, planFor } from './plan.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { RemoteRunner } from './remote.ts';
import { scriptLines } from './script-text.ts';
import type { Session } from './session.ts';
import { printSummary, type Summary, summarise } from './summary.ts';
import { many, table, wrapped } from './table.ts';
import { closeTarget, type Opened, openTarget } from './targets.ts';
import { version } from './version.ts';
import type { Task } from './worker.ts';

/** Runs a campaign, here or on a target elsewhere. */
interface Runner {
  run(): Promise<Outcome>;
  shrink(found: Found): Promise<Shrunk | undefined>;
  /** What a script shows now. */
  find(script: Script): Promise<Finding | undefined>;
  /** The shortest script that meets a situation, starting from one that does. */
  situation(name: string, script: Script): Promise<Script | undefined>;
  close(): Promise<void>;
  readonly signal: AbortSignal;
}

export async function runCommand(options: RunOptions, session: Session): Promise<ExitCode> {
  const opened = await openTarget(options.target);
  checkProperty(options.property, opened);
  if (!options.json) session.io.err(`seed ${options.seed}`);
  const progress = new Progress(session, options.scripts, options.seconds);
  const runner = runnerFor(opened, options, session, progress);
  try {
    const { counts, found } = await runner.run();
    const told = found === undefined ? undefined : await keep(options, version(), found, runner);
    progress.end();
    const situations = options.situations && told === undefined ? await shortest(counts, runner) : {};
    progress.end();
    const end = {
      summary: summarise(counts, narrowed(options).only),
      situations,
      told,
      repeat: runLine(options, repeated(options, counts.scripts, told)),
    };
    const code = codeOf(end, session);
    if (told !== undefined) warn(told, session.io);
    if (options.json) session.io.out(JSON.stringify(reportOf(end, options, code), null, 2));
    else print(end, options, session);
    return code;
  } finally {
    progress.end();
    await runner.close();
    await closeTarget(opened);
  }
}

/** The shortest script of every situation that was met. */
async function shortest({ labels }: Counts, { situation }: Runner): Promise<Record<string, Script>> {
  const scripts: Record<string, Script> = {};
  for (const [name, { script }] of Object.entries(labels)) {
    const smaller = await situation(name, script);
    if (smaller !== undefined) scripts[name] = smaller;
  }
  return scripts;
}

function runnerFor(opened: Opened, options: RunOptions, session: Session, progress: Progress): Runner {
  const { target, seed, machine, only, premise, property, scripts, seconds } = options;
  const task: Task = { target, seed, machine, only, premise, property, scripts };
  const { signal } = session;
  const deadline = session.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  if (opened.is === 'remote') {
    const remote = new RemoteRunner(session, progress, opened.target);
    const plan = planFor(options, opened.target);
    return {
      run: () => remote.run(task, plan, deadline),
      shrink: (found) => remote.shrink(task, found),
      find: (script) => remote.find(task, script),
      situation: async (_name, script) => script,
      close: async () => {},
      signal,
    };
  }
  const threads = Math.max(1, Math.min(options.threads, chunkCount(scripts)));
  const pool = new ThreadRunner(session, progress, threads);
  return {
    run: () => pool.run(task, { threads, deadline }),
    shrink: (found) => pool.shrink(task, found),
    find: (script) => pool.find(task, script),
    situation: (name, script) => pool.situation(task, name, script),
    close: () => pool.close(),
    signal,
  };
}

interface End {
  readonly summary: Summary;
  /** By name, where they were asked for. */
  readonly situations: Readonly<Record<string, Script>>;
  readonly told: Told | undefined;
  /** The command line that does it again. */
  readonly repeat: string;
}

/** A run that ended by time is repeated by its number of scripts; one with a finding needs those up to it. */
function repeated({ scripts }: RunOptions, ran: number, told: Told | undefined): number {
  if (Number.isFinite(scripts)) return scripts;
  return told === undefined ? ran : told.found.index + 1;
}

function codeOf({ summary, told }: End, { signal }: Session): ExitCode {
  if (told !== undefined) return told.found.finding.kind === 'crash' ? EXIT.TARGET : EXIT.FOUND;
  if (signal.aborted) return EXIT.INTERRUPTED;
  return summary.commands === 0 ? EXIT.NOTHING_RAN : EXIT.HELD;
}

function print({ summary, situations, told, repeat }: End, options: RunOptions, session: Session): void {
  const { io, signal } = session;
  for (const line of memoryRows(options)) io.out(line);
  if (told !== undefined) tell(told, options, session);
  else if (summary.commands > 0) printSummary(summary, narrowed(options), io);
  for (const [name, script] of Object.entries(situations)) {
    io.out(io.style('bold', name));
    for (const line of scriptLines(script, script.commands.length - 1)) io.out(line);
    io.out('');
  }
  const ran = `${many(summary.commands, 'command')} of ${many(summary.scripts, 'script')}`;
  if (signal.aborted) io.err('ionclad: interrupted');
  if (told !== undefined) io.out(`run:    ${ran} of seed ${options.seed}, up to this finding`);
  else if (summary.commands === 0) io.out('nothing ran');
  else if (signal.aborted) io.out(`interrupted: no violation found in ${ran}`);
  else
    io.out(
      io.style('green', `no violation found in ${ran}, drawn from seed ${options.seed} within these bounds`),
    );
  io.out(`repeat: ${repeat}`);
}

const MEMORY_COLUMNS = 100;

/** Where the machine's memory is from, before all else: it says what was tested. */
function memoryRows({ memory }: RunOptions): string[] {
  if (memory === undefined) return [];
  const lines = memory.lines.flatMap((line) => wrapped(line, MEMORY_COLUMNS));
  return [...table(lines.map((line, at) => [at === 0 ? 'memory' : '', line])), ''];
}

function reportOf(
  { summary, situations, told, repeat }: End,
  { target, property, seed, memory }: RunOptions,
  exitCode: ExitCode,
): object {
  const base = {
    ionclad: version(),
    command: 'run',
    exitCode,
    target: target.name,
    property,
    seed,
    repeat,
    ...(memory === undefined ? {} : { memory: { ...memory.facts, lines: memory.lines } }),
    ...summary,
    ...(Object.keys(situations).length === 0 ? {} : { situations }),
  };
  if (told === undefined) return base;
  const { found, shrunk, saved } = told;
  const { finding } = shrunk ?? found;
  return { ...base, found: { index: found.index, finding, ...saved, case: told.case } };
}
