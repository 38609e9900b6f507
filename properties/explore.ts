/**
 * Breadth-first search over every call in every state that specification and target, in lockstep, can reach on a
 * machine. The first finding has a shortest script. Going from one state to the next undoes and redoes only what the
 * two paths do not share.
 */
import type { Call, Reply, Spec, Stateful, Target, Undoable } from '../model/index.ts';
import { runScript } from './drive.ts';
import { callsOf } from './enumerate.ts';
import { causeOf, type Finding } from './finding.ts';
import { Judgement, Lockstep } from './lockstep.ts';
import { limitsOf, machineOf } from './machine.ts';
import { scriptOf } from './record.ts';
import type { Script, ScriptMachine } from './script.ts';
import { Stepper } from './stepper.ts';
import { firstRows, noCounts } from './tally.ts';
import { Visited } from './visited.ts';

/** What is searched. */
export interface Scope {
  readonly machine: ScriptMachine;
  /** Calls that are made; undefined: all. */
  readonly only?: readonly string[];
  /** Commands in a script at the most. */
  readonly depth: number;
  /** States at which the search gives up. */
  readonly states?: number;
  /** Values of an argument at the most. Default 1. */
  readonly few?: number;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** Calls on the longest of the shortest paths. */
  readonly depth: number;
  /** Nothing new was left to visit: the bounds on depth and states did not matter. */
  readonly complete: boolean;
  readonly found?: { readonly script: Script; readonly finding: Finding };
}

const STATES_MAX = 1_000_000;

/**
 * Searches a scope.
 *
 * @throws Error when the target cannot undo
 */
export function explore<M, S extends Stateful>(spec: Spec<M, S>, target: Target<M>, scope: Scope): Explored {
  if (target.undoable === undefined) throw new Error(`${target.name} cannot go back to an earlier state`);
  return new Search(spec, target, target.undoable, scope).run();
}

/** A state by the call that led to it first. Number 0 is the machine as it boots. */
interface Node {
  readonly parent: number;
  readonly call: Call | undefined;
  readonly depth: number;
}

class Search<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #undoable: Undoable;
  readonly #scope: Scope;
  readonly #lockstep: Lockstep<M, S>;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #visited = new Visited();
  readonly #nodes: Node[] = [{ parent: -1, call: undefined, depth: 0 }];
  /** States on the way from boot to where the search stands. */
  #path: number[] = [0];
  #transitions = 0;

  constructor(spec: Spec<M, S>, target: Target<M>, undoable: Undoable, scope: Scope) {
    const machine = machineOf(spec, scope.machine);
    this.#spec = spec;
    this.#target = target;
    this.#undoable = undoable;
    this.#scope = scope;
    this.#limits = limitsOf(spec, machine);
    const judgement = new Judgement(spec, target.capabilities, noCounts(firstRows(spec).rows));
    this.#lockstep = new Lockstep(judgement, machine);
    target.boot(machine);
    this.#lockstep.reset();
    undoable.attach();
    this.#lockstep.world.state.attach();
    this.#isNew();
  }

  run(): Explored {
    const { depth, states = STATES_MAX } = this.#scope;
    let next = 0;
    for (; next < this.#nodes.length; next++) {
      if ((this.#nodes[next] as Node).depth >= depth || this.#nodes.length >= states) break;
      const found = this.#expand(next);
      if (found !== undefined) return this.#result(next, found);
    }
    return this.#result(next);
  }

  #result(next: number, found?: Explored['found']): Explored {
    return {
      states: this.#visited.size,
      transitions: this.#transitions,
      depth: this.#nodes.at(-1)?.depth ?? 0,
      complete: found === undefined && next === this.#nodes.length,
      ...(found === undefined ? {} : { found }),
    };
  }

  /** Makes every call that the state allows, and goes back after each. */
  #expand(number: number): Explored['found'] {
    const { only = [...(this.#target.calls ?? Object.keys(this.#spec.calls))], few = 1 } = this.#scope;
    this.#goTo(number);
    for (const call of callsOf(this.#spec, this.#lockstep.world, this.#limits, only, few)) {
      if (!this.#lockstep.isDue(call)) continue;
      this.#transitions++;
      this.#mark();
      const finding = this.#make(call);
      if (finding !== undefined) return this.#confirm([...this.#callsTo(number), call]);
      if (this.#isNew())
        this.#nodes.push({ parent: number, call, depth: (this.#nodes[number] as Node).depth + 1 });
      this.#back();
    }
    return undefined;
  }

  #make(call: Call): Finding | undefined {
    this.#lockstep.refresh(this.#target);
    let reply: Reply;
    try {
      reply = this.#target.apply(call);
    } catch (cause) {
      return this.#lockstep.finding(0, call, {
        kind: 'crash',
        serves: 'P1',
        clause: 'crash',
        detail: causeOf(cause),
      });
    }
    return this.#lockstep.judge(0, call, reply) ?? this.#lockstep.look(0, call, reply, this.#target);
  }

  #mark(): void {
    this.#undoable.mark();
    this.#lockstep.world.state.mark();
  }

  #back(): void {
    this.#undoable.undo();
    this.#undoable.drop();
    this.#lockstep.world.state.undo();
    this.#lockstep.world.state.drop();
  }

  /** Goes to a state: back to where the paths part, then on. */
  #goTo(number: number): void {
    const path = this.#pathTo(number);
    let shared = 0;
    while (shared < path.length && path[shared] === this.#path[shared]) shared++;
    for (let at = this.#path.length; at > shared; at--) this.#back();
    for (const state of path.slice(shared)) {
      this.#mark();
      const finding = this.#make((this.#nodes[state] as Node).call as Call);
      if (finding !== undefined)
        throw new Error('internal error: the same calls led elsewhere the second time');
    }
    this.#path = path;
  }

  #pathTo(number: number): number[] {
    const path: number[] = [];
    for (let at = number; at >= 0; at = (this.#nodes[at] as Node).parent) path.push(at);
    return path.reverse();
  }

  #callsTo(number: number): Call[] {
    return this.#pathTo(number).flatMap((at) => (this.#nodes[at] as Node).call ?? []);
  }

  /** The key of a state is that of the target's and that of the specification's. */
  #isNew(): boolean {
    const [low, high] = this.#undoable.fingerprint();
    const [specLow, specHigh] = this.#lockstep.world.state.fingerprint();
    return this.#visited.add(low ^ Math.imul(specLow, 0x01000193), high ^ Math.imul(specHigh, 0x01000193));
  }

  /** Runs what was found again from boot, as a script. */
  #confirm(calls: readonly Call[]): Explored['found'] {
    const script = scriptOf(this.#spec, this.#target, this.#scope.machine, calls);
    const finding = runScript(new Stepper(this.#spec, this.#target), this.#target, script);
    if (finding === undefined)
      throw new Error('internal error: the finding is gone when its calls are made from boot');
    return { script, finding };
  }
}
