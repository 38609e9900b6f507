/** What the calls on a path have made: what is given back after a script, in the order in which that is done. */
import type { Call, Reply, Spec, Stateful } from '../../model/index.ts';

interface Thing {
  readonly kind: string;
  readonly id: number;
}

/** The things, and a number that tells such lists apart. */
interface Things {
  readonly list: readonly Thing[];
  readonly hash: number;
}

const NOTHING: Things = { list: [], hash: 0 };

/**
 * As in a script each result has a slot: what users hold stays in it even when it is gone, for they may use it again;
 * all else goes with the call that consumes it.
 */
export class Made<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #path: Things[] = [NOTHING];

  constructor(spec: Spec<M, S>) {
    this.#spec = spec;
  }

  get hash(): number {
    return (this.#path.at(-1) ?? NOTHING).hash;
  }

  ids(kind: string): number[] {
    const { list } = this.#path.at(-1) ?? NOTHING;
    return list.filter((thing) => thing.kind === kind).map(({ id }) => id);
  }

  mark(): void {
    this.#path.push(this.#path.at(-1) ?? NOTHING);
  }

  back(): void {
    this.#path.pop();
  }

  /** Takes the answer to a call that was made since the last mark. */
  note({ op, args }: Call, reply: Reply): void {
    if (!('ok' in reply)) return;
    const { args: shapes, gives } = this.#spec.calls[op] ?? { args: {} };
    const { list } = this.#path.pop() ?? NOTHING;
    const left = [...list];
    for (const [name, shape] of Object.entries(shapes)) {
      if (shape.is !== 'ref' || shape.consumes !== true) continue;
      const at = left.findLastIndex(({ kind, id }) => shape.of.includes(kind) && id === args[name]);
      if (this.#spec.kinds[left[at]?.kind ?? '']?.user !== true && at >= 0) left.splice(at, 1);
    }
    const id = reply.ok[this.#spec.kinds[gives?.kind ?? '']?.main ?? ''];
    if (gives?.kind !== undefined && typeof id === 'number') left.push({ kind: gives.kind, id });
    this.#path.push({ list: left, hash: hashOf(left) });
  }
}

/** Of the text of all of it, for 32 bits. */
function hashOf(list: readonly Thing[]): number {
  let hash = 0;
  for (const { kind, id } of list) {
    for (const part of [...kind].map((letter) => letter.charCodeAt(0)).concat(id)) {
      hash = Math.imul(hash ^ part, 0x01000193);
      hash ^= hash >>> 15;
    }
  }
  return hash;
}
