/**
 * Which mappings nobody ends. What is alive at the end of a trace mostly belongs to a ring or a queue, which live as
 * long as their driver; so only those are told that outlive all their like by far.
 */

import type { AssumptionName } from './checks.ts';
import type { Stamp } from './event.ts';
import type { Confidence } from './finding.ts';
import { bytes, duration } from './say.ts';

/** A mapping stands out where so many of its like have died ... */
const DEATHS_LEAST = 8;
/** ... all of them after less than this part of its age ... */
const AGE_FACTOR = 16;
/** ... and where there are fewer of its kind than one for so many that died: a ring has as many as it needs. */
const DEATHS_EACH = 4;

/** How sure it is that one that stands out was forgotten. */
export const UNENDED: { readonly confidence: Confidence; readonly assumptions: readonly AssumptionName[] } = {
  confidence: 'possible',
  assumptions: ['ran-to-end', 'nothing-lost'],
};

/** Mappings are alike only if their sizes are within one power of two. */
export const sizeClass = (size: number): number => Math.floor(Math.log2(size));

/** What one kind of mapping is used to. Times are nanoseconds. */
export class Custom {
  deaths = 0;
  longest = 0;
  /** When there were enough deaths to speak of a custom. */
  since: number = Number.POSITIVE_INFINITY;

  died(born: Stamp, at: number): void {
    this.deaths += 1;
    if (at - born.time > this.longest) this.longest = at - born.time;
    if (this.deaths === DEATHS_LEAST) this.since = at;
  }

  /** Those of all that are alive of this kind that should have died long ago. */
  outlived<M extends { readonly born: Stamp }>(alive: readonly M[], now: number): readonly M[] {
    if (this.deaths < DEATHS_LEAST || alive.length * DEATHS_EACH > this.deaths) return [];
    return alive.filter(({ born }) => now - born.time > AGE_FACTOR * this.longest);
  }

  /** @param whose - such as `of 0000:00:03.0` */
  told(count: number, whose: string, size: number, age: number): string {
    return (
      `${mappings(count)} ${whose} never unmapped, the oldest of ${bytes(size)} since ${duration(age)}, ` +
      `while ${this.deaths} like it lived at most ${duration(this.longest)}`
    );
  }
}

export const mappings = (count: number): string => (count === 1 ? 'a mapping' : `${count} mappings`);

/** Things by kind, in the order in which the kinds come. */
export function groupedBy<M, K>(all: readonly M[], kindOf: (each: M) => K): ReadonlyMap<K, readonly M[]> {
  const kinds = new Map<K, M[]>();
  for (const each of all) {
    const kind = kindOf(each);
    const same = kinds.get(kind);
    if (same === undefined) kinds.set(kind, [each]);
    else same.push(each);
  }
  return kinds;
}
