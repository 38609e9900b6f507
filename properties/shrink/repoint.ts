/** The pass that makes do with one result where there were two. */
import type { Spec, Stateful } from '../../model/index.ts';
import { type Argument, argumentsOf, type Command, nameOf, type Script } from '../script.ts';
import { renameIn } from './names.ts';
import { kindOf, namesIn, needsResult, type Pass, referencesOf, without } from './pass.ts';

/**
 * Every result is replaced by another that its users take as well, wherever that one is made before; the
 * call that made it goes, with what used it earlier.
 */
export const repoint: Pass = {
  name: 're-point references',
  *candidates(script, spec) {
    const results = resultsOf(script, spec);
    for (const { name, at } of results) {
      if (!script.commands.some((command) => referencesOf(command, spec).includes(name))) continue;
      const kinds = kindsTaken(script, name, spec);
      for (const other of results) {
        if (other.name === name || !kinds(other.kind)) continue;
        yield without(renamedAfter(script, other.at, name, other.name, spec), new Set([at]), spec);
      }
    }
  },
};

interface Result {
  readonly name: string;
  readonly at: number;
  readonly kind: string;
}

function resultsOf<M, S extends Stateful>({ commands }: Script, spec: Spec<M, S>): Result[] {
  return commands.flatMap((command, at) => {
    const kind = kindOf(command, spec.calls[command.op]);
    return command.as === undefined || kind === undefined ? [] : [{ name: command.as, at, kind }];
  });
}

/**
 * Says whether all that name a result would take one of a kind: its own, or one that has no need of its
 * fields.
 */
export function kindsTaken<M, S extends Stateful>(
  { commands }: Script,
  name: string,
  spec: Spec<M, S>,
): (kind: string) => boolean {
  const own = commands.find(({ as }) => as === name);
  const taken = commands.flatMap((command) =>
    Object.entries(spec.calls[command.op]?.args ?? {}).flatMap(([arg, shape]) => {
      const value = command[arg] as Argument;
      if (!needsResult(shape) || !namesIn(value).includes(name)) return [];
      return JSON.stringify(value).includes(`"${name}.`) ? [[]] : [shape.of];
    }),
  );
  return (kind) =>
    kind === spec.calls[own?.op ?? '']?.gives?.kind || taken.every((kinds) => kinds.includes(kind));
}

/** The script with another name for a result, in what comes after a command. */
export function renamedAfter<M, S extends Stateful>(
  script: Script,
  after: number,
  name: string,
  other: string,
  spec: Spec<M, S>,
): Script {
  const rename = (reference: string): string =>
    nameOf(reference) === name ? other + reference.slice(name.length) : reference;
  const commands = script.commands.map((command, at): Command => {
    if (at <= after || !referencesOf(command, spec).includes(name)) return command;
    const shapes = spec.calls[command.op]?.args ?? {};
    const args = argumentsOf(command).map(([key, value]): [string, Argument] => [
      key,
      needsResult(shapes[key]) ? renameIn(value, rename) : value,
    ]);
    return { ...command, ...Object.fromEntries(args) };
  });
  return { ...script, commands };
}
