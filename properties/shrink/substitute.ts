/** The pass that gets to the same by another call, for which less has to be made first. */
import type { ArgShape, CallShape, Spec, Stateful } from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { limitsOfScript } from '../machine.ts';
import { type Argument, argumentsOf, type Command, type Script } from '../script.ts';
import { leastValue } from './arguments.ts';
import {
  closureOf,
  core,
  kindOf,
  needsResult,
  type Pass,
  referencesOf,
  replaceCommand,
  withSchedule,
} from './pass.ts';
import { kindsTaken, renamedAfter } from './repoint.ts';

/** Commands up to which other calls are tried: in longer scripts it is simpler to leave commands out. */
const COMMANDS_MAX = 12;

/**
 * A command is replaced by another call that leads to what this one and those made for it alone named, and
 * gives what is used later; what was made for it alone goes. And the last two commands are replaced by one.
 */
export const substitute: Pass = {
  name: 'other calls',
  *candidates(script, spec) {
    const last = script.commands.length - 1;
    if (last >= COMMANDS_MAX) return;
    for (let at = last; at >= 0; at--) {
      for (const gone of madeFor(script, at, new Set(), spec)) {
        yield* withoutPlace(script, at, gone, spec);
        yield* instead(script, at, gone, spec);
      }
      for (const gone of madeFor(script, at, new Set([at]), spec)) yield* instead(script, at, gone, spec);
      yield* asLast(script, at, spec);
    }
  },
};

/** Commands that may follow what gives something back until it shows. */
const SHOWING_MAX = 3;

/** Another call as the last one: for the last two, or for one that gives something back and what followed. */
function* asLast<M, S extends Stateful>(script: Script, at: number, spec: Spec<M, S>): Generator<Script> {
  const { commands } = script;
  const after = Array.from({ length: commands.length - 1 - at }, (_, index) => at + 1 + index);
  const shapes = Object.values(spec.calls[commands[at]?.op ?? '']?.args ?? {});
  const isGivingBack = shapes.some((shape) => shape.is === 'ref' && shape.consumes === true);
  const most = isGivingBack ? SHOWING_MAX : 1;
  if (after.length >= 1 && after.length <= most) yield* instead(script, at, new Set(after), spec);
}

/**
 * What was made for a command alone: for each result that it names, what makes it, what makes that, and so
 * on, as long as nobody else uses it. `users` are those who count as nobody.
 */
function* madeFor<M, S extends Stateful>(
  script: Script,
  at: number,
  users: ReadonlySet<number>,
  spec: Spec<M, S>,
): Generator<ReadonlySet<number>> {
  const { commands } = script;
  const all = commands.map(({ as }) => usersOf(commands, as, spec));
  const isAlone = (each: number, others: ReadonlySet<number>): boolean =>
    all[each]?.every((user) => users.has(user) || others.has(user)) === true;
  for (const name of new Set(referencesOf(commands[at] as Command, spec))) {
    const maker = commands.findIndex(({ as }) => as === name);
    let gone: ReadonlySet<number> = new Set();
    for (let more = isAlone(maker, new Set([at])) ? [maker] : []; more.length > 0; ) {
      gone = new Set([...gone, ...more]);
      yield gone;
      more = [...closureOf(script, gone, spec)].filter((each) => !gone.has(each) && isAlone(each, gone));
    }
  }
}

const usersOf = <M, S extends Stateful>(
  commands: readonly Command[],
  name: string | undefined,
  spec: Spec<M, S>,
): number[] =>
  [...commands.entries()].flatMap(([at, command]) =>
    name !== undefined && referencesOf(command, spec).includes(name) ? [at] : [],
  );

/** The command with the address 0 where it named a place in what goes. */
function* withoutPlace<M, S extends Stateful>(
  script: Script,
  at: number,
  gone: ReadonlySet<number>,
  spec: Spec<M, S>,
): Generator<Script> {
  const command = script.commands[at] as Command;
  for (const [name, value] of argumentsOf(command)) {
    if (!isPlace(value) || !script.commands.some(({ as }, index) => as === value.in && gone.has(index)))
      continue;
    const literal = replaceCommand(script, at, { ...command, [name]: 0 });
    if (!referencesOf(literal.commands[at] as Command, spec).includes(value.in)) yield left(literal, gone);
  }
}

const left = (script: Script, gone: ReadonlySet<number>): Script =>
  withSchedule({ ...script, commands: script.commands.filter((_command, at) => !gone.has(at)) });

