/** `ionclad explore`: which of its forms is asked for. */
import type { ExitCode } from './exit.ts';
import { exploreCommand } from './explore.ts';
import { checkTogether, exploreOptions, type RawExploreOptions } from './explore-options.ts';
import { exploreSpecCommand } from './explore-spec.ts';
import { testsCommand, testsOptions } from './explore-tests.ts';
import type { Session } from './session.ts';
import { stepCommand, stepOptions } from './step.ts';

/** @param words - the program of a process target */
export async function exploringCommand(
  options: RawExploreOptions,
  words: readonly string[],
  session: Session,
): Promise<ExitCode> {
  checkTogether(options);
  if (options.step !== undefined) return stepCommand(stepOptions(options, words), session);
  if (options.tests !== undefined) return testsCommand(testsOptions(options, words), session);
  const asked = exploreOptions(options, words);
  return asked.spec ? exploreSpecCommand(asked, session) : exploreCommand(asked, session);
}
