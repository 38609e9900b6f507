/**
 * The same bugs with fast-check's own `fc.commands`: a command is a call of the table, and names results by their
 * place in the list of those that are there, as users of `fc.commands` do.
 */
import * as fc from 'fast-check';
import { type ArgShape, SPEC } from '../../model/index.ts';
import {
  type Argument,
  type Command,
  machineOf,
  type Script,
  type ScriptMachine,
} from '../../properties/index.ts';
import type { Failure, Hunt } from './bugs.ts';
import { groupOf } from './bugs.ts';

/** What was made and not given back, by kind. */
type Live = Map<string, string[]>;

/** The commands so far, and which of them fails. */
interface Made {
  readonly commands: Command[];
  readonly failing: number;
}

type Drawn = Readonly<Record<string, unknown>>;

/** A call that is written down when it can be made. The script runs as a whole. */
class CallCommand implements fc.Command<Live, Made> {
  readonly #op: string;
  readonly #drawn: Drawn;

  constructor(op: string, drawn: Drawn) {
    this.#op = op;
    this.#drawn = drawn;
  }

  check(live: Readonly<Live>): boolean {
    return this.#arguments(live) !== undefined;
  }

  run(live: Live, { commands, failing }: Made): void {
    const args = this.#arguments(live) ?? {};
    const shape = SPEC.calls[this.#op];
    for (const [name, arg] of Object.entries(shape?.args ?? {})) {
      if (arg.is !== 'ref' || arg.consumes !== true) continue;
      for (const kind of arg.of)
        live.set(
          kind,
          (live.get(kind) ?? []).filter((each) => each !== args[name]),
        );
    }
    const kind = shape?.gives?.kind;
    const as = `${kind}${commands.length}`;
    if (kind !== undefined) live.set(kind, [...(live.get(kind) ?? []), as]);
    commands.push(kind === undefined ? { op: this.#op, ...args } : { op: this.#op, ...args, as });
    if (commands.length > failing) throw new Error('this one fails');
  }

  toString = (): string => this.#op;

  #arguments(live: Readonly<Live>): Record<string, Argument> | undefined {
    const args: Record<string, Argument> = {};
    for (const [name, shape] of Object.entries(SPEC.calls[this.#op]?.args ?? {})) {
      const value = argumentOf(shape, this.#drawn[name], live);
      if (value === undefined) return undefined;
      args[name] = value;
    }
    return args;
  }
}

function argumentOf(shape: ArgShape, drawn: unknown, live: Readonly<Live>): Argument | undefined {
  if (shape.is !== 'ref' && shape.is !== 'refs' && shape.is !== 'address') return drawn as Argument;
  const there = shape.of.flatMap((kind) => live.get(kind) ?? []);
  const at = (index: number): string => there[index % there.length] ?? '';
  if (there.length === 0) return undefined;
  if (shape.is === 'ref') return at(drawn as number);
  if (shape.is === 'refs') return (drawn as readonly number[]).map(at);
  const [index, offset] = drawn as readonly [number, number];
  return { in: at(index), offset };
}

const INDEX = fc.nat(31);

function argument(shape: ArgShape, limits: Readonly<Record<string, number>>): fc.Arbitrary<unknown> {
  const limit = (name: number | string | undefined, none: number): number =>
    typeof name === 'number' ? name : name === undefined ? none : (limits[name] ?? none);
  switch (shape.is) {
    case 'number': {
      const unit = limit(shape.unit, 1);
      return fc
        .integer({ min: shape.from, max: Math.max(limit(shape.to, 1), shape.from) })
        .map((n) => n * unit);
    }
    case 'word':
      return fc.constantFrom(...shape.of);
    case 'words':
      return fc.constantFrom(...shape.of).map((each) => [each]);
    case 'ref':
      return INDEX;
    case 'refs':
      return fc.array(INDEX, { minLength: 1, maxLength: shape.most });
    case 'address':
      return fc.tuple(
        INDEX,
        fc.nat(limit(shape.to, 1)).map((n) => n * limit(shape.step, 1)),
      );
  }
}

/** What fast-check came to. */
export interface Reached {
  readonly length: number;
  readonly executions: number;
  readonly milliseconds: number;
}

/** Milliseconds of processor time that this process has had: what else runs matters less. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const RUNS_MAX = 20_000;
const COMMANDS_MAX = 100;

/** The same finding, found and shrunk by fast-check on the machine of a failure; undefined: it found none. */
export function byFastCheck(hunt: Hunt, failure: Failure, seed: number): Reached | undefined {
  const { machine } = failure.script;
  let started = 0;
  let executions = 0;
  const property = fc.property(commandsFor(hunt, machine), (list) => {
    if (started > 0) executions++;
    // Run once to know which command fails, then up to that one: fast-check drops what was not run.
    const script: Script = {
      format: 1,
      machine,
      commands: made(fc.cloneIfNeeded(list), Number.POSITIVE_INFINITY),
    };
    const finding = hunt.run(script);
    const fails = finding !== undefined && groupOf({ script, finding }) === groupOf(failure);
    if (fails && started === 0) started = processorTime();
    made(list, fails ? finding.command : Number.POSITIVE_INFINITY);
    return !fails;
  });
  const { counterexample } = fc.check(property, { seed, numRuns: RUNS_MAX });
  if (counterexample === null) return undefined;
  const milliseconds = processorTime() - started;
  const commands = made(fc.cloneIfNeeded(counterexample[0]), Number.POSITIVE_INFINITY);
  const failing = hunt.run({ format: 1, machine, commands })?.command ?? commands.length;
  return { length: Math.min(failing + 1, commands.length), executions, milliseconds };
}

/** The commands that can be made, up to the one that fails: at that one an exception leaves `fc.modelRun`. */
function made(list: Iterable<fc.Command<Live, Made>>, failing: number): Command[] {
  const real: Made = { commands: [], failing };
  fc.modelRun(() => ({ model: new Map(), real }), list);
  return real.commands;
}

function commandsFor({ subject }: Hunt, machine: ScriptMachine): ReturnType<typeof fc.commands<Live, Made>> {
  const limits = SPEC.limits(machineOf(SPEC, machine));
  const calls = Object.entries(SPEC.calls).filter(([op]) => subject.only?.includes(op) !== false);
  const drawn = calls.map(([op, { args }]) =>
    fc
      .record(
        Object.fromEntries(Object.entries(args).map(([name, shape]) => [name, argument(shape, limits)])),
      )
      .map((values) => new CallCommand(op, values as Drawn)),
  );
  return fc.commands<Live, Made>(drawn, { maxCommands: COMMANDS_MAX, size: 'max' });
}
