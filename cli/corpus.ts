/** The folder of cases: what was found stays there, one file for each finding, until somebody deletes it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, CaseError } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { isSmaller, measure, type ScriptMachine } from '../properties/index.ts';
import { readCaseFile, saveCase } from './case-files.ts';
import { UsageError } from './exit.ts';
import type { Saved } from './save.ts';

export interface CaseFile {
  readonly file: string;
  readonly case: Case;
}

/**
 * What two cases of the same finding have in common: target, property, the disputed policies that were chosen, and
 * what shrinking keeps. Undefined: nothing was found yet with the script.
 */
export function keyOf({ target, property, finding, script }: Case): string | undefined {
  if (finding === undefined) return undefined;
  const { kind, serves, clause, layer } = finding;
  const asked = property.name === 'verdict' ? [property.policy, property.premise] : [];
  const chosen = chosenPolicies(script.machine);
  return JSON.stringify([target, property.name, ...asked, chosen, kind, serves, clause, layer]);
}

/** The disputed policies of a machine that are not at their default: another choice is another thing under test. */
export const chosenPolicies = ({ policies = {} }: ScriptMachine): string =>
  Object.entries(policies)
    .filter(([name, value]) => SPEC.policies[name]?.free !== true && SPEC.policies[name]?.values[0] !== value)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join();

/** `known`: a file of the same finding was there. */
export type Kept = Saved & { readonly known?: true };

export class Corpus {
  /** The cases that were there, by name of file. */
  readonly cases: readonly CaseFile[];
  /** What was there and is no case, one line each. */
  readonly problems: readonly string[];
  readonly #folder: string;
  /** What this run has saved, by what it is about. */
  readonly #own = new Map<string, CaseFile>();

  constructor(folder: string) {
    this.#folder = folder;
    const names = namesIn(folder);
    for (const name of names) if (isLeftBehind(name)) rmSync(join(folder, name), { force: true });
    const problems: string[] = [];
    this.cases = names.flatMap((name) =>
      name.endsWith('.json') && !name.startsWith('.') ? readOr(join(folder, name), problems) : [],
    );
    this.problems = problems;
  }

  /** Files that this run has written. */
  get own(): readonly string[] {
    return [...this.#own.values()].map(({ file }) => file);
  }

  /** Saves what was found just now. The same finding is kept once, whichever script showed it first. */
  save(found: Case): Kept {
    const key = keyOf(found) ?? '';
    const known = this.#own.get(key);
    if (known !== undefined) return { file: known.file, known: true };
    const saved = saveCase(this.#freeFile(found, key), found);
    if ('file' in saved) this.#own.set(key, { file: saved.file, case: found });
    return saved;
  }

  /** Puts a smaller case in place of the one that was saved. */
  update(saved: Saved, smaller: Case): Saved {
    return 'file' in saved ? saveCase(saved.file, smaller) : saved;
  }

  /**
   * Puts the smallest case in place of the one that was saved. Where an older file shows the same finding still, there
   * is one file from now on: the older one, with the smaller script of both.
   */
  async settle(saved: Saved, smallest: Case, isFound: (other: Case) => Promise<boolean>): Promise<Kept> {
    const key = keyOf(smallest);
    for (const older of this.cases) {
      if (keyOf(older.case) !== key || !(await isFound(older.case))) continue;
      const isShorter = isSmaller(measure(smallest.script, SPEC), measure(older.case.script, SPEC));
      const kept = isShorter ? saveCase(older.file, smallest) : { file: older.file };
      if ('problem' in kept) break;
      if ('file' in saved) this.#remove(saved.file);
      return { ...kept, known: true };
    }
    const own = this.#own.get(key ?? '')?.file;
    if ('problem' in saved || own === saved.file) return this.update(saved, smallest);
    // Shrinking has changed what it is about: a policy that did not matter, or a target that is seldom the same.
    const kept = own === undefined ? this.save(smallest) : saveCase(own, smallest);
    if ('file' in kept) this.#remove(saved.file);
    return kept;
  }

  /** The rest of what was saved: not made smaller, but each finding in one file. */
  async settleOthers(settled: Saved, isFound: (other: Case) => Promise<boolean>): Promise<void> {
    for (const { file, case: other } of [...this.#own.values()])
      if (!('file' in settled) || file !== settled.file) await this.settle({ file }, other, isFound);
  }

  #remove(file: string): void {
    rmSync(file, { force: true });
    for (const [key, own] of this.#own) if (own.file === file) this.#own.delete(key);
  }

  /** A file that the same finding always gets; with a number where a file of it is there that may show it no more. */
  #freeFile({ target = '', finding }: Case, key: string): string {
    const digest = createHash('sha256').update(key).digest('hex').slice(0, 8);
    const [kind = ''] = target.split(':', 1);
    const base = `${kind.replaceAll('/', '-')}-${finding?.serves ?? ''}-${digest}`;
    for (let number = 1; ; number++) {
      const file = join(this.#folder, `${base}${number === 1 ? '' : `-${number}`}.case.json`);
      if (!existsSync(file)) return file;
    }
  }
}

/** In the order of their names, the same everywhere. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Whether it can be written shows when something was found.
    return [];
  }
}

function readOr(file: string, problems: string[]): CaseFile[] {
  try {
    return [{ file, case: readCaseFile(file) }];
  } catch (cause) {
    if (!(cause instanceof CaseError || cause instanceof UsageError)) throw cause;
    problems.push(cause.message);
    return [];
  }
}

/** The draft of a process that was killed while it wrote. */
function isLeftBehind(name: string): boolean {
  const [, process] = /^\..*\.case\.json\.(\d+)\.tmp$/.exec(name) ?? [];
  return process !== undefined && !isRunning(Number(process));
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