/** The script with every call that fits in the place of a command. */
function* instead<M, S extends Stateful>(
  script: Script,
  at: number,
  gone: ReadonlySet<number>,
  spec: Spec<M, S>,
): Generator<Script> {
  const { as, ...old } = script.commands[at] as Command;
  const rest = left(script, gone);
  const isUsed = usersOf(rest.commands, as, spec).length > 0;
  const fits = kindsTaken(rest, as ?? '', spec);
  const made = resultsBefore(script, at, gone, spec);
  // What the last command names is given up with it: it came too late to be of use to this one.
  const lost = [at, ...gone].filter((index) => index <= at);
  const names = lost.flatMap((index) => referencesOf(script.commands[index] as Command, spec));
  const wanted = new Set(names.filter((name) => made.has(name)));
  const filler = new Filler(made, wanted, old, limitsOfScript(spec, script.machine));
  for (const [op, shape] of Object.entries(spec.calls)) {
    const kind = shape.gives?.kind;
    if (op === old.op || (isUsed && (kind === undefined || !fits(kind)))) continue;
    const call = filler.fill(op, shape);
    if (call === undefined || !leadsTo(script, at, call, wanted, spec)) continue;
    const name = as === undefined || kind === undefined ? undefined : newName(script, kind);
    const replaced = replaceCommand(script, at, name === undefined ? call : { ...call, as: name });
    yield left(renamedAfter(replaced, at, as ?? '', name ?? '', spec), gone);
  }
}

function newName({ commands }: Script, kind: string): string {
  let number = 1;
  while (commands.some(({ as }) => as === `${kind}${number}`)) number++;
  return `${kind}${number}`;
}

/** Kinds of the results that there are before a command, by name. */
function resultsBefore<M, S extends Stateful>(
  { commands }: Script,
  end: number,
  gone: ReadonlySet<number>,
  spec: Spec<M, S>,
): Map<string, string> {
  const made = new Map<string, string>();
  for (const [at, command] of commands.slice(0, end).entries()) {
    const kind = kindOf(command, spec.calls[command.op]);
    if (command.as !== undefined && kind !== undefined && !gone.has(at)) made.set(command.as, kind);
  }
  return made;
}

/**
 * Fills the arguments of a call: with the latest result of their kinds, those that are wanted first; with
 * what the command said that it replaces; else with the least.
 */
export class Filler {
  readonly #made: ReadonlyMap<string, string>;
  readonly #wanted: ReadonlySet<string>;
  readonly #old: Omit<Command, 'as'>;
  readonly #limits: Readonly<Record<string, number>>;

  constructor(
    made: ReadonlyMap<string, string>,
    wanted: ReadonlySet<string>,
    old: Omit<Command, 'as'>,
    limits: Readonly<Record<string, number>>,
  ) {
    this.#made = made;
    this.#wanted = wanted;
    this.#old = old;
    this.#limits = limits;
  }

  /** The call, or undefined: there is no result that it needs. */
  fill(op: string, shape: CallShape): Command | undefined {
    const left = new Set(this.#wanted);
    const args: Record<string, Argument> = {};
    for (const [name, arg] of Object.entries(shape.args)) {
      const value = needsResult(arg) ? this.#result(arg.of, left) : this.#plain(name, arg);
      if (value === undefined) return undefined;
      args[name] =
        arg.is === 'address' ? { in: String(value), offset: 0 } : arg.is === 'refs' ? [String(value)] : value;
    }
    return { op, ...args };
  }

  #result(kinds: readonly string[], left: Set<string>): string | undefined {
    const fits = [...this.#made].filter(([, kind]) => kinds.includes(kind)).map(([name]) => name);
    const result = fits.findLast((name) => left.has(name)) ?? fits.at(-1);
    if (result !== undefined) left.delete(result);
    return result;
  }

  #plain(name: string, shape: ArgShape): Argument {
    const said = this.#old[name];
    const isWord = shape.is === 'word' && typeof said === 'string' && shape.of.includes(said);
    if (isWord || (shape.is === 'number' && typeof said === 'number')) return said;
    return leastValue(shape, 0, this.#limits) ?? 0;
  }
}

/** Whether a call names all that is wanted, or what was made with it. */
function leadsTo<M, S extends Stateful>(
  { commands }: Script,
  at: number,
  call: Command,
  wanted: ReadonlySet<string>,
  spec: Spec<M, S>,
): boolean {
  const before = { format: 1, machine: {}, commands: [...commands.slice(0, at), call] };
  const needed = core(before, spec);
  return [...wanted].every((name) => commands.some(({ as }, index) => as === name && needed.has(index)));
}
