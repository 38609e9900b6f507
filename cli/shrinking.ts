/** Drives shrinking on a target here or elsewhere: Ctrl-C is heard, and ends it with the smallest so far. */
import { setImmediate } from 'node:timers/promises';
import type { Stateful } from '../model/index.ts';
import type { Finding, Script, Shrinking, Shrunk } from '../properties/index.ts';
import { unlessAborted } from './abort.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import { many } from './table.ts';

/** Milliseconds after which somebody else gets a turn. */
const TURN_MS = 20;

type Run = (script: Script) => Promise<Finding | undefined> | Finding | undefined;

/** Runs what shrinking asks for until it is done, `isOver` says so, or Ctrl-C. */
export async function drive<M, S extends Stateful>(
  shrinking: Shrinking<M, S>,
  run: Run,
  { io, signal, now }: Session,
  progress: Progress,
  isOver: () => boolean = () => false,
): Promise<Shrunk> {
  let turn = now();
  const tell = (): void => {
    const { script, executions } = shrinking.best;
    const left = script.commands.length;
    progress.say(`shrinking, ${many(left, 'command')} left, ${many(executions, 'run')}`);
  };
  tell();
  while (!isOver() && !signal.aborted) {
    const script = shrinking.next();
    if (script === undefined) break;
    const finding = await unlessAborted(signal, Promise.resolve(run(script)));
    if (signal.aborted) break;
    shrinking.give(finding);
    if (now() - turn < TURN_MS) continue;
    // Elsewhere than on a terminal it is said once, and not too soon.
    if (io.draw !== undefined) tell();
    await setImmediate();
    turn = now();
  }
  return shrinking.best;
}
