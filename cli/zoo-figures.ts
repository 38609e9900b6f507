/** The kill table of the zoo as figures: what it took to find each bug, and how short what was found is. */
import type { Case } from '../counterexamples/index.ts';
import type { Finding } from '../properties/index.ts';
import type { Bug } from '../targets/zoo/index.ts';
import type { HuntedBug } from './worker.ts';

/** One bug with all that was done to find it. */
export interface Hunts {
  readonly bug: Bug;
  /** Those that were finished, by seed. */
  readonly hunts: readonly HuntedBug[];
  /** The shortest case that was known before, or with all hunts. */
  readonly kept: Case | undefined;
}

/** An invariant that fired first, with what decided, in so many hunts. */
export interface Fired {
  readonly serves: string;
  readonly by: string;
  readonly times: number;
}

export interface Figures {
  readonly hunts: number;
  readonly found: number;
  /** Medians over the hunts that found something; of an even number, the lower of the two in the middle. */
  readonly commands: number | undefined;
  readonly ms: number | undefined;
  /** Commands after shrinking. */
  readonly length: number | undefined;
  readonly worst: number | undefined;
  /** Least number of commands that is known to show the bug, found now or kept. */
  readonly known: number | undefined;
  /** States in which no shorter script was found, and no others can be reached; undefined: that is not proven. */
  readonly proven: number | undefined;
  /** The most frequent first. */
  readonly fired: readonly Fired[];
  /** Spent on it in all hunts. */
  readonly spent: number;
}

/** A row of the table. */
export interface Row extends Hunts {
  readonly figures: Figures;
  /** Every hunt found the bug, and in most of them it was its own invariant that fired first. */
  readonly isCaught: boolean;
}

export function rowOf(hunts: Hunts): Row {
  const figures = figuresOf(hunts);
  const own = figures.fired.filter(({ serves }) => serves === hunts.bug.catches);
  const first = own.reduce((sum, { times }) => sum + times, 0);
  return { ...hunts, figures, isCaught: figures.found === figures.hunts && 2 * first > figures.hunts };
}

function figuresOf({ bug, hunts, kept }: Hunts): Figures {
  const caught = hunts.filter(({ hunted }) => hunted.found !== undefined);
  const lengths = caught.flatMap(({ shrunk }) => (shrunk === undefined ? [] : [lengthOf(shrunk)]));
  const right = hunts.flatMap(({ shrunk }) =>
    shrunk?.finding.serves === bug.catches ? [lengthOf(shrunk)] : [],
  );
  const known = kept === undefined ? right : [...right, lengthOf(kept)];
  return {
    hunts: hunts.length,
    found: caught.length,
    commands: median(caught.map(({ hunted }) => hunted.commands)),
    ms: median(caught.map(({ ms }) => ms)),
    length: median(lengths),
    worst: lengths.length === 0 ? undefined : Math.max(...lengths),
    known: known.length === 0 ? undefined : Math.min(...known),
    proven: kept?.certificate?.result === 'proven' ? kept.certificate.states : undefined,
    fired: firedIn(caught),
    spent: hunts.reduce((sum, { hunted }) => sum + hunted.commands, 0),
  };
}

const lengthOf = ({ script }: Pick<Case, 'script'>): number => script.commands.length;

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

function firedIn(caught: readonly HuntedBug[]): Fired[] {
  const times = new Map<string, Fired>();
  for (const { hunted } of caught) {
    if (hunted.found === undefined) continue;
    const { serves } = hunted.found.finding;
    const by = decidedBy(hunted.found.finding);
    const before = times.get(`${serves} ${by}`)?.times ?? 0;
    times.set(`${serves} ${by}`, { serves, by, times: before + 1 });
  }
  return [...times.values()].toSorted((one, other) => other.times - one.times);
}

/** What decided: a row of a rule, a column of the view, or when the invariant is asked: state, step, end. */
export function decidedBy({ kind, clause }: Pick<Finding, 'kind' | 'clause'>): string {
  return kind === 'view' ? `view ${clause}` : clause;
}
