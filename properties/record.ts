/** Turns calls that were made into a script: raw ids become the names of the results they came from. */
import type { Arg, ArgShape, Call, Reply, Spec, Stateful, Target, Value } from '../model/index.ts';
import { limitsOf, machineOf } from './machine.ts';
import { type Argument, type Command, FORMAT, type Script, type ScriptMachine } from './script.ts';

interface Named {
  readonly name: string;
  readonly kind: string;
  readonly value: Value;
}

/** The script that makes these calls on this machine. The target is asked again, for the results. */
export function scriptOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  machine: ScriptMachine,
  calls: readonly Call[],
): Script {
  const limits = limitsOf(spec, machineOf(spec, machine));
  target.boot(machineOf(spec, machine));
  let results: readonly Named[] = [];
  const commands = calls.map((call, index): Command => {
    const args = Object.entries(call.args).map(([name, value]): [string, Argument] => {
      const shape = spec.calls[call.op]?.args[name] as ArgShape;
      return [name, argumentOf(spec, limits, results, shape, value)];
    });
    const command = { op: call.op, ...Object.fromEntries(args) };
    const reply = answerOf(target, call);
    if ('ok' in reply) results = withoutConsumed(spec, results, command);
    const kind = spec.calls[call.op]?.gives?.kind;
    if (kind === undefined) return command;
    const name = `${kind}${index + 1}`;
    if ('ok' in reply) results = [...results, { name, kind, value: reply.ok }];
    return { ...command, as: name };
  });
  return { format: FORMAT, machine, commands };
}

/** The answer, or an errno where the target fails: the last call may be the one that it fails in. */
function answerOf<M>(target: Target<M>, call: Call): Reply {
  try {
    return target.apply(call);
  } catch {
    return { errno: 'EIO' };
  }
}

/** The results that may still be named: what the kernel has consumed is not, whatever its id. */
function withoutConsumed<M, S extends Stateful>(
  spec: Spec<M, S>,
  results: readonly Named[],
  command: Command,
): readonly Named[] {
  const shapes = Object.entries(spec.calls[command.op]?.args ?? {});
  const gone = shapes.flatMap(([name, shape]) =>
    shape.is === 'ref' && shape.consumes ? [command[name]] : [],
  );
  return results.filter(({ name, kind }) => !gone.includes(name) || spec.kinds[kind]?.user === true);
}

function argumentOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  results: readonly Named[],
  shape: ArgShape,
  value: Arg,
): Argument {
  switch (shape.is) {
    case 'ref':
      return referenceTo(spec, results, shape.of, value as number);
    case 'refs':
      return (value as readonly number[]).map((item) => referenceTo(spec, results, shape.of, item));
    case 'address':
      return placeOf(spec, limits, results, shape, value as number);
    default:
      return value;
  }
}

/** The latest result with this id, or the id itself: users may name what does not exist. */
function referenceTo<M, S extends Stateful>(
  spec: Spec<M, S>,
  results: readonly Named[],
  kinds: readonly string[],
  id: number,
): string | number {
  const found = results.findLast(
    ({ kind, value }) => kinds.includes(kind) && value[spec.kinds[kind]?.main ?? ''] === id,
  );
  return found?.name ?? id;
}

/** The place in the result that starts at or next below the address, on the side that is meant. */
function placeOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  results: readonly Named[],
  { of: kinds, side }: Extract<ArgShape, { readonly is: 'address' }>,
  address: number,
): Argument {
  let best: { readonly in: string; readonly offset: number } | undefined;
  for (const { name, kind, value } of results) {
    const { address: device, cpu = device } = spec.kinds[kind] ?? {};
    const start = side === 'cpu' ? cpu : device;
    if (!kinds.includes(kind) || start === undefined) continue;
    const unit = start.unit === undefined ? 1 : (limits[start.unit] ?? 1);
    const offset = address - (value[start.field] as number) * unit;
    if (offset >= 0 && (best === undefined || offset <= best.offset)) best = { in: name, offset };
  }
  return best ?? address;
}
