/** Specification and target on one machine, side by side: what is right after each call, and what it costs to know. */
import {
  type Args,
  brokenDuty,
  type Call,
  type CallShape,
  type Capability,
  type Duty,
  type InvariantId,
  judge,
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
import { allowedText } from './explore/allowed.ts';
import { causeOf, type Finding, type FindingKind, showReply } from './finding.ts';
import { limitsOf } from './machine.ts';
import { type Counts, firstRows, tallyOf } from './tally.ts';
import { Views } from './views.ts';

/** Whoever shows its state after a call; a target that shows nothing leaves the view as it is. */
export interface Shows {
  observe(view: View): void;
}

const NOTHING_FIRED: readonly string[] = [];

/** A rule, and where its rows are counted. */
interface Known<S> {
  readonly op: string;
  readonly rule: Rule<S, Args, Value>;
  readonly first: number;
}

/** What is the same for all machines of a run. */
export class Judgement<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly counts: Counts;
  readonly terms: Terms;
  readonly tally: Tally;
  readonly #known: ReadonlyMap<string, Known<S>>;
  #last: Known<S> | undefined;
  readonly #premise: Premise<S> | undefined;

  constructor(spec: Spec<M, S>, capabilities: ReadonlySet<Capability>, counts: Counts, premise?: string) {
    this.spec = spec;
    this.counts = counts;
    this.terms = {
      pageNumbers: capabilities.has('page-numbers'),
      errnoOrder: capabilities.has('errno-order'),
      sites: spec.sites,
    };
    const { first } = firstRows(spec);
    this.#known = new Map(
      Object.entries(spec.rules).map(([op, rule]) => [op, { op, rule, first: first.get(op) ?? 0 }]),
    );
    this.tally = tallyOf(counts);
    this.#premise = spec.premises.find(({ name }) => name === premise);
  }

  rule(op: string): Rule<S, Args, Value> {
    return this.#of(op).rule;
  }

  firstRow(op: string): number {
    return this.#of(op).first;
  }

  /** The same call is asked for several times in a row. */
  #of(op: string): Known<S> {
    if (this.#last?.op === op) return this.#last;
    const known = this.#known.get(op);
    if (known === undefined) throw new Error(`internal error: ${op} has no rule`);
    this.#last = known;
    return known;
  }

  /** The machine that the specification believes to be on. */
  assumed(machine: M): M {
    const assumes = this.#premise?.assumes;
    if (assumes === undefined) return machine;
    const { policies } = machine as { readonly policies?: object };
    return { ...machine, policies: { ...policies, ...assumes } };
  }

  /** The name of the premise, if it holds. */
  premiseAt(world: S, call: Call, serves: InvariantId): string | undefined {
    const premise = this.#premise;
    if (premise === undefined || !premise.about.includes(serves)) return undefined;
    return premise.holds(world, call) ? premise.name : undefined;
  }
}

/** One machine of a run. */
export class Lockstep<M, S extends Stateful> {
  /** What the specification knows. */
  readonly world: S;
  /** Tells the machines of a run apart. */
  readonly number: number;
  readonly #fresh: Int32Array;
  readonly #machine: M;
  readonly #views: Views<M>;
  readonly #judgement: Judgement<M, S>;

  constructor(judgement: Judgement<M, S>, booted: M, number = 0) {
    const { spec, terms } = judgement;
    const machine = judgement.assumed(booted);
    this.#judgement = judgement;
    this.#machine = machine;
    this.number = number;
    this.world = spec.boot(machine, terms.pageNumbers);
    this.#fresh = this.world.state.save();
    this.#views = new Views(spec, machine, spec.columns(this.world));
  }

