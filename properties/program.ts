/**
 * A script with its references turned into slot numbers: what the stepper runs. Slot n belongs to command n, so
 * the same numbers serve the wire protocol. After the script's commands come those that give everything back.
 */
import type { ArgShape, Args, CallShape, Kind, Spec, Stateful } from '../model/index.ts';
import { expectedForm } from './argument-form.ts';
import { limitsOf } from './machine.ts';
import {
  type Argument,
  type Command,
  isLiteral,
  type Place,
  RESERVED,
  type Script,
  ScriptError,
} from './script.ts';
import type { Plan, SlotField, Step } from './step.ts';

/** Who gives everything back: nobody whom a schedule could hand over to before the script is done. */
const CLOSING_ACTOR = '';

/** Reference to a result that no command of the script has: as if its command had failed. */
const NO_SLOT = -1;

/**
 * Turns a script into steps.
 *
 * @throws {ScriptError} when a command does not fit the table of calls
 */
export function compile<M, S extends Stateful>(spec: Spec<M, S>, script: Script, machine: M): Step[] {
  const limits = limitsOf(spec, machine);
  const prepared = prepare(spec);
  const slots = new Map<string, { slot: number; kind: string }>();
  const steps: Step[] = [];
  for (let slot = 0; slot < script.commands.length; slot++) {
    const command = script.commands[slot] as Command;
    const call = prepared.get(command.op);
    if (call === undefined) throw new ScriptError(`commands[${slot}].op`, `there is no call "${command.op}"`);
    steps.push(stepOf(call, limits, slots, command, slot));
    if (command.as === undefined) continue;
    if (slots.has(command.as)) throw new ScriptError(`commands[${slot}].as`, `"${command.as}" is taken`);
    slots.set(command.as, { slot, kind: call.shape.gives?.kind ?? '' });
  }
  addClosingSteps(spec, prepared, steps);
  return steps;
}

/** A call of the table with what every script needs of it. */
interface Prepared {
  readonly op: string;
  readonly shape: CallShape;
  readonly names: readonly string[];
  readonly arguments: readonly PreparedArgument[];
  readonly kinds: Readonly<Record<string, Kind>>;
}

interface PreparedArgument {
  readonly name: string;
  readonly shape: ArgShape;
}

const preparedCalls = new WeakMap<object, ReadonlyMap<string, Prepared>>();

function prepare<M, S extends Stateful>(spec: Spec<M, S>): ReadonlyMap<string, Prepared> {
  const known = preparedCalls.get(spec);
  if (known !== undefined) return known;
  const made = new Map(Object.entries(spec.calls).map(([op, shape]) => [op, prepareCall(spec, op, shape)]));
  preparedCalls.set(spec, made);
  return made;
}

function prepareCall<M, S extends Stateful>(spec: Spec<M, S>, op: string, shape: CallShape): Prepared {
  const args = Object.entries(shape.args).map(([name, arg]) => ({ name, shape: arg }));
  return { op, shape, names: Object.keys(shape.args), arguments: args, kinds: spec.kinds };
}

type Known = ReadonlyMap<string, { readonly slot: number; readonly kind: string }>;

function stepOf(
  call: Prepared,
  limits: Readonly<Record<string, number>>,
  slots: Known,
  command: Command,
  at: number,
): Step {
  const { op, shape, names } = call;
  if (keysOf(command) !== keysKnown(call, command)) refuseUnknown(call, command, at);
  const plans: Plan[] = [];
  let isFixed = true;
  for (const argument of call.arguments) {
    const value = command[argument.name] as Argument | undefined;
    if (value === undefined) throw new ScriptError(`commands[${at}].${argument.name}`, `${op} needs it`);
    const made = plan(call, limits, slots, argument, value, at);
    if (made.is !== 'literal') isFixed = false;
    plans.push(made);
  }
  const fixed = isFixed ? fixedArgs(names, plans) : undefined;
  return { op, shape, names, plans, fixed, actor: command.actor ?? 'main', fail: command.fail, own: true };
}

function keysOf(command: Command): number {
  let keys = 0;
  for (const _name in command) keys++;
  return keys;
}

/** How many keys of a command mean something, or 0: an argument is missing. */
function keysKnown(call: Prepared, command: Command): number {
  let known = 1;
  if (command.as !== undefined) known++;
  if (command.actor !== undefined) known++;
  if (command.fail !== undefined) known++;
  for (const { name } of call.arguments) {
    if (command[name] === undefined) return 0;
    known++;
  }
  return known;
}

/** @throws {ScriptError} when the command has a key that means nothing */
function refuseUnknown({ op, shape }: Prepared, command: Command, at: number): void {
  for (const name in command) {
    if (Object.hasOwn(shape.args, name) || RESERVED.has(name)) continue;
    throw new ScriptError(`commands[${at}].${name}`, `${op} has no such argument`);
  }
}

