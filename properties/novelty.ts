/**
 * How likely a further script is to show something new. What a call did is put into classes, the abstract transitions:
 * the call, its outcome, and a coarse class of the state before it. Leave out in turn each machine with its scripts:
 * the share of the scripts that show a transition which no other machine shows estimates the chance that a script on
 * a further machine shows one that none has. This is the estimate of Good and Turing (I. J. Good, "The population
 * frequencies of species and the estimation of population parameters", Biometrika 40, 1953) with machines as what is
 * sampled, because they are drawn independently: scripts of one machine resemble each other. Leaving out single
 * scripts says too little, by up to a factor of four. The mean is the chance after the scripts of one machine less. It
 * says nothing of bugs that show within a class, and nothing of scripts that this plan never draws.
 */
import type { CallShape, Spec, Stateful } from '../model/index.ts';
import type { Step } from './step.ts';

/** By abstract transition: the number of the only machine that showed it and of its scripts that did; or nothing. */
export type Transitions = Map<string, number[]>;

export function noteTransition(transitions: Transitions, key: string, machine: number, script: number): void {
  const known = transitions.get(key);
  if (known === undefined) transitions.set(key, [machine, script]);
  else if (known.length === 0) return;
  else if (known[0] !== machine) known.length = 0;
  else if (known.at(-1) !== script) known.push(script);
}

/** Adds the transitions of other machines, which in the sum have numbers from these on, as their scripts have. */
export function addTransitions(sum: Transitions, more: Transitions, machines: number, scripts: number): void {
  for (const [key, [machine, ...shown]] of more) {
    if (machine === undefined || sum.has(key)) sum.set(key, []);
    else sum.set(key, [machines + machine, ...shown.map((script) => scripts + script)]);
  }
}

/** What has been seen, and what may still be new. */
export interface Novelty {
  readonly transitions: number;
  /** Those that one machine alone showed. */
  readonly sole: number;
  /** Chance that the next script shows another one; 0 only means that it is below one in as many as there were. */
  readonly chance: number;
}

export function noveltyOf(transitions: Transitions, scripts: number): Novelty {
  const sole = [...transitions.values()].filter(({ length }) => length > 0);
  const showing = new Set(sole.flatMap(([, ...shown]) => shown));
  return {
    transitions: transitions.size,
    sole: sole.length,
    chance: scripts === 0 ? 1 : showing.size / scripts,
  };
}

/** Live results that are told apart: none, one, several. */
const DIGITS = 3;

/** The class of the state in which a call is made: how many things there are of the kinds that it takes and gives. */
export class StateClass<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #kinds: ReadonlyMap<string, number>;
  /** Live results by number of kind. */
  readonly #live: Int32Array;
  /** By call: for each argument that refers to things, and for what is given, the numbers of the kinds. */
  readonly #groups: ReadonlyMap<string, readonly (readonly number[])[]>;

  constructor(spec: Spec<M, S>) {
    this.#spec = spec;
    this.#kinds = new Map(Object.keys(spec.kinds).map((kind, number) => [kind, number]));
    this.#live = new Int32Array(this.#kinds.size);
    this.#groups = new Map(Object.entries(spec.calls).map(([op, shape]) => [op, this.#groupsOf(shape)]));
  }

  /** A script begins: there is nothing. */
  reset(): void {
    this.#live.fill(0);
  }

  /** A step has succeeded. To be told before what it consumes counts as consumed. */
  note({ shape, plans }: Step, steps: readonly Step[], consumed: readonly boolean[]): void {
    this.#count(shape.gives?.kind, 1);
    for (const plan of plans) {
      if (plan.is !== 'slot' || !plan.consumes || consumed[plan.slot] === true) continue;
      this.#count(steps[plan.slot]?.shape.gives?.kind, -1);
    }
  }

  #count(kind: string | undefined, by: number): void {
    const number = kind === undefined ? undefined : this.#kinds.get(kind);
    if (number !== undefined) this.#live[number] = (this.#live[number] ?? 0) + by;
  }

  /** The class for a call, as a number. */
  at(op: string, s: S): number {
    const groups = this.#groups.get(op) ?? [];
    let number = this.#spec.stateClass?.(s) ?? 0;
    for (let at = 0; at < groups.length; at++) {
      let live = 0;
      for (const kind of groups[at] as readonly number[]) live += this.#live[kind] as number;
      number = number * DIGITS + Math.min(Math.max(live, 0), DIGITS - 1);
    }
    return number;
  }

  #groupsOf({ args, gives }: CallShape): number[][] {
    const taken = Object.values(args).flatMap((arg) =>
      arg.is === 'ref' || arg.is === 'refs' || arg.is === 'address' ? [arg.of] : [],
    );
    const groups = gives?.kind === undefined ? taken : [...taken, [gives.kind]];
    return groups.map((kinds) => kinds.map((kind) => this.#kinds.get(kind) ?? 0));
  }
}
