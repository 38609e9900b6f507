/** One way of making a script smaller. */
import type { ArgShape, CallShape, Spec, Stateful } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { machineOf } from '../machine.ts';
import type { Argument, Command, Script, ScriptMachine } from '../script.ts';
import { argumentsOf, nameOf } from '../script.ts';

/**
 * A pass offers candidates, the boldest first. It runs nothing, and what it offers depends on its arguments
 * alone: the same passes serve our shrinker, which keeps the finding, and fast-check's, which keeps a
 * failure. Candidates are scripts whenever the script is one; whoever asks drops those that are not
 * smaller.
 */
export interface Pass {
  readonly name: string;
  candidates<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Iterable<Script>;
}

/** Names of results that a command refers to, its own left out. */
export function referencesOf<M, S extends Stateful>(command: Command, spec: Spec<M, S>): string[] {
  const shapes = spec.calls[command.op]?.args ?? {};
  return argumentsOf(command).flatMap(([name, value]) => (needsResult(shapes[name]) ? namesIn(value) : []));
}

/** Names of results in an argument that may have some. */
export function namesIn(value: Argument): string[] {
  if (typeof value === 'string') return [nameOf(value)];
  if (typeof value === 'number') return [];
  if (isPlace(value)) return [nameOf(value.in)];
  return value.filter((item) => typeof item === 'string').map(nameOf);
}

type Referring = Extract<ArgShape, { readonly is: 'ref' | 'refs' | 'address' }>;

/** Whether an argument of this shape may name a result. */
export const needsResult = (shape: ArgShape | undefined): shape is Referring =>
  shape?.is === 'ref' || shape?.is === 'refs' || shape?.is === 'address';

/** The kind of what a command gives under a name. */
export const kindOf = ({ as }: Command, shape: CallShape | undefined): string | undefined =>
  as === undefined ? undefined : shape?.gives?.kind;

/**
 * The script without some commands, and without those that need a result of them, directly or not. A list
 * that names others besides loses what is gone.
 */
export function without<M, S extends Stateful>(
  script: Script,
  removed: ReadonlySet<number>,
  spec: Spec<M, S>,
): Script {
  const gone = new Set<string>();
  const commands = script.commands.flatMap((whole, index) => {
    const command = removed.has(index) ? undefined : withoutNames(whole, gone, spec);
    if (command === undefined && whole.as !== undefined) gone.add(whole.as);
    return command === undefined ? [] : [command];
  });
  return withSchedule({ ...script, commands });
}

/** The command without some names in its lists, or undefined: it needs one of them. */
function withoutNames<M, S extends Stateful>(
  command: Command,
  gone: ReadonlySet<string>,
  spec: Spec<M, S>,
): Command | undefined {
  if (gone.size === 0 || !referencesOf(command, spec).some((name) => gone.has(name))) return command;
  const lists = Object.entries(spec.calls[command.op]?.args ?? {}).flatMap(
    ([name, { is }]): [string, Argument][] => {
      const value = command[name];
      const left = Array.isArray(value) ? value.filter((item) => !gone.has(nameOf(String(item)))) : [];
      return is === 'refs' && left.length > 0 ? [[name, left]] : [];
    },
  );
  const rest = { ...command, ...Object.fromEntries(lists) };
  return referencesOf(rest, spec).some((name) => gone.has(name)) ? undefined : rest;
}

/** Indices of some commands and of all that they need, directly or not. */
export function closureOf<M, S extends Stateful>(
  { commands }: Script,
  wanted: Iterable<number>,
  spec: Spec<M, S>,
): Set<number> {
  const makers = new Map(commands.flatMap(({ as }, at) => (as === undefined ? [] : [[as, at]])));
  const all = new Set(wanted);
  for (const at of all) {
    for (const name of referencesOf(commands[at] as Command, spec)) {
      const maker = makers.get(name);
      if (maker !== undefined && maker < at) all.add(maker);
    }
  }
  return all;
}

/** What the last command needs: where a script ends with its finding, that one is what fails. */
export function core<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Set<number> {
  const { commands, schedule = [] } = script;
  const preempted = schedule.map(({ in: name }) => commands.findIndex(({ as }) => as === name));
  const last = commands.length - 1;
  return closureOf(
    script,
    [last, ...preempted].filter((at) => at >= 0),
    spec,
  );
}

/** The script with a schedule only where one is left: preemptions of commands that are gone go too. */
export function withSchedule(script: Script): Script {
  const { schedule, ...rest } = script;
  const names = new Set(script.commands.map((command) => command.as));
  const left = (schedule ?? []).filter(({ in: name }) => names.has(name));
  return left.length === 0 ? rest : { ...rest, schedule: left };
}

export function replaceCommand(script: Script, index: number, command: Command): Script {
  return { ...script, commands: script.commands.with(index, command) };
}

/**
 * Groups of a list, as delta debugging takes them: all, halves, quarters, … down to single ones, from the
 * end.
 */
export function* groups<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let size = list.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = list.length - size; from > -size; from -= size)
      yield list.slice(Math.max(from, 0), Math.max(from, 0) + size);
  }
}

/** Whether there can be such a machine. */
export function isWhole<M, S extends Stateful>(machine: ScriptMachine, spec: Spec<M, S>): boolean {
  try {
    machineOf(spec, machine);
    return true;
  } catch {
    return false;
  }
}

/** Commands that a last one neither needs nor shares anything with, by name. */
export function unrelated<M, S extends Stateful>(script: Script, spec: Spec<M, S>): number[] {
  const near = core(script, spec);
  const names = new Set<string>();
  const namesOf = (at: number): string[] => {
    const command = script.commands[at] as Command;
    return [...(command.as === undefined ? [] : [command.as]), ...referencesOf(command, spec)];
  };
  for (let known = -1; known < near.size; ) {
    known = near.size;
    for (const at of near) for (const name of namesOf(at)) names.add(name);
    for (const at of script.commands.keys()) if (namesOf(at).some((name) => names.has(name))) near.add(at);
  }
  return [...script.commands.keys()].filter((at) => !near.has(at));
}
