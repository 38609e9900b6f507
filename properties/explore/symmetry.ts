/**
 * States that are the same but for names. A *renaming* permutes the ids of some sorts: clients, contexts, handles of a
 * client. A state and all that renamings make of it are an *orbit*; a search needs to visit one state of each.
 *
 * Why this is sound although new things get the lowest free id: let t be s with other names. What is done to a thing
 * of s can be done to the thing of t that has its name, with results that are renamed likewise. Where s makes a thing,
 * so does t, perhaps not under the id that the renaming says. But both ids were free, and no word is about an id that
 * is free; so a renaming that swaps these two as well makes the one result out of the other.
 *
 * Two things must be true for that: what is gone leaves nothing in words with ids, and no call goes through things in
 * the order of their ids while that order makes a difference; a sort is left out where one does. Both are tested, and
 * that states of one orbit lead to the same orbits. Whoever treats ids differently has a bug that may be met later
 * than without symmetry, or not at all.
 */
import {
  type Bounds,
  type Digit,
  mix,
  type Naming,
  type Renamable,
  type Role,
  type Sort,
  type Spec,
  type Stateful,
  type Target,
} from '../../model/index.ts';
import type { Scope } from './scope.ts';

/** Renamings at the most: the price of a changed word grows with them. */
const RENAMINGS_MAX = 720;

/** For each sort what becomes of each id; where things have things of their own, those of the first come first. */
export type Renaming = ReadonlyMap<string, Permutation>;

interface Permutation {
  readonly of: string | undefined;
  /** Ids of each owner, or of all. */
  readonly width: number;
  readonly to: readonly number[];
}

/** A sort as it is permuted. */
interface Part {
  readonly name: string;
  readonly of: string | undefined;
  readonly permutations: readonly (readonly number[])[];
  readonly owners: number;
}

/**
 * All renamings of a search, the one that changes nothing first. Of a sort that would make them too many, the ids that
 * are given out last keep their names.
 */
