/** What the specification would allow a call to answer, before it is made. */
import { type Args, type Call, type Machine, type Refusal, SPEC, type World } from '../model/index.ts';
import type { Stepper } from '../properties/index.ts';

/** What is owed, with its reason; else the replies that are right, and the rows that say so. */
export function allowedLines(
  { lockstep, terms }: Stepper<Machine, World>,
  { op, args, fail }: Call,
): string[] {
  const rule = SPEC.rules[op];
  if (rule === undefined) return [];
  const faults = Object.keys(fail ?? {}).flatMap((site) =>
    (SPEC.sites[site] ?? []).map((errno) => `or ${errno}, if ${site} fails`),
  );
  const { world } = lockstep;
  const seen = lockstep.seen({ ok: {} });
  const owed = rule.refuse.filter(([, holds]) => holds(world, args, seen));
  if (owed.length > 0) return [...(terms.errnoOrder ? owed.slice(0, 1) : owed).map(owedText), ...faults];
  const allowed = lockstep.allowed({ op, args }, { ok: {} });
  const rows = rule.accept.filter(([, , , needs]) => needs === undefined || terms.pageNumbers);
  const isToldByRows = rows.every(([name]) => allowed.includes(name));
  const names = rows.map(([name, , serves]) => `${name} (${serves})`);
  return [allowed, ...(isToldByRows ? [] : [`by the rows: ${names.join('; ')}`]), ...faults];
}

const owedText = ([errno, , serves, why]: Refusal<World, Args>, at: number): string =>
  `${at === 0 ? '' : 'or '}${errno} is owed${why === undefined ? '' : `: ${why}`} (${serves})`;
