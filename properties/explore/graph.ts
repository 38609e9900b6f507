/** The graph of a scope: what the search sees on its way, kept. */
import type { Reply, Spec, Stateful, Target } from '../../model/index.ts';
import { Abstraction, type Detail, outcomeOf } from './abstraction.ts';
import { limitsOf } from './explore.ts';
import { LockstepSystem } from './lockstep-system.ts';
import type { Scope } from './scope.ts';
import { type Searched, search } from './search.ts';
import type { System } from './system.ts';

/** One move: where it leads, and the number of the abstract transition that it is. */
export interface Edge {
  readonly move: number;
  readonly to: number;
  readonly transition: number;
}

export interface Graph {
  /** By state, the moves that can be made there. The search began in state 0. */
  readonly edges: readonly (readonly Edge[])[];
  /** The abstract transitions: state, call, and outcome. */
  readonly transitions: readonly string[];
  /** How many abstract states the transitions begin in. */
  readonly abstractStates: number;
  readonly searched: Searched;
}

/**
 * Searches a scope, calls that overlap left out, and keeps every move.
 *
 * @throws Error when the target cannot go back
 */
export function graphOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scope: Scope,
  detail: Detail,
): Graph {
  const system = new Recording(spec, target, { ...scope, overlaps: 0, symmetry: false }, detail);
  const searched = search(system, limitsOf(scope));
  return { ...system.graph(), searched };
}

/** A system that remembers which moves were made from where. */
class Recording<M, S extends Stateful> implements System {
  readonly #system: LockstepSystem<M, S>;
  readonly #abstraction: Abstraction<M, S>;
  #reply: Reply = { ok: {} };
  readonly #states = new Map<string, number>();
  readonly #edges: (Edge | undefined)[][] = [];
  readonly #transitions = new Map<string, number>();
  /** By state. */
  readonly #abstract: string[] = [];
  /** States on the way from the first to the present one. */
  readonly #path: number[];

  constructor(spec: Spec<M, S>, target: Target<M>, scope: Scope, detail: Detail) {
    const heard: Target<M> = {
      ...target,
      boot: (machine) => target.boot(machine),
      observe: (view) => target.observe(view),
      apply: (call) => {
        this.#reply = target.apply(call);
        return this.#reply;
      },
    };
    this.#system = new LockstepSystem(spec, heard, scope);
    this.#abstraction = new Abstraction(spec, detail);
    this.#path = [this.#number()];
  }

  graph(): Omit<Graph, 'searched'> {
    return {
      edges: this.#edges.map((edges) => edges.filter((edge) => edge !== undefined)),
      transitions: [...this.#transitions.keys()],
      abstractStates: new Set(Object.values(this.#abstract)).size,
    };
  }

  count(): number {
    return this.#system.count();
  }

  make(move: number): ReturnType<System['make']> {
    const from = this.#path.at(-1) ?? 0;
    const known = this.#edges[from]?.[move];
    const name = known === undefined ? this.#nameOf(from, move) : '';
    const made = this.#system.make(move);
    if (made === 'undue') return made;
    const edge = known ?? { move, to: this.#number(), transition: this.#transition(name) };
    this.#path.push(edge.to);
    const edges = this.#edges[from];
    if (made === 'made' && edges !== undefined) edges[move] = edge;
    return made;
  }

  asksToLook(): boolean {
    return this.#system.asksToLook();
  }

  look(): ReturnType<System['look']> {
    return this.#system.look();
  }

  lookFurther(): ReturnType<System['look']> {
    return this.#system.lookFurther();
  }

  back(): void {
    this.#system.back();
    this.#path.pop();
  }

  fingerprint(): ReturnType<System['fingerprint']> {
    return this.#system.fingerprint();
  }

  /** State and call, before it is made. */
  #nameOf(from: number, move: number): string {
    const { world } = this.#system;
    this.#abstract[from] ??= this.#abstraction.state(world);
    return `${this.#abstract[from]} ${this.#abstraction.call(world, this.#system.move(move).call)}`;
  }

  #transition(name: string): number {
    return numberIn(this.#transitions, `${name} ${outcomeOf(this.#reply)}`);
  }

  #number(): number {
    const number = numberIn(this.#states, this.#system.fingerprint().join());
    this.#edges[number] ??= [];
    return number;
  }
}

function numberIn(numbers: Map<string, number>, key: string): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}
