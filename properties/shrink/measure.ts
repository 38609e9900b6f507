/** The total order in which scripts are smaller: it only ever goes down, so shrinking ends. */
import type { Spec, Stateful } from '../../model/index.ts';
import { limitsOfScript } from '../machine.ts';
import { type Argument, argumentsOf, type Command, type Script, START_MAPS } from '../script.ts';

/** Compared from the first number on; less is smaller. */
export type Measure = readonly number[];

/**
 * Commands count most, then faults and preemptions, then the machine, then what the arguments say, then the text:
 * fewer commands are worth a larger number in one of them, as fragmentation bugs need.
 */
export function measure<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Measure {
  const { commands, schedule = [], machine } = script;
  const extras = commands.reduce((sum, command) => sum + extrasOf(command), schedule.length);
  const numbers = Object.entries(spec.fields).reduce((sum, [name, field]) => {
    const value = machine[name];
    return sum + (typeof value === 'number' ? value : field.default) / Math.max(field.default, 1);
  }, 0);
  const policies = Object.entries(machine.policies ?? {}).reduce(
    (sum, [name, value]) => sum + Math.max(spec.policies[name]?.values.indexOf(value) ?? 0, 0),
    0,
  );
  const runs = START_MAPS.flatMap((map) => machine[map] ?? []);
  const occupied = runs.reduce((sum, [, count]) => sum + 1 + count, 0);
  const limits = limitsOfScript(spec, machine);
  const args = commands.reduce((sum, command) => sum + weightOf(spec, command, limits), 0);
  return [commands.length, extras, numbers, policies, occupied, args, JSON.stringify(script).length];
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

function weightOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  command: Command,
  limits: Readonly<Record<string, number>>,
): number {
  const shapes = spec.calls[command.op]?.args ?? {};
  return argumentsOf(command).reduce((sum, [name, value]) => {
    const shape = shapes[name];
    if (shape?.is === 'word') return sum + shape.of.indexOf(value as string);
    const unit = shape?.is === 'number' && shape.unit !== undefined ? limits[shape.unit] : 1;
    return sum + sizeOf(value, unit ?? 1);
  }, 0);
}

/** Whole units are simpler than ragged sizes, so a remainder weighs a little more than rounding up. */
function sizeOf(value: Argument, unit: number): number {
  if (typeof value === 'number') return Math.log2(2 + Math.abs(value)) + (value % unit !== 0 ? 1 : 0);
  if (typeof value === 'string') return 0;
  if (Array.isArray(value)) return value.length;
  return Math.log2(2 + Math.abs((value as { readonly offset: number }).offset));
}
