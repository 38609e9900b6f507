/** The historic bugs: which of them the zoo has, and what it would take to have the others. */
import { ORIGINS, type Origin } from '../targets/zoo/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Output } from './session.ts';
import { count, many, wrapped } from './table.ts';

const COLUMNS_MAX = 110;

/** What is missing, with the bugs that wait for it; what most wait for comes first. */
export function missing(): (readonly [what: string, origins: readonly Origin[]])[] {
  const groups = new Map<string, Origin[]>();
  for (const origin of ORIGINS) {
    if (origin.missing === undefined) continue;
    const group = groups.get(origin.missing) ?? [];
    groups.set(origin.missing, [...group, origin]);
  }
  return [...groups].toSorted(([, one], [, other]) => other.length - one.length);
}

/** `ionclad zoo --missing` */
export function missingCommand(json: boolean, io: Output): ExitCode {
  if (json) {
    io.out(JSON.stringify({ origins: ORIGINS }, null, 2));
    return EXIT.HELD;
  }
  for (const [what, origins] of missing()) {
    io.out(io.style('bold', what));
    for (const { id, year, what: text } of origins)
      for (const line of wrapped(`${id}, ${year}: ${text}`, COLUMNS_MAX - 4)) io.out(`  ${line}`);
  }
  io.out('');
  io.out(originsText());
  return EXIT.HELD;
}

/** How many there are of each kind. */
export function originsText(): string {
  const waiting = ORIGINS.filter((origin) => origin.missing !== undefined);
  const made = ORIGINS.length - waiting.length;
  return `${many(ORIGINS.length, 'historic bug')}: ${count(made)} re-created, ${count(waiting.length)} not yet`;
}
