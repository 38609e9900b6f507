/** The pass that makes arguments smaller: numbers, words, lists, places and faults. */
import type { ArgShape } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { limitsOfScript } from '../machine.ts';
import { type Argument, argumentsOf, type Command, type Place } from '../script.ts';
import { type Pass, replaceCommand } from './pass.ts';

export const smallerArguments: Pass = {
  name: 'smaller arguments',
  *candidates(script, spec) {
    const limits = limitsOfScript(spec, script.machine);
    for (const [index, command] of script.commands.entries()) {
      const shapes = spec.calls[command.op]?.args ?? {};
      for (const [name, value] of argumentsOf(command)) {
        for (const smaller of smallerValues(shapes[name], value, limits)) {
          yield replaceCommand(script, index, { ...command, [name]: smaller });
        }
      }
      for (const smaller of earlierFaults(command)) yield replaceCommand(script, index, smaller);
    }
  },
};

function* smallerValues(
  shape: ArgShape | undefined,
  value: Argument,
  limits: Readonly<Record<string, number>>,
): Generator<Argument> {
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

function* earlierFaults(command: Command): Generator<Command> {
  for (const [site, n] of Object.entries(command.fail ?? {})) {
    for (let earlier = 1; earlier < n; earlier++)
      yield { ...command, fail: { ...command.fail, [site]: earlier } };
  }
}
