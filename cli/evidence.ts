/** Gathers on all threads what the gates ask about ionclad itself. */
import { SPEC } from '../model/index.ts';
import {
  type Audited,
  addAudited,
  chunkCount,
  type Finding,
  identityOf,
  nothingAudited,
  rowNames,
  runScript,
  Stepper,
  showingOnly,
  withoutInvariant,
} from '../properties/index.ts';
import { type Bug, bugOf, infect, ZOO } from '../targets/zoo/index.ts';
import { HUNT_SCRIPTS } from './defaults.ts';
import { type Evidence, isAnythingOpen } from './gates.ts';
import { type Hunted, propertyOf } from './hunt.ts';
import { inLanes } from './lanes.ts';
import type { RunOptions } from './options.ts';
import { ThreadRunner } from './pool.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';

/** Chunks that are audited before it is asked whether anything is still open. */
const ROUND_CHUNKS = 8;

type Asked = Pick<RunOptions, 'seed' | 'scripts' | 'threads'>;

/**
 * Hunts the zoo, and audits the scripts of a run on the built-in implementation.
 *
 * @returns undefined when Ctrl-C came first
 */
export async function gather(
  asked: Asked,
  session: Session,
  progress: Progress,
  bugs: readonly Bug[] = ZOO,
): Promise<Omit<Evidence, 'coverage'> | undefined> {
  const runner = new ThreadRunner(session, progress, asked.threads);
  try {
    progress.say(`hunting ${bugs.length} bugs of the zoo`);
    const hunts = await inLanes(bugs, asked.threads, ({ name }) =>
      runner.hunt(name, asked.seed, HUNT_SCRIPTS, false),
    );
    progress.say('holding the specification against mutants of it');
    const audited = await audit(asked, runner, session.signal);
    if (session.signal.aborted) return undefined;
    const hunted = hunts.flatMap((each) => (each === undefined ? [] : [each.hunted]));
    return { audited, hunted, invariants: SPEC.invariants.map((_, at) => isNoticed(at, hunted)) };
  } finally {
    await runner.close();
  }
}

/**
 * Round by round, until nothing is open that has no excuse. What a round knows when it starts depends on nothing but
 * those before it, so the result is the same for any number of threads.
 */
async function audit(
  { seed, scripts, threads }: Asked,
  runner: ThreadRunner,
  signal: AbortSignal,
): Promise<Audited> {
  const audited = nothingAudited(rowNames(SPEC).length);
  const chunks = Array.from({ length: chunkCount(scripts) }, (_, chunk) => chunk);
  for (
    let from = 0;
    from < chunks.length && isAnythingOpen(audited) && !signal.aborted;
    from += ROUND_CHUNKS
  ) {
    const parts = await inLanes(chunks.slice(from, from + ROUND_CHUNKS), threads, (chunk) =>
      runner.audit(audited, seed, chunk, scripts),
    );
    for (const part of parts) if (part !== undefined) addAudited(audited, part);
  }
  return audited;
}

/**
 * Without the invariant, the script that showed some bug shows nothing, or something else; if not with all that the
 * target shows, then with what the invariant reads alone.
 */
export const isNoticed = (at: number, hunted: readonly Hunted[]): boolean =>
  hunted.some(({ bug: name, found }) => {
    const bug = bugOf(`zoo/${name}`);
    const invariant = SPEC.invariants[at];
    if (bug === undefined || found?.finding.serves !== invariant?.id) return false;
    if (found === undefined || propertyOf(bug) !== 'lockstep') return false;
    const reads = invariant?.reads.reduce((columns, column) => columns | (1 << column), 0);
    return [-1, reads ?? 0].some((columns) => {
      const target = showingOnly(infect(bug), columns);
      const run = (spec: typeof SPEC): Finding | undefined =>
        runScript(new Stepper(spec, target), target, found.script);
      return !isSame(run(SPEC), run(withoutInvariant(SPEC, at)));
    });
  });

const isSame = (one: Finding | undefined, other: Finding | undefined): boolean =>
  one === undefined || other === undefined ? one === other : identityOf(one) === identityOf(other);
