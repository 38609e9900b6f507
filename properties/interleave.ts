/**
 * Runs a script with a schedule: calls that stop at switch points while other actors go on. What came back is
 * right if the calls, put in some order that respects which ended before which began, agree with the rules.
 */
import type { Call, Concurrent, Reply, Stateful, Suspended, Target } from '../model/index.ts';
import { causeOf, type Finding } from './finding.ts';
import type { Preemption, Script } from './script.ts';
import { CALLERS_FAULT, type Stepper } from './stepper.ts';

/** A call that has ended, with the moments of its beginning and its end. */
interface Ended {
  readonly at: number;
  readonly call: Call;
  readonly reply: Reply;
  readonly began: number;
  readonly ended: number;
}

interface Suspension {
  readonly at: number;
  readonly call: Call;
  readonly began: number;
}

/** One thing that one actor did: a call began or went on, and stopped or ended. */
export interface Advance {
  readonly actor: string;
  /** Number of its command, or of what gives back after them. */
  readonly at: number;
  readonly call: Call;
  readonly answer: Reply | Suspended;
}

/**
 * Runs a script under its schedule. Commands run in the order of the list, each to its end, until a preemption
 * hands over: then that actor goes on to its end. A preemption that cannot happen is skipped.
 *
 * @throws {ScriptError} when the script does not fit the specification
 */
export function runSchedule<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  script: Script,
): Finding | undefined {
  const { concurrent } = target;
  if (concurrent === undefined) throw new Error(`${target.name} cannot interrupt calls`);
  const machine = stepper.begin(script);
  try {
    target.boot(machine);
  } catch (cause) {
    return stepper.crash(causeOf(cause));
  }
  const interleaving = new Interleaving(stepper, target, concurrent, script);
  while (!interleaving.isOver) interleaving.step();
  return interleaving.end();
}

