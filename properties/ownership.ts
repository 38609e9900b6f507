/** Whose each command of a script is: it belongs to the one client that its references lead to. */
import type { ArgShape, Isolation, Spec, Stateful } from '../model/index.ts';
import { isPlace } from './argument-form.ts';
import { limitsOfScript } from './machine.ts';
import { type Argument, argumentsOf, type Command, isLiteral, type Script } from './script.ts';
import { referencesOf } from './shrink/pass.ts';

/** A command that can be made with and without the others, and compared. */
export interface Owned {
  /** Name of the client, which is that of a result; undefined: the command happens by itself. */
  readonly client: string | undefined;
  /** It reaches the same things wherever they lie. */
  readonly isPlaced: boolean;
}

interface Result extends Owned {
  readonly name: string;
  readonly isUser: boolean;
  /** Names of the results that it was made from, directly or not. */
  readonly from: readonly string[];
}

/**
 * The commands with their owners. Undefined are those that are not made: what two clients have in common, what names
 * something by number or after it was given back, when it may be another's; and what CPUs access beyond the part of
 * a mapping that is sure to be there, as they have one address space for all.
 */
export function ownersOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  isolation: Isolation,
  script: Script,
): readonly (Owned | undefined)[] {
  const owners = new Owners(spec, isolation, limitsOfScript(spec, script.machine)[isolation.extent] ?? 0);
  return script.commands.map((command) => owners.add(command));
}

/** Name of the client that a command belongs to, or of the first one where it is nobody's. */
export function clientOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  script: Script,
  at: number,
): string | undefined {
  const owners = spec.isolation === undefined ? [] : ownersOf(spec, spec.isolation, script);
  return owners[at]?.client ?? owners.find((owned) => owned?.client !== undefined)?.client;
}

class Owners<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #isolation: Isolation;
  readonly #extent: number;
  readonly #results = new Map<string, Result>();
  readonly #gone = new Set<string>();

  constructor(spec: Spec<M, S>, isolation: Isolation, extent: number) {
    this.#spec = spec;
    this.#isolation = isolation;
    this.#extent = extent;
  }

  /** Takes the commands in the order of the script. */
  add(command: Command): Owned | undefined {
    const args = this.#spec.calls[command.op]?.args ?? {};
    const from = referencesOf(command, this.#spec).map((name) => this.#results.get(name));
    const given = argumentsOf(command).map(([name, value]) => ({ shape: args[name] as ArgShape, value }));
    if (!this.#isolation.calls.includes(command.op) || !from.every((result) => this.#isThere(result)))
      return undefined;
    if (!given.every(({ shape, value }) => this.#isOwn(shape, value, command))) return undefined;
    const owned = this.#ownedBy(command, from);
    if (owned === undefined) return undefined;
    const isPlaced =
      owned.isPlaced &&
      given.every(({ shape, value }) => shape.is !== 'address' || this.#isInside(value, command));
    this.#note(command, { ...owned, isPlaced }, from);
    return { ...owned, isPlaced };
  }

  #ownedBy({ op, as }: Command, from: readonly Result[]): Owned | undefined {
    const { kind, everywhere } = this.#isolation;
    const isPlaced = !everywhere.includes(op) && from.every((result) => result.isPlaced);
    const [client, ...others] = new Set(from.map((result) => result.client));
    if (others.length > 0) return undefined;
    if (this.#spec.calls[op]?.gives?.kind !== kind) return { client, isPlaced };
    return as === undefined ? undefined : { client: as, isPlaced };
  }

  #note({ op, as, ...args }: Command, owned: Owned, from: readonly Result[]): void {
    const { gives, args: shapes } = this.#spec.calls[op] ?? { args: {} };
    for (const [name, shape] of Object.entries(shapes))
      if (shape.is === 'ref' && shape.consumes === true) this.#gone.add(String(args[name]));
    if (as === undefined || gives?.kind === undefined) return;
    const isUser = this.#spec.kinds[gives.kind]?.user === true;
    const origins = from.flatMap((result) => [result.name, ...result.from]);
    this.#results.set(as, { ...owned, name: as, isUser, from: origins });
  }

  /** It exists, and may still be named: what users hold for as long as their client is there. */
  #isThere(result: Result | undefined): result is Result {
    if (result === undefined) return false;
    const { name, client = name, isUser, from } = result;
    return ![name, client, ...(isUser ? [] : from)].some((each) => this.#gone.has(each));
  }

  /** What an argument names cannot be another's. */
  #isOwn(shape: ArgShape, value: Argument, command: Command): boolean {
    if (shape.is === 'ref') return typeof value === 'string' && !isLiteral(value);
    if (shape.is !== 'address') return true;
    return shape.side === 'cpu' ? this.#isInside(value, command) : isPlace(value) || shape.wild !== undefined;
  }

  #isInside(value: Argument, command: Command): boolean {
    const size = Number(command[this.#isolation.size]);
    return isPlace(value) && value.offset >= 0 && value.offset + size <= this.#extent;
  }
}
