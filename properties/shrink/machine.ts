/** Passes that make the machine simpler, or smaller. */
import type { Spec, Stateful } from '../../model/index.ts';
import { type Runs, type ScriptMachine, START_MAPS } from '../script.ts';
import { groups, isWhole, type Pass } from './pass.ts';

/** What a machine names: a number, a start map, or, behind a dot, a policy. */
function namedIn({ policies = {}, ...rest }: ScriptMachine): string[] {
  return [...Object.keys(rest), ...Object.keys(policies).map((policy) => `.${policy}`)];
}

function withoutNamed({ policies = {}, ...rest }: ScriptMachine, gone: ReadonlySet<string>): ScriptMachine {
  const left = Object.entries(policies).filter(([policy]) => !gone.has(`.${policy}`));
  const machine: ScriptMachine = Object.fromEntries(Object.entries(rest).filter(([name]) => !gone.has(name)));
  return left.length === 0 ? machine : { ...machine, policies: Object.fromEntries(left) };
}

/**
 * What the machine names, back to the default: all of it, halves, … down to single ones. A case shows what
 * matters.
 */
export const defaults: Pass = {
  name: 'defaults',
  *candidates(script, spec) {
    for (const group of groups(namedIn(script.machine))) {
      const machine = withoutNamed(script.machine, new Set(group));
      if (isWhole(machine, spec)) yield { ...script, machine };
    }
  },
};

/** Every number that is named: its least values, then half-way there; then one less. */
export const smallerMachine: Pass = {
  name: 'smaller machine',
  *candidates(script, spec) {
    const { machine } = script;
    const isHeld = START_MAPS.some((map) => machine[map] !== undefined);
    for (const [name, field] of Object.entries(spec.fields)) {
      if (machine[name] === undefined && !(name === 'pages' && isHeld)) continue;
      for (const smaller of descend(
        field.from,
        Number(machine[name] ?? field.default),
        field.powerOfTwo === true,
      )) {
        const changed = cutOff({ ...machine, [name]: smaller }, spec);
        if (isWhole(changed, spec)) yield { ...script, machine: changed };
      }
    }
  },
};

/**
 * Pages, or the largest block, instead of a start map: where memory is in crumbs, or short, with less to
 * say.
 */
export const fewPages: Pass = {
  name: 'few pages instead of held ones',
  *candidates(script, spec) {
    const { machine } = script;
    const maps = START_MAPS.filter((map) => machine[map] !== undefined);
    if (maps.length === 0) return;
    const free = withoutNamed(machine, new Set(maps));
    const few = Array.from({ length: SMALL }, (_, pages) => ({ ...free, pages: pages + 1 }));
    for (const each of [{ ...free, orderMax: 0 }, ...few]) {
      if (isWhole(each, spec)) yield { ...script, machine: each };
    }
  },
};

/** Frees pages that somebody holds from boot: half of the runs, single runs, single pages. */
export const fewerOccupied: Pass = {
  name: 'fewer occupied pages',
  *candidates(script) {
    for (const map of START_MAPS) {
      for (const runs of fewerRuns(script.machine[map] ?? []))
        yield { ...script, machine: { ...script.machine, [map]: runs } };
    }
  },
};

function* fewerRuns(runs: Runs): Generator<Runs> {
  for (const group of groups([...runs.keys()]))
    if (group.length < runs.length) yield runs.filter((_run, at) => !group.includes(at));
  for (const [index, [first, count]] of runs.entries()) {
    if (count > 1) yield runs.with(index, [first, count - 1]);
  }
}

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
export function cutOff<M, S extends Stateful>(machine: ScriptMachine, spec: Spec<M, S>): ScriptMachine {
  const pages = pagesOf(machine, spec);
  const inside = (runs: Runs): Runs =>
    runs
      .filter(([first]) => first < pages)
      .map(([first, count]): [number, number] => [first, Math.min(count, pages - first)]);
  const maps = START_MAPS.filter((map) => machine[map] !== undefined);
  return { ...machine, ...Object.fromEntries(maps.map((map) => [map, inside(machine[map] ?? [])])) };
}

export const pagesOf = <M, S extends Stateful>(machine: ScriptMachine, spec: Spec<M, S>): number =>
  typeof machine['pages'] === 'number' ? machine['pages'] : (spec.fields['pages']?.default ?? 0);
