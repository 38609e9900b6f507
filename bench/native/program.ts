/** The C program: made where there is a compiler, run on the file of a trace. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Played } from './player.ts';
import { encode, type Trace } from './trace.ts';

export const COMPILERS = ['cc', 'gcc', 'clang'];

/** What a program is made of. */
export interface Source {
  readonly program: string;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

const inFolder = (name: string): string =>
  fileURLToPath(new URL(`../../../bench/native/${name}`, import.meta.url));

const NATIVE: Source = {
  program: 'native',
  files: ['main.c', 'pages.c', 'tables.c', 'iova.c'].map(inFolder),
  flags: ['-std=c11', '-O2', '-Wall', '-Wextra'],
};

/** Where the program is, and how it was made; or why there is none. */
export type Compiled = { readonly program: string; readonly command: string } | { readonly skipped: string };

/**
 * Compiles with the first compiler that is there.
 *
 * @param folder - where the program goes
 * @throws Error when that compiler does not take the source
 */
export function compile(
  folder: string,
  compilers: readonly string[] = COMPILERS,
  { program: name, files, flags }: Source = NATIVE,
): Compiled {
  const program = join(folder, name);
  for (const compiler of compilers) {
    const made = spawnSync(compiler, [...flags, '-o', program, ...files], { encoding: 'utf8' });
    if (made.error !== undefined) continue;
    if (made.status !== 0) throw new Error(`${compiler}: ${made.stderr}`);
    return { program, command: `${compiler} -O2` };
  }
  return { skipped: `no C compiler here (looked for ${compilers.join(', ')}): nothing to compare with` };
}

/** Writes a trace into a folder. Returns its file. */
export function writeTrace(folder: string, name: string, trace: Trace): string {
  const file = join(folder, `${name}.trace`);
  writeFileSync(file, encode(trace));
  return file;
}

/** Runs a program that plays a trace. @throws Error when it fails */
export function run(program: string, args: readonly string[]): Played {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return JSON.parse(stdout) as Played;
}
