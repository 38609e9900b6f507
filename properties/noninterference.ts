/**
 * Noninterference: what a client gets to see is the same with and without the commands of the others. A script is run
 * as a whole, and once for each client with that client's commands alone; then the answers are compared. The
 * specification says what callers may do; of answers it is asked nothing, but where it disagrees with one, the
 * comparison ends behind it.
 */
import type { Call, Isolation, Reply, Spec, Stateful, Target, View } from '../model/index.ts';
import { type Answer, Comparison, type Difference, kindsGivenBack } from './comparison.ts';
import { runScript } from './drive.ts';
import { type Finding, showReply } from './finding.ts';
import { type Owned, ownersOf } from './ownership.ts';
import type { Script } from './script.ts';
import type { Step } from './step.ts';
import { Stepper } from './stepper.ts';

/** What the specification is shown beyond answers. */
const NOTHING = { observe: (_view: View): void => {} };

/** A stepper that keeps the answers, and has nothing given back after a script. */
export class Answering<M, S extends Stateful> extends Stepper<M, S> {
  readonly isolation: Isolation;
  answers: Answer[] = [];
  readonly #givenBack: ReadonlySet<string>;

  constructor(spec: Spec<M, S>, target: Target<M>) {
    super({ ...spec, invariants: [], closing: [] }, target);
    if (spec.isolation === undefined) throw new Error(`${spec.name} says nothing of what is isolated`);
    this.isolation = spec.isolation;
    this.#givenBack = kindsGivenBack(spec);
  }

  override begin(script: Script): M {
    this.answers = [];
    return super.begin(script);
  }

  override callAt(at: number): Call | undefined {
    const step = this.steps[at] as Step;
    return step.plans.some((plan) => plan.is === 'slot' && this.#isOver(plan.slot))
      ? undefined
      : super.callAt(at);
  }

  /** What ends by itself, as a job does, is over at the latest when somebody else has got its id. */
  #isOver(slot: number): boolean {
    const kind = this.steps[slot]?.shape.gives?.kind ?? '';
    const id = this.#idAt(slot, kind);
    if (id === undefined || this.#givenBack.has(kind)) return false;
    return this.answers.some((_answer, at) => at > slot && this.#idAt(at, kind) === id);
  }

  #idAt(slot: number, kind: string): unknown {
    const reply = this.answers[slot]?.reply;
    if (reply === undefined || 'errno' in reply || this.steps[slot]?.shape.gives?.kind !== kind)
      return undefined;
    return reply.ok[this.spec.kinds[kind]?.main ?? ''];
  }

  override give(reply: Reply): Finding | undefined {
    this.answers[this.at] = { call: this.call, reply };
    this.lockstep.shown.shown = 0;
    return super.give(reply, NOTHING);
  }
}

/**
 * Holds the answers that each client gets among others against those that it gets alone.
 *
 * @param client - name of the only one that is looked at; undefined: all, one after the other
 * @throws {ScriptError} when the script does not fit the specification
 */
export function runNoninterference<M, S extends Stateful>(
  stepper: Answering<M, S>,
  target: Target<M>,
  script: Script,
  client?: string,
): Finding | undefined {
  const owners = ownersOf(stepper.spec, stepper.isolation, script);
  const clients = new Set(owners.flatMap((owned) => owned?.client ?? []));
  const { scripts } = stepper.counts;
  try {
    if (clients.size < 2) return undefined;
    const among = answersTo(stepper, target, script, owners);
    if ('kind' in among) return among;
    for (const name of client === undefined ? clients : [client]) {
      const own = owners.map((owned) => (isMadeBy(name, owned) ? owned : undefined));
      const alone = answersTo(stepper, target, script, own);
      if ('kind' in alone) return alone;
      const comparison = new Comparison(stepper.spec, stepper.isolation);
      const difference = comparison.first(script.commands, own, among, alone);
      stepper.counts.compared += comparison.compared;
      if (difference !== undefined) return findingOf(stepper, name, difference, among, alone);
    }
    return undefined;
  } finally {
    stepper.counts.scripts = scripts + 1;
  }
}

const isMadeBy = (client: string, owned: Owned | undefined): boolean =>
  owned !== undefined && (owned.client ?? client) === client;

/** The answers to those commands that have an owner here, by index in the script; or how the target failed. */
function answersTo<M, S extends Stateful>(
  stepper: Answering<M, S>,
  target: Target<M>,
  script: Script,
  owners: readonly (Owned | undefined)[],
): readonly (Answer | undefined)[] | Finding {
  const made = [...owners.keys()].filter((at) => owners[at] !== undefined);
  const commands = made.map((at) => script.commands[at] as Script['commands'][number]);
  const finding = runScript(stepper, target, { ...script, commands });
  // All runs of a script count as one.
  stepper.counts.scripts--;
  if (finding?.kind === 'crash') return { ...finding, command: made[finding.command] ?? finding.command };
  const answers: (Answer | undefined)[] = owners.map(() => undefined);
  for (const [index, at] of made.entries()) answers[at] = stepper.answers[index];
  return answers;
}

function findingOf<M, S extends Stateful>(
  { isolation, lockstep }: Answering<M, S>,
  client: string,
  { at, field, one, other }: Difference,
  among: readonly (Answer | undefined)[],
  alone: readonly (Answer | undefined)[],
): Finding {
  const { call, reply } = among[at] as Answer;
  const told = showReply((alone[at] as Answer).reply);
  const detail = `${client} is told ${showReply(reply)}; alone, without the other clients, ${told}`;
  const serves = isolation.serves(field, one, other);
  return lockstep.finding(at, call, { kind: 'pair', serves, clause: field, detail }, reply);
}