/** A script under its schedule, which somebody began and booted: one thing after the other. */
export class Interleaving<M, S extends Stateful> {
  readonly #stepper: Stepper<M, S>;
  readonly #target: Target<M>;
  readonly #concurrent: Concurrent;
  readonly #script: Script;
  /** Steps of each actor that are still to come, in program order. */
  readonly #queues = new Map<string, number[]>();
  readonly #suspended = new Map<string, Suspension>();
  readonly #left: Preemption[];
  #window: Ended[] = [];
  #clock = 0;
  #finding: Finding | undefined;
  #preemptions = 0;
  /** Whose step is next. Who was handed over to goes on until nothing is left to do, or is preempted itself. */
  #actor: string | undefined;
  #isHandedOver = false;
  readonly #last: {
    actor: string;
    suspension: Suspension | undefined;
    answer: Reply | Suspended | undefined;
  } = { actor: '', suspension: undefined, answer: undefined };

  constructor(stepper: Stepper<M, S>, target: Target<M>, concurrent: Concurrent, script: Script) {
    this.#stepper = stepper;
    this.#target = target;
    this.#concurrent = concurrent;
    this.#script = script;
    this.#left = [...(script.schedule ?? [])];
    for (const [at, { actor }] of stepper.steps.entries()) {
      this.#queues.set(actor, [...(this.#queues.get(actor) ?? []), at]);
    }
    this.#actor = this.#firstActor();
  }

  get isOver(): boolean {
    return this.#actor === undefined || this.#finding !== undefined;
  }

  /** What was found; but what callers did together that none may do is no finding. */
  get finding(): Finding | undefined {
    return this.#finding?.clause === CALLERS_FAULT ? undefined : this.#finding;
  }

  /** What the last step was; undefined: it was nothing, as its command is skipped. */
  get last(): Advance | undefined {
    const { suspension, answer, actor } = this.#last;
    if (suspension === undefined || answer === undefined) return undefined;
    return { actor, at: suspension.at, call: suspension.call, answer };
  }

  step(): void {
    const actor = this.#actor;
    if (actor === undefined) return;
    this.#last.suspension = undefined;
    const next = this.#advance(actor);
    if (next !== undefined && next !== actor) this.#isHandedOver = true;
    else if (next === undefined && this.#isHandedOver) this.#isHandedOver = this.#canStep(actor);
    if (next !== undefined || !this.#isHandedOver) this.#actor = next ?? this.#firstActor();
  }

  /** What must hold when all is over. */
  end(): Finding | undefined {
    const { counts } = this.#stepper;
    counts.preemptions += this.#preemptions;
    if (this.#preemptions > 0) counts.preempted++;
    return this.#finding === undefined ? this.#stepper.end() : this.finding;
  }

  /** Whose step is next when nobody was handed over to: the earliest step of all, or of a suspended call. */
  #firstActor(): string | undefined {
    let first: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [actor, queue] of this.#queues) {
      const at = this.#suspended.get(actor)?.at ?? queue[0] ?? Number.POSITIVE_INFINITY;
      if (at >= least) continue;
      least = at;
      first = actor;
    }
    return first;
  }

  /** Lets an actor take one step: go on with its call, or begin the next. Returns who was handed over to. */
  #advance(actor: string): string | undefined {
    const suspension = this.#suspended.get(actor);
    if (suspension !== undefined)
      return this.#settle(
        actor,
        suspension,
        this.#ask(suspension, () => this.#concurrent.resume(actor)),
      );
    const at = this.#queues.get(actor)?.shift();
    if (at === undefined) return undefined;
    const call = this.#stepper.callAt(at);
    if (call === undefined) return undefined;
    const begun = { at, call, began: this.#clock++ };
    return this.#settle(
      actor,
      begun,
      this.#ask(begun, () => this.#concurrent.start(actor, call)),
    );
  }

  /** A target need not survive what its caller may not do, and others under way may have made it that. */
  #ask({ at, call }: Suspension, step: () => Reply | Suspended): Reply | Suspended {
    try {
      return step();
    } catch (cause) {
      const isDue = this.#suspended.size === 0 || this.#stepper.needsNoDuty(at);
      this.#finding = isDue ? this.#stepper.crash(causeOf(cause), at, call) : this.#stepper.undue(at, call);
      return { errno: 'EIO' };
    }
  }

  #settle(actor: string, suspension: Suspension, answer: Reply | Suspended): string | undefined {
    this.#last.actor = actor;
    this.#last.suspension = suspension;
    this.#last.answer = answer;
    if (this.#finding !== undefined) return undefined;
    if ('point' in answer) return this.#stop(actor, suspension, answer.point);
    this.#suspended.delete(actor);
    const { at, call, began } = suspension;
    this.#window.push({ at, call, reply: answer, began, ended: this.#clock++ });
    this.#stepper.bindResult(at, answer);
    if (this.#suspended.size === 0) this.#closeWindow();
    return undefined;
  }

  /** A call stopped at a switch point: somebody else goes on if the schedule says so, else it goes on itself. */
  #stop(actor: string, suspension: Suspension, point: number): string | undefined {
    this.#suspended.set(actor, suspension);
    const name = this.#script.commands[suspension.at]?.as;
    const index = this.#left.findIndex((preemption) => preemption.in === name && preemption.point === point);
    const [preemption] = index < 0 ? [] : this.#left.splice(index, 1);
    if (preemption === undefined || !this.#canStep(preemption.to) || preemption.to === actor) return actor;
    this.#preemptions++;
    return preemption.to;
  }

  #canStep(actor: string): boolean {
    return this.#suspended.has(actor) || (this.#queues.get(actor)?.length ?? 0) > 0;
  }

  /** Nothing is under way: some order of what ended must agree with the rules, and the views with each other. */
  #closeWindow(): void {
    const window = this.#window;
    this.#window = [];
    this.#finding = this.#stepper.giveWindow(orders(window), this.#target);
  }
}

/** Every order of calls in which none comes before one that had ended when it began; the order of ends comes first. */
function* orders(window: readonly Ended[]): Generator<readonly Ended[]> {
  if (window.length <= 1) {
    yield window;
    return;
  }
  for (const first of window) {
    if (window.some((other) => other !== first && other.ended < first.began)) continue;
    for (const rest of orders(window.filter((other) => other !== first))) yield [first, ...rest];
  }
}
