/**
 * Compares what one client was answered in two runs. Ids are compared up to a bijection. Addresses may differ: from
 * then on only what is reached wherever it lies can be compared. A shortage ends the comparison.
 */
import type { ArgShape, Call, CallShape, Isolation, Reply, Spec, Stateful, Value } from '../model/index.ts';
import type { Owned } from './ownership.ts';
import type { Command } from './script.ts';

/** A call that was made, and its answer. */
export interface Answer {
  readonly call: Call;
  readonly reply: Reply;
}

export interface Difference {
  /** Index of the command. */
  readonly at: number;
  /** The field that differs, or `errno`, or `ids`. */
  readonly field: string;
  /** Its values; none, where a reply has no such field. */
  readonly one: readonly number[];
  readonly other: readonly number[];
}

/** An id that a client holds, in both runs. */
interface Id {
  readonly name: string;
  readonly kind: string;
  readonly one: unknown;
  readonly other: unknown;
}

export class Comparison<M, S extends Stateful> {
  /** Answers that were compared. */
  compared = 0;
  readonly #spec: Spec<M, S>;
  readonly #isolation: Isolation;
  readonly #shortages: ReadonlySet<string>;
  /** Kinds that devices find at addresses, and kinds that end only when somebody gives them back. */
  readonly #spaces: ReadonlySet<string>;
  readonly #counted: ReadonlySet<string>;
  #ids: readonly Id[] = [];
  #isMoved = false;

  constructor(spec: Spec<M, S>, isolation: Isolation) {
    this.#spec = spec;
    this.#isolation = isolation;
    this.#shortages = new Set(Object.values(spec.sites).flat());
    this.#spaces = kindsIn(spec, (arg) => arg.is === 'address' && arg.side === undefined);
    this.#counted = kindsGivenBack(spec);
  }

  /** The first difference, in the order of the commands. An answer that is missing: the call was not made. */
  first(
    commands: readonly Command[],
    owners: readonly (Owned | undefined)[],
    answers: readonly (Answer | undefined)[],
    others: readonly (Answer | undefined)[],
  ): Difference | undefined {
    for (const [at, command] of commands.entries()) {
      const [owned, one, other] = [owners[at], answers[at]?.reply, others[at]?.reply];
      if (owned?.client === undefined || (one === undefined && other === undefined)) continue;
      if (one === undefined || other === undefined || this.#isShort(one) || this.#isShort(other))
        return undefined;
      if (this.#isMoved && !owned.isPlaced) return undefined;
      this.compared++;
      const field = this.#differing(command, one, other);
      if (field !== undefined) return { at, field, one: valuesOf(one, field), other: valuesOf(other, field) };
    }
    return undefined;
  }

  #isShort(reply: Reply): boolean {
    return 'errno' in reply && this.#shortages.has(reply.errno);
  }

  #differing(command: Command, one: Reply, other: Reply): string | undefined {
    if ('errno' in one || 'errno' in other)
      return 'errno' in one && 'errno' in other && one.errno === other.errno ? undefined : 'errno';
    const field = this.#isolation.fields.find((name) => !isSame(one.ok[name], other.ok[name]));
    return field ?? (this.#isBijection(command, one.ok, other.ok) ? undefined : 'ids');
  }

  /** Notes what the answers give and the command takes. Ids that are equal in one run must be so in the other. */
  #isBijection({ op, as: name, ...args }: Command, answer: Value, other: Value): boolean {
    const { gives, args: shapes } = this.#spec.calls[op] as CallShape;
    const taken = Object.entries(shapes).map(([arg, shape]) => (consumes(shape) ? args[arg] : undefined));
    this.#ids = this.#ids.filter((id) => !taken.includes(id.name));
    const { main = '', address } = this.#spec.kinds[gives?.kind ?? ''] ?? {};
    if (name === undefined || gives?.kind === undefined) return true;
    if (address !== undefined && this.#spaces.has(gives.kind))
      this.#isMoved ||= answer[address.field] !== other[address.field];
    if (address?.field === main || !this.#counted.has(gives.kind)) return true;
    const id = { name, kind: gives.kind, one: answer[main], other: other[main] };
    const isNew = this.#ids.every(
      ({ kind, one, other }) => kind !== id.kind || (one === id.one) === (other === id.other),
    );
    this.#ids = [...this.#ids, id];
    return isNew;
  }
}

const consumes = (shape: ArgShape): boolean => shape.is === 'ref' && shape.consumes === true;

/** Kinds that some call takes back; all others end by themselves. */
export const kindsGivenBack = <M, S extends Stateful>(spec: Spec<M, S>): ReadonlySet<string> =>
  kindsIn(spec, consumes);

/** Kinds that some argument of the table of calls is of. */
function kindsIn(
  { calls }: { readonly calls: Readonly<Record<string, CallShape>> },
  holds: (shape: ArgShape) => boolean,
): ReadonlySet<string> {
  const shapes = Object.values(calls).flatMap(({ args }) => Object.values(args));
  return new Set(shapes.filter(holds).flatMap((shape) => ('of' in shape ? shape.of : [])));
}

const listOf = (value: Value[string] | undefined): readonly number[] =>
  typeof value === 'object' ? value : value === undefined ? [] : [value];

function isSame(one: Value[string] | undefined, other: Value[string] | undefined): boolean {
  const [list, otherList] = [listOf(one), listOf(other)];
  return list.length === otherList.length && list.every((value, at) => value === otherList[at]);
}

const valuesOf = (reply: Reply, field: string): readonly number[] =>
  'ok' in reply ? listOf(reply.ok[field]) : [];
