/**
 * The specification alone, to be searched: a move is a call together with a reply that its rule admits. What holds in
 * all states that are found so holds for every implementation, not only for ours.
 *
 * Rules are told nothing of what a target shows. Most rows of `may` then allow their errno, as they do for a target
 * that shows nothing: what any implementation may reply is among the replies that are made.
 */
import {
  type Call,
  type CallShape,
  type InvariantId,
  isDue,
  type Reply,
  type Seen,
  type Spec,
  type Stateful,
  type Value,
} from '../../model/index.ts';
import type { Finding } from '../finding.ts';
import { Judgement } from '../lockstep.ts';
import { limitsOf, machineOf } from '../machine.ts';
import { firstRows, noCounts } from '../tally.ts';
import { Views, type Wrong } from '../views.ts';
import { type ClosingCall, closingCalls } from './closing.ts';
import { Moves } from './moves.ts';
import { type Replies, repliesTo, type Space, widthOf } from './replies.ts';
import type { Scope } from './scope.ts';
import { noteReplies, type SpecCounts } from './spec-report.ts';
import { type Orbit, orbitOf } from './symmetry.ts';
import type { System } from './system.ts';

/** A call with one of its replies; without one no reply is right. */
export interface SpecMove {
  readonly call: Call;
  readonly reply?: Reply;
}

/** What is known of a state on the way. */
interface Level {
  /** The moves of the state, once somebody asked. */
  moves: readonly SpecMove[] | undefined;
  /** What was told last of what is counted. */
  counted: number;
}

const NOTHING_SPENT = { faults: 0, overlaps: 0 } as const;
const NOTHING_SEEN: Seen = { fired: [], view: undefined };

/** The largest of the opaque numbers that arguments take in a scope; 0, which nobody wrote, if there are none. */
function largestOpaque(
  calls: Readonly<Record<string, CallShape>>,
  { few = 1, values }: Scope,
  ops: readonly string[],
): number {
  const all = ops.flatMap((op) =>
    Object.entries(calls[op]?.args ?? {}).flatMap(([name, shape]): readonly unknown[] =>
      shape.is === 'number' && shape.opaque === true ? (values?.[op]?.[name] ?? [shape.from + few - 1]) : [],
    ),
  );
  return Math.max(0, ...all.map(Number));
}

/** Nobody could answer rightly unless a fault fired. */
const isImpossible = ({ values, errnos, isCut }: Replies): boolean =>
  values.length === 0 && errnos.every(({ fired }) => fired !== undefined) && !isCut;

export class SpecSystem<M, S extends Stateful> implements System {
  /** What was asked of the rules in the states whose moves were counted. */
  readonly counts: SpecCounts = {};
  readonly world: S;
  /** Calls that are made. */
  readonly ops: readonly string[];
  readonly #spec: Spec<M, S>;
  readonly #judgement: Judgement<M, S>;
  readonly #views: Views<M>;
  readonly #calls: Moves<M, S>;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #opaque: number;
  readonly #closing: readonly ClosingCall[];
  /** The view as it is at boot. */
  readonly #fresh: readonly Int32Array[];
  readonly #orbit: Orbit | undefined;
  readonly #levels: Level[] = [{ moves: undefined, counted: 0 }];
  #last: SpecMove = { call: { op: 'boot', args: {} } };

  constructor(spec: Spec<M, S>, scope: Scope) {
    const machine = machineOf(spec, scope.machine);
    this.#spec = spec;
    this.#limits = limitsOf(spec, machine);
    this.ops = scope.only ?? Object.keys(spec.calls);
    this.#opaque = largestOpaque(spec.calls, scope, this.ops);
    this.#calls = new Moves(spec, { ...scope, faults: 0, overlaps: 0 }, this.ops);
    this.#judgement = new Judgement(spec, new Set(['page-numbers']), noCounts(firstRows(spec).rows));
    this.world = spec.boot(machine, true);
    this.#views = new Views(spec, machine, spec.columns(this.world));
    this.#views.reset();
    this.#closing = scope.closes === false ? [] : closingCalls(spec, {});
    this.#fresh = spec.columns(this.world).map((column) => column.slice());
    this.world.state.attach();
    if (scope.symmetry === true) this.#orbit = orbitOf(spec, machine, scope, this.ops, this.world);
  }

  /** Undefined without symmetry. */
  get renamings(): number | undefined {
    return this.#orbit?.renamings;
  }

  standsFor(): number {
    return this.#orbit?.size ?? 1;
  }

  /** Number of moves in the present state. Asked once a state: it is here that replies are counted. */
  count(): number {
    const moves = this.#moves(this.counts);
    this.#level.moves = moves;
    return moves.length;
  }

  make(number: number): 'made' | Finding {
    this.#last = this.move(number);
    const { call, reply } = this.#last;
    this.#mark();
    if (reply === undefined) return this.#impossible(call);
    if ('ok' in reply) this.#take(call, reply.ok);
    return 'made';
  }

  /** An errno has no effect, and what a value changed is seen in the state. */
  asksToLook(): boolean {
    return false;
  }

  /** What the number of a move means in the present state. */
  move(number: number): SpecMove {
    const level = this.#level;
    level.moves ??= this.#moves();
    const move = level.moves[number];
    if (move === undefined) throw new Error(`internal error: there is no move ${number}`);
    return move;
  }

