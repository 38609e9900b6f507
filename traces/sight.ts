/** What a trace can show and what not, from what was heard of it. */
import type { Heard } from './parse.ts';
import type { Mode, Sight } from './report.ts';

export function sightOf(heard: Heard, mode: Mode | undefined): Sight {
  const byCount = (names: ReadonlyMap<string, number>): (readonly [string, number])[] =>
    [...names].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return {
    seen: byCount(heard.seen),
    unknown: byCount(heard.unknown),
    blind: [],
    lost: heard.overwritten,
    mode: mode ?? 'unknown',
    modeReason: mode === undefined ? 'nothing in the trace tells' : `--${mode}`,
  };
}
