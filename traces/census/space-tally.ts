/** How much of its I/O addresses each device or domain uses. */
import type { Life } from '../mapping.ts';
import type { SpaceUse } from '../report.ts';

/** Names that are told apart; damaged traces hold any number of them. The rest counts as if not named. */
const SPACES_MAX = 1_000;

interface Tally {
  mappings: number;
  alive: number;
  lowest: number;
  highest: number;
  bytes: number;
  bytesMost: number;
}

export class SpaceTally {
  readonly #tallies = new Map<string | undefined, Tally>();

  born(life: Life): void {
    const tally = this.#of(life.space);
    tally.alive += 1;
    tally.bytes += life.size;
    tally.bytesMost = Math.max(tally.bytesMost, tally.bytes);
    if (life.space !== undefined) settle(tally, life);
  }

  /** `space` was undefined when it was born. */
  named(life: Life): void {
    const before = this.#of(undefined);
    before.alive -= 1;
    before.bytes -= life.size;
    this.born(life);
  }

  died(life: Life): void {
    const tally = this.#of(life.space);
    tally.alive -= 1;
    tally.bytes -= life.size;
    if (life.space === undefined) settle(tally, life);
  }

  /**
   * Nothing is mapped any more.
   *
   * @param alive - what was until now
   */
  restart(alive: Iterable<Life>): void {
    for (const life of alive) if (life.space === undefined) settle(this.#of(undefined), life);
    for (const tally of this.#tallies.values()) tally.bytes = 0;
  }

  /** @param alive - what lives in the end */
  result(alive: Iterable<Life>): readonly SpaceUse[] {
    for (const life of alive) if (life.space === undefined) settle(this.#of(undefined), life);
    return [...this.#tallies]
      .filter(([, { mappings }]) => mappings > 0)
      .map(([space, { mappings, alive: living, lowest, highest, bytesMost }]) => ({
        ...(space === undefined ? {} : { space }),
        ...{ mappings, alive: living, lowest, highest, bytesMost },
      }))
      .toSorted((a, b) => b.mappings - a.mappings);
  }

  #of(space: string | undefined): Tally {
    const known = this.#tallies.get(space);
    if (known !== undefined) return known;
    if (space !== undefined && this.#tallies.size > SPACES_MAX) return this.#of(undefined);
    const tally = {
      mappings: 0,
      alive: 0,
      lowest: Number.POSITIVE_INFINITY,
      highest: 0,
      bytes: 0,
      bytesMost: 0,
    };
    this.#tallies.set(space, tally);
    return tally;
  }
}

/** Counts a life where it belongs, once that is known: at its birth or, without a name, at its end. */
function settle(tally: Tally, { iova, size }: Life): void {
  tally.mappings += 1;
  tally.lowest = Math.min(tally.lowest, iova);
  tally.highest = Math.max(tally.highest, iova + size - 1);
}
