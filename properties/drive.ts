/** The loops that drive a stepper: for a target in this process, and for one elsewhere that takes whole batches. */
import type { RemoteReply, RemoteTarget, Reply, Stateful, Target } from '../model/index.ts';
import type { Finding } from './finding.ts';
import { slotCall } from './program.ts';
import type { Shows } from './lockstep.ts';
import type { Script } from './script.ts';
import type { Stepper } from './stepper.ts';

/**
 * Runs a script in lockstep on a target in this process. Its exceptions are findings.
 *
 * @throws {ScriptError} when the script does not fit the specification
 */
export function runScript<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  script: Script,
): Finding | undefined {
  const machine = stepper.begin(script);
  target.boot(machine);
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    let reply: Reply;
    try {
      reply = target.apply(call);
    } catch (cause) {
      return stepper.crash(cause instanceof Error ? cause.message : String(cause));
    }
    const finding = stepper.give(reply, target);
    if (finding !== undefined) return finding;
  }
  return stepper.end();
}

/**
 * Runs a script in lockstep on a target elsewhere: all of it in one batch, judged when the answers are there. The
 * target executes what the specification would skip for a duty of the caller; judging ends there.
 *
 * @throws {ScriptError} when the script does not fit the specification
 */
export async function runRemote<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: RemoteTarget<M>,
  script: Script,
): Promise<Finding | undefined> {
  const machine = stepper.begin(script);
  const made = stepper.steps
    .map((step, slot) => ({ step, slot }))
    .filter(({ step }) => isSupported(target, step.op));
  let replies: readonly (RemoteReply | 'skipped')[];
  try {
    await target.boot(machine);
    replies = await target.batch(made.map(({ step, slot }) => slotCall(step, slot)));
  } catch (cause) {
    stepper.next();
    return stepper.crash(cause instanceof Error ? cause.message : String(cause));
  }
  for (const [index, { slot }] of made.entries()) {
    const reply = replies[index];
    const call = stepper.callAt(slot);
    if (call === undefined && (reply === undefined || reply === 'skipped')) continue;
    if (call === undefined) return undefined;
    if (reply === undefined || reply === 'skipped')
      return stepper.crash('it skipped a command whose slots are filled');
    const finding = stepper.give(reply, showing(stepper, reply));
    if (finding !== undefined) return finding;
  }
  return stepper.end();
}

const isSupported = <M>({ calls }: RemoteTarget<M>, op: string): boolean =>
  calls === undefined || calls.has(op);

/** Writes the columns that came with a remote reply into the view, by name. */
function showing<M, S extends Stateful>({ spec }: Stepper<M, S>, { shown }: RemoteReply): Shows {
  return {
    observe(view) {
      for (const [name, values] of Object.entries(shown ?? {})) {
        const at = spec.view.findIndex((column) => column.name === name);
        view.columns[at]?.set(values);
        view.shown |= 1 << at;
        view.touched |= 1 << at;
      }
    },
  };
}
