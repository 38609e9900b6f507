/**
 * Whether a target does the same when a script is run again. A finding that comes and goes is not one about memory:
 * what is wrong with the target then is that nothing said of it can be repeated.
 */
import type { Call, RemoteTarget, Reply, Spec, Stateful, Target } from '../model/index.ts';
import { runRemote, runScript } from './drive.ts';
import { describe, type Finding, isSameFinding, showCall, showReply } from './finding.ts';
import type { Shows } from './lockstep.ts';
import type { Script } from './script.ts';
import { type Given, Stepper } from './stepper.ts';

/** Runs in which a target that answers at random must betray itself: one in two does in all but 1 of 128 cases. */
export const RUNS = 8;

/** A stepper that keeps the answers. */
export class Recorder<M, S extends Stateful> extends Stepper<M, S> {
  given: Given[] = [];

  override begin(script: Script): M {
    this.given = [];
    return super.begin(script);
  }

  override give(reply: Reply, target: Shows): Finding | undefined {
    this.given.push({ at: this.at, call: this.call, reply });
    return super.give(reply, target);
  }
}

/** One run of a script: what was answered, and what was found. */
export interface Course {
  readonly given: readonly Given[];
  readonly finding: Finding | undefined;
}

/**
 * Some commands of a script that are run between two runs of it, in another number each time: whatever a target counts
 * beyond its boots does not stand the same at the start of every run then.
 */
const between = (script: Script, run: number): Script => ({
  ...script,
  commands: script.commands.slice(0, run % (script.commands.length + 1)),
});

/** Runs a script several times in lockstep, each time from boot; a difference from the first run is a finding. */
export function runRepeatedly<M, S extends Stateful>(
  recorder: Recorder<M, S>,
  target: Target<M>,
  script: Script,
): Finding | undefined {
  const first = { finding: runScript(recorder, target, script), given: recorder.given };
  for (let run = 1; run < RUNS; run++) {
    runScript(recorder, target, between(script, run));
    const finding = runScript(recorder, target, script);
    const difference = differenceOf(first, { finding, given: recorder.given });
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The same on a target elsewhere. */
export async function runRemoteRepeatedly<M, S extends Stateful>(
  recorder: Recorder<M, S>,
  target: RemoteTarget<M>,
  script: Script,
): Promise<Finding | undefined> {
  const first = { finding: await runRemote(recorder, target, script), given: recorder.given };
  for (let run = 1; run < RUNS; run++) {
    await runRemote(recorder, target, between(script, run));
    const finding = await runRemote(recorder, target, script);
    const difference = differenceOf(first, { finding, given: recorder.given });
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/**
 * The finding of a script, if the script shows it again; else what is wrong is that the target does not repeat it.
 *
 * @param again - runs a script, as it was run when this was found
 */
export function believed<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  script: Script,
  finding: Finding,
  again: (script: Script) => Finding | undefined,
): Finding {
  const recorder = new Recorder(spec, target);
  runScript(recorder, target, between(script, 1));
  const unsteady = notRepeated(finding, again(script));
  return unsteady === undefined ? finding : (runRepeatedly(recorder, target, script) ?? unsteady);
}

/** The same on a target elsewhere, in lockstep. */
export async function believedRemote<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: RemoteTarget<M>,
  script: Script,
  finding: Finding,
  premise: string | undefined,
): Promise<Finding> {
  const recorder = new Recorder(spec, target, premise);
  await runRemote(recorder, target, between(script, 1));
  const unsteady = notRepeated(finding, await runRemote(recorder, target, script));
  return unsteady === undefined
    ? finding
    : ((await runRemoteRepeatedly(recorder, target, script)) ?? unsteady);
}

/**
 * What differs between two runs of a script, or undefined. Where both show the same finding, that is to be mended
 * first. Where both show none, ids and addresses may differ as long as the same calls succeed: an allocator may be
 * random.
 */
export function differenceOf(one: Course, other: Course): Finding | undefined {
  const found = notRepeated(one.finding, other.finding);
  if (found === undefined && one.finding !== undefined) return undefined;
  let values = '';
  for (const [index, { at, call, reply }] of one.given.entries()) {
    const again = other.given[index];
    if (again === undefined || again.at !== at) break;
    const answers = `one run answered ${showReply(reply)}, another ${showReply(again.reply)}`;
    if (outcomeOf(reply) !== outcomeOf(again.reply)) return flaky(at, call, 'outcome', answers);
    if (values === '' && showReply(reply) !== showReply(again.reply))
      values = `; before that, to ${showCall(call)}, ${answers}`;
  }
  return found && { ...found, detail: `${found.detail}${values}` };
}

/** Two runs of a script that do not show the same. It is told at the command at which the first of them ended. */
export function notRepeated(one: Finding | undefined, other: Finding | undefined): Finding | undefined {
  const shown = one === undefined || (other?.command ?? one.command) < one.command ? other : one;
  if (shown === undefined) return undefined;
  if (one !== undefined && other !== undefined && isSameFinding(one, other) && one.command === other.command)
    return undefined;
  return flaky(
    shown.command,
    shown.call,
    'finding',
    `one run found ${textOf(one)}, another ${textOf(other)}`,
  );
}

const outcomeOf = (reply: Reply): string => ('errno' in reply ? reply.errno : 'ok');

const textOf = (finding: Finding | undefined): string =>
  finding === undefined ? 'nothing' : `"${describe(finding).split('\n', 1)[0] ?? ''}"`;

const flaky = (command: number, call: Call, clause: string, detail: string): Finding => ({
  kind: 'flaky',
  command,
  call,
  serves: 'determinism',
  clause,
  layer: '',
  detail,
});
