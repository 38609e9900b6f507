/** States and calls up to the names of things: what scripts from the graph of a scope are to cover. */
import type { Arg, ArgShape, Call, Reply, Spec, Stateful } from '../../model/index.ts';

/**
 * What of a state counts. `counts`: how many things of each kind there are, and the specification's own class.
 * `columns`: also how often each value stands in each column of the view. `states`: all that the specification knows,
 * and then the names in a call count too.
 */
export const DETAILS = ['counts', 'columns', 'states'] as const;

export type Detail = (typeof DETAILS)[number];

export class Abstraction<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #detail: Detail;

  constructor(spec: Spec<M, S>, detail: Detail) {
    this.#spec = spec;
    this.#detail = detail;
  }

  state(world: S): string {
    if (this.#detail === 'states') return world.state.words.join();
    const kinds = Object.keys(this.#spec.kinds);
    const counts = kinds.map((kind) => this.#spec.live(world, kind).length);
    const coarse = `${counts.join()} ${this.#spec.stateClass?.(world) ?? 0}`;
    if (this.#detail === 'counts') return coarse;
    return [coarse, ...this.#spec.columns(world).map((column) => column.toSorted().join())].join('|');
  }

  /** A call in a state before it is made. */
  call(world: S, { op, args, fail }: Call): string {
    const shapes = this.#spec.calls[op]?.args ?? {};
    const texts = Object.entries(args).map(([name, value]) => this.#argument(world, shapes[name], value));
    const sites = fail === undefined ? '' : ` ${JSON.stringify(fail)}`;
    return `${op}(${texts.join(', ')})${sites}`;
  }

  /** A thing is there or not, and a place is so many bytes into one, whatever they are called. */
  #argument(world: S, shape: ArgShape | undefined, value: Arg): string {
    if (this.#detail === 'states' || shape === undefined) return String(value);
    switch (shape.is) {
      case 'ref':
        return this.#thing(world, shape.of, value as number);
      case 'refs':
        return (value as readonly number[]).map((id) => this.#thing(world, shape.of, id)).join(' ');
      case 'address': {
        const starts = shape.of.flatMap((kind) => this.#spec.addresses(world, kind, shape.side));
        const below = Math.max(...starts.filter((start) => start <= (value as number)));
        return Number.isFinite(below) ? `+${(value as number) - below}` : 'nowhere';
      }
      default:
        return String(value);
    }
  }

  #thing(world: S, kinds: readonly string[], id: number): string {
    return kinds.find((kind) => this.#spec.live(world, kind).includes(id)) ?? 'nothing';
  }
}

export const outcomeOf = (reply: Reply): string => ('errno' in reply ? reply.errno : 'ok');
