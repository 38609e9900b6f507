/** Specification and target in lockstep, as something that can be searched. */
import type {
  Call,
  Concurrent,
  Reply,
  Spec,
  Stateful,
  Suspended,
  Target,
  Undoable,
} from '../../model/index.ts';
import { FaultTrial } from '../fault-trial.ts';
import { causeOf, type Finding } from '../finding.ts';
import { Judgement, Lockstep } from '../lockstep.ts';
import { machineOf } from '../machine.ts';
import type { Faults } from '../script.ts';
import { CALLERS_FAULT, isShortage, outweighs, UNDUE, type WrongOrder } from '../stepper.ts';
import { firstRows, noCounts } from '../tally.ts';
import { Closing } from './closing.ts';
import { type Fingerprint, isSame, join } from './fingerprint.ts';
import { Made } from './made.ts';
import { type Move, Moves, type Spent } from './moves.ts';
import type { Scope } from './scope.ts';
import { type Orbit, orbitOf } from './symmetry.ts';
import type { System } from './system.ts';

/** The actors of calls that overlap. */
const ACTORS = ['main', 'b'] as const;

const NOTHING_SPENT: Spent = { faults: 0, overlaps: 0 };

/** The place of a call in its script: nobody reads it before the finding is confirmed. */
const ANYWHERE = 0;

export class LockstepSystem<M, S extends Stateful> implements System {
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #undoable: Undoable;
  readonly #concurrent: Concurrent | undefined;
  readonly #lockstep: Lockstep<M, S>;
  readonly #moves: Moves<M, S>;
  /** Where a fault is tried, and the call is made without it. */
  readonly #trial: FaultTrial<M, S> | undefined;
  readonly #machine: M;
  /** What the calls on the path have used up, the present state's last. */
  readonly #spent: Spent[] = [NOTHING_SPENT];
  readonly #closing: Closing<M, S> | undefined;
  /** Where things are given back in the order in which they were made. */
  readonly #made: Made<M, S> | undefined;
  /** The view is not that of the present state. */
  #isBehind = true;
  /** How many moves were made to the present state, and to the one whose moves are known; -1: to none. */
  #depth = 0;
  #entered = -1;
  #count = 0;
  readonly #orbit: Orbit | undefined;
  #last: { readonly call: Call; readonly reply: Reply; readonly isWindow: boolean } | undefined;

  /** Fingerprint of both sides in the state whose moves are known. */
  #here: Fingerprint = [0, 0];

  /** @throws Error when the target cannot go back */
  constructor(spec: Spec<M, S>, target: Target<M>, scope: Scope, premise?: string) {
    const { undoable, concurrent } = target;
    if (undoable === undefined) throw new Error(`${target.name} cannot go back to an earlier state`);
    const machine = machineOf(spec, scope.machine);
    const calls = scope.only ?? [...(target.calls ?? Object.keys(spec.calls))];
    this.#spec = spec;
    this.#target = target;
    this.#machine = machine;
    this.#undoable = undoable;
    this.#concurrent = concurrent;
    this.#moves = new Moves(spec, scope, calls, concurrent?.points);
    this.#made = scope.closes === 'as made' ? new Made(spec) : undefined;
    const judgement = new Judgement(spec, target.capabilities, noCounts(firstRows(spec).rows), premise);
    this.#lockstep = new Lockstep(judgement, machine);
    this.#closing = scope.closes === false ? undefined : this.#closingOf();
    this.#trial = scope.trials === true ? this.#trialOf(spec, target) : undefined;
    target.boot(machine);
    this.#lockstep.reset();
    undoable.attach();
    this.#lockstep.world.state.attach();
    this.#lockstep.refresh(target);
    if (scope.symmetry === true) this.#orbit = orbitOf(spec, machine, scope, calls, this.world, target);
  }

  get world(): S {
    return this.#lockstep.world;
  }

  /** Undefined without symmetry. */
  get renamings(): number | undefined {
    return this.#orbit?.renamings;
  }

  standsFor(): number {
    return this.#orbit?.size ?? 1;
  }

  /** Changes are followed no more: the target serves others. */
  close(): void {
    this.#orbit?.close();
  }

  count(): number {
    const isElsewhere = this.#entered !== this.#depth;
    if (isElsewhere || this.#isBehind) {
      this.#lockstep.refresh(this.#target);
      this.#lockstep.noteSteps();
      this.#isBehind = false;
    }
    if (isElsewhere) {
      this.#count = this.#moves.enter(this.world, this.#spent.at(-1) ?? NOTHING_SPENT);
      this.#entered = this.#depth;
      this.#here = this.#both();
    }
    return this.#count;
  }

