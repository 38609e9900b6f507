/** The pass that does with things of another kind all that was done with those of one. */
import type { CallShape, Spec, Stateful } from '../../model/index.ts';
import { limitsOfScript } from '../machine.ts';
import { type Argument, argumentsOf, type Command, nameOf, type Script } from '../script.ts';
import { renameIn } from './names.ts';
import { kindOf, namesIn, needsResult, type Pass, referencesOf, withSchedule } from './pass.ts';
import { Filler } from './substitute.ts';

/** Commands up to which it is tried. */
const COMMANDS_MAX = 12;

/**
 * Every command of a call is replaced by another call, that makes things of another kind, and what gives the ones
 * back by what gives the others back; what was made for the first kind alone goes.
 */
export const otherKind: Pass = {
  name: 'another kind of thing',
  *candidates(script, spec) {
    if (script.commands.length > COMMANDS_MAX) return;
    const ops = new Set(
      script.commands.map(({ op }) => op).filter((op) => spec.calls[op]?.gives?.kind !== undefined),
    );
    for (const from of ops) {
      for (const [to, { gives }] of Object.entries(spec.calls)) {
        if (gives?.kind === undefined || gives.kind === spec.calls[from]?.gives?.kind) continue;
        const other = exchanged(script, from, to, spec);
        if (other !== undefined && other.commands.length < script.commands.length) yield other;
      }
    }
  },
};

/** The script with things of another kind, or undefined: they do not fit, or lack what they need. */
function exchanged<M, S extends Stateful>(
  script: Script,
  from: string,
  to: string,
  spec: Spec<M, S>,
): Script | undefined {
  const kind = spec.calls[to]?.gives?.kind ?? '';
  const limits = limitsOfScript(spec, script.machine);
  const taken = new Set(script.commands.map(({ as }) => as));
  const made = new Map<string, string>();
  const names = new Map<string, string>();
  const commands: Command[] = [];
  for (const old of script.commands) {
    const filler = new Filler(made, new Set(referencesOf(old, spec)), old, limits);
    const command =
      old.op === from
        ? filler.fill(to, spec.calls[to] as CallShape)
        : renamedFor(old, names, kind, filler, spec);
    if (command === undefined) return undefined;
    const as = old.op === from && old.as !== undefined ? newName(taken, kind) : old.as;
    if (old.op === from && old.as !== undefined && as !== undefined) names.set(old.as, as);
    const whole = as === undefined ? command : { ...command, as };
    const given = kindOf(whole, spec.calls[whole.op]);
    if (as !== undefined && given !== undefined) made.set(as, given);
    commands.push(whole);
  }
  return withSchedule({ ...script, commands: needed(commands, script.commands, spec) });
}

/** A name that no other result has, and from now on nobody else gets. */
function newName(taken: Set<string | undefined>, kind: string): string {
  let number = 1;
  while (taken.has(`${kind}${number}`)) number++;
  taken.add(`${kind}${number}`);
  return `${kind}${number}`;
}

/** A command that used the one kind with the other instead: it takes that too, or another call gives that back. */
function renamedFor<M, S extends Stateful>(
  old: Command,
  names: ReadonlyMap<string, string>,
  kind: string,
  filler: Filler,
  spec: Spec<M, S>,
): Command | undefined {
  const shapes = Object.entries(spec.calls[old.op]?.args ?? {});
  const using = shapes.filter(
    ([name, shape]) => needsResult(shape) && namesIn(old[name] as Argument).some((each) => names.has(each)),
  );
  if (using.length === 0) return old;
  const rename = (reference: string): string => names.get(nameOf(reference)) ?? reference;
  const args = argumentsOf(old).map(([name, value]) => [
    name,
    using.some(([arg]) => arg === name) ? renameIn(value, rename) : value,
  ]);
  if (using.every(([, shape]) => needsResult(shape) && shape.of.includes(kind)))
    return { ...old, ...Object.fromEntries(args) };
  const consumed = using.find(([, shape]) => shape.is === 'ref' && shape.consumes === true);
  if (consumed === undefined) return undefined;
  for (const [op, shape] of Object.entries(spec.calls)) {
    const takes = Object.entries(shape.args).find(
      ([, arg]) => arg.is === 'ref' && arg.consumes === true && arg.of[0] === kind,
    );
    const call = takes === undefined ? undefined : filler.fill(op, shape);
    if (takes !== undefined && call !== undefined)
      return { ...call, [takes[0]]: rename(String(old[consumed[0]])) };
  }
  return undefined;
}

/** The commands without those whose results were named before, and are no more. */
function needed<M, S extends Stateful>(
  commands: readonly Command[],
  before: readonly Command[],
  spec: Spec<M, S>,
): Command[] {
  const named = new Set(before.flatMap((command) => referencesOf(command, spec)));
  const kept: Command[] = [];
  for (const command of commands.toReversed()) {
    const isNamed = kept.some((later) => referencesOf(later, spec).includes(command.as ?? ''));
    if (command.as === undefined || !named.has(command.as) || isNamed) kept.unshift(command);
  }
  return kept;
}
