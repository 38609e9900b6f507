/**
 * A script with its references turned into slot numbers: what the stepper runs. Slot n belongs to command n, so
 * the same numbers serve the wire protocol. After the script's commands come those that give everything back.
 */
import type { ArgShape, Args, CallShape, Spec, SlotCall, Stateful, Value } from '../model/index.ts';
import {
  type Argument,
  argumentsOf,
  type Command,
  type Faults,
  isLiteral,
  nameOf,
  type Place,
  type Script,
  ScriptError,
} from './script.ts';

/** A reference: which command's result, which field of it. `unit`: the field counts in units of so many bytes. */
interface SlotField {
  readonly slot: number;
  readonly field: string;
}

type Plan =
  | { readonly is: 'literal'; readonly value: Args[string] }
  | ({ readonly is: 'slot'; readonly user: boolean; readonly consumes: boolean } & SlotField)
  | { readonly is: 'slots'; readonly list: readonly SlotField[] }
  | ({ readonly is: 'place'; readonly unit: number; readonly offset: number; readonly user: boolean } & SlotField);

/** One command, ready to run. */
export interface Step {
  readonly op: string;
  readonly shape: CallShape;
  readonly names: readonly string[];
  readonly plans: readonly Plan[];
  readonly actor: string;
  readonly fail: Faults | undefined;
  /** False for the commands that give everything back after the script. */
  readonly own: boolean;
}

/** The results so far, by slot, and which of them were consumed. */
export interface Slots {
  readonly values: (Value | undefined)[];
  readonly consumed: boolean[];
}

/** Reference to a result that no command of the script has: as if its command had failed. */
const NO_SLOT = -1;

/**
 * Turns a script into steps.
 *
 * @throws {ScriptError} when a command does not fit the table of calls
 */
export function compile<M, S extends Stateful>(spec: Spec<M, S>, script: Script, machine: M): Step[] {
  const limits = spec.limits(machine);
  const slots = new Map<string, { slot: number; kind: string }>();
  const steps = script.commands.map((command, slot) => {
    const step = stepOf(spec, limits, slots, command, `commands[${slot}]`);
    const kind = step.shape.gives?.kind;
    if (command.as !== undefined) {
      if (slots.has(command.as)) throw new ScriptError(`commands[${slot}].as`, `"${command.as}" is taken`);
      slots.set(command.as, { slot, kind: kind ?? '' });
    }
    return step;
  });
  return [...steps, ...closingSteps(spec, steps)];
}

type Known = ReadonlyMap<string, { readonly slot: number; readonly kind: string }>;

function stepOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  slots: Known,
  command: Command,
  path: string,
): Step {
  const shape = spec.calls[command.op];
  if (shape === undefined) throw new ScriptError(`${path}.op`, `there is no call "${command.op}"`);
  for (const [name] of argumentsOf(command)) {
    if (!(name in shape.args)) throw new ScriptError(`${path}.${name}`, `${command.op} has no such argument`);
  }
  const names = Object.keys(shape.args);
  const plans = names.map((name) => {
    const value = command[name] as Argument | undefined;
    if (value === undefined) throw new ScriptError(`${path}.${name}`, `${command.op} needs it`);
    return plan(spec, limits, slots, shape.args[name] as ArgShape, value, `${path}.${name}`);
  });
  return { op: command.op, shape, names, plans, actor: command.actor ?? 'main', fail: command.fail, own: true };
}

function plan<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  slots: Known,
  shape: ArgShape,
  value: Argument,
  path: string,
): Plan {
  if (typeof value === 'number') return { is: 'literal', value };
  switch (shape.is) {
    case 'word':
    case 'words':
      return { is: 'literal', value: value as string | readonly string[] };
    case 'number':
      return { is: 'literal', value: Number(value) };
    case 'refs':
      return {
        is: 'slots',
        list: (value as readonly (string | number)[]).map((item) => slotField(spec, slots, shape.of, String(item), path)),
      };
    case 'ref': {
      if (typeof value === 'string' && isLiteral(value)) return { is: 'literal', value: Number(value) };
      const found = slotField(spec, slots, shape.of, value as string, path);
      return { is: 'slot', ...found, user: isUser(spec, shape.of), consumes: shape.consumes === true };
    }
    case 'address':
      if (typeof value === 'string') return { is: 'literal', value: Number(value) };
      return placePlan(spec, limits, slots, shape.of, value as Place, path);
  }
}

const isUser = <M, S extends Stateful>(spec: Spec<M, S>, kinds: readonly string[]): boolean =>
  kinds.some((kind) => spec.kinds[kind]?.user === true);

