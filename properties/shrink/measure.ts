/** The total order in which scripts are smaller: it only ever goes down, so shrinking ends. */
import type { ArgShape, Spec, Stateful } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { limitsOfScript } from '../machine.ts';
import {
  type Argument,
  argumentsOf,
  type Command,
  type Script,
  type ScriptMachine,
  START_MAPS,
} from '../script.ts';

/**
 * Compared from the first part on; less is smaller. No two different scripts have the same: the text comes
 * last.
 */
export type Measure = readonly (number | string)[];

/**
 * Commands count most, then faults, preemptions and actors, then what has to be said of the machine, then
 * its numbers, then what the arguments say, then the text: fewer commands are worth a larger number in one
 * of them, as fragmentation bugs need, and a machine of which little has to be said is simpler than a small
 * one.
 */
export function measure<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Measure {
  const { commands, schedule = [], machine } = script;
  const extras = commands.reduce((sum, command) => sum + extrasOf(command), schedule.length);
  const limits = limitsOfScript(spec, machine);
  const args = commands.reduce((sum, command) => sum + weightOf(spec, command, limits), 0);
  const text = JSON.stringify(script);
  return [commands.length, extras, saidOf(spec, machine), numbersOf(spec, machine), args, text.length, text];
}

export function isSmaller(a: Measure, b: Measure): boolean {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}

const extrasOf = ({ fail, actor }: Command): number =>
  Object.values(fail ?? {}).reduce((sum, n) => sum + n, 0) + (actor === undefined ? 0 : 1);

/** Numbers and policies that are named, and pages and runs that somebody holds. */
function saidOf<M, S extends Stateful>(spec: Spec<M, S>, machine: ScriptMachine): number {
  const { policies = {}, ...rest } = machine;
  const numbers = Object.keys(rest).filter((name) => name in spec.fields).length;
  const choices = Object.entries(policies).reduce(
    (sum, [name, value]) => sum + 1 + Math.max(spec.policies[name]?.values.indexOf(value) ?? 0, 0),
    0,
  );
  const runs = START_MAPS.flatMap((map) => machine[map] ?? []);
  return numbers + choices + runs.reduce((sum, [, count]) => sum + 1 + count, 0);
}

/** The numbers that are named, each by its default. */
const numbersOf = <M, S extends Stateful>(spec: Spec<M, S>, machine: ScriptMachine): number =>
  Object.entries(spec.fields).reduce((sum, [name, field]) => {
    const value = machine[name];
    return sum + (typeof value === 'number' ? value / Math.max(field.default, 1) : 0);
  }, 0);

function weightOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  command: Command,
  limits: Readonly<Record<string, number>>,
): number {
  const shapes = spec.calls[command.op]?.args ?? {};
  return argumentsOf(command).reduce((sum, [name, value]) => sum + sizeOf(shapes[name], value, limits), 0);
}

/** Numbers count in their units, and a ragged one a little more than the next whole one. */
function sizeOf(
  shape: ArgShape | undefined,
  value: Argument,
  limits: Readonly<Record<string, number>>,
): number {
  const words = shape?.is === 'word' || shape?.is === 'words' ? shape.of : [];
  if (Array.isArray(value))
    return value.reduce((sum, item) => sum + 1 + Math.max(words.indexOf(item as string), 0), 0);
  if (isPlace(value)) return magnitude(value.offset);
  if (words.length > 0) return words.indexOf(value as string);
  if (shape?.is === 'ref' && typeof value === 'string') return 0;
  const unit = shape?.is === 'number' && shape.unit !== undefined ? (limits[shape.unit] ?? 1) : 1;
  const units = Number(value) / unit;
  return magnitude(Math.ceil(units)) + (Number.isInteger(units) ? 0 : 1);
}

const magnitude = (value: number): number => Math.log2(2 + Math.abs(value));
