/** What stands behind options: numbers and words, as they have to be. */
import { suggest } from '../counterexamples/near.ts';
import { UsageError } from './exit.ts';

const SECONDS_MAX = 1e7;

export function integer(option: string, text: string, from: number, to: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`${option}: expected an integer from ${from} to ${to}, got "${text}"`);
}

/** Seconds. */
export function positive(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= SECONDS_MAX) return value;
  throw new UsageError(`${option}: expected seconds above 0, got "${text}"`);
}

export function known(option: string, word: string, words: readonly string[]): string {
  if (words.includes(word)) return word;
  throw new UsageError(`${option}: there is no "${word}"${suggest(word, words)}`);
}
