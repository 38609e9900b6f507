/** Before anything is drawn: what was found on this target earlier, again. */
import { setImmediate } from 'node:timers/promises';
import type { Case } from '../counterexamples/index.ts';
import { unlessAborted } from './abort.ts';
import { type CaseFile, chosenPolicies, keyOf } from './corpus.ts';
import { type ExitCode, explain } from './exit.ts';
import type { RunOptions } from './options.ts';
import type { Progress } from './progress.ts';
import { codeOf, type Replayed, replayScript, tellReplayed } from './replay.ts';
import type { Session } from './session.ts';
import { many } from './table.ts';
import type { Opened } from './targets.ts';
import { version } from './version.ts';

export interface Retried {
  /** Cases that show nothing any more. */
  readonly holding: number;
  readonly failing: readonly Replayed[];
}

/** Runs every case of this target and of what is asked of it again, in the order of the names of the files. */
export async function retry(
  cases: readonly CaseFile[],
  options: RunOptions,
  opened: Opened,
  { io, signal }: Session,
  progress: Progress,
): Promise<Retried> {
  const asked = cases.filter((saved) => isAsked(saved.case, options));
  const failing: Replayed[] = [];
  const known = new Map<string, string>();
  let holding = 0;
  for (const [at, { file, case: saved }] of asked.entries()) {
    progress.say(`saved case ${at + 1} of ${asked.length}: ${file}`);
    // Cases in this process leave no time to hear of Ctrl-C but between two of them.
    await setImmediate();
    if (signal.aborted) break;
    try {
      const replayed = await unlessAborted(signal, replayScript(file, saved, opened));
      if (replayed?.result === 'holds') holding++;
      else if (replayed !== undefined) {
        const key = replayed.result === 'found' ? keyOf(saved) : undefined;
        const same = key === undefined ? undefined : known.get(key);
        failing.push(same === undefined ? replayed : { ...replayed, same });
        if (key !== undefined && same === undefined) known.set(key, file);
      }
    } catch (cause) {
      for (const line of explain(cause, false).lines) io.err(`${line}; ${file} is passed over`);
    }
  }
  progress.end();
  return { holding, failing };
}

/** Ends a run before it has drawn anything: what is known to fail is mended first. */
export function tellFailing(
  { holding, failing }: Retried,
  { target, property, seed, json }: RunOptions,
  { io }: Session,
): ExitCode {
  const exitCode = Math.max(...failing.map(({ result }) => codeOf(result))) as ExitCode;
  if (json) {
    const run = { command: 'run', exitCode, target: target.name, property, seed };
    io.out(JSON.stringify({ ionclad: version(), ...run, retried: { holding, failing } }, null, 2));
    return exitCode;
  }
  for (const replayed of failing) tellReplayed(replayed, io);
  const cases = `${failing.length} of ${many(holding + failing.length, 'saved case')}`;
  io.out(
    `nothing was drawn: ${cases} still ${failing.length === 1 ? 'fails' : 'fail'}; --no-retry draws all the same`,
  );
  return exitCode;
}

/** Found on this target, with this property, and with the same choice of disputed policies: what is run now. */
function isAsked({ target, property, script }: Case, { target: { name }, ...asked }: RunOptions): boolean {
  const premise = property.name === 'verdict' ? property.premise : undefined;
  const wanted = property.name === 'verdict' ? 'lockstep' : property.name;
  const isSame = wanted === 'nondeterminism' || (wanted === asked.property && premise === asked.premise);
  return target === name && isSame && chosenPolicies(script.machine) === chosenPolicies(asked.machine);
}
