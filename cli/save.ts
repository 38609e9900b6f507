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

export const saveCase = (folder: string, name: string, found: Case): Saved =>
  saveText(folder, name, writeCase(found));

/** Writes a file: whoever reads it sees either the old text or the new one, whole. */
export function saveText(folder: string, name: string, text: string): Saved {
  const file = join(folder, name);
  const draft = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    makeFolder(folder);
    writeFileSync(draft, text);
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
