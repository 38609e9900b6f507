/** Turns calls that were made into a script: raw ids become the names of the results they came from. */
import type {
  Arg,
  ArgShape,
  Call,
  Concurrent,
  Reply,
  Spec,
  Stateful,
  Suspended,
  Target,
  Value,
} from '../model/index.ts';
import type { Move } from './explore/moves.ts';
import { limitsOf, machineOf } from './machine.ts';
import {
  type Argument,
  type Command,
  FORMAT,
  literalOf,
  type Preemption,
  type Script,
  type ScriptMachine,
} from './script.ts';

/** A result that later commands may name. */
export interface Named {
  readonly name: string;
  readonly kind: string;
  readonly value: Value;
}

/**
 * The script that makes these moves on this machine. The target is asked again, for the results.
 *
 * @throws Error when a move needs a target whose calls can be interrupted, and this one's cannot
 */
export function scriptOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  machine: ScriptMachine,
  moves: readonly Move[],
): Script {
  target.boot(machineOf(spec, machine));
  const recorder = new MoveRecorder(spec, target, machine);
  for (const { call, during } of moves) {
    if (during === undefined) recorder.call(call);
    else recorder.interrupted(call, during);
  }
  return recorder.script();
}

class MoveRecorder<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #machine: ScriptMachine;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #commands: Command[] = [];
  readonly #schedule: Preemption[] = [];
  #results: readonly Named[] = [];

  constructor(spec: Spec<M, S>, target: Target<M>, machine: ScriptMachine) {
    this.#spec = spec;
    this.#target = target;
    this.#machine = machine;
    this.#limits = limitsOf(spec, machineOf(spec, machine));
  }

  script(): Script {
    const script = { format: FORMAT, machine: this.#machine, commands: this.#commands };
    return this.#schedule.length === 0 ? script : { ...script, schedule: this.#schedule };
  }

  call(call: Call): void {
    const command = this.#command(call);
    this.#settle(
      command,
      answerOf(() => this.#target.apply(call)),
    );
  }

  /** Each interrupting call has an actor of its own, who has nothing else to do. */
  interrupted(call: Call, during: Call): void {
    const { concurrent } = this.#target;
    if (concurrent === undefined) throw new Error(`${this.#target.name} cannot interrupt calls`);
    const to = actorOf(this.#schedule.length);
    const [one, other] = [this.#command(call, call.op), this.#command(during, undefined, to)];
    const stopped = answerOf(() => concurrent.start('main', call));
    if ('point' in stopped) this.#schedule.push({ in: one.as ?? '', point: stopped.point, to });
    const early = answerOf(() => toTheEnd(concurrent, to, concurrent.start(to, during)));
    const late = 'point' in stopped ? answerOf(() => toTheEnd(concurrent, 'main', stopped)) : stopped;
    this.#settle(other, early);
    this.#settle(one, late);
  }

  /** @param name - what the name of the command starts with though it has no result */
  #command(call: Call, name?: string, actor?: string): Command {
    const kind = this.#spec.calls[call.op]?.gives?.kind ?? name;
    const command = {
      ...commandOf(this.#spec, this.#limits, this.#results, call),
      ...(kind === undefined ? {} : { as: `${kind}${this.#commands.length + 1}` }),
      ...(actor === undefined ? {} : { actor }),
    };
    this.#commands.push(command);
    return command;
  }

  #settle(command: Command, reply: Reply): void {
    if (!('ok' in reply)) return;
    this.#results = withoutConsumed(this.#spec, this.#results, command);
    const kind = this.#spec.calls[command.op]?.gives?.kind;
    if (kind === undefined || command.as === undefined) return;
    this.#results = [...this.#results, { name: command.as, kind, value: reply.ok }];
  }
}

/** A call as a command without a name of its own. */
export function commandOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  limits: Readonly<Record<string, number>>,
  results: readonly Named[],
  { op, args, fail }: Call,
): Command {
  const named = Object.entries(args).map(([name, value]): [string, Argument] => {
    const shape = spec.calls[op]?.args[name] as ArgShape;
    return [name, argumentOf(spec, limits, results, shape, value)];
  });
  return { op, ...Object.fromEntries(named), ...(fail === undefined ? {} : { fail }) };
}

/** `b`, `c` and so on. */
const actorOf = (number: number): string => String.fromCharCode('b'.charCodeAt(0) + number);

function toTheEnd(concurrent: Concurrent, actor: string, answer: Reply | Suspended): Reply {
  let last = answer;
  while ('point' in last) last = concurrent.resume(actor);
  return last;
}

/** The answer, or an errno where the target fails: the last call may be the one that it fails in. */
function answerOf<T>(step: () => T): T | Reply {
  try {
    return step();
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
    case 'number':
      return literalOf(value as number);
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
