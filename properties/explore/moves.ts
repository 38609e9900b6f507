/** Every call that can be made in a state, with few values for each argument, and each call by its number. */
import type { Arg, ArgShape, Args, Call, CallShape, Choice, Spec, Stateful } from '../../model/index.ts';
import { limitsOf, machineOf } from '../machine.ts';
import type { Scope } from './scope.ts';

/** A call; during it, at its switch point, another actor may make one of its own. */
export interface Move {
  readonly call: Call;
  readonly during?: Call;
}

/** What of its budget a path has used up. */
export interface Spent {
  readonly faults: number;
  readonly overlaps: number;
}

/** Each fault site of a call fails the first time that it is asked, and so on. */
const ASKED_MAX = 3;

/** Values of one argument in the present state. */
type Domain<S> = (present: Present<S>) => readonly Arg[];

/** One or two calls, and what is still to be chosen. */
interface Form<S> {
  readonly op: string;
  readonly names: readonly string[];
  readonly fail: Call['fail'];
  readonly during: string | undefined;
  /** Arguments of the first call, then those of the second. */
  readonly domains: readonly Domain<S>[];
  /** Moves that were asked for already; undefined: their arguments are made anew in each state. */
  readonly known: Known | undefined;
}

/** Moves by their arguments, the last one first. */
interface Known {
  move?: Move;
  readonly next: Map<Arg, Known>;
}

const nothingKnown = (): Known => ({ next: new Map() });

/** What exists in a state, looked up once. */
class Present<S> {
  world: S | undefined;
  readonly #lists = new Map<string, readonly number[]>();

  enter(world: S): void {
    this.world = world;
    this.#lists.clear();
  }

  list(key: string, make: (world: S) => readonly number[]): readonly number[] {
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const made = make(this.world as S);
    this.#lists.set(key, made);
    return made;
  }
}

