/** What the specification would allow a call to answer, row by row, before it is made. */

import type { Machine } from '../model/index.ts';
import { type Call, type Refusal, SPEC, type World } from '../model/index.ts';
import type { Args } from '../model/target.ts';
import type { Stepper } from '../properties/index.ts';

/** One line for what is owed, else one for what an answer must be, and one for each errno that is allowed too. */
export function allowedLines(
  { lockstep, terms }: Stepper<Machine, World>,
  { op, args, fail }: Call,
): string[] {
  const { world } = lockstep;
  const rule = SPEC.rules[op];
  if (rule === undefined) return [];
  const seen = lockstep.seen({ ok: {} });
  const owed = rule.refuse.filter(([, holds]) => holds(world, args, seen));
  const due = terms.errnoOrder ? owed.slice(0, 1) : owed;
  const may = rule.may.filter(([, holds]) => holds(world, args, seen)).map(([errno]) => errno);
  const faults = Object.keys(fail ?? {}).flatMap((site) =>
    (SPEC.sites[site] ?? []).map((errno) => `or ${errno}, if ${site} fails`),
  );
  const errnos = [...new Set(may)].map((errno) => `or ${errno}, which is allowed here`);
  if (due.length > 0) return [...due.map(owedText), ...errnos, ...faults];
  const rows = rule.accept.filter(([, , , needs]) => needs === undefined || terms.pageNumbers);
  const answer =
    rows.length === 0 ? 'ok' : `ok: ${rows.map(([name, , serves]) => `${name} (${serves})`).join('; ')}`;
  return [answer, ...errnos, ...faults];
}

const owedText = ([errno, , serves, why]: Refusal<World, Args>, at: number): string =>
  `${at === 0 ? '' : 'or '}${errno} is owed${why === undefined ? '' : `: ${why}`} (${serves})`;