  /** A move of the present state, as data. */
  move(move: number): Move {
    this.count();
    return this.#moves.at(move);
  }

  make(number: number): 'made' | 'undue' | Finding {
    const move = this.move(number);
    if (!this.#lockstep.isDue(move.call)) return 'undue';
    this.#mark(move);
    const made = move.during === undefined ? this.#one(move.call) : this.#two(move.call, move.during);
    if (made === 'undue') this.back();
    return made;
  }

  asksToLook(): boolean {
    const { call, reply, isWindow } = this.#last ?? {};
    return call !== undefined && reply !== undefined && !isWindow && this.#lockstep.asksToLook(call, reply);
  }

  look(): Finding | undefined {
    if (this.#last === undefined) return undefined;
    const { call, reply, isWindow } = this.#last;
    if (!isWindow && isSame(this.#both(), this.#here))
      return this.#lockstep.lookUnchanged(ANYWHERE, call, reply);
    this.#isBehind = true;
    const look = isWindow ? 'lookAfterSeveral' : 'lookNoted';
    return this.#lockstep[look](ANYWHERE, call, reply, this.#target);
  }

  lookFurther(): Finding | undefined {
    if (this.#last === undefined) return undefined;
    this.#isBehind = true;
    return this.#close(this.#last.call);
  }

  back(): void {
    this.#return();
    this.#spent.pop();
    this.#made?.back();
    this.#depth--;
    if (this.#depth < this.#entered) this.#entered = -1;
  }

  /** The key of a state is that of the target's, that of the specification's, and what was used up on the way. */
  fingerprint(): Fingerprint {
    const [low, high] = this.#orbit?.fingerprint() ?? this.#both();
    const { faults, overlaps } = this.#spent.at(-1) ?? NOTHING_SPENT;
    const spent = Math.imul(faults * 0x10001 + overlaps, 0x9e3779b1) ^ (this.#made?.hash ?? 0);
    return [low ^ spent, high ^ Math.imul(spent, 0x85ebca6b)];
  }

  /** Of both sides. */
  #both(): Fingerprint {
    return join(this.#undoable.fingerprint(), this.#lockstep.world.state.fingerprint());
  }

  #closingOf(): Closing<M, S> {
    return new Closing({
      spec: this.#spec,
      target: this.#target,
      lockstep: this.#lockstep,
      made: this.#made,
      ask: (call) => this.#ask(call, () => this.#target.apply(call)),
      fingerprint: () => this.#both(),
    });
  }

  #mark({ call, during }: Move): void {
    const before = this.#spent.at(-1) ?? NOTHING_SPENT;
    this.#remember();
    this.#made?.mark();
    this.#depth++;
    this.#spent.push(
      call.fail === undefined && during === undefined
        ? before
        : {
            faults: before.faults + (call.fail === undefined ? 0 : 1),
            overlaps: before.overlaps + (during === undefined ? 0 : 1),
          },
    );
  }

  #remember(): void {
    this.#undoable.mark();
    this.#lockstep.world.state.mark();
    this.#orbit?.mark();
  }

  /** To what was remembered last, which is forgotten. */
  #return(): void {
    this.#undoable.undo();
    this.#undoable.drop();
    this.#lockstep.world.state.undo();
    this.#lockstep.world.state.drop();
    this.#orbit?.back();
  }

  #one(call: Call): 'made' | 'undue' | Finding {
    if (this.#trial !== undefined && call.fail !== undefined) return this.#try(call, call.fail);
    const reply = this.#ask(call, () => this.#target.apply(call));
    if ('kind' in reply) return reply;
    // A fault that did not fire leaves a call that is tried without it too.
    if (call.fail !== undefined && (reply.fired ?? []).length === 0) return 'undue';
    this.#last = { call, reply, isWindow: false };
    this.#made?.note(call, reply);
    return this.#lockstep.judge(ANYWHERE, call, reply) ?? 'made';
  }

  /** A call with a fault that shows nothing has no consequences. */
  #try(call: Call, fail: Faults): 'undue' | Finding {
    const { op, args } = call;
    const bare = { op, args };
    this.#isBehind = true;
    const tried = this.#trial?.run(this.#lockstep, this.#machine, ANYWHERE, bare, bare, fail);
    return typeof tried === 'object' ? tried : 'undue';
  }

  #trialOf(spec: Spec<M, S>, target: Target<M>): FaultTrial<M, S> {
    const { state } = this.#lockstep.world;
    return new FaultTrial(spec, target, {
      mark: () => this.#remember(),
      back: () => this.#return(),
      aside: (act) => {
        state.mark();
        this.#orbit?.mark();
        const result = act();
        state.undo();
        state.drop();
        this.#orbit?.back();
        return result;
      },
    });
  }

