/**
 * The toy in other people's tools: SPIN, where it is installed with a C compiler, and a C program that can do nothing
 * else. They are made and run in a folder of their own; times are CPU times.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILERS, compile, type Source } from '../native/program.ts';

/** What a search came to. */
export interface Searched {
  readonly states: number;
  readonly transitions: number;
  /** Of CPU time. */
  readonly seconds: number;
}

/** A program that is ready to search; or why there is none. */
export type Peer = { readonly search: () => Searched } | { readonly skipped: string };

const inFolder = (name: string): string =>
  fileURLToPath(new URL(`../../../bench/explore/${name}`, import.meta.url));

/** The C program. */
export function ownC(folder: string, pages: number): Peer {
  const source: Source = {
    program: `toy-${pages}`,
    files: [inFolder('toy.c')],
    flags: ['-std=c11', '-O2', '-Wall', '-Wextra', `-DPAGES=${pages}`],
  };
  const compiled = compile(folder, COMPILERS, source);
  if ('skipped' in compiled) return compiled;
  return { search: () => JSON.parse(output(compiled.program, [], folder)) as Searched };
}

/** Bits of the hash tables as powers of two, and the length of the longest path: enough for 4 pages. */
const FULL = { flags: [], options: ['-w22', '-m3000000'] };
const BITSTATE = { flags: ['-DBITSTATE'], options: ['-w30', '-m3000000'] };

/** SPIN, which makes a program for the model; `bitstate`: states are three bits of a table, and some may be lost. */
export function spin(folder: string, pages: number, { bitstate = false, command = 'spin' } = {}): Peer {
  const made = spawnSync(command, ['-a', '-o2', `-DPAGES=${pages}`, inFolder('toy.pml')], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (made.error !== undefined) return { skipped: `${command}: not installed` };
  if (made.status !== 0) throw new Error(`${command}: ${made.stdout}${made.stderr}`);
  const { flags, options } = bitstate ? BITSTATE : FULL;
  const compiled = compile(folder, COMPILERS, {
    program: bitstate ? 'pan-bitstate' : 'pan',
    files: [join(folder, 'pan.c')],
    flags: ['-O2', '-w', '-DSAFETY', '-DNOREDUCE', ...flags],
  });
  if ('skipped' in compiled) return compiled;
  return { search: () => read(output('/bin/sh', ['-c', TIMED, compiled.program, ...options], folder)) };
}

/** Runs a program and says what time its children took. */
const TIMED = 'LC_ALL=C; export LC_ALL; "$0" "$@"; times';

/** SPIN counts the start as a transition. @throws Error when it did not search everything, or found something */
function read(text: string): Searched {
  const numbers = [/(\d+) states, stored/, /(\d+) transitions/].map((form) => Number(form.exec(text)?.[1]));
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(text)?.slice(1).map(Number);
  const [states = Number.NaN, transitions = Number.NaN] = numbers;
  if (times === undefined || !/errors: 0/.test(text) || /depth too small/.test(text) || Number.isNaN(states))
    throw new Error(`SPIN: ${text}`);
  const [minutes = 0, seconds = 0, systemMinutes = 0, systemSeconds = 0] = times;
  return {
    states,
    transitions: transitions - 1,
    seconds: 60 * (minutes + systemMinutes) + seconds + systemSeconds,
  };
}

function output(program: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, status, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}
