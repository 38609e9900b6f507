/** What a script under construction has so far: the results that later commands may refer to. */
import type { Choices } from './choices.ts';

/** A result of an earlier command, as far as the script alone tells: it is taken to have succeeded. */
export interface Entry {
  readonly name: string;
  readonly kind: string;
  /** Results are numbered as they are made. */
  readonly number: number;
  /** Results that it was made from, theirs included. */
  readonly from: readonly Entry[];
  /** Results made from it that are still there. */
  heldBy: number;
  live: boolean;
}

export class Draft {
  readonly #live = new Map<string, Entry[]>();
  readonly #stale = new Map<string, Entry[]>();
  #count = 0;

  liveCount(kind: string): number {
    return this.#live.get(kind)?.length ?? 0;
  }

  /** Everything of these kinds that is there. */
  live(kinds: readonly string[]): readonly Entry[] {
    return kinds.flatMap((kind) => this.#live.get(kind) ?? []);
  }

  /** Something of one of the kinds can be named. */
  has(kinds: readonly string[], staleToo: boolean): boolean {
    for (const kind of kinds) {
      if (this.liveCount(kind) > 0) return true;
      if (staleToo && (this.#stale.get(kind)?.length ?? 0) > 0) return true;
    }
    return false;
  }

  /** Adds a result made from others. */
  add(kind: string, from: readonly Entry[]): Entry {
    this.#count++;
    const all = new Set(from.flatMap((entry) => [entry, ...entry.from]));
    const entry = {
      name: `${kind}${this.#count}`,
      kind,
      number: this.#count,
      from: [...all],
      heldBy: 0,
      live: true,
    };
    for (const origin of all) origin.heldBy++;
    listOf(this.#live, kind).push(entry);
    return entry;
  }

  /** The result is gone, and with it what users made from it. */
  remove(entry: Entry): void {
    if (!entry.live) return;
    entry.live = false;
    const live = listOf(this.#live, entry.kind);
    live.splice(live.indexOf(entry), 1);
    listOf(this.#stale, entry.kind).push(entry);
    for (const origin of entry.from) origin.heldBy--;
    for (const list of this.#live.values()) {
      for (const other of [...list]) if (other.from.includes(entry)) this.remove(other);
    }
  }

  /** Draws a result of one of the kinds: mostly one that goes with those already drawn for the same command. */
  draw(
    choices: Choices,
    kinds: readonly string[],
    beside: readonly Entry[],
    { stale: gone, consumes }: Wanted,
  ): Entry | undefined {
    const live = this.live(kinds);
    const stale = gone.flatMap((kind) => this.#stale.get(kind) ?? []);
    if (stale.length > 0 && (live.length === 0 || choices.below(16) === 0))
      return stale[choices.below(stale.length)];
    if (live.length === 0) return undefined;
    const fitting =
      choices.below(8) === 0
        ? live
        : live.filter((entry) => beside.every((other) => isRelated(entry, other)));
    const candidates = fitting.length > 0 ? fitting : live;
    const idle =
      consumes && choices.below(4) !== 0 ? candidates.filter(({ heldBy }) => heldBy === 0) : candidates;
    const list = idle.length > 0 ? idle : candidates;
    // The newest half of the time: what was just made is what something interesting can be done to.
    return choices.below(2) === 0 ? newest(list) : list[choices.below(list.length)];
  }
}

const newest = (list: readonly Entry[]): Entry | undefined =>
  list.reduce((best, entry) => (entry.number > best.number ? entry : best));

interface Wanted {
  /** Kinds of which a result that is gone will do now and then. */
  readonly stale: readonly string[];
  /** The command will consume it: one that nothing was made from is better. */
  readonly consumes: boolean;
}

function listOf(lists: Map<string, Entry[]>, kind: string): Entry[] {
  const list = lists.get(kind) ?? [];
  lists.set(kind, list);
  return list;
}

/** One was made from the other, or both from the same; things made from nothing go with everything. */
function isRelated(a: Entry, b: Entry): boolean {
  if (a.from.length === 0 && b.from.length === 0) return true;
  return a.from.includes(b) || b.from.includes(a) || a.from.some((origin) => b.from.includes(origin));
}
