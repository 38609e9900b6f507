/** `run --gate`: whether a run without a finding saw enough. */
import { SPEC } from '../model/index.ts';
import type { Counts } from '../properties/index.ts';
import { gather } from './evidence.ts';
import { printGates as print } from './gate-screen.ts';
import { type Gate, ownGates, targetGates } from './gates.ts';
import { lastRelease, writeRelease } from './last-release.ts';
import type { RunOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { Output, Session } from './session.ts';
import type { Opened } from './targets.ts';

/**
 * Holds a run against the gates. The zoo, the mutants and the coverage are about ionclad itself: they are asked for
 * with the built-in implementation alone.
 *
 * @returns undefined when nobody asked for them, nothing ran, or Ctrl-C came first
 */
export async function checkGates(
  counts: Counts,
  options: RunOptions,
  { target }: Opened,
  session: Session,
  progress: Progress,
): Promise<readonly Gate[] | undefined> {
  const { gate, seed, threads } = options;
  if (gate === undefined || counts.commands === 0 || session.signal.aborted) return undefined;
  const calls = Object.keys(SPEC.calls).filter((op) => target.calls?.has(op) !== false);
  if (!isOwn(options)) return targetGates(counts, calls);
  const evidence = await gather({ seed, threads, scripts: counts.scripts }, session, progress);
  if (evidence === undefined) return undefined;
  const gates = ownGates(counts, { ...evidence, coverage: gate.coverage });
  if (gate.figures !== undefined && gates.every(({ held }) => held)) writeRelease(gate.figures, gates);
  return gates;
}

const isOwn = ({ target }: Pick<RunOptions, 'target'>): boolean => target.name === 'builtin';

/** The screen. The last release's figures are those of the built-in implementation. */
export const printGates = (gates: readonly Gate[], options: RunOptions, io: Output): void =>
  print(gates, isOwn(options) ? lastRelease() : undefined, io);