  /** The first call stops at its switch point, the second runs from end to end, the first goes on. */
  #two(first: Call, second: Call): 'made' | 'undue' | Finding {
    if (this.#concurrent === undefined || !this.#lockstep.isDue(second)) return 'undue';
    const { start, resume } = this.#concurrent;
    const [own, other] = ACTORS;
    const stopped = this.#ask(first, () => start(own, first));
    if (!('point' in stopped)) return 'kind' in stopped ? stopped : 'undue';
    const early = this.#toTheEnd(
      second,
      () => start(other, second),
      () => resume(other),
    );
    const late =
      'kind' in early
        ? early
        : this.#toTheEnd(
            first,
            () => resume(own),
            () => resume(own),
          );
    // A target need not survive what its caller may not do, and the other call under way may have made it that.
    if ('kind' in late) return this.#needsNoDuty(late.call) ? late : 'undue';
    return this.#judgeOrders({ call: first, reply: late }, { call: second, reply: early as Reply });
  }

  #toTheEnd(call: Call, begin: () => Reply | Suspended, goOn: () => Reply | Suspended): Reply | Finding {
    let answer = this.#ask(call, begin);
    while ('point' in answer) answer = this.#ask(call, goOn);
    return answer;
  }

  #needsNoDuty({ op }: Call): boolean {
    return this.#spec.rules[op]?.require.length === 0;
  }

  /** What came back is right if it agrees with the rules in one of the two orders: as when a schedule is run. */
  #judgeOrders(one: Answered, other: Answered): 'made' | 'undue' | Finding {
    const { state } = this.#lockstep.world;
    this.#isBehind = true;
    let best: WrongOrder | undefined;
    for (const order of [
      [other, one],
      [one, other],
    ]) {
      state.mark();
      this.#orbit?.mark();
      const wrong = this.#judgeOrder(order);
      if (wrong === undefined) {
        state.drop();
        this.#orbit?.drop();
        this.#last = { ...one, isWindow: true };
        for (const { call, reply } of [one, other]) this.#made?.note(call, reply);
        return 'made';
      }
      state.undo();
      state.drop();
      this.#orbit?.back();
      this.#lockstep.lookAgain();
      if (best === undefined || outweighs(wrong, best)) best = wrong;
    }
    return best === undefined || best.finding.clause === CALLERS_FAULT ? 'undue' : best.finding;
  }

  /** A shortage is not judged: what is missing may be what the other call holds for as long as it is under way. */
  #judgeOrder(order: readonly Answered[]): WrongOrder | undefined {
    const lockstep = this.#lockstep;
    for (const [judged, { call, reply }] of order.entries()) {
      if (isShortage(this.#spec, call, reply)) continue;
      const seen = { fired: reply.fired ?? [], view: undefined };
      const isDue = lockstep.isDue(call);
      const finding = isDue
        ? lockstep.judge(ANYWHERE, call, reply, seen)
        : lockstep.finding(ANYWHERE, call, UNDUE);
      if (finding !== undefined) return { finding, judged };
    }
    const { call, reply } = order.at(-1) as Answered;
    const finding = lockstep.lookAfterSeveral(ANYWHERE, call, reply, this.#target);
    return finding && { finding, judged: order.length };
  }

  #ask<T>(call: Call, step: () => T): T | Finding {
    try {
      return step();
    } catch (cause) {
      const problem = { kind: 'crash', serves: 'P1', clause: 'crash', detail: causeOf(cause) } as const;
      return this.#lockstep.finding(ANYWHERE, call, problem);
    }
  }

  /** Gives everything back, asks what must hold then, and returns to the state. */
  #close(last: Call): Finding | undefined {
    if (this.#closing === undefined) return undefined;
    this.#remember();
    const finding = this.#closing.run(last);
    this.#return();
    return finding;
  }
}

interface Answered {
  readonly call: Call;
  readonly reply: Reply;
}