  /** Back to boot, at the cost of one copy. */
  reset(): void {
    this.world.state.restart(this.#fresh);
    this.#views.reset();
  }

  /** What was looked at last counts for nothing: the specification went back, and the target did not. */
  lookAgain(): void {
    this.#views.spoil();
  }

  /** Lets the target show its state without judging it: after boot, or after going back. */
  refresh(target: Shows): void {
    target.observe(this.#views.shown);
  }

  /** What the target shows now. */
  get shown(): View {
    return this.#views.shown;
  }

  isDue(call: Call): boolean {
    return this.#brokenDuty(call) === undefined;
  }

  #brokenDuty({ op, args }: Call): Duty<S, Args> | undefined {
    return brokenDuty(this.#judgement.rule(op), this.world, args);
  }

  /** The duty of its caller that a call breaks, as a finding. */
  breach(at: number, call: Call): Finding | undefined {
    const duty = this.#brokenDuty(call);
    if (duty === undefined) return undefined;
    const [clause, , serves = 'P1'] = duty;
    return this.finding(at, call, { kind: 'duty', serves, clause, detail: `"${clause}" does not hold` });
  }

  seen(reply: Reply): Seen {
    return { fired: reply.fired ?? NOTHING_FIRED, view: this.#views.shown };
  }

  /** Holds an answer against the rule and, when it is content, moves the specification one step. */
  judge(at: number, call: Call, reply: Reply, seen: Seen = this.seen(reply)): Finding | undefined {
    const { op, args } = call;
    const { terms, tally } = this.#judgement;
    const rule = this.#judgement.rule(op);
    const answer =
      terms.pageNumbers || 'errno' in reply ? reply : { ...reply, ok: this.named(call, reply.ok) };
    const wrong = judge(rule, this.world, args, answer, seen, terms, tally, this.#judgement.firstRow(op));
    if (wrong !== undefined) {
      const detail = `replied ${showReply(reply)}, expected ${wrong.expected}`;
      return this.finding(at, call, { kind: 'reply', ...wrong, detail }, reply);
    }
    if ('ok' in answer) rule.effect(this.world, args, answer.ok);
    return undefined;
  }

  /** The replies that would be right instead, in words. Asked before anything else happens. */
  allowed(call: Call, reply: Reply): string {
    const { spec, terms } = this.#judgement;
    const { op, args } = call;
    const shape = spec.calls[op] as CallShape;
    const rule = this.#judgement.rule(op);
    const known = { shape, rule, world: this.world, args, terms, fixed: this.named(call, {}) };
    const space = { limits: limitsOf(spec, this.#machine), counted: 0 };
    const given = 'ok' in reply ? reply.ok : undefined;
    return allowedText({ ...known, seen: this.seen(reply), faults: [] }, space, given);
  }

  /** A value with names for the pages, where the target shows none. */
  named({ op, args }: Call, value: Value): Value {
    if (this.#judgement.terms.pageNumbers) return value;
    return { ...value, ...this.#judgement.rule(op).fresh?.(this.world, args) };
  }

  /** Holds the target's view against the invariants and against the specification's view. */
  look(at: number, call: Call, reply: Reply, target: Shows): Finding | undefined {
    this.#views.before();
    return this.lookNoted(at, call, reply, target);
  }

  /** Notes of the state as it is what step invariants need to know of it after a call. */
  noteSteps(): void {
    this.#views.before();
  }

  /** Some step invariant has something to say of this call since {@link noteSteps}. */
  asksToLook(call: Call, reply: Reply): boolean {
    return this.#views.concernsSteps(call, reply);
  }

  /** After calls that overlapped, of which this is the last: what holds for a single step cannot be asked. */
  lookAfterSeveral(at: number, call: Call, reply: Reply, target: Shows): Finding | undefined {
    this.#views.skipSteps();
    return this.lookNoted(at, call, reply, target);
  }

  /** The same where the state before the call was noted by {@link noteSteps}. */
  lookNoted(at: number, call: Call, reply: Reply, target: Shows): Finding | undefined {
    try {
      target.observe(this.#views.shown);
    } catch (cause) {
      const crash = { kind: 'crash', serves: 'P1', clause: 'crash', detail: causeOf(cause) } as const;
      return this.finding(at, call, crash, reply);
    }
    const wrong = this.#views.check(call, reply, this.world.state);
    return wrong === undefined ? undefined : this.finding(at, call, wrong, reply);
  }

  /** The same after a call that changed nothing on either side: there is nothing new to see. */
  lookUnchanged(at: number, call: Call, reply: Reply): Finding | undefined {
    const wrong = this.#views.checkSteps(call, reply);
    return wrong === undefined ? undefined : this.finding(at, call, wrong, reply);
  }

  /** What must hold at the end of a script, of the target only once everything was given back. */
  end(at: number, call: Call, closed: boolean): Finding | undefined {
    const wrong = this.#views.checkOwn() ?? (closed ? this.#views.checkEnd() : undefined);
    return wrong === undefined ? undefined : this.finding(at, call, wrong);
  }

  finding(at: number, call: Call, wrong: Problem, reply?: Reply): Finding {
    const premise = this.#judgement.premiseAt(this.world, call, wrong.serves);
    const { kind, serves, clause, detail } = wrong;
    return {
      kind,
      command: at,
      call,
      ...(reply === undefined ? {} : { reply }),
      serves,
      clause,
      layer: this.#judgement.spec.calls[call.op]?.layer ?? '',
      detail,
      ...(premise === undefined ? {} : { premise }),
    };
  }
}

/** What is wrong, without the call that shows it. */
export interface Problem {
  readonly kind: FindingKind;
  readonly serves: InvariantId;
  readonly clause: string;
  readonly detail: string;
}
