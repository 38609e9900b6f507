/** The shortest case of each bug, kept as a file: what length shrinking is held to. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, CaseError, writeCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { type Finding, type Found, isSmaller, measure } from '../properties/index.ts';
import { type Bug, infect } from '../targets/zoo/index.ts';
import { UsageError } from './exit.ts';
import { caseOf } from './found.ts';
import { propertyOf } from './hunt.ts';
import { readCaseFile } from './read-file.ts';
import { runOn } from './replay-case.ts';
import { type Saved, saveCase } from './save.ts';
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
  const fresh = zooCase(bug, 0, { index: 0, script, finding });
  return { ...fresh, title, property, ...(found === undefined ? {} : { found }) };
}

/** Writes the shortest that is known, unless that is what stands there. */
export function keepShortest(folder: string, { bug, hunts, kept }: Hunts): Saved | undefined {
  let best = kept;
  for (const { hunted, shrunk } of hunts) {
    if (hunted.found === undefined || shrunk?.finding.serves !== bug.catches) continue;
    const found = zooCase(bug, hunted.seed, { ...hunted.found, ...shrunk });
    if (best === undefined || isShorter(found, best)) best = found;
  }
  if (best === undefined) return undefined;
  const file = join(folder, fileOf(bug));
  const isThere = existsSync(file) && readFileSync(file, 'utf8') === writeCase(best);
  return isThere ? undefined : saveCase(file, best);
}

const isShorter = (one: Case, other: Case): boolean =>
  isSmaller(measure(one.script, SPEC), measure(other.script, SPEC));

function zooCase(bug: Bug, seed: number, found: Found): Case {
  const target = { name: `zoo/${bug.name}`, program: [] };
  const asked = { target, seed, premise: undefined, property: propertyOf(bug), machine: {} };
  const expect = { [target.name]: 'broken', builtin: 'holds' } as const;
  return { ...caseOf(asked, version(), found), title: bug.text, expect };
}
