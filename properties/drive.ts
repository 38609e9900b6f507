/** The loops that drive a stepper: for a target in this process, and for one elsewhere that takes whole batches. */
import type { RemoteReply, RemoteTarget, Reply, Spec, Stateful, Target } from '../model/index.ts';
import { causeOf, type Finding } from './finding.ts';
import type { Shows } from './lockstep.ts';
import { type Step, slotCall } from './program.ts';
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
  try {
    target.boot(machine);
  } catch (cause) {
    return stepper.crash(causeOf(cause));
  }
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    let reply: Reply;
    try {
      reply = target.apply(call);
    } catch (cause) {
      return stepper.crash(causeOf(cause));
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
    return stepper.crash(causeOf(cause));
  }
  for (const [index, { step, slot }] of made.entries()) {
    const reply = replies[index];
    const call = stepper.callAt(slot);
    if (call === undefined && (reply === undefined || reply === 'skipped')) continue;
    if (call === undefined) return undefined;
    if (reply === undefined || reply === 'skipped')
      return stepper.crash('it skipped a command whose slots are filled');
    const problem =
      replyProblem(stepper.spec, target, step, reply) ?? shownProblem(stepper.spec, machine, reply);
    if (problem !== undefined) return stepper.crash(problem);
    const finding = stepper.give(reply, showing(stepper, reply));
    if (finding !== undefined) return finding;
  }
  return stepper.end();
}

/** What is wrong with the form of an answer from elsewhere, in words, or undefined. */
function replyProblem<M, S extends Stateful>(
  spec: Spec<M, S>,
  { capabilities }: RemoteTarget<M>,
  { op, shape }: Step,
  reply: RemoteReply,
): string | undefined {
  if ('errno' in reply) return undefined;
  for (const [name, type] of Object.entries(shape.gives?.fields ?? {})) {
    if (type.startsWith('pfn') && !capabilities.has('page-numbers')) continue;
    const isMain = name === spec.kinds[shape.gives?.kind ?? '']?.main;
    if (reply.ok[name] === undefined && !isMain) return `its answer to ${op} has no field "${name}"`;
    if (reply.ok[name] !== undefined && Array.isArray(reply.ok[name]) !== type.endsWith('s')) {
      return `the field "${name}" of its answer to ${op} is not ${type.endsWith('s') ? 'a list' : 'a number'}`;
    }
  }
  return undefined;
}

/** What is wrong with the columns that came with an answer. */
function shownProblem<M, S extends Stateful>(
  spec: Spec<M, S>,
  machine: M,
  { shown }: RemoteReply,
): string | undefined {
  for (const [name, values] of Object.entries(shown ?? {})) {
    const column = spec.view.find((known) => known.name === name);
    if (column === undefined) return `it shows a column "${name}", which the view does not have`;
    const length = column.length(machine);
    if (values.length !== length)
      return `it shows ${values.length} values of the column "${name}" instead of ${length}`;
  }
  return undefined;
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