  /** The invariants of the specification's own view. */
  look(): Finding | undefined {
    const wrong = this.#views.checkAlone(this.world.state);
    return wrong && this.#finding(this.#last, wrong);
  }

  /** Whether anything is left when everything was given back. */
  lookFurther(): Finding | undefined {
    const wrong = this.#close();
    return wrong && this.#finding(this.#last, wrong);
  }

  back(): void {
    this.world.state.undo();
    this.world.state.drop();
    this.#orbit?.back();
    this.#levels.pop();
  }

  fingerprint(): readonly [low: number, high: number] {
    return this.#orbit?.fingerprint() ?? this.world.state.fingerprint();
  }

  /** The invariant that says that nothing is left at the end. */
  get #ends(): InvariantId {
    return this.#spec.invariants.find(({ form }) => form === 'end')?.id ?? 'P1';
  }

  get #level(): Level {
    return this.#levels.at(-1) as Level;
  }

  #mark(): void {
    this.world.state.mark();
    this.#orbit?.mark();
    this.#levels.push({ ...this.#level });
  }

  #take(call: Call, value: Value): void {
    this.#level.moves = undefined;
    this.#level.counted = this.#countedAfter(call, value);
    this.#judgement.rule(call.op).effect(this.world, call.args, value);
  }

  /** Gives everything back with the first reply that is right, and returns. What then differs from boot is left. */
  #close(): Wrong | undefined {
    if (this.#closing.length === 0) return undefined;
    this.#mark();
    for (const { op, argument, kind } of this.#closing) {
      const ids = kind === undefined ? [0] : this.#spec.live(this.world, kind);
      for (const id of ids) this.#giveBack({ op, args: argument === undefined ? {} : { [argument]: id } });
    }
    const wrong = this.#views.checkAlone(this.world.state) ?? this.#left();
    this.back();
    return wrong;
  }

  #giveBack(call: Call): void {
    if (!isDue(this.#judgement.rule(call.op), this.world, call.args)) return;
    const [value] = this.#repliesTo(call, undefined).values;
    if (value !== undefined) this.#take(call, value);
  }

  #left(): Wrong | undefined {
    const now = this.#spec.columns(this.world);
    for (const [number, { name, show = String }] of this.#spec.view.entries()) {
      const before = this.#fresh[number] ?? [];
      const at = before.findIndex((value, index) => now[number]?.[index] !== value);
      if (at < 0) continue;
      const detail = `everything was given back, and ${name}[${at}] is ${show(now[number]?.[at] ?? 0)}`;
      return { kind: 'specification', serves: this.#ends, clause: 'end', detail };
    }
    return undefined;
  }

  /** Every due call with every reply, in the order of the table. */
  #moves(counts?: SpecCounts): SpecMove[] {
    const { world } = this;
    const moves: SpecMove[] = [];
    const count = this.#calls.enter(world, NOTHING_SPENT);
    for (let at = 0; at < count; at++) {
      const { call } = this.#calls.at(at);
      if (!isDue(this.#judgement.rule(call.op), world, call.args)) continue;
      const replies = this.#repliesTo(call, counts);
      for (const ok of replies.values) moves.push({ call, reply: { ok } });
      for (const reply of replies.errnos) moves.push({ call, reply });
      if (isImpossible(replies)) moves.push({ call });
    }
    return moves;
  }

  #repliesTo({ op, args }: Call, counts: SpecCounts | undefined): Replies {
    const space: Space = { limits: this.#limits, opaque: this.#opaque, counted: this.#level.counted };
    const shape = this.#spec.calls[op] as CallShape;
    const rule = this.#judgement.rule(op);
    const { terms } = this.#judgement;
    const { sites: faults = [] } = shape;
    const known = { shape, rule, world: this.world, args, seen: NOTHING_SEEN, terms, faults, fixed: {} };
    const replies = repliesTo(known, space);
    if (counts === undefined) return replies;
    noteReplies(
      counts,
      op,
      shape,
      replies,
      (field, form) => widthOf(form, space) - this.#taken(shape, field),
    );
    return replies;
  }

  /** Values of a field that are something's already: a new thing gets another. */
  #taken({ gives }: CallShape, field: string): number {
    const { kind = '' } = gives ?? {};
    return this.#spec.kinds[kind]?.main === field ? this.#spec.live(this.world, kind).length : 0;
  }

  /** What is counted stands at now. */
  #countedAfter({ op }: Call, value: Value): number {
    const fields = Object.entries(this.#spec.calls[op]?.gives?.fields ?? {});
    const [name = ''] = fields.find(([, shape]) => 'counts' in shape) ?? [];
    return Number(value[name] ?? this.#level.counted);
  }

  #impossible(call: Call): Finding {
    const serves = this.#judgement.rule(call.op).owes(this.world, call.args);
    const detail = 'no value is right, and no errno is owed or allowed';
    return this.#finding({ call }, { kind: 'specification', serves, clause: 'no reply', detail });
  }

  #finding({ call, reply }: SpecMove, wrong: Wrong): Finding {
    return {
      ...wrong,
      command: this.#levels.length - 2,
      call,
      ...(reply === undefined ? {} : { reply }),
      layer: this.#spec.calls[call.op]?.layer ?? '',
    };
  }
}