function slotField<M, S extends Stateful>(
  spec: Spec<M, S>,
  slots: Known,
  kinds: readonly string[],
  reference: string,
  path: string,
): SlotField {
  const known = slots.get(nameOf(reference));
  if (known === undefined) return { slot: NO_SLOT, field: '' };
  const [, field] = reference.split('.', 2);
  if (field !== undefined) return { slot: known.slot, field };
  if (!kinds.includes(known.kind)) {
    throw new ScriptError(path, `"${reference}" is a ${known.kind}, expected is a ${kinds.join(' or ')}`);
  }
  return { slot: known.slot, field: spec.kinds[known.kind]?.main ?? '' };
}

function placePlan<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  slots: Known,
  kinds: readonly string[],
  place: Place,
  path: string,
): Plan {
  const { slot } = slotField(spec, slots, kinds, place.in, path);
  const kind = slots.get(nameOf(place.in))?.kind ?? '';
  const address = spec.kinds[kind]?.address;
  const unit = address?.unit === undefined ? 1 : (limits[address.unit] ?? 1);
  return { is: 'place', slot, field: address?.field ?? '', unit, offset: place.offset, user: isUser(spec, kinds) };
}

/** For every result, in the order that the specification names, the call that gives it back. */
function closingSteps<M, S extends Stateful>(spec: Spec<M, S>, steps: readonly Step[]): Step[] {
  return spec.closing.flatMap((op) => {
    const shape = spec.calls[op] as CallShape;
    const [name, argument] = Object.entries(shape.args)[0] as [string, ArgShape & { readonly is: 'ref' }];
    const field = spec.kinds[argument.of[0] ?? '']?.main ?? '';
    const user = isUser(spec, argument.of);
    return [...steps.keys()]
      .filter((slot) => argument.of.includes(steps[slot]?.shape.gives?.kind ?? ''))
      .map((slot): Step => {
        const plans: Plan[] = [{ is: 'slot', slot, field, user, consumes: true }];
        return { op, shape, names: [name], plans, actor: 'main', fail: undefined, own: false };
      });
  });
}

/** The arguments of a step with their values, or undefined: a result is missing, and the step is skipped. */
export function resolve(step: Step, { values, consumed }: Slots): Args | undefined {
  const args: Record<string, Args[string]> = {};
  for (let at = 0; at < step.plans.length; at++) {
    const value = resolvePlan(step.plans[at] as Plan, values, consumed);
    if (value === undefined) return undefined;
    args[step.names[at] as string] = value;
  }
  return args;
}

function resolvePlan(
  plan: Plan,
  values: readonly (Value | undefined)[],
  consumed: readonly boolean[],
): Args[string] | undefined {
  switch (plan.is) {
    case 'literal':
      return plan.value;
    case 'slot':
      if (consumed[plan.slot] === true && !plan.user) return undefined;
      return values[plan.slot]?.[plan.field];
    case 'place': {
      const base = values[plan.slot]?.[plan.field];
      if (base === undefined || (consumed[plan.slot] === true && !plan.user)) return undefined;
      return (base as number) * plan.unit + plan.offset;
    }
    case 'slots': {
      const list = plan.list.map(({ slot, field }) => (consumed[slot] === true ? undefined : values[slot]?.[field]));
      return list.includes(undefined) ? undefined : (list as number[]);
    }
  }
}

/** Marks the results that a successful step consumed. */
export function consume(step: Step, { consumed }: Slots): void {
  for (const plan of step.plans) if (plan.is === 'slot' && plan.consumes) consumed[plan.slot] = true;
}

/** The step as a remote target gets it: `{ "slot": n }` for a result, `{ "slot": n, "offset": m }` for a place. */
export function slotCall(step: Step, into: number): SlotCall {
  const args = step.plans.map((plan, at): [string, unknown] => [step.names[at] as string, wire(plan)]);
  const call = { op: step.op, args: Object.fromEntries(args) };
  return {
    ...call,
    ...(step.shape.gives?.kind === undefined ? {} : { into }),
    ...(step.fail === undefined ? {} : { fail: step.fail }),
  };
}

function wire(plan: Plan): unknown {
  switch (plan.is) {
    case 'literal':
      return plan.value;
    case 'slot':
      return { slot: plan.slot, field: plan.field, ...(plan.consumes ? { consumes: true } : {}) };
    case 'place':
      return { slot: plan.slot, field: plan.field, offset: plan.offset };
    case 'slots':
      return plan.list.map(({ slot, field }) => ({ slot, field }));
  }
}
