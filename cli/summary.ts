/** What a run covered, with its bounds: a run that found nothing says where it looked. No times, no absolute paths. */
import { SPEC } from '../model/index.ts';
import {
  type Counts,
  type Novelty,
  noveltyOf,
  type PropertyName,
  type RowName,
  rowNames,
} from '../properties/index.ts';
import type { RunOptions } from './options.ts';
import { machineText } from './script-text.ts';
import type { Output } from './session.ts';
import { count, many, percent, table } from './table.ts';

/** The figures of a run as data, for `--json` and for the text below. */
export interface Summary {
  readonly scripts: number;
  readonly commands: number;
  readonly skippedMissing: number;
  readonly skippedDuty: number;
  /** Pairs, where the property is about pairs. */
  readonly compared: number;
  /** Calls that were interrupted, and in how many scripts. */
  readonly preemptions: number;
  readonly preempted: number;
  readonly outcomes: Counts['outcomes'];
  /** Calls that were wanted, and never made. */
  readonly neverMade: readonly string[];
  /** Rows of `refuse` and `may` of the calls that were made; those never seen true, or never false. */
  readonly rows: number;
  readonly neverTrue: readonly string[];
  readonly neverFalse: readonly string[];
  /** Rows that were not judged for want of page numbers. */
  readonly unjudged: number;
  readonly labels: Readonly<Record<string, number>>;
  readonly novelty: Novelty;
}

export function summarise(counts: Counts, only: readonly string[] | undefined): Summary {
  const { scripts, commands, skippedMissing, skippedDuty, compared, preemptions, preempted, outcomes } =
    counts;
  const rows = rowNames(SPEC).map((row, at) => ({ row, at }));
  const made = Object.keys(SPEC.calls).filter((op) => outcomes[op] !== undefined);
  const wanted = only ?? Object.keys(SPEC.calls);
  const conditions = rows.filter(({ row }) => row.table !== 'accept' && made.includes(row.op));
  const labels = SPEC.labels.filter(({ calls }) => calls.some((op) => wanted.includes(op)));
  const never = (seen: readonly number[]): string[] =>
    conditions.filter(({ at }) => (seen[at] ?? 0) === 0).map(({ row }) => rowText(row));
  return {
    scripts,
    commands,
    skippedMissing,
    skippedDuty,
    compared,
    preemptions,
    preempted,
    outcomes,
    neverMade: wanted.filter((op) => !made.includes(op)),
    rows: conditions.length,
    neverTrue: never(counts.rowsTrue),
    neverFalse: never(counts.rowsFalse),
    unjudged: counts.rowsUnjudged.filter((times) => times > 0).length,
    labels: Object.fromEntries(labels.map(({ name }) => [name, counts.labels[name]?.count ?? 0])),
    novelty: noveltyOf(counts.transitions, scripts),
  };
}

/** How much more there may be to see, as far as what was seen can tell. */
export function noveltyText({ scripts, novelty: { transitions, sole, chance } }: Summary): string {
  const probability = chance === 0 ? `below ${share(1 / scripts)}` : share(chance);
  const seen = `${many(transitions, 'abstract transition')} seen, ${count(sole)} on one machine only`;
  return `a further script shows something new with probability ${probability}: ${seen}`;
}

/** With two digits that mean something. */
const share = (part: number): string => `${Number((100 * part).toPrecision(2))} %`;

const rowText = ({ op, table: list, name }: RowName): string => `${op}: ${list} ${name}`;

/** Prints what was covered. */
export function printSummary(summary: Summary, options: RunOptions, io: Output): void {
  for (const line of table(boundsRows(summary, options))) io.out(line);
  io.out('');
  const lines = outcomeTable(summary.outcomes);
  for (const [at, line] of lines.entries()) io.out(at === 0 ? io.style('bold', line) : line);
  io.out('');
  // Properties about pairs do not ask the specification: what it saw says nothing about them.
  if (options.property === 'noninterference' || options.property === 'fault') return;
  printRows(summary, io);
  io.out('');
  printLabels(summary.labels, io);
  io.out('');
}

