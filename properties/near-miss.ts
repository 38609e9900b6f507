/**
 * Replies that are nearly right, made from a right one: what a rule must tell from the real one, and what an
 * implementation that is off by one would say. Numbers in one field can all be tried, but only those that the table of
 * calls knows of; of lists there are too many.
 */
import type { Spec, Stateful, Value } from '../model/index.ts';

/** Names of the limits in which the table of calls counts sizes and addresses. */
export function unitsOf<M, S extends Stateful>({ calls, kinds }: Spec<M, S>): string[] {
  const args = Object.values(calls).flatMap((shape) => Object.values(shape.args));
  const units = args.map((arg) =>
    arg.is === 'address' ? arg.step : arg.is === 'number' ? arg.unit : undefined,
  );
  const starts = Object.values(kinds).map(({ address }) => address?.unit);
  return [...new Set([...units, ...starts].filter((unit) => unit !== undefined))];
}

/** Entries of a list that are changed one by one; lists are longer only on large machines. */
const ENTRIES_MAX = 8;

/**
 * Replies that differ from a right one in one field, or in one number wherever it stands.
 *
 * @param units - sizes in which addresses and lengths are counted, such as those of pages and lines
 * @param taken - numbers that something has already
 */
export function* nearMisses(
  value: Value,
  units: readonly number[],
  taken: readonly number[],
): Generator<Value> {
  const steps = [...new Set([1, ...units])];
  const near = (number: number): number[] => {
    const moved = steps.flatMap((step) => [number + step, number - step]);
    return [...new Set([...moved, ...taken, 0, -1])].filter((other) => other !== number);
  };
  for (const [field, known] of Object.entries(value)) {
    const others = typeof known === 'number' ? near(known) : nearLists(known, near, steps);
    for (const other of others) yield { ...value, [field]: other };
  }
  const numbers: number[] = Object.values(value).flat();
  const twice = new Set(numbers.filter((number, at) => numbers.indexOf(number) < at));
  for (const number of [...twice].slice(0, ENTRIES_MAX))
    for (const other of near(number)) yield everywhere(value, number, other);
}

/** The number is another one wherever the value has it. */
const everywhere = (value: Value, from: number, to: number): Value =>
  Object.fromEntries(
    Object.entries(value).map(([field, known]) => [
      field,
      typeof known === 'number' ? replaced(known, from, to) : known.map((each) => replaced(each, from, to)),
    ]),
  );

const replaced = (number: number, from: number, to: number): number => (number === from ? to : number);

/** Lists with an entry too few, too many, twice, in another place, or another one. */
function* nearLists(
  list: readonly number[],
  near: (number: number) => number[],
  steps: readonly number[],
): Generator<readonly number[]> {
  if (list.length > 0) yield [];
  for (const count of [1, 2]) {
    if (list.length < count) continue;
    yield list.slice(0, -count);
    yield list.slice(count);
    yield [...list, ...list.slice(-count)];
  }
  yield [...list, (list.at(-1) ?? 0) + 1];
  for (let at = 0; at < Math.min(list.length, ENTRIES_MAX); at++) {
    const number = list[at] ?? 0;
    for (const other of near(number)) yield list.with(at, other);
    for (let to = at + 1; to < Math.min(list.length, ENTRIES_MAX); to++) {
      if (list[to] !== number) yield list.with(at, list[to] ?? 0).with(to, number);
      for (const step of steps) yield list.with(at, number - step).with(to, (list[to] ?? 0) + step);
    }
  }
}
