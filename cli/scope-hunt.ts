/** One bug of the zoo looked for in the scopes that have names: the shortest script that shows it, and where. */
import { type NamedScope, SPEC } from '../model/index.ts';
import {
  explore,
  type Finding,
  LedElsewhereError,
  type Script,
  UnconfirmedError,
} from '../properties/index.ts';
import { type Bug, infect } from '../targets/zoo/index.ts';

/** Plain data: it crosses from one thread to another. */
export interface ScopeHunt {
  readonly bug: string;
  /** Scopes that were searched. */
  readonly scopes: number;
  /** Scopes of these in which the bug keeps what going back does not undo. */
  readonly lost: readonly string[];
  readonly transitions: number;
  readonly found?: ShownIn;
}

/** The shortest script that was found. */
export interface ShownIn {
  readonly scope: string;
  /** Until it was found. */
  readonly states: number;
  readonly script: Script;
  readonly finding: Finding;
}

type Entry = readonly [name: string, scope: NamedScope];

/**
 * Searches one scope after another, until one shows the bug, in no more commands than a script that is known. Those
 * that have the calls of that script come first. It is looked for as the invariant that catches it; where no scope
 * shows it as that, as anything.
 */
export function huntInScopes(bug: Bug, known?: Script): ScopeHunt {
  const entries = scopesFor(bug, known);
  const hunt = new Hunt(bug, known?.commands.length ?? Number.POSITIVE_INFINITY);
  hunt.search(entries, ({ serves }) => serves === bug.catches);
  if (hunt.result.found === undefined) hunt.search(entries, () => true);
  return hunt.result;
}

class Hunt {
  readonly #bug: Bug;
  /** Commands that are few enough. */
  readonly #enough: number;
  readonly #lost = new Set<string>();
  readonly #searched = new Set<string>();
  #transitions = 0;
  #found: ShownIn | undefined;

  constructor(bug: Bug, enough: number) {
    this.#bug = bug;
    this.#enough = enough;
  }

  get result(): ScopeHunt {
    return {
      bug: this.#bug.name,
      scopes: this.#searched.size,
      lost: [...this.#lost],
      transitions: this.#transitions,
      ...(this.#found === undefined ? {} : { found: this.#found }),
    };
  }

  search(entries: readonly Entry[], wants: (finding: Finding) => boolean): void {
    for (const [name, scope] of entries) {
      const shown = this.#searchOne(name, scope, wants);
      if (shown === undefined) continue;
      if (this.#found === undefined || lengthOf(shown) < lengthOf(this.#found)) this.#found = shown;
      if (lengthOf(this.#found) <= this.#enough) return;
    }
  }

  #searchOne(name: string, named: NamedScope, wants: (finding: Finding) => boolean): ShownIn | undefined {
    const scope = this.#bug.property === 'fault' ? { ...named, trials: true } : named;
    this.#searched.add(name);
    try {
      const { states, transitions, found } = explore(SPEC, infect(this.#bug), scope, { wants });
      this.#transitions += transitions;
      return found && { scope: name, states, ...found };
    } catch (cause) {
      if (!(cause instanceof UnconfirmedError || cause instanceof LedElsewhereError)) throw cause;
      this.#lost.add(name);
      return undefined;
    }
  }
}

const lengthOf = ({ script }: Pick<ShownIn, 'script'>): number => script.commands.length;

/** Scopes with faults for what faults show, with a second actor for what it takes one to show. */
function scopesFor(bug: Bug, known: Script | undefined): Entry[] {
  const ops = new Set(known?.commands.map(({ op }) => op));
  const hasAll = (only: readonly string[]): boolean => [...ops].every((op) => only.includes(op));
  const small = Object.entries(SPEC.scopes).filter(
    ([, { large, faults = 0, overlaps = 0 }]) =>
      large !== true &&
      overlaps > 0 === (bug.property === 'schedule') &&
      (bug.property !== 'fault' || faults > 0),
  );
  const rank = ([, { only }]: Entry): number => (hasAll(only) ? only.length : Number.POSITIVE_INFINITY);
  return small.toSorted((one, other) => (rank(one) === rank(other) ? 0 : rank(one) - rank(other)));
}
