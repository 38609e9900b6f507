/** One way of making a script smaller. */
import type { Spec, Stateful } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import type { Command, Script } from '../script.ts';
import { argumentsOf, nameOf } from '../script.ts';

/**
 * A pass offers candidates, the boldest first. It runs nothing, and what it offers depends on its arguments alone:
 * the same passes serve our shrinker, which keeps the finding, and fast-check's, which keeps a failure.
 */
export interface Pass {
  readonly name: string;
  candidates<M, S extends Stateful>(script: Script, spec: Spec<M, S>): Iterable<Script>;
}

/** Names of results that a command refers to, its own left out. */
export function referencesOf<M, S extends Stateful>(command: Command, spec: Spec<M, S>): string[] {
  const shapes = spec.calls[command.op]?.args ?? {};
  return argumentsOf(command).flatMap(([name, value]) => {
    if (!REFERRING.has(shapes[name]?.is ?? '')) return [];
    if (typeof value === 'string') return [nameOf(value)];
    if (typeof value === 'number') return [];
    if (isPlace(value)) return [nameOf(value.in)];
    return value.filter((item) => typeof item === 'string').map(nameOf);
  });
}

const REFERRING: ReadonlySet<string> = new Set(['ref', 'refs', 'address']);

/** The script without some commands, and without those that need a result of them, directly or not. */
export function without<M, S extends Stateful>(
  script: Script,
  removed: ReadonlySet<number>,
  spec: Spec<M, S>,
): Script {
  const gone = new Set<string>();
  const commands = script.commands.filter((command, index) => {
    const keeps = !removed.has(index) && !referencesOf(command, spec).some((name) => gone.has(name));
    if (!keeps && command.as !== undefined) gone.add(command.as);
    return keeps;
  });
  return withSchedule({ ...script, commands });
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
