/** Passes that make arguments smaller: numbers, words, lists and places. */
import type { ArgShape, CallShape } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { limitsOfScript } from '../machine.ts';
import { type Argument, argumentsOf, type Place } from '../script.ts';
import { groups, type Pass, replaceCommand } from './pass.ts';

type Limits = Readonly<Record<string, number>>;

/** The least that an argument can be, by its shape alone; undefined: it names something. */
export function leastValue(
  shape: ArgShape | undefined,
  value: Argument,
  limits: Limits,
): Argument | undefined {
  switch (shape?.is) {
    case 'number':
      return shape.from * (shape.unit === undefined ? 1 : (limits[shape.unit] ?? 1));
    case 'word':
      return shape.of[0];
    case 'words':
      return shape.of.slice(0, 1);
    case 'address':
      return isPlace(value) ? { ...value, offset: 0 } : 0;
    case 'refs':
      return Array.isArray(value) ? value.slice(0, 1) : undefined;
    default:
      return undefined;
  }
}

/** All arguments at their least at once, half of them, … down to single ones. */
export const leastArguments: Pass = {
  name: 'least arguments',
  *candidates(script, spec) {
    const limits = limitsOfScript(spec, script.machine);
    const larger = script.commands.flatMap((command, at) => {
      const { args = {} }: Partial<CallShape> = spec.calls[command.op] ?? {};
      return argumentsOf(command).flatMap(([name, value]) => {
        const least = leastValue(args[name], value, limits);
        return least === undefined || JSON.stringify(least) === JSON.stringify(value)
          ? []
          : [{ at, name, least }];
      });
    });
    for (const group of groups(larger)) {
      const commands = [...script.commands];
      for (const { at, name, least } of group)
        commands[at] = { ...(commands[at] as (typeof commands)[number]), [name]: least };
      yield { ...script, commands };
    }
  },
};

/** Each argument alone: whatever is smaller, from the least. */
export const smallerArguments: Pass = {
  name: 'smaller arguments',
  *candidates(script, spec) {
    const limits = limitsOfScript(spec, script.machine);
    for (const [index, command] of script.commands.entries()) {
      const shapes = spec.calls[command.op]?.args ?? {};
      for (const [name, value] of argumentsOf(command)) {
        for (const smaller of smallerValues(shapes[name], value, limits))
          yield replaceCommand(script, index, { ...command, [name]: smaller });
      }
    }
  },
};

function* smallerValues(shape: ArgShape | undefined, value: Argument, limits: Limits): Generator<Argument> {
  if (shape === undefined) return;
  if (shape.is === 'number' && typeof value === 'number') {
    const unit = shape.unit === undefined ? 1 : (limits[shape.unit] ?? 1);
    yield* smallerNumbers(shape.from * unit, value, unit);
  } else if (shape.is === 'address' && isPlace(value)) {
    yield* smallerPlaces(value, limits[shape.step] ?? 1);
  } else if (shape.is === 'address' && typeof value === 'number') {
    yield* smallerNumbers(0, value, limits[shape.step] ?? 1);
  } else if (shape.is === 'word') {
    yield* shape.of.slice(0, shape.of.indexOf(value as string));
  } else if ((shape.is === 'refs' || shape.is === 'words') && Array.isArray(value)) {
    for (const at of value.keys()) if (value.length > 1) yield value.toSpliced(at, 1);
  }
}

/** From the smallest sensible value up, by halves: whole units first. */
function* smallerNumbers(least: number, value: number, unit: number): Generator<number> {
  if (value > 0 && value < least) yield least;
  if (value <= least) return;
  yield least;
  for (let gap = Math.floor((value - least) / 2); gap >= 1; gap = Math.floor(gap / 2)) {
    const candidate = value - gap;
    const rounded = Math.ceil(candidate / unit) * unit;
    if (rounded > least && rounded < value) yield rounded;
    if (candidate > least && candidate !== rounded && unit === 1) yield candidate;
  }
  if (value % unit !== 0) yield Math.ceil(value / unit) * unit;
}

function* smallerPlaces(place: Place, step: number): Generator<Place> {
  for (const offset of smallerNumbers(0, place.offset, step)) yield { ...place, offset };
}