/** The moves of a scope. */
export class Moves<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #scope: Scope;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #present = new Present<S>();
  readonly #plain: readonly Form<S>[];
  readonly #faulty: readonly Form<S>[];
  readonly #overlapping: readonly Form<S>[];
  /** Those of the present state, the values of their arguments, and how many moves there are up to each. */
  #forms: Form<S>[] = [];
  #values: (readonly Arg[])[][] = [];
  #ends: number[] = [];
  /** The form that was asked for last. */
  #last = 0;

  /** @param points - switch points of the target's calls */
  constructor(
    spec: Spec<M, S>,
    scope: Scope,
    calls: readonly string[],
    points: Readonly<Record<string, number>> = {},
  ) {
    this.#spec = spec;
    this.#scope = scope;
    this.#limits = limitsOf(spec, machineOf(spec, scope.machine));
    const ops = calls.filter((op) => spec.calls[op] !== undefined);
    this.#plain = ops.map((op) => this.#form(op));
    this.#faulty = (scope.faults ?? 0) === 0 ? [] : ops.flatMap((op) => this.#faultyForms(op));
    const stopping = (scope.overlaps ?? 0) === 0 ? [] : ops.filter((op) => (points[op] ?? 0) > 0);
    this.#overlapping = stopping.flatMap((op) => ops.map((during) => this.#form(op, undefined, during)));
  }

  /** Looks at a state. Returns how many moves there are. */
  enter(world: S, { faults, overlaps }: Spent): number {
    this.#present.enter(world);
    this.#forms = [];
    this.#values = [];
    this.#ends = [];
    this.#last = 0;
    this.#add(this.#plain);
    if (faults < (this.#scope.faults ?? 0)) this.#add(this.#faulty);
    if (overlaps < (this.#scope.overlaps ?? 0)) this.#add(this.#overlapping);
    return this.#ends.at(-1) ?? 0;
  }

  /** A move of the state that was entered last. */
  at(move: number): Move {
    const start = this.#find(move);
    const form = this.#forms[this.#last] as Form<S>;
    const values = this.#values[this.#last] as (readonly Arg[])[];
    let known = form.known;
    if (known === undefined) return this.#move(form, choose(values, move - start));
    for (let at = values.length - 1, rest = move - start; at >= 0; at--) {
      const domain = values[at] as readonly Arg[];
      known = after(known, domain[rest % domain.length] as Arg);
      rest = Math.floor(rest / domain.length);
    }
    known.move ??= this.#move(form, choose(values, move - start));
    return known.move;
  }

  /** Finds the form of a move; moves are mostly asked for one after the other. Returns the number of its first move. */
  #find(move: number): number {
    const ends = this.#ends;
    const startOf = (form: number): number => (form === 0 ? 0 : (ends[form - 1] as number));
    if (move < startOf(this.#last)) this.#last = 0;
    while ((ends[this.#last] as number) <= move) this.#last++;
    return startOf(this.#last);
  }

  #move({ op, names, fail, during }: Form<S>, chosen: readonly Arg[]): Move {
    const own = during === undefined ? names.length : this.#argumentsOf(op).length;
    const args = argsOf(names.slice(0, own), chosen);
    const call: Call = fail === undefined ? { op, args } : { op, args, fail };
    if (during === undefined) return { call };
    return { call, during: { op: during, args: argsOf(names.slice(own), chosen.slice(own)) } };
  }

  #add(forms: readonly Form<S>[]): void {
    for (const form of forms) {
      let count = 1;
      const values: (readonly Arg[])[] = [];
      for (let at = 0; at < form.domains.length && count > 0; at++) {
        const domain = (form.domains[at] as Domain<S>)(this.#present);
        count *= domain.length;
        values.push(domain);
      }
      if (count === 0) continue;
      this.#forms.push(form);
      this.#values.push(values);
      this.#ends.push((this.#ends.at(-1) ?? 0) + count);
    }
  }

  #faultyForms(op: string): Form<S>[] {
    if (this.#scope.fails !== undefined) return this.#scope.fails.map((fail) => this.#form(op, fail));
    const sites = this.#spec.calls[op]?.sites ?? [];
    return sites.flatMap((site) =>
      Array.from({ length: ASKED_MAX }, (_, at) => this.#form(op, { [site]: at + 1 })),
    );
  }

  #form(op: string, fail?: Call['fail'], during?: string): Form<S> {
    const both = during === undefined ? [op] : [op, during];
    const named = both.flatMap((each) => this.#argumentsOf(each).map((argument) => ({ each, argument })));
    return {
      op,
      fail,
      during,
      known: named.every(({ argument: [, { is }] }) => is !== 'refs') ? nothingKnown() : undefined,
      names: named.map(({ argument: [name] }) => name),
      domains: named.map(({ each, argument: [name, shape] }) => this.#domain(each, name, shape)),
    };
  }

  #argumentsOf(op: string): [name: string, shape: ArgShape][] {
    return Object.entries((this.#spec.calls[op] as CallShape).args);
  }

  /** What is chosen from does not depend on the state but for references and places. */
  #domain(op: string, name: string, shape: ArgShape): Domain<S> {
    const { few = 1, values } = this.#scope;
    const given = values?.[op]?.[name];
    switch (shape.is) {
      case 'ref':
        return this.#objects(shape.of, given);
      case 'refs': {
        const lengths = given ?? range(1, Math.min(shape.most, few));
        const objects = this.#objects(shape.of);
        return (present) => lengths.flatMap((count) => lists(objects(present), count));
      }
      case 'address':
        return this.#places(shape, given);
      case 'number': {
        const fixed = given?.map(Number) ?? firstNumbers(shape, this.#limits, few);
        return () => fixed;
      }
      case 'word':
      case 'words': {
        const fixed = given ?? (shape.is === 'word' ? shape.of : wordLists(shape.of));
        return () => fixed as readonly Arg[];
      }
    }
  }

  /**
   * Everything of some kinds. What users hold may be an id that does not exist: those that are given, or one that
   * stands for all.
   */
  #objects(kinds: readonly string[], given?: readonly Choice[]): (present: Present<S>) => readonly number[] {
    const made = given?.filter((id) => typeof id === 'number');
    const key = `${kinds.join()} ${made?.join() ?? ''}`;
    const ofKind = (world: S, kind: string): readonly number[] => {
      const live = this.#spec.live(world, kind);
      if (this.#spec.kinds[kind]?.user !== true) return live;
      const odd = made ?? [Math.max(0, ...live) + 1];
      return [...live, ...odd.filter((id) => !live.includes(id))];
    };
    const [only, ...others] = kinds;
    const all = (world: S): readonly number[] =>
      only !== undefined && others.length === 0
        ? ofKind(world, only)
        : [...new Set(kinds.flatMap((kind) => ofKind(world, kind)))];
    return (present) => present.list(key, all);
  }

  #places(shape: Extract<ArgShape, { is: 'address' }>, given: readonly Choice[] | undefined): Domain<S> {
    const { few = 1 } = this.#scope;
    const step = this.#limits[shape.step] ?? 1;
    const most = Math.min(this.#limits[shape.to] ?? 1, few);
    const offsets = given?.flatMap((choice) => (isPlace(choice) ? choice.offset : []));
    const fixed = given?.filter((choice) => typeof choice === 'number') ?? [];
    const all = offsets ?? range(0, most - 1).map((at) => at * step);
    const { side, of: kinds } = shape;
    const starts = (world: S): number[] => kinds.flatMap((kind) => this.#spec.addresses(world, kind, side));
    return (present) => {
      const bases = present.list(`${side ?? ''}@${kinds.join()}`, starts);
      return [...new Set([...bases.flatMap((base) => all.map((offset) => base + offset)), ...fixed])];
    };
  }
}

const isPlace = (choice: Choice): choice is { readonly offset: number } =>
  typeof choice === 'object' && 'offset' in choice;

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);

/** Each single word, and all of them. */
const wordLists = (words: readonly string[]): (readonly string[])[] => [
  ...words.map((word) => [word]),
  ...(words.length > 1 ? [words] : []),
];

function firstNumbers(
  shape: Extract<ArgShape, { is: 'number' }>,
  limits: Readonly<Record<string, number>>,
  few: number,
): number[] {
  const to = typeof shape.to === 'number' ? shape.to : (limits[shape.to] ?? shape.from);
  const size = shape.unit === undefined ? 1 : (limits[shape.unit] ?? 1);
  const count = Math.min(Math.max(to - shape.from + 1, 1), few);
  return range(shape.from, shape.from + count - 1).map((number) => number * size);
}

/** Every list of so many things, in every order; a thing may be listed twice. */
function lists(things: readonly number[], count: Choice): (readonly number[])[] {
  if (typeof count !== 'number' || count <= 0) return [[]];
  return lists(things, count - 1).flatMap((list) => things.map((thing) => [...list, thing]));
}

function after(known: Known, arg: Arg): Known {
  const next = known.next.get(arg);
  if (next !== undefined) return next;
  const made = nothingKnown();
  known.next.set(arg, made);
  return made;
}

/** The combination of a number: the last argument changes first. */
function choose(values: readonly (readonly Arg[])[], number: number): Arg[] {
  const chosen: Arg[] = new Array<Arg>(values.length);
  let rest = number;
  for (let at = values.length - 1; at >= 0; at--) {
    const domain = values[at] as readonly Arg[];
    chosen[at] = domain[rest % domain.length] as Arg;
    rest = Math.floor(rest / domain.length);
  }
  return chosen;
}

function argsOf(names: readonly string[], values: readonly Arg[]): Args {
  const args: Record<string, Arg> = {};
  for (let at = 0; at < names.length; at++) args[names[at] as string] = values[at] as Arg;
  return args;
}
