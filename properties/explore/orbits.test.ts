/** What a search without symmetry says of orbits: which states are the same but for names, and what comes of them. */
import type { Heard, Renamable, Role } from '../../model/index.ts';
import { search } from './search.ts';
import { Orbit, type Renaming } from './symmetry.ts';
import type { System } from './system.ts';

/** Roles of both sides, as they are or as a test has them. */
export type Change = (role: Role, side: number) => Role;

/** A set of states that are the same but for names, as far as a search has met them. */
export interface Met {
  /** As many as there are, met or not. */
  readonly size: number;
  readonly states: Set<string>;
}

interface Follower {
  readonly orbit: Orbit;
  readonly met: Map<string, Met>;
}

/** Orbits of one state, for each way to read the roles of its sides. */
export function follow(
  sides: readonly Renamable[],
  renamings: readonly Renaming[],
  changes: readonly Change[],
): Orbit[] {
  const heard: Heard[][] = sides.map(() => []);
  for (const [number, side] of sides.entries())
    side.listen((word, old, value) => {
      for (const each of heard[number] ?? []) each(word, old, value);
    });
  return changes.map((change) => {
    const read = sides.map((side, number) => ({
      roles: () => side.roles().map((role) => change(role, number)),
      listen: (told: Heard | undefined) => told && heard[number]?.push(told),
    }));
    return new Orbit(renamings, read);
  });
}

/** Orbits of the states of one search, once for each way to read the roles. */
export class Followed {
  /** For each way the orbits by fingerprint. */
  readonly met: readonly ReadonlyMap<string, Met>[];
  /** For each state the orbits that it leads to, by the fingerprints of the first way. */
  readonly next = new Map<string, Set<string>>();
  readonly states: number;
  readonly #system: System;
  readonly #followers: readonly Follower[];

  constructor(
    system: System,
    sides: readonly Renamable[],
    renamings: readonly Renaming[],
    changes: readonly Change[],
    depth: number,
    prefix: (system: System) => void = () => {},
  ) {
    this.#system = system;
    this.#followers = follow(sides, renamings, changes).map((orbit) => ({ orbit, met: new Map() }));
    this.met = this.#followers.map(({ met }) => met);
    const told = this.#told();
    prefix(told);
    for (const { met } of this.#followers) met.clear();
    this.states = search(told, { depth, states: 50_000 }).states;
    for (const side of sides) side.listen(undefined);
  }

  /** The system, but that the followers follow. */
  #told(): System {
    const system = this.#system;
    let from = '';
    return {
      count: () => {
        from = system.fingerprint().join();
        return system.count();
      },
      make: (move) => {
        for (const { orbit } of this.#followers) orbit.mark();
        const made = system.make(move);
        if (made === 'undue') for (const { orbit } of this.#followers) orbit.back();
        return made;
      },
      asksToLook: () => system.asksToLook(),
      look: () => system.look(),
      back: () => {
        system.back();
        for (const { orbit } of this.#followers) orbit.back();
      },
      fingerprint: () => {
        const own = system.fingerprint();
        const orbits = this.#followers.map((follower) => meet(follower, own.join()));
        if (from !== '') note(this.next, from, orbits[0] ?? '');
        return own;
      },
    };
  }
}

function meet({ orbit, met }: Follower, state: string): string {
  const key = orbit.fingerprint().join();
  const known = met.get(key) ?? { size: orbit.size, states: new Set() };
  known.states.add(state);
  met.set(key, known);
  return key;
}

function note(next: Map<string, Set<string>>, from: string, to: string): void {
  const known = next.get(from) ?? new Set();
  known.add(to);
  next.set(from, known);
}

/** Every state that renaming makes of one is met. */
export const isWhole = (met: ReadonlyMap<string, Met>): boolean =>
  [...met.values()].every(({ size, states }) => states.size === size);

/** States that are the same but for names, and do not lead to the same. */
export function unlike(
  met: ReadonlyMap<string, Met>,
  next: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  return [...met.values()].flatMap(({ states }) => {
    const all = [...states].flatMap((state) => {
      const to = next.get(state);
      return to === undefined ? [] : [[...to].sort().join()];
    });
    return [...new Set(all)].slice(1);
  });
}

/** A column of a side that forgets whose ids there are in its indices, or in its words. */
export const forgetting =
  ({ part, role: { first } }: Part, side: number): Change =>
  (role, of) => {
    const { [part]: _left, ...rest } = role;
    return of === side && role.first === first && role.count > 0 ? rest : role;
  };

/** A part of a role that a test may change, and the number of its column. */
export interface Part {
  readonly part: 'index' | 'value';
  readonly role: Role;
  readonly column: number;
}

export const partsOf = (roles: readonly Role[]): Part[] =>
  roles.flatMap((role, column) =>
    (['index', 'value'] as const).flatMap((part) =>
      role[part] === undefined || role.count === 0 ? [] : [{ part, role, column }],
    ),
  );
