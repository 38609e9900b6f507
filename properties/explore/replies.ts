/**
 * Every reply that a rule admits. Values are made up as the rule reads them: what it rejects after the first field, it
 * rejects whatever the others are, so those are never enumerated. Nothing is known of the rule itself. After Boyapati,
 * Khurshid and Marinov, "Korat: automated testing based on Java predicates" (ISSTA 2002).
 */
import {
  type Args,
  type CallShape,
  type FieldShape,
  judge,
  type Range,
  type Reply,
  type Rule,
  type Seen,
  type Tally,
  type Terms,
  type Value,
} from '../../model/index.ts';
import { everyChoice } from '../choices.ts';

/** What the ranges of the table of calls come to in one state of one machine. */
export interface Space {
  readonly limits: Readonly<Record<string, number>>;
  /** The largest opaque number that may be in use: one more stands for all that are not. Without it all are taken. */
  readonly opaque?: number;
  /** What was told last of what is counted. */
  readonly counted: number;
}

/** A call in a state, and the rule that is asked about it. */
export interface Question<S> {
  readonly shape: CallShape;
  readonly rule: Rule<S, Args, Value>;
  readonly world: S;
  readonly args: Args;
  readonly seen: Seen;
  readonly terms: Terms;
  /** Sites that might have failed, beside those that did. */
  readonly faults: readonly string[];
  /** Fields that are known: names of pages, where pages have no numbers. */
  readonly fixed: Value;
}

export interface Replies {
  readonly values: readonly Value[];
  /** With the fault that may cause it, where nothing else allows it. */
  readonly errnos: readonly Extract<Reply, { readonly errno: string }>[];
  /** There were more values than could be tried. */
  readonly isCut: boolean;
  /** An errno is owed, so that no value is right. */
  readonly isRefused: boolean;
}

/** Values that are tried of one call in one state, at the most. */
const TRIED_MAX = 5_000;

const UNCOUNTED: Tally = { note: () => {}, unjudged: () => {} };

/** The rule admits the reply. */
export function isRight<S>({ rule, world, args, seen, terms }: Question<S>, reply: Reply): boolean {
  const after = reply.fired === undefined ? seen : { ...seen, fired: reply.fired };
  return judge(rule, world, args, reply, after, terms, UNCOUNTED, 0) === undefined;
}

/** All replies that the rule admits, in the order of the table. */
export function repliesTo<S>(asked: Question<S>, space: Space, triedMax: number = TRIED_MAX): Replies {
  const { rule, world, args, seen } = asked;
  const isRefused = rule.refuse.some(([, holds]) => holds(world, args, seen));
  const errnos = admittedErrnos(asked);
  if (isRefused) return { values: [], errnos, isCut: false, isRefused };
  const values: Value[] = [];
  const search = admittedValues(asked, space, triedMax);
  let next = search.next();
  for (; next.done !== true; next = search.next()) values.push(next.value);
  return { values, errnos, isCut: next.value === 'cut', isRefused };
}

/** The values that the rule admits, one after the other; 'cut' in the end where not all could be tried. */
export function* admittedValues<S>(
  asked: Question<S>,
  space: Space,
  triedMax: number,
): Generator<Value, 'all' | 'cut', void> {
  let tried = 0;
  for (const { below } of everyChoice()) {
    if (tried++ === triedMax) return 'cut';
    const value = undecided(asked, space, below);
    if (isRight(asked, { ok: value })) yield decided(value);
  }
  return 'all';
}

/** Each errno once: without a fault where that is right, else with the first site that may cause it. */
function admittedErrnos<S>(asked: Question<S>): Replies['errnos'] {
  const { rule, seen, terms } = asked;
  const named = [...rule.refuse, ...rule.may].map(([errno]) => errno);
  const caused = seen.fired.flatMap((site) => terms.sites[site] ?? []);
  const plain = [...named, ...caused].map((errno) => ({ errno }));
  const faults = asked.faults.flatMap((site) =>
    (terms.sites[site] ?? []).map((errno) => ({ errno, fired: [site] })),
  );
  const admitted = new Map<string, Replies['errnos'][number]>();
  for (const reply of [...plain, ...faults])
    if (!admitted.has(reply.errno) && isRight(asked, reply)) admitted.set(reply.errno, reply);
  return [...admitted.values()];
}

