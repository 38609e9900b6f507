/** Passes that make the machine smaller. */

import type { Spec, Stateful } from '../../model/index.ts';
import { machineOf } from '../machine.ts';
import { type Runs, type ScriptMachine, START_MAPS } from '../script.ts';
import type { Pass } from './pass.ts';

/** Every number of the machine: its smallest values, then half-way there; then one less. */
export const smallerMachine: Pass = {
  name: 'smaller machine',
  *candidates(script, spec) {
    const { machine } = script;
    for (const [name, field] of Object.entries(spec.fields)) {
      const value = machine[name];
      if (typeof value !== 'number' && field.drawn === undefined) continue;
      const now = typeof value === 'number' ? value : field.default;
      for (const smaller of descend(field.from, now, field.powerOfTwo === true)) {
        const changed = cutOff({ ...machine, [name]: smaller }, spec);
        if (isWhole(changed, spec)) yield { ...script, machine: changed };
      }
    }
  },
};

/** Every policy: its first value. */
export const firstPolicies: Pass = {
  name: 'first values of policies',
  *candidates(script, spec) {
    const { policies = {} } = script.machine;
    for (const [name, value] of Object.entries(policies)) {
      const first = spec.policies[name]?.values[0];
      if (first === undefined || first === value) continue;
      yield { ...script, machine: { ...script.machine, policies: { ...policies, [name]: first } } };
    }
  },
};

/** Frees pages that somebody holds from boot: all, half of the runs, single runs, single pages. */
export const fewerOccupied: Pass = {
  name: 'fewer occupied pages',
  *candidates(script) {
    for (const map of START_MAPS) {
      for (const runs of fewerRuns(script.machine[map] ?? [])) {
        yield { ...script, machine: { ...script.machine, [map]: runs } };
      }
    }
  },
};

function* fewerRuns(runs: Runs): Generator<Runs> {
  for (let size = runs.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < runs.length; from += size) yield runs.toSpliced(from, size);
  }
  for (const [index, [first, count]] of runs.entries()) {
    if (count > 1) yield runs.with(index, [first, count - 1]);
  }
}

/** Leaves out what is the default anyway, so that the case shows only what matters. */
export const bareMachine: Pass = {
  name: 'defaults',
  *candidates(script, spec) {
    const kept = Object.entries(script.machine).filter(([name, value]) => {
      if (START_MAPS.some((map) => map === name)) return Array.isArray(value) && value.length > 0;
      return name === 'policies' || value !== spec.fields[name]?.default;
    });
    const policies = Object.entries(script.machine.policies ?? {}).filter(
      ([name, value]) => value !== spec.policies[name]?.values[0],
    );
    const machine: ScriptMachine = Object.fromEntries(kept.filter(([name]) => name !== 'policies'));
    const bare = policies.length === 0 ? machine : { ...machine, policies: Object.fromEntries(policies) };
    if (JSON.stringify(bare) !== JSON.stringify(script.machine)) yield { ...script, machine: bare };
  },
};

/** Values that are tried one by one: what needs few of something often needs just a certain few. */
const SMALL = 8;

function* descend(from: number, now: number, powerOfTwo: boolean): Generator<number> {
  if (now <= from) return;
  yield from;
  if (powerOfTwo) {
    for (let value = from * 2; value < now; value *= 2) yield value;
    return;
  }
  const end = Math.min(from + SMALL, now);
  for (let value = from + 1; value < end; value++) yield value;
  const half = Math.floor((from + now) / 2);
  if (half >= end) yield half;
  if (now - 1 > half && now - 1 >= end) yield now - 1;
}

/** The start maps, without what lies outside a smaller machine. */
function cutOff<M, S extends Stateful>(machine: ScriptMachine, spec: Spec<M, S>): ScriptMachine {
  const pages =
    typeof machine['pages'] === 'number' ? machine['pages'] : (spec.fields['pages']?.default ?? 0);
  const inside = (runs: Runs): Runs =>
    runs
      .filter(([first]) => first < pages)
      .map(([first, count]): [number, number] => [first, Math.min(count, pages - first)]);
  const maps = START_MAPS.filter((map) => machine[map] !== undefined);
  return { ...machine, ...Object.fromEntries(maps.map((map) => [map, inside(machine[map] ?? [])])) };
}

function isWhole<M, S extends Stateful>(machine: ScriptMachine, spec: Spec<M, S>): boolean {
  try {
    machineOf(spec, machine);
    return true;
  } catch {
    return false;
  }
}
