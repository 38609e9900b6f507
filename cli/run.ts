/** `ionclad run`: generated scripts against a target. */
import type { Case } from '../counterexamples/index.ts';
import { type Counts, chunkCount, type Found, type Outcome, type Script } from '../properties/index.ts';
import { runLine } from './command-line.ts';
import { Corpus } from './corpus.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { caseOf, keep, type Pursuit, type Told, tell, warn } from './found.ts';
import { checkGates, printGates } from './gate.ts';
import type { Gate } from './gates.ts';
import { warningsOf } from './health.ts';
import type { RunOptions } from './options.ts';
import { checkProperty, narrowed, planFor } from './plan.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { RemoteRunner } from './remote.ts';
import { replayScript } from './replay.ts';
import { type Retried, retry, tellFailing } from './retry.ts';
import { scriptLines } from './script-text.ts';
import type { Session } from './session.ts';
import { type Spent, slowness } from './speed.ts';
import { noveltyText, printSummary, type Summary, summarise } from './summary.ts';
import { many, table, wrapped } from './table.ts';
import { closeTarget, type Opened, openTarget } from './targets.ts';
import { version } from './version.ts';
import type { Task } from './worker.ts';

/** Runs a campaign, here or on a target elsewhere. */
interface Runner extends Pursuit {
  /** Everything found is given to `onFound` at once. */
  run(onFound: (found: Found) => void): Promise<Outcome>;
  /** The shortest script that meets a situation, starting from one that does. */
  situation(name: string, script: Script): Promise<Script | undefined>;
  close(): Promise<void>;
  /** What the target took of the time so far. */
  spent(): Spent;
}

export async function runCommand(options: RunOptions, session: Session): Promise<ExitCode> {
  const opened = await openTarget(options.target);
  const progress = new Progress(session, options.scripts, options.seconds);
  try {
    checkProperty(options.property, opened);
    if (!options.json) session.io.err(`seed ${options.seed}`);
    const corpus = new Corpus(options.cases);
    for (const problem of corpus.problems) session.io.err(`ionclad: ${problem}; it is passed over`);
    const again = options.retry ? corpus.cases : [];
    const retried = await retry(again, options, opened, session, progress);
    if (retried.failing.length > 0) return tellFailing(retried, options, session);
    return await draw(options, opened, corpus, retried, session, progress);
  } finally {
    progress.end();
    await closeTarget(opened);
  }
}

/** Draws scripts and runs them, and tells what came out. */
async function draw(
  options: RunOptions,
  opened: Opened,
  corpus: Corpus,
  { holding }: Retried,
  session: Session,
  progress: Progress,
): Promise<ExitCode> {
  const runner = runnerFor(opened, options, session, progress);
  try {
    const began = session.now();
    const { counts, found } = await runner.run((each) => saveAtOnce(each, options, corpus, session));
    const slow = slowness(runner.spent(), counts.commands, session.now() - began, options.threads);
    if (slow !== undefined) session.io.err(slow);
    const kept = found === undefined ? undefined : await keep(options, version(), found, runner, corpus);
    const told = kept && (await explained(kept, opened));
    if (told !== undefined) await corpus.settleOthers(told.saved, runner.isFound);
    progress.end();
    const situations = options.situations && told === undefined ? await shortest(counts, runner) : {};
    const gates =
      told === undefined ? await checkGates(counts, options, opened, session, progress) : undefined;
    progress.end();
    const summary = summarise(counts, narrowed(options).only);
    const end = {
      summary,
      warnings: warningsOf(summary, options, opened.target),
      holding,
      situations,
      gates,
      told,
      repeat: runLine(options, repeated(options, counts.scripts, told)),
    };
    const code = codeOf(end, session);
    if (told !== undefined) warn(told, corpus.own, session.io);
    if (options.json) session.io.out(JSON.stringify(reportOf(end, options, code), null, 2));
    else print(end, options, session);
    return code;
  } finally {
    await runner.close();
  }
}

/** With the replies that would have been right, where one was wrong. */
async function explained(told: Told, opened: Opened): Promise<Told> {
  const { shrunk } = told;
  if (shrunk?.finding.kind !== 'reply') return told;
  const { finding } = await replayScript('', told.case, opened);
  if (finding?.allowed === undefined) return told;
  return { ...told, shrunk: { ...shrunk, finding: { ...shrunk.finding, allowed: finding.allowed } } };
}

