/** Writes files that others may be reading: the case of a finding above all, as soon as it is found. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

export type Saved = { readonly file: string } | { readonly problem: string };

/**
 * Writes a file: whoever reads it sees either the old text or the new one, whole, also after a crash of the machine,
 * which a target may bring about.
 */
export function saveText(file: string, text: string): Saved {
  const folder = dirname(file);
  const draft = join(folder, `.${basename(file)}.${process.pid}.tmp`);
  try {
    makeFolder(folder);
    writeFileSync(draft, text, { flush: true });
    renameSync(draft, file);
    return { file };
  } catch (cause) {
    removeQuietly(draft);
    return { problem: problemOf(file, cause) };
  }
}

/** Why a file could not be written now, if that can be told without writing. */
export function saveProblem(file: string): string | undefined {
  try {
    if (existsSync(file) && statSync(file).isDirectory()) return problemOf(file, { code: 'EISDIR' });
    let folder = dirname(file);
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
    if (!statSync(folder).isDirectory()) return problemOf(file, { code: 'ENOTDIR' });
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (cause) {
    return problemOf(file, cause);
  }
}

const problemOf = (file: string, cause: unknown): string =>
  `${file} cannot be written: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`;

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
