/**
 * Lockstep over a script, as a stepper: `next` gives a call, `give` takes the answer. The loops that drive it know
 * nothing of specifications, so that a target may be in this process or in another, and nothing exists twice.
 */
import type { Call, Capability, Label, Reply, Seen, Spec, Stateful, Terms, Value } from '../model/index.ts';
import type { Finding } from './finding.ts';
import { Judgement, Lockstep, type Problem, type Shows } from './lockstep.ts';
import { machineOf } from './machine.ts';
import { noteTransition, StateClass } from './novelty.ts';
import { compile } from './program.ts';
import type { Script } from './script.ts';
import { consume, resolve, type Slots, type Step } from './step.ts';
import { type Counts, firstRows, noCounts, noteLabel, noteOutcome } from './tally.ts';

/** A call that was made, and its answer. */
export interface Given {
  readonly at: number;
  readonly call: Call;
  readonly reply: Reply;
}

/** What is wrong with an order of calls, and how many were right before. */
export interface WrongOrder {
  readonly finding: Finding;
  readonly judged: number;
}

/** Whether one tells more of what is wrong in every order than the other. */
export const outweighs = (one: WrongOrder, other: WrongOrder): boolean =>
  other.finding.clause !== CALLERS_FAULT &&
  (one.finding.clause === CALLERS_FAULT || one.judged > other.judged);

/** What a target does before the first call: where it fails there, this is what failed. */
const BOOT: Call = { op: 'boot', args: {} };

/** Clause of a finding that is none: what the callers did together no caller may do, and nothing more can be judged. */
export const CALLERS_FAULT = 'order';

/** The callers of overlapping calls did together what no caller may do. */
export const UNDUE: Problem = {
  kind: 'reply',
  serves: 'P1',
  clause: CALLERS_FAULT,
  detail: 'not in every order of the overlapping calls may the callers make them',
};

/**
 * Runs one script after another against the specification. Counts add up over all of them. Calls that no caller may
 * make then are skipped, or a finding where callers are judged too.
 */