const HOW_RUN = {
  lockstep: 'everything given back at the end',
  noninterference: 'run as a whole, and once for each client with its commands alone',
  fault: 'everything given back at the end',
  schedule: 'everything given back at the end',
} as const;

/** How much there was of what the property is about. */
function dealtWith(property: PropertyName, { compared, preemptions, preempted }: Summary): string {
  switch (property) {
    case 'lockstep':
      return '';
    case 'noninterference':
      return `${count(compared)} answers compared with what a client is told alone`;
    case 'fault':
      return `${count(compared)} calls in which a fault was fired, each then taken back`;
    case 'schedule':
      return `${count(preemptions)} calls interrupted by others, in ${count(preempted)} scripts`;
  }
}

function boundsRows(
  summary: Summary,
  { target, seed, machine, only, premise, property }: RunOptions,
): string[][] {
  const { scripts, commands, skippedMissing, skippedDuty } = summary;
  const all = commands + skippedMissing + skippedDuty;
  const average = scripts === 0 ? '0' : (commands / scripts).toFixed(1);
  return [
    ...(property === 'lockstep' ? [] : [['property', `${property}: ${dealtWith(property, summary)}`]]),
    ['target', target.name],
    ['seed', String(seed)],
    ['scripts', `${count(scripts)}, ${average} commands each on average, ${HOW_RUN[property]}`],
    ['commands', count(commands)],
    ['skipped', `${percent(skippedMissing, all)} for want of a result, ${percent(skippedDuty, all)} by duty`],
    ['machines', drawnText(machine)],
    ...(Object.keys(machine).length === 0 ? [] : [['fixed', machineText(machine)]]),
    ...(only === undefined ? [] : [['calls', only.join(' ')]]),
    ...(premise === undefined ? [] : [['premise', premise]]),
  ];
}

/** What machines are drawn from. */
function drawnText(fixed: RunOptions['machine']): string {
  const numbers = Object.entries(SPEC.fields)
    .filter(([name, { drawn }]) => drawn !== undefined && !(name in fixed))
    .map(([name, { drawn = [] }]) => `${name} ${[...new Set(drawn)].join('|')}`);
  const policies = Object.entries(SPEC.policies)
    .filter(([name, { free }]) => free === true && fixed.policies?.[name] === undefined)
    .map(([name, { values }]) => `${name} ${values.join('|')}`);
  return [...numbers, ...policies].join(', ');
}

/** Calls by outcome: successes first, then each errno that was seen. */
function outcomeTable(outcomes: Counts['outcomes']): string[] {
  const seen = new Set(Object.values(outcomes).flatMap(Object.keys));
  seen.delete('ok');
  const columns = ['ok', ...[...seen].sort()];
  const rows = Object.keys(SPEC.calls)
    .filter((op) => outcomes[op] !== undefined)
    .map((op) => [op, ...columns.map((outcome) => cell(outcomes[op]?.[outcome]))]);
  const right = new Set(columns.map((_column, at) => at + 1));
  return table([['call', ...columns], ...rows], right);
}

const cell = (times: number | undefined): string => (times === undefined ? '.' : count(times));

function printRows({ neverMade, rows, neverTrue, neverFalse, unjudged }: Summary, io: Output): void {
  io.out(`${rows} refusals and allowances: ${neverTrue.length} never true, ${neverFalse.length} never false`);
  for (const row of neverTrue) io.out(`  never true   ${row}`);
  for (const row of neverFalse) io.out(`  never false  ${row}`);
  if (neverMade.length > 0) io.out(`never made: ${neverMade.join(' ')}`);
  if (unjudged > 0) io.out(`${unjudged} rows not judged: the target shows no page numbers`);
}

function printLabels(labels: Summary['labels'], io: Output): void {
  const met = Object.entries(labels).filter(([, times]) => times > 0);
  const missed = Object.entries(labels).filter(([, times]) => times === 0);
  io.out(`${met.length} of ${met.length + missed.length} situations met`);
  for (const line of table(
    met.map(([name, times]) => [count(times), name]),
    new Set([0]),
  ))
    io.out(`  ${line}`);
  for (const [name] of missed) io.out(`  ${io.style('yellow', 'never')}  ${name}`);
}
