/** The shortest case of each bug, kept as a file: what length shrinking is held to. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, CaseError, writeCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import {
  type Certificate,
  type Finding,
  isSmaller,
  measure,
  type Script,
  shrink,
  trialOf,
} from '../properties/index.ts';
import { type Bug, infect } from '../targets/zoo/index.ts';
import { readCaseFile, saveCase } from './case-files.ts';
import { UsageError } from './exit.ts';
import { foundCase } from './found.ts';
import { propertyOf } from './hunt.ts';
import type { ThreadRunner } from './pool.ts';
import { runOn } from './replay-case.ts';
import type { Saved } from './save.ts';
import type { ShownIn } from './scope-hunt.ts';
import type { Output } from './session.ts';
import type { TargetName } from './targets.ts';
import { version } from './version.ts';
import type { Hunts } from './zoo-figures.ts';

/** The cases that come with ionclad. */
export const KEPT_CASES: string = fileURLToPath(new URL('../../counterexamples/zoo/', import.meta.url));

/** What shows a bug, and what is known of its length. */
interface Known {
  readonly script: Script;
  readonly finding: Finding;
  readonly certificate?: Certificate | undefined;
}

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
  const { title, property, found, script, certificate } = kept;
  const by = found ?? { seed: 0, index: 0, version: version() };
  return { ...zooCase(bug, by, { script, finding, certificate }), title, property };
}

/** The shortest that is known, by what was found just now and what was kept. */
export function shortestOf({ bug, hunts, kept }: Hunts): Case | undefined {
  let best = kept;
  for (const { hunted, shrunk } of hunts) {
    const { seed, found } = hunted;
    if (found === undefined || shrunk?.finding.serves !== bug.catches) continue;
    const each = zooCase(bug, { seed, index: found.index, version: version() }, shrunk);
    if (best === undefined || isShorter(each, best)) best = each;
  }
  return best;
}

/** The same case with a certificate, or a shorter one; as it is after Ctrl-C. */
export async function certified(
  bug: Bug,
  known: Case,
  proof: number,
  runner: Pick<ThreadRunner, 'find' | 'certify'>,
): Promise<Case> {
  const task = { target: targetOf(bug), property: propertyOf(bug), premise: undefined, proof };
  const { script } = known;
  const finding = await runner.find(task, script);
  if (finding === undefined) return known;
  const shrunk = await runner.certify(task, { script, finding, executions: 0 });
  if (shrunk === undefined) return known;
  const { found = { by: 'a search' }, title, property } = known;
  const isSame = JSON.stringify(shrunk.script) === JSON.stringify(script);
  return { ...zooCase(bug, found, shrunk), ...(isSame ? { title, property } : {}) };
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
  const searched = zooCase(bug, by, shrunk);
  return keepBest(folder, bug, kept === undefined || isShorter(searched, kept) ? searched : kept);
}

/** Writes the shortest that is known, unless that is what stands there. */
export function keepBest(folder: string, bug: Bug, best: Case | undefined): Saved | undefined {
  if (best === undefined) return undefined;
  const file = join(folder, fileOf(bug));
  const isThere = existsSync(file) && readFileSync(file, 'utf8') === writeCase(best);
  return isThere ? undefined : saveCase(file, best);
}

const isShorter = (one: Case, other: Case): boolean =>
  isSmaller(measure(one.script, SPEC), measure(other.script, SPEC));

const targetOf = ({ name }: Bug): TargetName => ({ name: `zoo/${name}`, program: [] });

function zooCase(bug: Bug, by: NonNullable<Case['found']>, { script, finding, certificate }: Known): Case {
  const target = targetOf(bug);
  const asked = { target, premise: undefined, property: propertyOf(bug), machine: {} };
  const expect = { [target.name]: 'broken', builtin: 'holds' } as const;
  const found = foundCase(asked, script, finding, by);
  return { ...found, title: bug.text, expect, ...(certificate === undefined ? {} : { certificate }) };
}
