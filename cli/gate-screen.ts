/** The gates on one screen, with the last release's figures beside them. */
import type { Gate } from './gates.ts';
import type { Release } from './last-release.ts';
import type { Output } from './session.ts';
import { table, wrapped } from './table.ts';

/** What is missing is told up to so many names a gate. */
const MISSING_MAX = 8;
const COLUMNS = 100;
const OF_BUILTIN =
  'not asked of this target: allowances, which it need not use, and situations, which it need not be able to meet; ' +
  'near misses, the zoo, mutants and coverage are about ionclad itself, and are asked with --target builtin';

export function printGates(gates: readonly Gate[], last: Release | undefined, io: Output): void {
  const [header = '', ...rows] = table([
    ['gate', 'now', last?.version ?? '', 'least', ''],
    ...gates.map((gate) => [
      gate.name,
      gate.now,
      beside(gate, last),
      gate.least,
      gate.held ? 'ok' : 'MISSED',
    ]),
  ]);
  io.out(io.style('bold', header));
  for (const [at, row] of rows.entries()) io.out(gates[at]?.held === true ? row : io.style('red', row));
  for (const { name, held, missing } of gates) {
    if (held || missing.length === 0) continue;
    const more = missing.length - MISSING_MAX;
    const names = [...missing.slice(0, MISSING_MAX), ...(more > 0 ? [`and ${more} more`] : [])];
    io.out('');
    for (const line of wrapped(`${name}: not ${names.join(' · ')}`, COLUMNS)) io.out(line);
  }
  io.out('');
  const isExcused = gates.some(({ excused }) => excused.length > 0);
  const note = last === undefined ? OF_BUILTIN : isExcused ? 'why something is excused: --json' : '';
  if (note === '') return;
  for (const line of wrapped(note, COLUMNS)) io.out(line);
  io.out('');
}

/** The figure of the last release, marked where it was better. */
function beside({ name, figure, isLess }: Gate, last: Release | undefined): string {
  const before = last?.gates[name];
  if (before === undefined) return '';
  const hasFallen = isLess === true ? figure > before.figure : figure < before.figure;
  return hasFallen ? `${before.now} (!)` : before.now;
}
