/** A run of many scripts, in chunks that any thread can take: the same result for any number of threads. */
import type { Spec, Stateful, Target } from '../model/index.ts';
import { believed } from './determinism.ts';
import type { Finding } from './finding.ts';
import { CHUNK_SCRIPTS, type Plan, Scripts } from './generate.ts';
import { type PropertyName, planOf, trialOf } from './property.ts';
import type { Script } from './script.ts';
import { addCounts, type Counts, firstRows, noCounts } from './tally.ts';

/** What is run. Plain data but for the specification and the target. */
export interface Campaign<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly target: Target<M>;
  readonly seed: number;
  readonly plan: Plan;
  /** Default: lockstep. */
  readonly property?: PropertyName;
  /** Only findings for which this premise holds count. */
  readonly premise?: string;
}

/** A finding with the script that shows it. */
export interface Found {
  /** Index of the script in the run. */
  readonly index: number;
  readonly script: Script;
  readonly finding: Finding;
}

/** What one chunk gave. It ends at its first finding. */
export interface ChunkResult {
  readonly counts: Counts;
  readonly found?: Found;
}

/** Runs the scripts of one chunk, those below `scripts` in all, and tells after each how far it is. */
export function runChunk<M, S extends Stateful>(
  campaign: Campaign<M, S>,
  chunk: number,
  scripts: number,
  told: (counts: Counts) => void = () => {},
): ChunkResult {
  const { spec, target, seed, plan, property = 'lockstep', premise } = campaign;
  const trial = trialOf(property, spec, target, premise);
  const source = new Scripts(spec, seed, planOf(property, spec, plan, target.concurrent));
  const end = Math.min((chunk + 1) * CHUNK_SCRIPTS, scripts);
  for (let index = chunk * CHUNK_SCRIPTS; index < end; index++) {
    const found = trial.run(source.at(index));
    if (found !== undefined && (premise === undefined || found.finding.premise === premise)) {
      const { script } = found;
      const { again } = trialOf(property, spec, target, premise);
      const finding = believed(spec, target, script, found.finding, again);
      return { counts: trial.counts, found: { index, script, finding } };
    }
    told(trial.counts);
  }
  return { counts: trial.counts };
}

export const chunkCount = (scripts: number): number => Math.ceil(scripts / CHUNK_SCRIPTS);

/** The result of a run so far: all chunks below the first with a finding. */
export interface Outcome {
  readonly counts: Counts;
  readonly found: Found | undefined;
}

/** Puts chunks together, whatever the order in which they arrive: what counts is the finding of the lowest index. */
export class Collector {
  /** The sum of all chunks below `#done`. */
  readonly #counts: Counts;
  #done = 0;
  #found: Found | undefined;
  /** Chunks that arrived before one below them. */
  readonly #early = new Map<number, ChunkResult>();
  #scripts = 0;
  #commands = 0;

  constructor(spec: { readonly rules: Spec<never, never>['rules'] }) {
    this.#counts = noCounts(firstRows(spec as Spec<never, never>).rows);
  }

  add(chunk: number, result: ChunkResult): void {
    this.#scripts += result.counts.scripts;
    this.#commands += result.counts.commands;
    this.#early.set(chunk, result);
    for (let next = this.#early.get(this.#done); next !== undefined; next = this.#early.get(this.#done)) {
      if (this.#found !== undefined) return;
      this.#early.delete(this.#done);
      this.#done++;
      addCounts(this.#counts, next.counts);
      this.#found = next.found;
    }
  }

  /** Chunks from here on cannot change the result any more. */
  get end(): number {
    if (this.#found !== undefined) return this.#done;
    const found = [...this.#early]
      .filter(([, result]) => result.found !== undefined)
      .map(([chunk]) => chunk + 1);
    return Math.min(Number.POSITIVE_INFINITY, ...found);
  }

  /** Scripts and commands run so far, for progress. */
  get progress(): { readonly scripts: number; readonly commands: number } {
    return { scripts: this.#scripts, commands: this.#commands };
  }

  /**
   * What all chunks up to the first finding, or to the first that has not arrived, gave together. A finding behind one
   * that has not arrived, as after an interruption, is the finding all the same.
   */
  outcome(): Outcome {
    const early = [...this.#early].sort(([one], [other]) => one - other);
    const found = this.#found ?? early.find(([, result]) => result.found !== undefined)?.[1].found;
    return { counts: this.#counts, found };
  }
}