export function renamingsOf<M>(
  sorts: readonly Sort<M>[],
  machine: M,
  bounds: Bounds,
  most: number = RENAMINGS_MAX,
): Renaming[] {
  let renamings: Renaming[] = [new Map()];
  for (const { name, of, ids } of sorts) {
    const swapped = [...ids(machine, bounds)];
    const owner = sorts.find((sort) => sort.name === of);
    const owners = owner === undefined ? 1 : Math.max(0, ...owner.ids(machine, bounds)) + 1;
    while (swapped.length > 1 && renamings.length * factorial(swapped.length) ** owners > most) swapped.pop();
    if (swapped.length < 2) continue;
    const part: Part = { name, of, permutations: permutationsOf(swapped), owners };
    renamings = renamings.flatMap((renaming) => extended(renaming, part));
  }
  return renamings;
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** Every way to swap some ids: what becomes of each id up to the last of them. */
function permutationsOf(ids: readonly number[]): number[][] {
  const same = Array.from({ length: Math.max(...ids) + 1 }, (_, id) => id);
  return ordersOf(ids).map((order) => {
    const to = [...same];
    for (const [at, id] of ids.entries()) to[id] = order[at] ?? id;
    return to;
  });
}

function ordersOf(ids: readonly number[]): number[][] {
  if (ids.length === 0) return [[]];
  return ids.flatMap((first) => ordersOf(ids.filter((id) => id !== first)).map((rest) => [first, ...rest]));
}

/** A renaming with one more sort: a permutation for each owner. */
function extended(renaming: Renaming, { name, of, permutations, owners }: Part): Renaming[] {
  const width = permutations[0]?.length ?? 0;
  let all: number[][] = [[]];
  for (let owner = 0; owner < owners; owner++)
    all = all.flatMap((to) => permutations.map((permutation) => [...to, ...permutation]));
  return all.map((to) => new Map([...renaming, [name, { of, width, to }]]));
}

const sortOf = (digit: Digit): string | undefined =>
  typeof digit === 'string' ? digit : typeof digit === 'number' ? undefined : digit[0];

function valuesOf(digit: Digit): number {
  if (typeof digit === 'string')
    throw new Error(`internal error: ${digit} is not the first digit, and has no end`);
  return typeof digit === 'number' ? digit : digit[1];
}

/**
 * The orbits of a search's states.
 *
 * @throws Error when specification or target do not say where ids stand
 */
export function orbitOf<M, S extends Stateful>(
  { name, symmetry }: Spec<M, S>,
  machine: M,
  { few = 1, values = {} }: Scope,
  calls: readonly string[],
  world: S,
  target?: Target<M>,
): Orbit {
  if (symmetry === undefined) throw new Error(`${name} does not say what may be renamed`);
  const renamable = target?.undoable?.renamable;
  if (target !== undefined && renamable === undefined)
    throw new Error(`${target.name} does not say where ids stand, which symmetry asks for`);
  const bounds: Bounds = { calls: new Set(calls), values, few, alone: target === undefined };
  const own: Renamable = { roles: () => symmetry.roles(world), listen: (heard) => world.state.listen(heard) };
  const followed = renamable === undefined ? [own] : [own, renamable];
  return new Orbit(renamingsOf(symmetry.sorts, machine, bounds), followed);
}

/** What a renaming makes of a number. */
export function renamed(naming: Naming | undefined, value: number, renaming: Renaming): number {
  if (naming === undefined || value < naming.from) return value;
  const { digits, from } = naming;
  const ids = split(digits, value - from);
  let result = 0;
  for (const [at, digit] of digits.entries()) {
    const permutation = renaming.get(sortOf(digit) ?? '');
    const id = ids[at] ?? 0;
    const owner = permutation?.of === undefined ? 0 : (ids[digits.map(sortOf).indexOf(permutation.of)] ?? 0);
    const to =
      permutation === undefined || id >= permutation.width
        ? id
        : permutation.to[owner * permutation.width + id];
    result = (at === 0 ? 0 : result * valuesOf(digit)) + (to ?? id);
  }
  return result + from;
}

function split(digits: readonly Digit[], value: number): number[] {
  const ids: number[] = [];
  let rest = value;
  for (let at = digits.length - 1; at > 0; at--) {
    const values = valuesOf(digits[at] as Digit);
    ids.unshift(rest % values);
    rest = Math.floor(rest / values);
  }
  return [rest, ...ids];
}

/** Part of a state, whose words are followed. */
interface Side {
  /** Role of each word + 1; 0: there is no id in it. */
  readonly roleOf: Int32Array;
  readonly roles: readonly Role[];
  /** Added to the index of a word, so that words of two sides are not mistaken for each other. */
  readonly offset: number;
  /** For each word with ids and each value it had: its part of all fingerprints. */
  readonly parts: Map<number, Int32Array>[];
}

/** Marks that there is room for at first. */
const MARKS = 16;
/** Words between two sides, more than any has. */
const SIDE_WORDS = 2 ** 29;
const LOW = 0x9e3779b1;
const HIGH = 0x85ebca6b;

/**
 * The fingerprint of an orbit: the same for all states that differ in names only. It follows the words that change, and
 * keeps one fingerprint for each renaming.
 */
export class Orbit {
  /** Renamings. */
  readonly renamings: number;
  /** States that renaming made of the one whose {@link fingerprint} was asked last, itself included. */
  size = 1;
  readonly #renamings: readonly Renaming[];
  readonly #followed: readonly Renamable[];
  /** Halves of the fingerprint under each renaming: that of words with ids, then of all others. */
  readonly #renamed: Int32Array;
  #low = 0;
  #high = 0;
  /** Changes of words with ids that are not in `#renamed` yet: what each word was, and what it is now. */
  readonly #pending: (readonly [side: Side, word: number, old: number, value: number])[] = [];
  /** What was kept at each mark: `#renamed`, `#low`, `#high`. */
  #marks: Int32Array;
  #markCount = 0;

  /** Both sides are in a state that no renaming changes, and tell of every change from now on. */
  constructor(renamings: readonly Renaming[], followed: readonly Renamable[]) {
    this.renamings = renamings.length;
    this.#renamings = renamings;
    this.#followed = followed;
    this.#renamed = new Int32Array(2 * renamings.length);
    this.#marks = new Int32Array(MARKS * this.#markWords);
    for (const [number, renamable] of followed.entries()) this.#follow(renamable, number * SIDE_WORDS);
  }

  /** Follows no more. */
  close(): void {
    for (const renamable of this.#followed) renamable.listen(undefined);
  }

  mark(): void {
    this.#settle();
    const words = this.#markWords;
    const at = words * this.#markCount++;
    if (at === this.#marks.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#marks);
      this.#marks = larger;
    }
    this.#marks.set(this.#renamed, at);
    this.#marks[at + words - 2] = this.#low;
    this.#marks[at + words - 1] = this.#high;
  }

  /** To the last mark, which is forgotten. */
  back(): void {
    this.drop();
    const end = this.#markWords * (this.#markCount + 1);
    this.#pending.length = 0;
    this.#renamed.set(this.#marks.subarray(end - this.#markWords, end - 2));
    this.#low = this.#marks[end - 2] as number;
    this.#high = this.#marks[end - 1] as number;
  }

  /** The last mark is forgotten; the state stays. */
  drop(): void {
    if (this.#markCount === 0) throw new Error('internal error: there is no mark to go back to');
    this.#markCount--;
  }

  get #markWords(): number {
    return this.#renamed.length + 2;
  }

  /**
   * A sum over all renamings, in which their order does not matter. (The least of the fingerprints would do too, but
   * collide more often: all of them would lie in a small part of their range.)
   */
  fingerprint(): readonly [low: number, high: number] {
    this.#settle();
    const renamed = this.#renamed;
    let low = 0;
    let high = 0;
    let same = 0;
    for (let at = 0; at < renamed.length; at += 2) {
      const own = renamed[at] as number;
      const other = renamed[at + 1] as number;
      if (own === renamed[0] && other === renamed[1]) same++;
      // Both halves are scrambled, and no two fingerprints give the same: else sums of unlike ones might agree.
      let a = Math.imul(this.#low ^ own ^ ((this.#high ^ other) >>> 16), 0x7feb352d);
      a ^= a >>> 15;
      let b = Math.imul(this.#high ^ other ^ a, 0x846ca68b);
      b ^= b >>> 16;
      low = (low + a) | 0;
      high = (high + b) | 0;
    }
    this.size = this.renamings / same;
    return [low, high];
  }

  #follow(renamable: Renamable, offset: number): void {
    const roles = renamable.roles();
    const roleOf = new Int32Array(Math.max(0, ...roles.map(({ first, count }) => first + count)));
    for (const [number, { first, count }] of roles.entries()) roleOf.fill(number + 1, first, first + count);
    const side: Side = { roleOf, roles, offset, parts: [] };
    renamable.listen((word, old, value) => {
      if ((side.roleOf[word] ?? 0) !== 0) this.#pending.push([side, word, old, value]);
      else {
        this.#low ^= mix(offset + word, old, LOW) ^ mix(offset + word, value, LOW);
        this.#high ^= mix(offset + word, old, HIGH) ^ mix(offset + word, value, HIGH);
      }
    });
  }

  #settle(): void {
    if (this.#pending.length === 0) return;
    for (const [side, word, old, value] of this.#pending) {
      const without = this.#partsOf(side, word, old);
      const instead = this.#partsOf(side, word, value);
      const renamed = this.#renamed;
      for (let at = 0; at < renamed.length; at++)
        renamed[at] = (renamed[at] as number) ^ (without[at] as number) ^ (instead[at] as number);
    }
    this.#pending.length = 0;
  }

  /** What a word with this value adds to the fingerprint under each renaming. */
  #partsOf(side: Side, word: number, value: number): Int32Array {
    side.parts[word] ??= new Map();
    const known = side.parts[word]?.get(value);
    if (known !== undefined) return known;
    const { first, index, value: naming } = side.roles[(side.roleOf[word] ?? 0) - 1] as Role;
    const parts = new Int32Array(2 * this.#renamings.length);
    for (const [number, renaming] of this.#renamings.entries()) {
      const to = side.offset + first + renamed(index, word - first, renaming);
      const name = renamed(naming, value, renaming);
      parts[2 * number] = mix(to, name, LOW);
      parts[2 * number + 1] = mix(to, name, HIGH);
    }
    side.parts[word]?.set(value, parts);
    return parts;
  }
}
