/** Cases as text that people read and compare: the same case is the same bytes, one command stands on one line. */
import { SPEC } from '../model/index.ts';
import type { Command, Script, ScriptMachine } from '../properties/index.ts';
import type { Case } from './types.ts';

/** The text of a case, which `readCase` turns into the same case. */
export function writeCase({ script, ...known }: Case): string {
  const { format, title, property, target, found, finding, certificate, expect } = known;
  const fields = Object.entries({ format, title, property, target, found, finding, certificate, expect })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${inline(value)},`);
  return ['{', ...fields, '  "script": {', ...scriptLines(script), '  }', '}', ''].join('\n');
}

function scriptLines({ machine, commands, schedule }: Script): string[] {
  const lines = [
    `    "machine": ${inline(orderMachine(machine))},`,
    ...listLines('commands', commands.map(orderCommand)),
  ];
  if (schedule === undefined) return lines;
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ''},`, ...listLines('schedule', schedule)];
}

function listLines(name: string, items: readonly unknown[]): string[] {
  if (items.length === 0) return [`    "${name}": []`];
  const last = items.length - 1;
  const lines = items.map((item, at) => `      ${inline(item)}${at === last ? '' : ','}`);
  return [`    "${name}": [`, ...lines, '    ]'];
}

/** Fields in the order of the specification, then the rest. */
function orderMachine({ policies, occupied, movable, ...numbers }: ScriptMachine): object {
  return {
    ...ordered(numbers, Object.keys(SPEC.fields)),
    ...(policies === undefined ? {} : { policies: ordered(policies, Object.keys(SPEC.policies)) }),
    ...(occupied === undefined ? {} : { occupied }),
    ...(movable === undefined ? {} : { movable }),
  };
}

/** The call, its arguments in the order of the table, then the rest. */
function orderCommand(command: Command): object {
  const names = Object.keys(SPEC.calls[command.op]?.args ?? {});
  return ordered(command, ['op', ...names, 'as', 'actor', 'fail']);
}

const ordered = (value: object, names: readonly string[]): object =>
  Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(value, name))
      .map((name) => [name, value[name as keyof typeof value]]),
  );

/** JSON on one line, with the spaces that people put. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${JSON.stringify(name)}: ${inline(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
