/** Keeps the case of a finding: written as soon as it is found, and again when it is smaller. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Case, writeCase } from '../counterexamples/index.ts';
import type { Script } from '../properties/index.ts';

/** A name that the same finding of the same script always has. */
export function caseName(target: string, serves: string, script: Script): string {
  const digest = createHash('sha256').update(JSON.stringify(script)).digest('hex').slice(0, 8);
  const [kind = ''] = target.split(':', 1);
  return `${kind.replaceAll('/', '-')}-${serves}-${digest}.case.json`;
}

export type Saved = { readonly file: string } | { readonly problem: string };

/** Writes a case: whoever reads the file sees either the old text or the new one, whole. */
export function saveCase(folder: string, name: string, found: Case): Saved {
  const file = join(folder, name);
  const draft = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    makeFolder(folder);
    writeFileSync(draft, writeCase(found));
    renameSync(draft, file);
    return { file };
  } catch (cause) {
    removeQuietly(draft);
    return {
      problem: `${file} cannot be written: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
    };
  }
}

/** Level by level: the recursive form of Node never returns where nothing can be made, such as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The first problem is the one to tell.
  }
}
