/**
 * `npm run bench -- shrink [SEEDS [COMPARED]]`: how short failures get, and after how many runs, side by side with
 * fast-check's own shrinking of `fc.commands`, which may be asked of fewer seeds. `npm run bench -- shrink-zoo
 * [SEEDS]`: the same for every bug, without fast-check.
 */
import { SPEC } from '../../model/index.ts';
import { type Shrunk, shrink } from '../../properties/index.ts';
import { groupOf, Hunt, SUBJECTS, type Subject, WHOLE_ZOO } from './bugs.ts';
import { byFastCheck, processorTime, type Reached } from './fast-check.ts';

const SEEDS = 200;
const SEEDS_ZOO = 10;

/** What one seed came to. `group`: its finding; only those of a group have a shortest length in common. */
interface Row extends Reached {
  readonly group: string;
  readonly from: number;
  /** What a search for a shorter one then came to. */
  readonly searched: Searched;
  readonly fastCheck?: Reached | undefined;
}

interface Searched {
  readonly length: number;
  readonly isProven: boolean;
  readonly states: number;
  readonly milliseconds: number;
}

type Print = (line: string) => void;

const OURS = ['bug', 'n', 'from', 'short', 'at it', 'worst', 'median', 'runs', 'p90', 'ms'];
const THEN = ['then', 'worst', 'proven', 'states', 'ms'];
const THEIRS = ['|', 'found', 'at it', 'worst', 'median', 'runs', 'ms'];

export function reportShrink(print: Print, seeds = SEEDS, compared = seeds): void {
  const theirs = compared < seeds ? `, fast-check the first ${compared} of them` : '';
  print(`${seeds} seeds${theirs}`);
  print('from: commands of the failing script, median; short: the least length known');
  print('then: with what a search for a shorter one came to; proven: that is the shortest');
  print(line([...OURS, ...THEN, ...THEIRS]));
  report(print, SUBJECTS, seeds, compared);
}

export function reportZoo(print: Print, seeds = SEEDS_ZOO): void {
  print(`${seeds} seeds of each of ${WHOLE_ZOO.length} bugs`);
  print(line([...OURS, ...THEN]));
  report(print, WHOLE_ZOO, seeds, 0);
}

function report(print: Print, subjects: readonly Subject[], seeds: number, compared: number): void {
  const tables = subjects.map((subject) => {
    const rows = rowsOf(subject, seeds, compared);
    print(line([subject.bug.name, ...cells(rows), ...(compared > 0 ? ['|', ...cellsOf(rows)] : [])]));
    return rows;
  });
  print(`all: ${summary(tables)}`);
}

function rowsOf(subject: Subject, seeds: number, compared: number): Row[] {
  const hunt = new Hunt(subject);
  const rows: Row[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = hunt.failure(seed);
    if (failure === undefined) continue;
    const before = processorTime();
    const shrunk = shrink(SPEC, failure.script, failure.finding, hunt.run);
    const { script, executions } = shrunk;
    const milliseconds = processorTime() - before;
    const searched = searchedFrom(hunt, shrunk);
    const isCompared = seed <= compared && isExpressible(subject);
    rows.push({
      group: groupOf(failure),
      from: failure.script.commands.length,
      length: script.commands.length,
      executions,
      milliseconds,
      searched,
      ...(isCompared ? { fastCheck: byFastCheck(hunt, failure, seed) } : {}),
    });
  }
  return rows;
}

function searchedFrom(hunt: Hunt, shrunk: Shrunk): Searched {
  const before = processorTime();
  const { script, certificate } = hunt.shortest(shrunk);
  return {
    length: script.commands.length,
    isProven: certificate?.result === 'proven',
    states: certificate?.states ?? 0,
    milliseconds: processorTime() - before,
  };
}

/** Commands alone are known to `fc.commands`: no faults, no schedules. */
const isExpressible = ({ bug: { needs, property } }: Subject): boolean =>
  property === undefined && !needs.includes('fault');

/** The least length known of a finding, by either shrinker and by searches. */
function least(rows: readonly Row[], group: string): number {
  const same = rows.filter((row) => row.group === group);
  return Math.min(
    ...same.flatMap(({ length, searched, fastCheck }) => [
      length,
      searched.length,
      fastCheck?.length ?? length,
    ]),
  );
}

const isShortest =
  (rows: readonly Row[]) =>
  (row: Row): boolean =>
    row.length === least(rows, row.group);

const isThenShortest =
  (rows: readonly Row[]) =>
  ({ searched, group }: Row): boolean =>
    searched.length === least(rows, group);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

const median = (values: readonly number[]): string => quantile(values, 0.5).toFixed(0);

const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;

function cells(rows: readonly Row[]): string[] {
  const lengths = rows.map(({ length }) => length);
  const executions = rows.map((row) => row.executions);
  const shortest = [...new Set(rows.map(({ group }) => least(rows, group)))].sort((a, b) => a - b);
  return [
    String(rows.length),
    median(rows.map(({ from }) => from)),
    shortest.join('/'),
    share(rows.filter(isShortest(rows)).length, rows.length),
    String(Math.max(...lengths)),
    median(lengths),
    median(executions),
    quantile(executions, 0.9).toFixed(0),
    median(rows.map(({ milliseconds }) => milliseconds)),
    ...searchCells(rows),
  ];
}

function searchCells(rows: readonly Row[]): string[] {
  const searched = rows.map((row) => row.searched);
  return [
    share(rows.filter(isThenShortest(rows)).length, rows.length),
    String(Math.max(...searched.map(({ length }) => length))),
    share(searched.filter(({ isProven }) => isProven).length, rows.length),
    median(searched.map(({ states }) => states)),
    median(searched.map(({ milliseconds }) => milliseconds)),
  ];
}

function cellsOf(rows: readonly Row[]): string[] {
  const reached = rows.flatMap(({ group, fastCheck }) =>
    fastCheck === undefined ? [] : [{ ...fastCheck, isShortest: fastCheck.length === least(rows, group) }],
  );
  if (reached.length === 0) return ['-', '-', '-', '-', '-', '-'];
  return [
    String(reached.length),
    share(reached.filter((each) => each.isShortest).length, reached.length),
    String(Math.max(...reached.map(({ length }) => length))),
    median(reached.map(({ length }) => length)),
    median(reached.map(({ executions }) => executions)),
    median(reached.map(({ milliseconds }) => milliseconds)),
  ];
}

/** Of all that were shrunk: how many ended at the least length known, and what it took. */
function summary(tables: readonly (readonly Row[])[]): string {
  const rows = tables.flat();
  const shortest = tables.flatMap((table) => table.filter(isShortest(table))).length;
  const then = tables.flatMap((table) => table.filter(isThenShortest(table))).length;
  const proven = rows.filter(({ searched }) => searched.isProven).length;
  const runs = median(rows.map(({ executions }) => executions));
  const time = median(rows.map(({ milliseconds }) => milliseconds));
  const reached = `${share(shortest, rows.length)} of ${rows.length} at the least length known`;
  const after = `${share(then, rows.length)} after a search, ${share(proven, rows.length)} proven`;
  return `${reached}, median ${runs} runs, ${time} ms; ${after}`;
}

const WIDTHS = [32, 4, 5, 7, 7, 6, 7, 5, 5, 5, 7, 6, 7, 7, 6];

const line = (parts: readonly string[]): string =>
  parts
    .map((part, at) => (at === 0 ? part.padEnd(WIDTHS[0] ?? 0) : part.padStart(WIDTHS[at] ?? 7)))
    .join(' ')
    .trimEnd();
