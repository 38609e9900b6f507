/** A run of many scripts, in chunks that any thread can take: the same result for any number of threads. */
import type { Spec, Stateful, Target } from '../model/index.ts';
import { runScript } from './drive.ts';
import type { Finding } from './finding.ts';
import { CHUNK_SCRIPTS, type Plan, Scripts } from './generate.ts';
import type { Script } from './script.ts';
import { Stepper } from './stepper.ts';
import { addCounts, type Counts, firstRows, noCounts } from './tally.ts';

/** What is run. Plain data but for the specification and the target. */
export interface Campaign<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly target: Target<M>;
  readonly seed: number;
  readonly plan: Plan;
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

/** Runs the scripts of one chunk, those below `scripts` in all. */
export function runChunk<M, S extends Stateful>(
  campaign: Campaign<M, S>,
  chunk: number,
  scripts: number,
): ChunkResult {
  const { spec, target, seed, plan, premise } = campaign;
  const stepper = new Stepper(spec, target, premise);
  const source = new Scripts(spec, seed, plan);
  const end = Math.min((chunk + 1) * CHUNK_SCRIPTS, scripts);
  for (let index = chunk * CHUNK_SCRIPTS; index < end; index++) {
    const script = source.at(index);
    const finding = runScript(stepper, target, script);
    if (finding !== undefined && (premise === undefined || finding.premise === premise)) {
      return { counts: stepper.counts, found: { index, script, finding } };
    }
  }
  return { counts: stepper.counts };
}

export const chunkCount = (scripts: number): number => Math.ceil(scripts / CHUNK_SCRIPTS);

/** The result of a run so far: all chunks below the first with a finding. */
export interface Outcome {
  readonly counts: Counts;
  readonly found: Found | undefined;
}

/** Puts chunks together, whatever the order in which they arrive: what counts is the finding of the lowest index. */
export class Collector {
  readonly #results: (ChunkResult | undefined)[] = [];
  readonly #rows: number;

  constructor(spec: Spec<never, never> | { readonly rules: Spec<never, never>['rules'] }) {
    this.#rows = firstRows(spec as Spec<never, never>).rows;
  }

  add(chunk: number, result: ChunkResult): void {
    this.#results[chunk] = result;
  }

  /** Chunks from here on cannot change the result any more. */
  get end(): number {
    const first = this.#results.findIndex((result) => result?.found !== undefined);
    return first < 0 ? Number.POSITIVE_INFINITY : first + 1;
  }

  /** Scripts and commands run so far, for progress. */
  get progress(): { readonly scripts: number; readonly commands: number } {
    let scripts = 0;
    let commands = 0;
    for (const result of this.#results) {
      scripts += result?.counts.scripts ?? 0;
      commands += result?.counts.commands ?? 0;
    }
    return { scripts, commands };
  }

  outcome(): Outcome {
    const counts = noCounts(this.#rows);
    for (const result of this.#results) {
      if (result === undefined) continue;
      addCounts(counts, result.counts);
      if (result.found !== undefined) return { counts, found: result.found };
    }
    return { counts, found: undefined };
  }
}
