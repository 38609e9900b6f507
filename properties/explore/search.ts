/**
 * Breadth-first search: every move in every state. The first finding has a shortest path. A state is kept as a
 * fingerprint and the way to it; going from one to the next undoes and redoes only what the two ways do not share.
 */
import type { Finding } from '../finding.ts';
import { Paths } from './paths.ts';
import type { System } from './system.ts';
import { Visited } from './visited.ts';

export interface SearchLimits {
  /** Moves on a path at the most. */
  readonly depth: number;
  /** States at which the search gives up. */
  readonly states: number;
  /** Whether a finding ends the search. Where not, the state that it was found in is not followed. */
  wants?(finding: Finding): boolean;
}

/** Why a search ended: nothing was left to visit; a limit was met while there was; or something was found. */
export type Ending = 'complete' | 'depth' | 'states' | 'found';

export interface Searched {
  readonly states: number;
  /** Moves that were made. */
  readonly transitions: number;
  /** Moves on the longest of the shortest paths. */
  readonly depth: number;
  readonly ending: Ending;
  /** States that were found and not visited yet. */
  readonly frontier: number;
  /** Findings that were not wanted. */
  readonly passedOver: number;
  /** Bytes that the search keeps about states. */
  readonly bytes: number;
  /** The moves to a finding. */
  readonly found?: { readonly path: readonly number[]; readonly finding: Finding };
}

/** What is told now and then, and may stop the search. */
export type Told = Pick<Searched, 'states' | 'transitions' | 'depth'>;

export function search(system: System, limits: SearchLimits): Searched {
  return new Search(system, limits).run();
}

class Search {
  readonly #system: System;
  readonly #limits: SearchLimits;
  readonly #visited = new Visited();
  readonly #paths = new Paths();
  /** States on the way from the first to where the search stands. */
  #path: number[] = [0];
  #transitions = 0;
  #passedOver = 0;

  constructor(system: System, limits: SearchLimits) {
    this.#system = system;
    this.#limits = limits;
    this.#visited.add(...system.fingerprint());
    this.#paths.add(-1, 0);
  }

  run(): Searched {
    const { depth, states } = this.#limits;
    let next = 0;
    for (let level = 0; next < this.#paths.size; level++) {
      if (level >= depth) return this.#result('depth', next);
      for (const end = this.#paths.size; next < end; next++) {
        if (this.#paths.size >= states) return this.#result('states', next);
        const found = this.#expand(next);
        if (found !== undefined) return this.#result('found', next, found);
      }
    }
    return this.#result('complete', next);
  }

  #result(ending: Ending, next: number, found?: Searched['found']): Searched {
    return {
      states: this.#visited.size,
      transitions: this.#transitions,
      depth: this.#paths.to(this.#paths.size - 1).length - 1,
      ending,
      frontier: this.#paths.size - next,
      passedOver: this.#passedOver,
      bytes: this.#visited.bytes + this.#paths.bytes,
      ...(found === undefined ? {} : { found }),
    };
  }

  /** Makes every move that the state allows, and goes back after each. */
  #expand(state: number): Searched['found'] {
    const system = this.#system;
    this.#goTo(state);
    const count = system.count();
    for (let move = 0; move < count; move++) {
      const made = system.make(move);
      if (made === 'undue') continue;
      this.#transitions++;
      const finding = typeof made === 'object' ? made : this.#arrive(state, move);
      if (finding !== undefined) {
        if (this.#limits.wants?.(finding) !== false)
          return { path: [...this.#paths.movesTo(state), move], finding };
        this.#passedOver++;
      }
      system.back();
    }
    return undefined;
  }

  #arrive(state: number, move: number): Finding | undefined {
    const system = this.#system;
    const isNew = this.#visited.add(...system.fingerprint());
    const finding = isNew || system.asksToLook() ? system.look(isNew) : undefined;
    if (isNew && finding === undefined) this.#paths.add(state, move);
    return finding;
  }

  /** Goes to a state: back to where the paths part, then on. */
  #goTo(state: number): void {
    const path = this.#paths.to(state);
    let shared = 0;
    while (shared < path.length && path[shared] === this.#path[shared]) shared++;
    for (let at = this.#path.length; at > shared; at--) this.#system.back();
    for (const each of path.slice(shared)) {
      if (this.#system.make(this.#paths.move(each)) !== 'made')
        throw new Error('internal error: the same moves led elsewhere the second time');
    }
    this.#path = path;
  }
}