export class Stepper<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly counts: Counts;
  readonly #judgement: Judgement<M, S>;
  readonly #labels: ReadonlyMap<string, readonly Label<S>[]>;
  readonly #supported: ReadonlySet<string> | undefined;
  /** One for each machine: scripts that share a machine only reset it. */
  readonly #known = new WeakMap<object, Lockstep<M, S>>();

  readonly #class: StateClass<M, S>;
  readonly #judgesCallers: boolean;
  #breach: Finding | undefined;

  #script: Script = { format: 1, machine: {}, commands: [] };
  #steps: readonly Step[] = [];
  #slots: Slots = { values: [], consumed: [] };
  /** The same results as the target gave them, where the specification has other names for its pages. */
  #sent: Slots = this.#slots;
  #closes = true;
  #lockstep: Lockstep<M, S> | undefined;
  #at = -1;
  #call: Call = BOOT;

  constructor(
    spec: Spec<M, S>,
    target: { readonly capabilities: ReadonlySet<Capability>; readonly calls?: ReadonlySet<string> },
    premise?: string,
    judgesCallers = false,
  ) {
    this.spec = spec;
    this.#judgesCallers = judgesCallers;
    this.#supported = target.calls;
    this.#labels = labelsByCall(spec.labels);
    this.#class = new StateClass(spec);
    this.counts = noCounts(firstRows(spec).rows);
    this.#judgement = new Judgement(spec, target.capabilities, this.counts, premise);
  }

  /**
   * Starts a script: the specification boots, nothing has been called yet.
   *
   * @throws {ScriptError} when the script does not fit the specification
   */
  begin(script: Script): M {
    const machine = machineOf(this.spec, script.machine);
    this.#steps = compile(this.spec, script, machine);
    this.#script = script;
    this.#slots = { values: [], consumed: [] };
    this.#sent = this.#judgement.terms.pageNumbers ? this.#slots : { ...this.#slots, values: [] };
    this.#closes = this.#steps.every((step) => step.own || givesNothing(step) || this.#isSupported(step));
    this.#at = -1;
    this.#call = BOOT;
    this.#breach = undefined;
    this.#lockstep = this.#lockstepOf(machine as M & object);
    this.#lockstep.reset();
    this.#class.reset();
    this.counts.scripts++;
    return machine;
  }

  /** What replies are judged by besides the rules. */
  get terms(): Terms {
    return this.#judgement.terms;
  }

  get lockstep(): Lockstep<M, S> {
    if (this.#lockstep === undefined) throw new Error('internal error: no script was begun');
    return this.#lockstep;
  }

  /** Index of the step whose call was given last; -1 before the first. */
  get at(): number {
    return this.#at;
  }

  /** That call, as the specification knows it. */
  get call(): Call {
    return this.#call;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** The results so far, as the specification knows them. */
  get slots(): Slots {
    return this.#slots;
  }

  /** The next call that can be made, or undefined at the end. Steps that cannot be made are skipped and counted. */
  next(): Call | undefined {
    while (this.#at + 1 < this.#steps.length && this.#breach === undefined) {
      this.#at++;
      const call = this.callAt(this.#at);
      if (call !== undefined) return call;
    }
    return undefined;
  }

  /** A duty that a caller broke, where callers are judged too: nothing is called after it. */
  get breach(): Finding | undefined {
    return this.#breach;
  }

  /** The call of a step as things stand now, or undefined: it is skipped. */
  callAt(at: number): Call | undefined {
    const step = this.#steps[at] as Step;
    if (this.#judgesCallers && step.own && this.#isSupported(step)) this.#breach = this.#breachOf(at, step);
    const args = this.#isSupported(step) ? resolve(step, this.#slots) : undefined;
    if (args === undefined) {
      if (step.own) this.counts.skippedMissing++;
      return undefined;
    }
    const call = step.fail === undefined ? { op: step.op, args } : { op: step.op, args, fail: step.fail };
    if (!this.lockstep.isDue(call)) {
      if (step.own) this.counts.skippedDuty++;
      return undefined;
    }
    this.#at = at;
    this.#call = call;
    return this.#sent === this.#slots ? call : { ...call, args: resolve(step, this.#sent) ?? args };
  }

  /** What was consumed is named all the same, so that giving something back twice is a broken duty. */
  #breachOf(at: number, step: Step): Finding | undefined {
    const args = resolve(step, { ...this.#slots, consumed: [] });
    return args && this.lockstep.breach(at, { op: step.op, args });
  }

  /** The specification has nothing to ask before the step is made, but whether its references have values. */
  needsNoDuty(at: number): boolean {
    return this.#judgement.rule((this.#steps[at] as Step).op).require.length === 0;
  }

  /** Takes the answer to the call that `next` gave last, and looks at the target. The first thing wrong is returned. */
  give(reply: Reply, target: Shows): Finding | undefined {
    const seen = this.lockstep.seen(reply);
    this.#count(this.#at, this.#call, reply, seen);
    return (
      this.#judge(this.#at, this.#call, reply, seen) ??
      this.lockstep.look(this.#at, this.#call, reply, target)
    );
  }

  /** Makes a result known, and what it consumed, before its call is judged: others go on while calls are under way. */
  bindResult(at: number, reply: Reply): void {
    if (!('ok' in reply)) return;
    this.#slots.values[at] = reply.ok;
    consume(this.#steps[at] as Step, this.#slots);
  }

  /**
   * Judges calls that overlapped: the first order that agrees with all rules counts. Without one the finding is
   * that of the order that went on longest; but where in some order a caller did what no caller may do, it is the
   * caller's. A shortage is not judged: what is missing may be what another call holds for as long as it is under way.
   */
  giveWindow(orders: Iterable<readonly Given[]>, target: Shows): Finding | undefined {
    const { state } = this.lockstep.world;
    const saved = state.save();
    const consumed = [...this.#slots.consumed];
    let best: WrongOrder | undefined;
    for (const order of orders) {
      const wrong = this.#giveOrder(order, target, best === undefined);
      if (wrong === undefined) return undefined;
      if (best === undefined || outweighs(wrong, best)) best = wrong;
      state.load(saved);
      this.lockstep.lookAgain();
      this.#slots.consumed.splice(0, this.#slots.consumed.length, ...consumed);
    }
    return best?.finding;
  }

  #giveOrder(order: readonly Given[], target: Shows, isFirst: boolean): WrongOrder | undefined {
    const alone = order.length === 1;
    for (const [judged, { at, call, reply }] of order.entries()) {
      // What was shown before the first of several calls is not what the others met.
      const seen = alone ? this.lockstep.seen(reply) : { fired: reply.fired ?? [], view: undefined };
      if (isFirst) this.#count(at, call, reply, seen);
      if (!alone && isShortage(this.spec, call, reply)) continue;
      const isDue = this.lockstep.isDue(call);
      const finding = isDue ? this.#judge(at, call, reply, seen) : this.undue(at, call);
      if (finding !== undefined) return { finding, judged };
    }
    const last = order.at(-1);
    const look = alone ? 'look' : 'lookAfterSeveral';
    const finding = last && this.lockstep[look](last.at, last.call, last.reply, target);
    return finding && { finding, judged: order.length };
  }

  /** The callers of overlapping calls did together what no caller may do. */
  undue(at: number, call: Call): Finding {
    return this.lockstep.finding(at, call, UNDUE);
  }

  /** The finding that `give` returned just now, with the replies that would have been right where one was wrong. */
  explained(finding: Finding): Finding {
    const { kind, clause, reply } = finding;
    if (kind !== 'reply' || clause === CALLERS_FAULT || reply === undefined) return finding;
    return { ...finding, allowed: this.lockstep.allowed(this.#call, reply) };
  }

  /** What must hold at the end, when everything was given back, as far as the target has calls for that. */
  end(): Finding | undefined {
    return this.#breach ?? this.lockstep.end(this.#at, this.#call, this.#closes);
  }

  /** The target threw, died, hung or answered garbage instead of replying. */
  crash(reason: string, at: number = this.#at, call: Call = this.#call): Finding {
    const problem = { kind: 'crash', serves: 'P1', clause: 'crash', detail: reason } as const;
    return this.lockstep.finding(at, call, problem);
  }

  #count(at: number, call: Call, reply: Reply, seen: Seen): void {
    this.counts.commands++;
    if ((this.#steps[at] as Step).own) this.#note(call, reply, seen);
  }

  #judge(at: number, call: Call, reply: Reply, seen: Seen): Finding | undefined {
    const step = this.#steps[at] as Step;
    const value = 'ok' in reply ? this.lockstep.named(call, reply.ok) : undefined;
    const finding = this.lockstep.judge(at, call, reply, seen);
    if (finding !== undefined || value === undefined) return finding;
    this.#sent.values[at] = (reply as Extract<Reply, { readonly ok: Value }>).ok;
    this.#slots.values[at] = value;
    this.#class.note(step, this.#steps, this.#slots.consumed);
    consume(step, this.#slots);
    return undefined;
  }

  #note({ op, args }: Call, reply: Reply, seen: Seen): void {
    const outcome = 'errno' in reply ? reply.errno : 'ok';
    noteOutcome(this.counts, op, outcome);
    const fault = seen.fired.length > 0 ? ' after a fault' : '';
    const transition = `${op} ${outcome}${fault} ${this.#class.at(op, this.lockstep.world)}`;
    noteTransition(this.counts.transitions, transition, this.lockstep.number, this.counts.scripts - 1);
    const labels = this.#labels.get(op);
    if (labels === undefined) return;
    for (const label of labels) {
      if (label.holds(this.lockstep.world, args, reply, seen))
        noteLabel(this.counts, label.name, this.#script);
    }
  }

  #isSupported({ op }: Step): boolean {
    return this.#supported === undefined || this.#supported.has(op);
  }

  #lockstepOf(machine: M & object): Lockstep<M, S> {
    const known = this.#known.get(machine);
    if (known !== undefined) return known;
    const made = new Lockstep(this.#judgement, machine, this.counts.machines++);
    this.#known.set(machine, made);
    return made;
  }
}

/** The call failed as it does when something it takes is not to be had. */
export function isShortage<M, S extends Stateful>(
  { calls, sites }: Spec<M, S>,
  { op }: Call,
  reply: Reply,
): boolean {
  if (!('errno' in reply)) return false;
  return calls[op]?.sites?.some((site) => sites[site]?.includes(reply.errno)) === true;
}

/** It gives up what the target itself may keep: a target that does not know the call keeps nothing. */
const givesNothing = ({ plans }: Step): boolean => plans.length === 0;

function labelsByCall<S>(labels: readonly Label<S>[]): Map<string, Label<S>[]> {
  const byCall = new Map<string, Label<S>[]>();
  for (const label of labels) {
    for (const op of label.calls) byCall.set(op, [...(byCall.get(op) ?? []), label]);
  }
  return byCall;
}
