/** The figures of the gates as they were at the last release, kept with the project. */
import { readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from './exit.ts';
import type { Gate } from './gates.ts';
import { version } from './version.ts';

export interface Release {
  readonly version: string;
  /** By name of the gate. */
  readonly gates: Readonly<Record<string, Pick<Gate, 'now' | 'figure'>>>;
}

const FILE = new URL('../../cli/last-release.json', import.meta.url);

export const lastRelease = (): Release => JSON.parse(readFileSync(FILE, 'utf8')) as Release;

/** Writes the figures of this version, as those of the last release from then on. @throws {UsageError} */
export function writeRelease(file: string, gates: readonly Gate[]): void {
  const figures = Object.fromEntries(gates.map(({ name, now, figure }) => [name, { now, figure }]));
  const release: Release = { version: version(), gates: figures };
  try {
    writeFileSync(file, `${JSON.stringify(release, null, 2)}\n`);
  } catch (cause) {
    throw new UsageError(`${file}: it cannot be written (${(cause as NodeJS.ErrnoException).code})`);
  }
}
