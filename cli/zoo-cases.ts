/** The shortest case of each bug, kept as a file: what length shrinking is held to. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, CaseError, writeCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { type Finding, type Found, isSmaller, measure, shrink, trialOf } from '../properties/index.ts';
import { type Bug, infect } from '../targets/zoo/index.ts';
import { UsageError } from './exit.ts';
import { foundCase } from './found.ts';
import { propertyOf } from './hunt.ts';
import { readCaseFile } from './read-file.ts';
import { runOn } from './replay-case.ts';
import { type Saved, saveCase } from './save.ts';
import type { ShownIn } from './scope-hunt.ts';
import type { Output } from './session.ts';
import { version } from './version.ts';
import type { Hunts } from './zoo-figures.ts';

/** The cases that come with ionclad. */
export const KEPT_CASES: string = fileURLToPath(new URL('../../counterexamples/zoo/', import.meta.url));

const fileOf = ({ name }: Bug): string => `${name}.case.json`;

/** The kept case of a bug, or undefined: there is none, or it does not show the bug any more. */
export async function keptCase(folder: string, bug: Bug, io: Output): Promise<Case | undefined> {
  const file = join(folder, fileOf(bug));
  if (!existsSync(file)) return undefined;
  try {
    const kept = readCaseFile(file);
    const finding = await runOn({ is: 'local', target: infect(bug) }, kept.script, kept.property);
    if (finding?.serves === bug.catches) return asToday(bug, kept, finding);
    io.err(`ionclad: ${file}: it does not show ${bug.name} as ${bug.catches} any more`);
  } catch (cause) {
    if (!(cause instanceof CaseError || cause instanceof UsageError)) throw cause;
    io.err(`ionclad: ${cause.message}`);
  }
  return undefined;
}

/** What the script shows may be decided by something else than when it was kept. */
function asToday(bug: Bug, kept: Case, finding: Finding): Case {
  const { title, property, found, script } = kept;
  const fresh = zooCase(bug, found ?? { seed: 0, index: 0, version: version() }, { script, finding });
  return { ...fresh, title, property };
}

/** Writes the shortest that is known, unless that is what stands there. */
export function keepShortest(folder: string, { bug, hunts, kept }: Hunts): Saved | undefined {
  const found = hunts.flatMap(({ hunted: { seed, found: first }, shrunk }) =>
    first === undefined || shrunk?.finding.serves !== bug.catches
      ? []
      : [zooCase(bug, { seed, index: first.index, version: version() }, shrunk)],
  );
  return keepBest(folder, bug, kept, found);
}

/** Keeps what a search of a scope found, made smaller, where it shows the bug as it is shown else, and is shorter. */
export function keepSearched(
  folder: string,
  { bug, kept }: Pick<Hunts, 'bug' | 'kept'>,
  { scope, script, finding }: ShownIn,
): Saved | undefined {
  const { again } = trialOf(propertyOf(bug), SPEC, infect(bug));
  const shown = again(script);
  if (shown?.serves !== bug.catches || finding.serves !== bug.catches) return undefined;
  const shrunk = shrink(SPEC, script, shown, again);
  const by = { by: `ionclad zoo --exhaustive, scope ${scope}`, version: version() };
  return keepBest(folder, bug, kept, [zooCase(bug, by, shrunk)]);
}

function keepBest(
  folder: string,
  bug: Bug,
  kept: Case | undefined,
  found: readonly Case[],
): Saved | undefined {
  let best = kept;
  for (const each of found) if (best === undefined || isShorter(each, best)) best = each;
  if (best === undefined) return undefined;
  const file = join(folder, fileOf(bug));
  const isThere = existsSync(file) && readFileSync(file, 'utf8') === writeCase(best);
  return isThere ? undefined : saveCase(file, best);
}

const isShorter = (one: Case, other: Case): boolean =>
  isSmaller(measure(one.script, SPEC), measure(other.script, SPEC));

function zooCase(
  bug: Bug,
  by: NonNullable<Case['found']>,
  { script, finding }: Pick<Found, 'script' | 'finding'>,
): Case {
  const target = { name: `zoo/${bug.name}`, program: [] };
  const asked = { target, premise: undefined, property: propertyOf(bug), machine: {} };
  const expect = { [target.name]: 'broken', builtin: 'holds' } as const;
  return { ...foundCase(asked, script, finding, by), title: bug.text, expect };
}
