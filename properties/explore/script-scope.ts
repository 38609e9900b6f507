/** The scope of a script: its calls, and the values that it gives their arguments. */
import type {
  Arg,
  ArgShape,
  Call,
  Capability,
  Choice,
  Concurrent,
  Reply,
  Spec,
  Stateful,
  Suspended,
  Target,
  View,
} from '../../model/index.ts';
import { isPlace } from '../argument-form.ts';
import { runScript } from '../drive.ts';
import { runSchedule } from '../interleave.ts';
import type { PropertyName } from '../property.ts';
import { type Argument, argumentsOf, type Faults, type Script } from '../script.ts';
import { Stepper } from '../stepper.ts';
import type { Move } from './moves.ts';
import type { Scope } from './scope.ts';

/** What a script does, and everything that may be done with the same calls and values. */
export interface ScriptScope {
  /** The script as moves of the scope. */
  readonly moves: readonly Move[];
  readonly scope: Omit<Scope, 'depth'> & { readonly faults: number; readonly overlaps: number };
  /** Why the script is not made of such moves, in words. */
  readonly problem?: string;
}

/** Runs the script once: what its references come to is known only then. */
export function scopeOfScript<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  script: Script,
  property: PropertyName,
  premise?: string,
): ScriptScope {
  const stepper = new Stepper(spec, target, premise);
  const watched = new Watched(stepper, target, valuesOf(spec, script));
  const run = script.schedule === undefined ? runScript : runSchedule;
  run(stepper, watched, script);
  const { moves, values, problem } = watched;
  const ops = new Set(script.commands.map(({ op }) => op));
  const fails = new Map(
    script.commands.flatMap(({ fail }) => (fail === undefined ? [] : [[JSON.stringify(fail), fail]])),
  );
  const scope = {
    machine: script.machine,
    closes: 'as made' as const,
    trials: property === 'fault',
    only: Object.keys(spec.calls).filter((op) => ops.has(op)),
    values: listed(values),
    fails: [...fails.values()] as Faults[],
    faults: script.commands.filter(({ fail }) => fail !== undefined).length,
    overlaps: script.schedule?.length ?? 0,
  };
  return { moves, scope, ...(problem === undefined ? {} : { problem }) };
}

/** Different choices, in the order in which they came. */
class Choices {
  readonly list: Choice[] = [];
  readonly #known = new Set<string>();

  add(choice: Choice): void {
    const text = JSON.stringify(choice);
    if (this.#known.has(text)) return;
    this.#known.add(text);
    this.list.push(choice);
  }
}

type Values = Map<string, Map<string, Choices>>;

/** What the text of the script says; references say nothing but how many there are in a list. */
function valuesOf<M, S extends Stateful>(spec: Spec<M, S>, { commands }: Script): Values {
  const values: Values = new Map();
  for (const command of commands) {
    for (const [name, value] of argumentsOf(command)) {
      const choice = choiceOf(spec.calls[command.op]?.args[name], value);
      const choices = choicesOf(values, command.op, name);
      if (choice !== undefined) choices.add(choice);
    }
  }
  return values;
}

const listed = (values: Values): NonNullable<Scope['values']> =>
  Object.fromEntries([...values].map(([op, args]) => [op, listedOf(args)]));

const listedOf = (args: ReadonlyMap<string, Choices>): Readonly<Record<string, readonly Choice[]>> =>
  Object.fromEntries([...args].flatMap(([name, { list }]) => (list.length === 0 ? [] : [[name, list]])));

function choicesOf(values: Values, op: string, name: string): Choices {
  const args = values.get(op) ?? new Map<string, Choices>();
  values.set(op, args);
  const choices = args.get(name) ?? new Choices();
  args.set(name, choices);
  return choices;
}

function choiceOf(shape: ArgShape | undefined, value: Argument): Choice | undefined {
  switch (shape?.is) {
    case 'refs':
      return (value as readonly unknown[]).length;
    case 'address':
      return isPlace(value) ? { offset: value.offset } : Number(value);
    case 'number':
      return Number(value);
    case 'word':
    case 'words':
      return value as string | readonly string[];
    default:
      return undefined;
  }
}

/** A target that notes what is asked of it: the script's own calls, and what they name that does not exist. */
class Watched<M, S extends Stateful> implements Target<M> {
  readonly moves: Move[] = [];
  readonly values: Values;
  problem: string | undefined;
  readonly concurrent?: Concurrent;
  readonly #stepper: Stepper<M, S>;
  readonly #target: Target<M>;
  readonly #underWay = new Set<string>();

  constructor(stepper: Stepper<M, S>, target: Target<M>, values: Values) {
    this.#stepper = stepper;
    this.#target = target;
    this.values = values;
    const { concurrent } = target;
    if (concurrent === undefined) return;
    this.concurrent = {
      start: (actor, call) => this.#start(concurrent, actor, call),
      resume: (actor) => this.#settled(actor, concurrent.resume(actor)),
    };
  }

  get name(): string {
    return this.#target.name;
  }

  get capabilities(): ReadonlySet<Capability> {
    return this.#target.capabilities;
  }

  boot(machine: M): void {
    this.#target.boot(machine);
  }

  apply(call: Call): Reply {
    if (this.#isOwn()) this.moves.push({ call: this.#noted(call) });
    return this.#target.apply(call);
  }

  observe(view: View): void {
    this.#target.observe(view);
  }

  #start({ start }: Concurrent, actor: string, call: Call): Reply | Suspended {
    const isAlone = this.#underWay.size === 0;
    const last = this.moves.at(-1);
    if (isAlone && this.#isOwn()) this.moves.push({ call: this.#noted(call) });
    else if (!isAlone && last !== undefined) {
      if (last.during !== undefined) this.problem = 'more than one call is made during another';
      this.moves[this.moves.length - 1] = { ...last, during: this.#noted(call) };
    }
    return this.#settled(actor, start(actor, call));
  }

  #settled(actor: string, answer: Reply | Suspended): Reply | Suspended {
    if ('point' in answer) this.#underWay.add(actor);
    else this.#underWay.delete(actor);
    return answer;
  }

  #isOwn(): boolean {
    return this.#stepper.steps[this.#stepper.at]?.own === true;
  }

  /** The call; what it refers to and does not exist, and addresses that no offset gives, become values. */
  #noted(call: Call): Call {
    const { spec, lockstep } = this.#stepper;
    for (const [name, value] of Object.entries(call.args)) {
      const shape = spec.calls[call.op]?.args[name];
      if (shape === undefined || typeof value !== 'number') continue;
      const choices = choicesOf(this.values, call.op, name);
      if (shape.is === 'ref' && !shape.of.some((kind) => spec.live(lockstep.world, kind).includes(value)))
        choices.add(value);
      if (shape.is === 'address' && !this.#isPlace(shape, value, choices.list)) choices.add(value);
    }
    return call;
  }

  #isPlace(shape: Extract<ArgShape, { is: 'address' }>, address: Arg, choices: readonly Choice[]): boolean {
    const { spec, lockstep } = this.#stepper;
    const starts = shape.of.flatMap((kind) => spec.addresses(lockstep.world, kind, shape.side));
    const offsets = choices.flatMap((choice) =>
      typeof choice === 'object' && 'offset' in choice ? [choice.offset] : [],
    );
    return starts.some((start) => offsets.some((offset) => start + offset === address));
  }
}