function fixedArgs(names: readonly string[], plans: readonly Plan[]): Args {
  const args: Record<string, Args[string]> = {};
  for (const [at, plan] of plans.entries()) if (plan.is === 'literal') args[names[at] as string] = plan.value;
  return args;
}

function plan(
  call: Prepared,
  limits: Readonly<Record<string, number>>,
  slots: Known,
  { name, shape }: PreparedArgument,
  value: Argument,
  at: number,
): Plan {
  const expected = expectedForm(shape, value);
  if (expected !== undefined) {
    throw new ScriptError(`commands[${at}].${name}`, `${JSON.stringify(value)} is not ${expected}`);
  }
  if (typeof value === 'number') return { is: 'literal', value };
  switch (shape.is) {
    case 'word':
    case 'words':
      return { is: 'literal', value: value as string | readonly string[] };
    case 'number':
      return bigLiteral(value as string);
    case 'refs': {
      const list = value as readonly (string | number)[];
      return {
        is: 'slots',
        list: list.map((item) => resultOf(call, slots, shape.of, String(item), name, at)),
      };
    }
    case 'ref': {
      if (typeof value === 'string' && isLiteral(value)) return bigLiteral(value);
      const { slot, field, user } = resultOf(call, slots, shape.of, value as string, name, at);
      return { is: 'slot', slot, field, user, consumes: shape.consumes === true };
    }
    case 'address': {
      if (typeof value === 'string') return bigLiteral(value);
      const place = value as Place;
      const { slot, user, kind } = resultOf(call, slots, shape.of, place.in, name, at);
      const { address: device, cpu = device } = call.kinds[kind] ?? {};
      const address = shape.side === 'cpu' ? cpu : device;
      const unit = address?.unit === undefined ? 1 : (limits[address.unit] ?? 1);
      return { is: 'place', slot, field: address?.field ?? '', unit, offset: place.offset, user };
    }
  }
}

const bigLiteral = (text: string): Plan => ({ is: 'literal', value: Number(text), exact: text });

/** A result that a reference means, and whether users hold such results: they name them even when they are gone. */
interface Result extends SlotField {
  readonly user: boolean;
  readonly kind: string;
}

const NO_RESULT: Result = { slot: NO_SLOT, field: '', user: false, kind: '' };

function resultOf(
  call: Prepared,
  slots: Known,
  kinds: readonly string[],
  reference: string,
  name: string,
  at: number,
): Result {
  const dot = reference.indexOf('.');
  const known = slots.get(dot < 0 ? reference : reference.slice(0, dot));
  if (known === undefined) return NO_RESULT;
  const { slot, kind } = known;
  const user = call.kinds[kind]?.user === true;
  if (dot >= 0) return { slot, field: reference.slice(dot + 1), user, kind };
  if (!kinds.includes(kind)) {
    const problem = `"${reference}" is a ${kind}, expected is a ${kinds.join(' or ')}`;
    throw new ScriptError(`commands[${at}].${name}`, problem);
  }
  return { slot, field: call.kinds[kind]?.main ?? '', user, kind };
}

/**
 * For every result, in the order that the specification names, the call that gives it back; a call without arguments
 * is made once.
 */
function addClosingSteps<M, S extends Stateful>(
  spec: Spec<M, S>,
  prepared: ReadonlyMap<string, Prepared>,
  steps: Step[],
): void {
  const own = steps.length;
  const made = slotsByKind(steps);
  for (const op of spec.closing) {
    const { shape, names, arguments: args } = prepared.get(op) as Prepared;
    const push = (plans: readonly Plan[], fixed: Args | undefined): void => {
      steps.push({ op, shape, names, plans, fixed, actor: CLOSING_ACTOR, fail: undefined, own: false });
    };
    if (args.length === 0 && own > 0) push([], NO_ARGS);
    const argument = args[0]?.shape;
    const kind = argument?.is === 'ref' ? argument.of[0] : undefined;
    if (kind === undefined) continue;
    const field = spec.kinds[kind]?.main ?? '';
    const user = spec.kinds[kind]?.user === true;
    for (const slot of made.get(kind) ?? [])
      push([{ is: 'slot', slot, field, user, consumes: true }], undefined);
  }
}

const NO_ARGS: Args = {};

function slotsByKind(steps: readonly Step[]): Map<string, number[]> {
  const made = new Map<string, number[]>();
  for (let slot = 0; slot < steps.length; slot++) {
    const kind = steps[slot]?.shape.gives?.kind;
    if (kind === undefined) continue;
    const slots = made.get(kind);
    if (slots === undefined) made.set(kind, [slot]);
    else slots.push(slot);
  }
  return made;
}
