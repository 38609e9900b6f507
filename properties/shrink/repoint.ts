/** The pass that makes do with one result where there were two. */
import type { Spec, Stateful } from '../../model/index.ts';
import { type Argument, argumentsOf, type Command, nameOf, type Script } from '../script.ts';
import { renameIn } from './names.ts';
import { type Pass, referencesOf, withSchedule } from './pass.ts';

/** Every result is replaced by another of its kind, wherever it is used, and the call that made it goes. */
export const repoint: Pass = {
  name: 're-point references',
  *candidates(script, spec) {
    const results = resultsOf(script, spec);
    for (const { name, at, kind } of results) {
      const firstUse = script.commands.findIndex((command) => referencesOf(command, spec).includes(name));
      for (const other of results) {
        if (other.name === name || other.kind !== kind || (firstUse >= 0 && other.at >= firstUse)) continue;
        yield replaced(script, name, at, other.name);
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
  return commands.flatMap(({ op, as }, at) => {
    const kind = spec.calls[op]?.gives?.kind;
    return as === undefined || kind === undefined ? [] : [{ name: as, at, kind }];
  });
}

function replaced(script: Script, name: string, at: number, other: string): Script {
  const rename = (reference: string): string =>
    nameOf(reference) === name ? other + reference.slice(name.length) : reference;
  const commands = script.commands.toSpliced(at, 1).map((command): Command => {
    const args = argumentsOf(command).map(([key, value]): [string, Argument] => [
      key,
      renameIn(value, rename),
    ]);
    return { ...command, ...Object.fromEntries(args) };
  });
  return withSchedule({ ...script, commands });
}
