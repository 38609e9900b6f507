/** `ionclad explore --tests`: few scripts that cover every abstract transition of a scope, for any target. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DETAILS, type Detail, describe, FORMAT, type Scope, type Tested } from '../properties/index.ts';
import { saveCase } from './case-files.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { type Asked, type RawExploreOptions, scopesOf } from './explore-options.ts';
import { integer, known } from './option-values.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import type { Session } from './session.ts';
import { count, many } from './table.ts';
import { type TargetName, targetName } from './targets.ts';
import { version } from './version.ts';

export interface TestsOptions {
  readonly target: TargetName;
  readonly asked: readonly Asked[];
  readonly folder: string;
  readonly detail: Detail;
  /** Commands in a script at the most. */
  readonly length: number;
  readonly json: boolean;
}

/** What a thread is asked for. Plain data. */
export type TestsTask = Pick<TestsOptions, 'target' | 'detail' | 'length'> & { readonly scope: Scope };

const LENGTH_MAX = 10_000;

/** @throws {UsageError} for the first option that does not fit */
export function testsOptions(raw: RawExploreOptions, program: readonly string[]): TestsOptions {
  const target = targetName(raw.target ?? 'builtin', program);
  if (target.name.startsWith('process:'))
    throw new UsageError(
      '--tests: a process cannot go back; write the scripts without it, and replay them on it',
    );
  return {
    target,
    asked: scopesOf(raw),
    folder: raw.tests ?? '',
    detail: known('--detail', raw.detail ?? '', DETAILS) as Detail,
    length: integer('--length', raw.length ?? '', 1, LENGTH_MAX),
    json: raw.json === true,
  };
}

/** What became of one scope. */
interface Written {
  readonly name: string;
  readonly scope: Scope;
  readonly tested: Tested;
  readonly files: readonly string[];
}

export async function testsCommand(options: TestsOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  for (const { name } of options.asked) refuseLeftovers(options.folder, name);
  const progress = new Progress(session, options.asked.length, undefined, 'scope');
  const runner = new ThreadRunner(session, progress, 1);
  const results: Written[] = [];
  try {
    for (const { name, scope } of options.asked) {
      progress.say(`exploring ${name}`);
      const tested = await runner.test({ ...options, scope });
      if (tested === undefined) break;
      const written = { name, scope, tested, files: write(name, tested, options) };
      results.push(written);
      if (!options.json) for (const line of summary(written, options)) io.out(line);
    }
  } finally {
    progress.end();
    await runner.close();
  }
  const isFound = results.some(({ tested }) => tested.searched.found !== undefined);
  const code = isFound ? EXIT.FOUND : signal.aborted ? EXIT.INTERRUPTED : EXIT.HELD;
  if (options.json) io.out(JSON.stringify(reportOf(results, options, code), null, 2));
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

const fileName = (scope: string, number: string): string => `${scope}-${number}.json`;

/** Scripts of an earlier search beside the new ones would be taken for theirs. */
function refuseLeftovers(folder: string, scope: string): void {
  if (!existsSync(folder)) return;
  const ours = new RegExp(`^${scope}-\\d+\\.json$`);
  const left = readdirSync(folder).find((file) => ours.test(file));
  if (left !== undefined)
    throw new UsageError(`--tests: ${join(folder, left)} is there already; remove it and its like`);
}

/** @throws {UsageError} when a file cannot be written */
function write(scope: string, { scripts }: Tested, { folder }: TestsOptions): string[] {
  const width = String(scripts.length).length;
  return scripts.map((script, at) => {
    const title = `scope ${scope}, script ${at + 1} of ${scripts.length} that cover it`;
    const file = join(folder, fileName(scope, String(at + 1).padStart(width, '0')));
    const test = { format: FORMAT, title, property: { name: 'lockstep' }, script } as const;
    const saved = saveCase(file, test);
    if ('problem' in saved) throw new UsageError(saved.problem);
    return file;
  });
}

function summary(
  { name, scope, tested, files }: Written,
  { folder, detail, target }: TestsOptions,
): string[] {
  const { searched, abstractStates, transitions, covered, scripts, alone } = tested;
  const { found, states, ending } = searched;
  if (found !== undefined)
    return [`${name}: no scripts: ${target.name} is wrong already: ${describe(found.finding)}`];
  const commands = scripts.reduce((sum, script) => sum + script.commands.length, 0);
  const all = covered === transitions ? 'every one' : `${count(covered)} of them`;
  const bound = ending === 'complete' ? '' : ', as far as the search went';
  const abstract = `${many(abstractStates, 'state')} and ${many(transitions, 'transition')}`;
  return [
    `${name}: ${many(states, 'state')}; by ${detail} ${abstract}${bound}`,
    `  ${many(files.length, 'script')} with ${many(commands, 'command')} in ${folder}; run from boot they show ${all}`,
    ...((scope.overlaps ?? 0) === 0
      ? []
      : ['  without the calls that overlap: scripts for any target have none']),
    `  a script for each transition: ${many(transitions, 'script')} with ${many(alone, 'command')}, ` +
      `${(alone / commands).toFixed(1)} times as many`,
  ];
}

function reportOf(
  results: readonly Written[],
  { target, detail, length }: TestsOptions,
  exitCode: ExitCode,
): object {
  return {
    ionclad: version(),
    command: 'explore',
    exitCode,
    target: target.name,
    detail,
    length,
    scopes: results.map(({ name, tested: { scripts, ...tested }, files }) => ({
      name,
      ...tested,
      commands: scripts.reduce((sum, { commands }) => sum + commands.length, 0),
      files,
    })),
  };
}
