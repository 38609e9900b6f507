/** The pass that lets the machine start short of something, where commands have used it up. */
import type { ArgShape, Spec, Stateful } from '../../model/index.ts';
import { limitsOfScript } from '../machine.ts';
import {
  type Argument,
  type Command,
  type Runs,
  type Script,
  type ScriptMachine,
  START_MAPS,
} from '../script.ts';
import { cutOff, pagesOf } from './machine.ts';
import { core, isWhole, type Pass, referencesOf, replaceCommand, unrelated, without } from './pass.ts';

/** Pages that are tried as one that somebody holds. */
const PAGES_HELD = 4;
/** Numbers of pages that a machine without the commands is tried with. */
const FEW = [1, 2, 3, 4, 5, 6, 8, 12, 16];

/**
 * Commands that the last one does not need go, and one of its steps fails. Or those that only take
 * something: all of them, and there are few pages, or less of all, or one is held; or one, and its pages
 * are not there, or are held.
 */
export const shortage: Pass = {
  name: 'a smaller machine instead of commands',
  *candidates(script, spec) {
    const needed = core(script, spec);
    const others = [...script.commands.keys()].filter((at) => !needed.has(at));
    if (others.length > 0) yield* failing(without(script, new Set(others), spec), spec);
    const takers = takersOf(script, spec);
    const gone = new Set([...takers, ...unrelated(script, spec)]);
    if (gone.size === 0) return;
    const bare = without(script, gone, spec);
    for (const pages of FEW) {
      yield* on(bare, { ...script.machine, pages }, spec);
      yield* on(bare, leastMachine(script.machine, pages, spec), spec);
    }
    for (let page = 0; page < PAGES_HELD; page++)
      yield* on(bare, { ...script.machine, occupied: withRun(script.machine, 'occupied', page, 1) }, spec);
    for (const at of takers) {
      const one = without(script, new Set([at]), spec);
      for (const machine of lessPages(script, script.commands[at] as Command, spec))
        yield* on(one, machine, spec);
    }
  },
};

/** Commands that the last one does not need, with a result that nobody names. */
function takersOf<M, S extends Stateful>(script: Script, spec: Spec<M, S>): number[] {
  const needed = core(script, spec);
  const named = new Set(script.commands.flatMap((command) => referencesOf(command, spec)));
  return [...script.commands.entries()].flatMap(([at, { as }]) =>
    needed.has(at) || as === undefined || named.has(as) ? [] : [at],
  );
}

/** Askings at which a step is made to fail. */
const ASKINGS = 2;

/** The last command with each of its steps that may fail. */
function* failing<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Generator<Script> {
  const at = script.commands.length - 1;
  const last = script.commands[at];
  if (last === undefined) return;
  for (const site of spec.calls[last.op]?.sites ?? []) {
    for (let n = 1; n <= ASKINGS; n++) yield replaceCommand(script, at, { ...last, fail: { [site]: n } });
  }
}

function* on<M, S extends Stateful>(
  script: Script,
  whole: ScriptMachine,
  spec: Spec<M, S>,
): Generator<Script> {
  const machine = cutOff(whole, spec);
  if (isWhole(machine, spec)) yield { ...script, machine };
}

/**
 * All numbers that scripts are generated with at their least, as far as they go together, but for the
 * pages.
 */
function leastMachine<M, S extends Stateful>(
  machine: ScriptMachine,
  pages: number,
  spec: Spec<M, S>,
): ScriptMachine {
  let least: ScriptMachine = { ...machine, pages };
  for (const [name, { from, drawn }] of Object.entries(spec.fields)) {
    const less = { ...least, [name]: from };
    if (drawn !== undefined && name !== 'pages' && isWhole(less, spec)) least = less;
  }
  return least;
}

/** Machines on which what a command may have held is not there, or is held by somebody else. */
function* lessPages<M, S extends Stateful>(
  { machine }: Script,
  command: Command,
  spec: Spec<M, S>,
): Generator<ScriptMachine> {
  const limits = limitsOfScript(spec, machine);
  const shapes = Object.entries(spec.calls[command.op]?.args ?? {});
  const [count = 1] = shapes.flatMap(([name, shape]) => pagesIn(shape, command[name] as Argument, limits));
  const [at] = shapes.flatMap(([name, shape]) =>
    shape.is === 'number' && shape.to === 'lastPage' ? [Number(command[name])] : [],
  );
  yield { ...machine, pages: pagesOf(machine, spec) - count };
  for (const map of START_MAPS) {
    // Pages may be moved only where some could be before.
    if (map === 'occupied' || machine[map] !== undefined || Object.values(command).includes(map))
      yield { ...machine, [map]: withRun(machine, map, at, count) };
  }
}

/** The pages that an argument asks for, if it does. */
function pagesIn(shape: ArgShape, value: Argument, limits: Readonly<Record<string, number>>): number[] {
  if (shape.is !== 'number') return [];
  if (shape.unit === 'pageBytes') return [Math.ceil(Number(value) / (limits['pageBytes'] ?? 1))];
  if (shape.to === 'orderMax') return [2 ** Number(value)];
  return shape.unit === undefined && shape.from === 1 && typeof shape.to === 'number' && shape.to < 255
    ? [Number(value)]
    : [];
}

/** The start map with one run more, at a page or at the lowest that has room. */
function withRun(
  machine: ScriptMachine,
  map: (typeof START_MAPS)[number],
  at: number | undefined,
  count: number,
): Runs {
  const held = START_MAPS.flatMap((each) => machine[each] ?? []);
  let first = at ?? 0;
  const inTheWay = (): readonly [number, number] | undefined =>
    held.find(([start, length]) => first < start + length && start < first + count);
  for (let other = inTheWay(); at === undefined && other !== undefined; other = inTheWay())
    first = other[0] + other[1];
  return [...(machine[map] ?? []), [first, count] as const].sort(([a], [b]) => a - b);
}