type Below = (bound: number) => number;

/** A value whose fields are chosen when they are read, and stay. */
function undecided<S>({ shape: { gives }, args, fixed }: Question<S>, space: Space, below: Below): Value {
  const value = { ...fixed };
  for (const [name, shape] of Object.entries(gives?.fields ?? {})) {
    if (name in fixed) continue;
    let known: number | readonly number[] | undefined;
    const get = (): number | readonly number[] => {
      known ??= choose(shape, args, space, below);
      return known;
    };
    Object.defineProperty(value, name, { enumerable: true, get });
  }
  return value;
}

/** The same as plain data; what the rule did not read is chosen now. */
const decided = (value: Value): Value =>
  Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, typeof field === 'number' ? field : [...field]]),
  );

function choose(shape: FieldShape, args: Args, space: Space, below: Below): number | readonly number[] {
  if ('counts' in shape) return space.counted + below(2);
  if (!('of' in shape)) return numberOrArgument(shape, args, space, below);
  const groups = below(limitOf(shape.most, space) + 1);
  const isOnce = shape.is === 'pfns';
  return undecidedList(groups * shape.of.length, (at, before) => {
    const range = shape.of[at % shape.of.length] as Range;
    return isOnce ? otherThan(before, range, space, below) : numberIn(range, space, below);
  });
}

/** A number that the list does not have yet. */
function otherThan(before: readonly number[], range: Range, space: Space, below: Below): number {
  const left: number[] = [];
  for (let at = 0; at < countOf(range, space); at++) {
    const number = ((range.from ?? 0) + at) * unitOf(range, space);
    if (!before.includes(number)) left.push(number);
  }
  return left[below(left.length)] ?? Number.NaN;
}

function numberOrArgument(range: Range, args: Args, space: Space, below: Below): number {
  const argument = range.or === undefined ? undefined : args[range.or];
  if (typeof argument !== 'number' || isIn(range, argument, space)) return numberIn(range, space, below);
  return below(2) === 0 ? argument : numberIn(range, space, below);
}

function isIn(range: Range, number: number, space: Space): boolean {
  const at = number / unitOf(range, space) - (range.from ?? 0);
  return Number.isInteger(at) && at >= 0 && at < countOf(range, space);
}

const numberIn = (range: Range, space: Space, below: Below): number =>
  ((range.from ?? 0) + below(countOf(range, space))) * unitOf(range, space);

/** A list whose entries are chosen when they are read, each knowing those before it. */
function undecidedList(
  length: number,
  choice: (at: number, before: readonly number[]) => number,
): readonly number[] {
  const known = new Array<boolean>(length).fill(false);
  const chosen: number[] = [];
  return new Proxy(new Array<number>(length).fill(0), {
    get(list, key, receiver) {
      const at = typeof key === 'string' ? Number(key) : -1;
      if (known[at] === false) {
        known[at] = true;
        list[at] = choice(at, chosen);
        chosen.push(list[at]);
      }
      return Reflect.get(list, key, receiver);
    },
  });
}

/** Numbers that the form of a field leaves, whatever the rule says; of lists, whether there are several. */
export function widthOf(shape: FieldShape, space: Space): number {
  if ('counts' in shape) return 2;
  if (!('of' in shape)) return countOf(shape, space);
  const entries = limitOf(shape.most, space) === 0 ? [] : shape.of.map((range) => countOf(range, space));
  return Math.max(1, ...entries);
}

function limitOf(limit: number | string, { limits }: Space): number {
  const number = typeof limit === 'number' ? limit : limits[limit];
  if (number === undefined) throw new Error(`internal error: ${limit} is no limit of the machine`);
  return number;
}

const unitOf = ({ unit = 1 }: Range, space: Space): number => limitOf(unit, space);

function countOf(range: Range, space: Space): number {
  const end = 'to' in range ? limitOf(range.to, space) + 1 : limitOf(range.below, space);
  const known = range.opaque === true && space.opaque !== undefined ? space.opaque + 2 : end;
  return Math.max(Math.min(end, known) - (range.from ?? 0), 0);
}
