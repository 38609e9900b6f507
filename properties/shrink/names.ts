/** Names as a reader would give them: results of a kind numbered from 1, actors from b, in the order of the script. */

import { isPlace } from '../argument-form.ts';
import { type Argument, argumentsOf, type Command, type Script } from '../script.ts';

/** The same script with every name that ends in a number replaced; names that somebody chose stay. */
export function renamed(script: Script): Script {
  const names = newNames(script.commands);
  const rename = (reference: string): string => {
    const [name = '', ...fields] = reference.split('.');
    return [names.get(name) ?? name, ...fields].join('.');
  };
  const actors = newActors(script.commands);
  const commands = script.commands.map((command): Command => {
    const args = argumentsOf(command).map(([name, value]): [string, Argument] => [
      name,
      renameIn(value, rename),
    ]);
    return {
      ...command,
      ...Object.fromEntries(args),
      ...(command.as === undefined ? {} : { as: rename(command.as) }),
      ...(command.actor === undefined ? {} : { actor: actors.get(command.actor) ?? command.actor }),
    };
  });
  if (script.schedule === undefined) return { ...script, commands };
  const schedule = script.schedule.map((entry) => ({
    ...entry,
    in: rename(entry.in),
    to: actors.get(entry.to) ?? entry.to,
  }));
  return { ...script, commands, schedule };
}

/** New names of the actors that are called by a letter, as drawn ones are. */
function newActors(commands: readonly Command[]): Map<string, string> {
  const drawn = commands.flatMap(({ actor = '' }) => (/^[b-z]$/.test(actor) ? [actor] : []));
  return new Map([...new Set(drawn)].map((actor, at) => [actor, String.fromCharCode(98 + at)]));
}

function newNames(commands: readonly Command[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set(commands.flatMap(({ as }) => (as === undefined || /\d$/.test(as) ? [] : [as])));
  const counts = new Map<string, number>();
  for (const { as } of commands) {
    const stem = as?.match(/^(.*?)\d+$/)?.[1];
    if (as === undefined || stem === undefined) continue;
    let count = counts.get(stem) ?? 0;
    do count++;
    while (taken.has(`${stem}${count}`));
    counts.set(stem, count);
    names.set(as, `${stem}${count}`);
  }
  return names;
}

export function renameIn(value: Argument, rename: (reference: string) => string): Argument {
  if (typeof value === 'string') return rename(value);
  if (typeof value === 'number') return value;
  if (isPlace(value)) return { ...value, in: rename(value.in) };
  return value.map((item) => (typeof item === 'string' ? rename(item) : item));
}
