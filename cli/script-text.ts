/** Scripts as people write them: one call a line, in the spelling of C. */
import { type ArgShape, SPEC } from '../model/index.ts';
import type { Argument, Command, Place, Script, ScriptMachine } from '../properties/index.ts';
import { many } from './table.ts';

/** Runs of pages that are listed one by one. */
const RUNS_SHOWN = 32;

/** `h = ion_alloc(alice, bytes 128, heaps [iommu])`: references stand alone, all else has its name. */
export function commandText({ op, as, actor, fail, ...args }: Command): string {
  const shapes = SPEC.calls[op]?.args ?? {};
  const list = Object.entries(shapes).map(([name, shape]) =>
    argumentText(name, shape, args[name] as Argument),
  );
  const faults = Object.entries(fail ?? {}).map(([site, n]) => `${site} fails at ${n}`);
  const notes = [...(actor === undefined ? [] : [`by ${actor}`]), ...faults];
  const call = `${op}(${list.join(', ')})${notes.length === 0 ? '' : ` /* ${notes.join(', ')} */`}`;
  return as === undefined ? call : `${as} = ${call}`;
}

function argumentText(name: string, { is }: ArgShape, value: Argument): string {
  if (typeof value === 'object' && 'in' in value) return placeText(value as Place);
  const text = Array.isArray(value) ? `[${value.join(' ')}]` : String(value);
  return is === 'ref' && typeof value === 'string' ? text : `${name} ${text}`;
}

const placeText = ({ in: name, offset }: Place): string =>
  offset === 0 ? name : `${name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;

/** The commands, numbered from 1; the one at `marked` stands out. */
export function scriptLines({ machine, commands, schedule = [] }: Script, marked: number): string[] {
  const width = String(commands.length).length;
  return [
    `  machine: ${machineText(machine)}`,
    ...commands.map((command, at) => {
      const mark = at === marked ? '>' : ' ';
      return `${mark} ${String(at + 1).padStart(width)}  ${commandText(command)}`;
    }),
    ...(marked >= commands.length ? ['> then everything is given back'] : []),
    ...schedule.map(
      ({ in: name, point, to }) => `  ${name} stops at its switch point ${point}, ${to} goes on`,
    ),
  ];
}

/** What differs from the defaults. */
export function machineText({
  policies = {},
  occupied = [],
  movable = [],
  ...numbers
}: ScriptMachine): string {
  const fields = Object.entries(numbers)
    .filter(([name, value]) => value !== SPEC.fields[name]?.default)
    .map(([name, value]) => `${name} ${String(value)}`);
  const choices = Object.entries(policies)
    .filter(([name, value]) => value !== SPEC.policies[name]?.values[0])
    .map(([name, value]) => `${name} ${value}`);
  const held = [...runsText('occupied', occupied), ...runsText('movable', movable)];
  return [...fields, ...choices, ...held].join(', ') || 'all defaults';
}

type Runs = NonNullable<ScriptMachine['occupied']>;

/** The runs themselves, as long as somebody would read them. */
function runsText(name: string, runs: Runs): string[] {
  if (runs.length === 0) return [];
  if (runs.length > RUNS_SHOWN) {
    const pages = runs.reduce((sum, [, each]) => sum + each, 0);
    return [`${name} ${many(pages, 'page')} in ${many(runs.length, 'run')}`];
  }
  const pages = runs.map(([first, each]) => (each === 1 ? `${first}` : `${first}-${first + each - 1}`));
  return [`${name} pages ${pages.join(' ')}`];
}

/** The script on a machine with another value of a policy. */
export function withPolicy(script: Script, policy: string, value: string): Script {
  const { machine } = script;
  return { ...script, machine: { ...machine, policies: { ...machine.policies, [policy]: value } } };
}
