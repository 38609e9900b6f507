/** The loops that drive a stepper: for a target in this process, and for one elsewhere that takes whole batches. */
import type { RemoteReply, RemoteTarget, Reply, Spec, Stateful, Target } from '../model/index.ts';
import { causeOf, type Finding } from './finding.ts';
import type { Shows } from './lockstep.ts';
import type { Script } from './script.ts';
import { slotCall } from './slot-call.ts';
import type { Step } from './step.ts';
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
    stepper.lockstep.refresh(target);
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

/** The same, and where a reply was wrong it is said which would have been right. */
export function runExplained<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  script: Script,
): Finding | undefined {
  const finding = runScript(stepper, target, script);
  return finding && stepper.explained(finding);
}

/**
 * Runs a script in lockstep on a target elsewhere, in batches. A batch ends before a call that has duties of the
 * caller: whether it may be made is known only when all before it is judged.
 *
 * @throws {ScriptError} when the script does not fit the specification
 */
export async function runRemote<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: RemoteTarget<M>,
  script: Script,
): Promise<Finding | undefined> {
  const machine = stepper.begin(script);
  try {
    await target.boot(machine);
    for (let at = 0; at < stepper.steps.length && stepper.breach === undefined; ) {
      const batch = batchFrom(stepper, target, at);
      const finding = await runBatch(stepper, target, machine, batch);
      if (finding !== undefined) return finding;
      at = Math.max(at, batch.at(-1) ?? at) + 1;
    }
  } catch (cause) {
    return stepper.crash(causeOf(cause));
  }
  return stepper.end();
}

/** The steps from here on that can be sent together; none if the first is not to be made. */
function batchFrom<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: RemoteTarget<M>,
  from: number,
): number[] {
  if (stepper.callAt(from) === undefined) return [];
  const batch = [from];
  for (let at = from + 1; at < stepper.steps.length && stepper.needsNoDuty(at); at++) {
    if (isSupported(target, (stepper.steps[at] as Step).op)) batch.push(at);
  }
  return batch;
}

/** Sends steps to a target elsewhere, the first of which can be made, and judges its answers. */
export async function runBatch<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: RemoteTarget<M>,
  machine: M,
  batch: readonly number[],
): Promise<Finding | undefined> {
  const calls = batch.map((at) => slotCall(stepper.steps[at] as Step, at));
  const replies = calls.length === 0 ? [] : await target.batch(calls);
  for (const [index, at] of batch.entries()) {
    const step = stepper.steps[at] as Step;
    const reply = replies[index] ?? 'skipped';
    const isMade = index === 0 || stepper.callAt(at) !== undefined;
    if (!isMade && reply === 'skipped') continue;
    if (!isMade) return stepper.crash(`it made ${step.op}, which refers to an empty slot`);
    if (reply === 'skipped') return stepper.crash(`it skipped ${step.op}, whose slots are filled`);
    const problem =
      replyProblem(stepper.spec, target, step, reply) ?? shownProblem(stepper.spec, machine, reply);
    if (problem !== undefined) return stepper.crash(problem);
    const finding = stepper.give(reply, showing(stepper, reply));
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** What is wrong with the form of an answer from elsewhere, in words, or undefined. */
function replyProblem<M, S extends Stateful>(
  spec: Spec<M, S>,
  { capabilities }: RemoteTarget<M>,
  { op, shape }: Step,
  reply: RemoteReply,
): string | undefined {
  if ('errno' in reply) return undefined;
  for (const [name, { is: type }] of Object.entries(shape.gives?.fields ?? {})) {
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
