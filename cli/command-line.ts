/** Command lines that repeat something, ready to be pasted into a shell. */
import type { RunOptions } from './options.ts';
import { isForeign, type TargetName } from './targets.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;

const quote = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

const line = (words: readonly string[]): string => words.map(quote).join(' ');

/** The run with so many scripts of the same seed again. */
export function runLine(options: RunOptions, scripts: number): string {
  const { target, seed, named, memory, only, premise, property, gate } = options;
  const { policies = {}, ...numbers } = named;
  const fields = Object.entries(numbers).map(([name, value]) => `${name}=${String(value)}`);
  const choices = Object.entries(policies).map(([name, value]) => `${name}=${value}`);
  const { words, program } = targetWords(target);
  return line([
    ...['ionclad', 'run', '--target', ...words, '--seed', String(seed), '--scripts', String(scripts)],
    ...(memory === undefined ? [] : ['--memory', memory.source]),
    ...(memory?.pages === undefined ? [] : ['--pages', String(memory.pages)]),
    ...option('--machine', fields),
    ...option('--policy', choices),
    ...option('--only', only ?? []),
    ...(premise === undefined ? [] : ['--premise', premise]),
    ...(property === 'lockstep' ? [] : ['--property', property]),
    ...(gate === undefined ? [] : ['--gate']),
    ...program,
  ]);
}

/** Replays a case. The target stands in the case, unless that would run code which is not ours. */
export function replayLine(target: TargetName, file: string): string {
  if (!isForeign(target.name)) return line(['ionclad', 'replay', file]);
  const { words, program } = targetWords(target);
  return line(['ionclad', 'replay', file, '--target', ...words, ...program]);
}

function targetWords({ name, program }: TargetName): {
  readonly words: string[];
  readonly program: string[];
} {
  if (program.length === 0) return { words: [name], program: [] };
  return { words: ['process'], program: ['--', ...program] };
}

const option = (name: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [name, values.join(',')];
