/** The machine of a script, made whole: defaults filled in, ranges checked. */
import type { Spec, SpecField, Stateful } from '../model/index.ts';
import { ScriptError, type ScriptMachine, START_MAPS } from './script.ts';

const whole = new WeakMap<object, WeakMap<ScriptMachine, unknown>>();

/**
 * The whole machine of a script.
 *
 * @throws {ScriptError} when a field is unknown, out of range, or does not go with the others
 */
export function machineOf<M, S extends Stateful>(spec: Spec<M, S>, machine: ScriptMachine): M {
  const known = whole.get(spec) ?? new WeakMap<ScriptMachine, unknown>();
  whole.set(spec, known);
  const cached = known.get(machine);
  if (cached !== undefined) return cached as M;
  const made = makeMachine(spec, machine);
  known.set(machine, made);
  return made;
}

const limits = new WeakMap<object, Readonly<Record<string, number>>>();

/** `Spec.limits`, remembered: it is asked for every script, and machines are few. */
export function limitsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  machine: M,
): Readonly<Record<string, number>> {
  const known = limits.get(machine as object);
  if (known !== undefined) return known;
  const made = spec.limits(machine);
  limits.set(machine as object, made);
  return made;
}

/** The limits of a script's machine; none when there can be no such machine. */
export function limitsOfScript<M, S extends Stateful>(
  spec: Spec<M, S>,
  machine: ScriptMachine,
): Readonly<Record<string, number>> {
  try {
    return limitsOf(spec, machineOf(spec, machine));
  } catch {
    return {};
  }
}

const isOther = (name: string): boolean => name === 'policies' || START_MAPS.some((map) => map === name);

function makeMachine<M, S extends Stateful>(spec: Spec<M, S>, machine: ScriptMachine): M {
  for (const name of Object.keys(machine)) {
    if (Object.hasOwn(spec.fields, name) || isOther(name)) continue;
    throw new ScriptError(
      `machine.${name}`,
      `there is no such field; known are ${Object.keys(spec.fields).join(', ')}`,
    );
  }
  const numbers = Object.entries(spec.fields).map(([name, field]) => [
    name,
    numberOf(name, field, machine[name]),
  ]);
  const made = {
    ...(Object.fromEntries(numbers) as Record<string, number>),
    policies: policiesOf(spec, machine.policies ?? {}),
    occupied: machine.occupied ?? [],
    movable: machine.movable ?? [],
  } as unknown as M;
  const problem = spec.machineProblem(made);
  if (problem !== undefined) throw new ScriptError('machine', problem);
  return made;
}

function numberOf(name: string, field: SpecField, value: unknown): number {
  if (value === undefined) return field.default;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < field.from || value > field.to) {
    throw new ScriptError(
      `machine.${name}`,
      `${String(value)} is not an integer from ${field.from} to ${field.to}`,
    );
  }
  if (field.powerOfTwo === true && Math.log2(value) % 1 !== 0) {
    throw new ScriptError(`machine.${name}`, `${value} is not a power of two`);
  }
  return value;
}

function policiesOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  policies: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const [name, value] of Object.entries(policies)) {
    const policy = Object.hasOwn(spec.policies, name) ? spec.policies[name] : undefined;
    if (policy === undefined) {
      throw new ScriptError(
        `machine.policies.${name}`,
        `there is no such policy; known are ${Object.keys(spec.policies).join(', ')}`,
      );
    }
    if (!policy.values.includes(value)) {
      throw new ScriptError(`machine.policies.${name}`, `"${value}" is none of ${policy.values.join(', ')}`);
    }
  }
  const defaults = Object.entries(spec.policies).map(([name, { values }]) => [name, values[0] ?? '']);
  return { ...(Object.fromEntries(defaults) as Record<string, string>), ...policies };
}
