/** `ionclad replay`: cases again. */
import type { Case } from '../counterexamples/index.ts';
import { describe, type Finding } from '../properties/index.ts';
import { readCaseFile } from './case-files.ts';
import { eachFile, filesAndProgram } from './each-file.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { type Result, resultOf, runOn, variants } from './replay-case.ts';
import type { Output, Session } from './session.ts';
import { closeTarget, isForeign, type Opened, openTarget, type TargetName, targetName } from './targets.ts';
import { tracing, tracingRemote } from './trace.ts';
import { version } from './version.ts';

export interface ReplayOptions {
  readonly target?: string;
  readonly trace?: true;
  readonly json?: true;
}

export interface Replayed {
  readonly file: string;
  readonly target: string;
  /** Value of the policy, for a verdict. */
  readonly value?: string;
  readonly result: Result;
  readonly finding?: Finding;
  /** An earlier file of the same finding. */
  readonly same?: string;
}

/** Replays file after file. One that cannot be read does not keep the others from being run. */
export async function replayCommand(
  files: readonly string[],
  options: ReplayOptions,
  words: readonly string[],
  session: Session,
): Promise<ExitCode> {
  const { io, signal } = session;
  const { named, program } = filesAndProgram(files, words, options.target);
  const results: Replayed[] = [];
  const exitCode = await eachFile(named, session, async (file) => {
    const replayed = await replayFile(file, options, program, io);
    results.push(...replayed);
    if (options.json !== true) for (const each of replayed) tellReplayed(each, io);
    return replayed.map(({ result }) => codeOf(result));
  });
  if (signal.aborted) io.err('ionclad: interrupted');
  if (options.json === true)
    io.out(JSON.stringify({ ionclad: version(), command: 'replay', exitCode, results }, null, 2));
  return exitCode;
}

async function replayFile(
  file: string,
  { target, trace, json }: ReplayOptions,
  program: readonly string[],
  io: Output,
): Promise<Replayed[]> {
  const read = readCaseFile(file);
  const name = target === undefined ? ownTarget(read, file) : targetName(target, program);
  const opened = await openTarget(name);
  const write = json === true ? io.err : io.out;
  const traced = trace === true ? withTrace(opened, write) : opened;
  try {
    const results: Replayed[] = [];
    for (const { value, script } of variants(read)) {
      if (trace === true && value !== undefined) write(`with ${value}:`);
      const replayed = await replayScript(file, { ...read, script, target: name.name }, traced);
      results.push({ ...replayed, ...(value === undefined ? {} : { value }) });
    }
    return results;
  } finally {
    await closeTarget(opened);
  }
}

/** Runs the script of a case as it is on its target. */
export async function replayScript(file: string, read: Case, opened: Opened): Promise<Replayed> {
  const finding = await runOn(opened, read.script, read.property);
  const { target = opened.target.name } = read;
  return { file, target, result: resultOf(read, finding), ...(finding === undefined ? {} : { finding }) };
}

/** A file must not decide which program is run. */
export function ownTarget({ target = 'builtin' }: Case, file: string): TargetName {
  if (!isForeign(target)) {
    try {
      return targetName(target, []);
    } catch (cause) {
      throw cause instanceof UsageError ? new UsageError(`${file}: target: ${cause.message}`) : cause;
    }
  }
  throw new UsageError(
    `${file}: it was found on ${target}; name the target with --target, a case starts no programs`,
  );
}

const withTrace = (opened: Opened, write: (line: string) => void): Opened =>
  opened.is === 'remote'
    ? { is: 'remote', target: tracingRemote(opened.target, write) }
    : { is: 'local', target: tracing(opened.target, write) };

export const codeOf = (result: Result): ExitCode => {
  if (result === 'holds') return EXIT.HELD;
  return result === 'crashed' ? EXIT.TARGET : EXIT.FOUND;
};

const WORDS: Readonly<Record<Result, string>> = {
  holds: 'holds, nothing is found',
  found: 'found',
  other: 'another finding than the one in the file',
  crashed: 'the target failed',
};

export function tellReplayed({ file, target, value, result, finding, same }: Replayed, io: Output): void {
  const where = value === undefined ? target : `${target}, ${value}`;
  const [sentence, ...rest] = finding === undefined ? [] : describe(finding).split('\n');
  const text = `${WORDS[result]}${sentence === undefined ? '' : `: ${sentence}`}`;
  io.out(`${file}: on ${where}: ${io.style(result === 'holds' ? 'green' : 'red', text)}`);
  for (const line of rest) io.out(`    ${line}`);
  if (same !== undefined) io.out(`    the same finding as ${same}`);
}
