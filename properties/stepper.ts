/**
 * Lockstep, as a stepper: `next` gives a call, `give` takes the answer. The loops that drive it know nothing of
 * specifications, so that a target may be in this process or in another, and nothing exists twice.
 */
import {
  type Args,
  type Call,
  type Capability,
  type InvariantId,
  isDue,
  judge,
  type Label,
  type Premise,
  type Reply,
  type Rule,
  type Seen,
  type Spec,
  type Stateful,
  type Tally,
  type Terms,
  type Value,
  type View,
} from '../model/index.ts';
import { type Finding, type FindingKind, showReply } from './finding.ts';
import { machineOf } from './machine.ts';
import { compile, consume, resolve, type Slots, type Step } from './program.ts';
import type { Script } from './script.ts';
import { type Counts, firstRows, noCounts, noteLabel, noteOutcome, tallyOf } from './tally.ts';
import { Views } from './views.ts';

/** Whoever shows its state after a call; a target that shows nothing leaves the view as it is. */
export interface Shows {
  observe(view: View): void;
}

/** A call that was made, and its answer. */
export interface Given {
  readonly at: number;
  readonly call: Call;
  readonly reply: Reply;
}

const NOTHING_FIRED: readonly string[] = [];

/** Runs one script after another against the specification. Counts add up over all of them. */
export class Stepper<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly counts: Counts;
  readonly #terms: Terms;
  readonly #tally: Tally;
  readonly #first: ReadonlyMap<string, number>;
  readonly #premise: Premise<S> | undefined;
  readonly #labels: ReadonlyMap<string, readonly Label<S>[]>;
  readonly #supported: ReadonlySet<string> | undefined;
  readonly #worlds = new WeakMap<object, { readonly fresh: S; readonly used: S; readonly views: Views<M> }>();

  #script: Script = { format: 1, machine: {}, commands: [] };
  #steps: readonly Step[] = [];
  #slots: Slots = { values: [], consumed: [] };
  #world: S | undefined;
  #views: Views<M> | undefined;
  #at = -1;
  #args: Args = {};
  #call: Call = { op: '', args: {} };

  constructor(
    spec: Spec<M, S>,
    target: { readonly capabilities: ReadonlySet<Capability>; readonly calls?: ReadonlySet<string> },
    premise?: string,
  ) {
    this.spec = spec;
    this.#terms = { pageNumbers: target.capabilities.has('page-numbers'), sites: spec.sites };
    this.#supported = target.calls;
    const { first, rows } = firstRows(spec);
    this.#first = first;
    this.counts = noCounts(rows);
    this.#tally = tallyOf(this.counts);
    this.#labels = labelsByCall(spec.labels);
    this.#premise = spec.premises.find(({ name }) => name === premise);
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
    this.#at = -1;
    const world = this.#boot(machine as M & object);
    world.used.state.copyFrom(world.fresh.state);
    this.#world = world.used;
    this.#views = world.views;
    world.views.reset();
    this.counts.scripts++;
    return machine;
  }

  /** The specification's state, for those that draw or count it. */
  get world(): S {
    if (this.#world === undefined) throw new Error('internal error: no script was begun');
    return this.#world;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Index of the step that `next` gave last. */
  get at(): number {
    return this.#at;
  }

  /** The next call that can be made, or undefined at the end. Steps that cannot be made are skipped and counted. */
  next(): Call | undefined {
    for (;;) {
      this.#at++;
      const step = this.#steps[this.#at];
      if (step === undefined) return undefined;
      const call = this.callAt(this.#at);
      if (call !== undefined) return call;
    }
  }

  /** The call of a step as things stand now, or undefined: it is skipped. */
  callAt(at: number): Call | undefined {
    const step = this.#steps[at] as Step;
    const args = this.#isSupported(step) ? resolve(step, this.#slots) : undefined;
    if (args === undefined) {
      if (step.own) this.counts.skippedMissing++;
      return undefined;
    }
    if (!isDue(this.#rule(step.op), this.world, args)) {
      if (step.own) this.counts.skippedDuty++;
      return undefined;
    }
    this.#at = at;
    this.#args = args;
    this.#call = step.fail === undefined ? { op: step.op, args } : { op: step.op, args, fail: step.fail };
    return this.#call;
  }

  /** Takes the answer to the call that `next` gave last, and looks at the target. The first thing wrong is returned. */
  give(reply: Reply, target: Shows): Finding | undefined {
    return this.judge(reply) ?? this.look(reply, target);
  }

  /** Holds an answer against the rule and, when it is content, moves the specification one step. */
  judge(reply: Reply): Finding | undefined {
    const step = this.#steps[this.#at] as Step;
    const rule = this.#rule(step.op);
    const seen = { fired: reply.fired ?? NOTHING_FIRED, view: this.#views?.shown };
    this.counts.commands++;
    this.#note(step, reply, seen);
    const first = this.#first.get(step.op) ?? 0;
    const wrong = judge(rule, this.world, this.#args, reply, seen, this.#terms, this.#tally, first);
    if (wrong !== undefined) {
      const detail = `replied ${showReply(reply)}, expected ${wrong.expected}`;
      return this.#finding('reply', wrong.serves, wrong.clause, detail, reply);
    }
    if ('ok' in reply) this.#succeed(step, rule, reply.ok);
    return undefined;
  }

  /** Makes a result known before its call is judged: others may refer to it while calls are under way. */
  bindResult(at: number, reply: Reply): void {
    if ('ok' in reply) this.#slots.values[at] = reply.ok;
  }

  /**
   * Judges calls that overlapped: the first order that agrees with all rules counts. Without one the finding is
   * that of the first order, in which they ended.
   */
  giveWindow(orders: Iterable<readonly Given[]>, target: Shows): Finding | undefined {
    const saved = this.world.state.save();
    const consumed = [...this.#slots.consumed];
    let first: Finding | undefined;
    for (const order of orders) {
      const finding = this.#giveOrder(order, target);
      if (finding === undefined) return undefined;
      first ??= finding;
      this.world.state.load(saved);
      this.#slots.consumed.splice(0, this.#slots.consumed.length, ...consumed);
    }
    return first;
  }

  #giveOrder(order: readonly Given[], target: Shows): Finding | undefined {
    let last: Reply | undefined;
    for (const { at, call, reply } of order) {
      this.#at = at;
      this.#call = call;
      this.#args = call.args;
      if (!isDue(this.#rule(call.op), this.world, call.args)) {
        return this.#finding('reply', 'P1', 'order', 'callers may not make the overlapping calls in any order', reply);
      }
      const finding = this.judge(reply);
      if (finding !== undefined) return finding;
      last = reply;
    }
    return last === undefined ? undefined : this.look(last, target);
  }

  /** Holds the target's view against the invariants and against the specification's view. */
  look(reply: Reply, target: Shows): Finding | undefined {
    const views = this.#views as Views<M>;
    views.before();
    target.observe(views.shown);
    const wrong = views.check(this.#call, reply, this.world.state);
    if (wrong === undefined) return undefined;
    return this.#finding(wrong.kind, wrong.serves, wrong.clause, wrong.detail, reply);
  }

  /** What must hold once everything was given back. */
  end(): Finding | undefined {
    const wrong = this.#views?.checkEnd();
    if (wrong === undefined) return undefined;
    return this.#finding(wrong.kind, wrong.serves, wrong.clause, wrong.detail);
  }

  /** The target threw, died, hung or answered garbage instead of replying. */
  crash(reason: string): Finding {
    return this.#finding('crash', 'P1', 'crash', reason);
  }

  #succeed(step: Step, rule: Rule<S, Args, Value>, value: Value): void {
    const named = this.#terms.pageNumbers ? value : { ...value, ...rule.fresh?.(this.world, this.#args) };
    rule.effect(this.world, this.#args, named);
    this.#slots.values[this.#at] = named;
    consume(step, this.#slots);
  }

  #note(step: Step, reply: Reply, seen: Seen): void {
    if (!step.own) return;
    noteOutcome(this.counts, step.op, 'errno' in reply ? reply.errno : 'ok');
    const labels = this.#labels.get(step.op);
    if (labels === undefined) return;
    for (const label of labels) {
      if (label.holds(this.world, this.#args, reply, seen)) noteLabel(this.counts, label.name, this.#script);
    }
  }

  #finding(kind: FindingKind, serves: InvariantId, clause: string, detail: string, reply?: Reply): Finding {
    const at = this.#at;
    const call = this.#call;
    const premise = this.#premise;
    const decides = premise?.holds(this.world, call) === true;
    return {
      kind,
      command: at,
      call,
      ...(reply === undefined ? {} : { reply }),
      serves,
      clause,
      layer: this.spec.calls[call.op]?.layer ?? '',
      detail,
      ...(decides ? { premise: premise.name } : {}),
    };
  }

  #isSupported({ op }: Step): boolean {
    return this.#supported === undefined || this.#supported.has(op);
  }

  #rule(op: string): Rule<S, Args, Value> {
    const rule = this.spec.rules[op];
    if (rule === undefined) throw new Error(`internal error: ${op} has no rule`);
    return rule;
  }

  #boot(machine: M & object): { readonly fresh: S; readonly used: S; readonly views: Views<M> } {
    const known = this.#worlds.get(machine);
    if (known !== undefined) return known;
    const fresh = this.spec.boot(machine, this.#terms.pageNumbers);
    const used = this.spec.boot(machine, this.#terms.pageNumbers);
    const made = { fresh, used, views: new Views(this.spec, machine, this.spec.columns(used)) };
    this.#worlds.set(machine, made);
    return made;
  }
}

function labelsByCall<S>(labels: readonly Label<S>[]): Map<string, Label<S>[]> {
  const byCall = new Map<string, Label<S>[]>();
  for (const label of labels) {
    for (const op of label.calls) byCall.set(op, [...(byCall.get(op) ?? []), label]);
  }
  return byCall;
}
