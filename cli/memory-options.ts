/** `--memory` and `--pages`: a machine with the memory of a real one. */
import { FIELDS } from '../model/index.ts';
import type { ScriptMachine } from '../properties/index.ts';
import { UsageError } from './exit.ts';
import { type MemoryFacts, memoryLines, memoryMachine } from './memory-machine.ts';
import { readProcMemory } from './proc-memory.ts';
import { readTextFile } from './read-file.ts';

/** Text of the three files at most: a line for each CPU and zone makes some MiB on the largest machines. */
const TEXT_MAX = 16 * 1024 * 1024;
const FILES = ['/proc/buddyinfo', '/proc/pagetypeinfo', '/proc/zoneinfo'] as const;
/** Root alone may read it; the others anybody may. */
const PRIVATE = '/proc/pagetypeinfo';

/** What was asked for, to be asked for again, and what came of it. */
export interface Memory {
  /** A file, or `live`. */
  readonly source: string;
  readonly pages: number | undefined;
  readonly machine: ScriptMachine;
  readonly facts: MemoryFacts;
  readonly lines: readonly string[];
}

/** How files are read. @throws {UsageError} */
export type ReadText = (file: string, bytesMax: number) => string;

/**
 * The memory of `--memory`.
 *
 * @param pages - of `--pages`
 * @throws {UsageError} when it cannot be read, or makes no machine
 */
export function readMemory(source: string, pages?: number, read: ReadText = readTextFile): Memory {
  const live = source === 'live';
  const text = live ? FILES.map((file) => liveText(file, read)).join('\n') : read(source, TEXT_MAX);
  const { machine, facts } = memoryMachine(readProcMemory(text, source), source, pages);
  const again = live ? [`it changes; to repeat this: cat ${FILES.join(' ')} > FILE, --memory FILE`] : [];
  return { source, pages, machine, facts, lines: [...memoryLines(facts), ...again] };
}

function liveText(file: string, read: ReadText): string {
  try {
    return read(file, TEXT_MAX);
  } catch (cause) {
    if (file === PRIVATE && cause instanceof UsageError) return '';
    if (cause instanceof UsageError) throw new UsageError(`--memory live: ${cause.message}`);
    throw cause;
  }
}

/** The number of `--pages`. */
export function pagesOption(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const { from, to } = FIELDS.pages;
  if (value >= from && value <= to) return value;
  throw new UsageError(`--pages: expected an integer from ${from} to ${to}, got "${text}"`);
}