/** Whatever happens next, what was found is kept. */
function saveAtOnce(found: Found, options: RunOptions, corpus: Corpus, { io }: Session): void {
  const saved = corpus.save(caseOf(options, version(), found));
  if ('file' in saved && saved.known !== true) io.err(`script ${found.index}: found, saved in ${saved.file}`);
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
  const { target, seed, machine, only, premise, property, scripts, seconds, proof } = options;
  const task: Task = { target, seed, machine, only, premise, property, scripts, proof };
  const { signal } = session;
  const deadline = session.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const isFound = async (older: Case): Promise<boolean> =>
    (await replayScript('', older, opened)).result === 'found';
  if (opened.is === 'remote') {
    const remote = new RemoteRunner(session, progress, opened.target);
    const plan = planFor(options, opened.target);
    return {
      run: (onFound) => remote.run(task, plan, deadline, onFound),
      shrink: (found, onSmaller) => remote.shrink(task, found, onSmaller),
      find: (script) => remote.find(task, script),
      situation: async (_name, script) => script,
      close: async () => {},
      signal,
      isFound,
      spent: () => remote.spent,
    };
  }
  const threads = Math.max(1, Math.min(options.threads, chunkCount(scripts)));
  const pool = new ThreadRunner(session, progress, threads);
  return {
    run: (onFound) => pool.run(task, { threads, deadline }, onFound),
    shrink: (found, onSmaller) => pool.shrink(task, found, onSmaller),
    find: (script) => pool.find(task, script),
    situation: (name, script) => pool.situation(task, name, script),
    close: () => pool.close(),
    signal,
    isFound,
    spent: () => pool.spent,
  };
}

interface End {
  readonly summary: Summary;
  /** What makes it worth less than it seems. */
  readonly warnings: readonly string[];
  /** Cases saved earlier that show nothing any more. */
  readonly holding: number;
  /** By name, where they were asked for. */
  readonly situations: Readonly<Record<string, Script>>;
  /** Where they were asked for. */
  readonly gates: readonly Gate[] | undefined;
  readonly told: Told | undefined;
  /** The command line that does it again. */
  readonly repeat: string;
}

/** A run that ended by time is repeated by its number of scripts; one with a finding needs those up to it. */
function repeated({ scripts }: RunOptions, ran: number, told: Told | undefined): number {
  if (Number.isFinite(scripts)) return scripts;
  return told === undefined ? ran : told.found.index + 1;
}

function codeOf({ summary, told, gates = [] }: End, { signal }: Session): ExitCode {
  if (told !== undefined) return told.found.finding.kind === 'crash' ? EXIT.TARGET : EXIT.FOUND;
  if (signal.aborted) return EXIT.INTERRUPTED;
  if (summary.commands === 0) return EXIT.NOTHING_RAN;
  return gates.every(({ held }) => held) ? EXIT.HELD : EXIT.GATE;
}

function print(
  { summary, warnings, holding, situations, gates, told, repeat }: End,
  options: RunOptions,
  session: Session,
): void {
  const { io, signal } = session;
  for (const line of memoryRows(options)) io.out(line);
  if (told !== undefined) tell(told, options, session);
  else if (gates !== undefined) printGates(gates, options, io);
  else if (summary.commands > 0) printSummary(summary, narrowed(options), io);
  for (const [name, script] of Object.entries(situations)) {
    io.out(io.style('bold', name));
    for (const line of scriptLines(script, script.commands.length - 1)) io.out(line);
    io.out('');
  }
  const ran = `${many(summary.commands, 'command')} of ${many(summary.scripts, 'script')}`;
  if (holding > 0)
    io.out(`saved:  ${many(holding, 'case')} of ${options.cases} ${holding === 1 ? 'holds' : 'hold'} now`);
  if (signal.aborted) io.err('ionclad: interrupted');
  if (told !== undefined) io.out(`run:    ${ran} of seed ${options.seed}, up to this finding`);
  else if (summary.commands === 0) io.out('nothing ran');
  else if (signal.aborted) io.out(`interrupted: no violation found in ${ran}`);
  else
    io.out(
      io.style('green', `no violation found in ${ran}, drawn from seed ${options.seed} within these bounds`),
    );
  if (told === undefined && summary.commands > 0) {
    io.out(noveltyText(summary));
    for (const warning of warnings) io.out(`${io.style('yellow', 'warning')}: ${warning}`);
  }
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
  { summary, warnings, holding, situations, gates, told, repeat }: End,
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
    ...(holding === 0 ? {} : { retried: { holding, failing: [] } }),
    ...summary,
    ...(told === undefined ? { warnings } : {}),
    ...(gates === undefined ? {} : { gates }),
    ...(Object.keys(situations).length === 0 ? {} : { situations }),
  };
  if (told === undefined) return base;
  const { found, shrunk, saved } = told;
  const { finding } = shrunk ?? found;
  return { ...base, found: { index: found.index, finding, ...saved, case: told.case } };
}
