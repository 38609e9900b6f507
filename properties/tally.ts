/** What a run counted. Tallies of chunks add up; only which of equally short scripts shows a label depends on order. */
import { type Rule, rowCount, type Spec, type Stateful, type Tally } from '../model/index.ts';
import { addTransitions, type Transitions } from './novelty.ts';
import type { Script } from './script.ts';

/** Counts as plain data, so that they cross from one thread to another. */
export interface Counts {
  scripts: number;
  machines: number;
  commands: number;
  /** Commands that were not made: a result was missing, or a duty of the caller would have been broken. */
  skippedMissing: number;
  skippedDuty: number;
  /** Pairs that were compared: answers of two runs, or views before and after a call that a fault was fired in. */
  compared: number;
  /** Preemptions that happened, and scripts in which one did. */
  preemptions: number;
  preempted: number;
  /** By row of the rules: how often it was seen true, seen false, and not judged for want of page numbers. */
  readonly rowsTrue: number[];
  readonly rowsFalse: number[];
  readonly rowsUnjudged: number[];
  /** By call, then by errno or `ok`. */
  readonly outcomes: Record<string, Record<string, number>>;
  /** By label: how often, and the shortest script. */
  readonly labels: Record<string, { count: number; script: Script }>;
  readonly transitions: Transitions;
}

export const noCounts = (rows: number): Counts => ({
  scripts: 0,
  machines: 0,
  commands: 0,
  skippedMissing: 0,
  skippedDuty: 0,
  compared: 0,
  preemptions: 0,
  preempted: 0,
  rowsTrue: new Array<number>(rows).fill(0),
  rowsFalse: new Array<number>(rows).fill(0),
  rowsUnjudged: new Array<number>(rows).fill(0),
  outcomes: {},
  labels: {},
  transitions: new Map(),
});

/** Adds `more` to `sum`. Between labels of equally short scripts the earlier one stays. */
export function addCounts(sum: Counts, more: Counts): void {
  addTransitions(sum.transitions, more.transitions, sum.machines, sum.scripts);
  sum.machines += more.machines;
  sum.scripts += more.scripts;
  sum.commands += more.commands;
  sum.skippedMissing += more.skippedMissing;
  sum.skippedDuty += more.skippedDuty;
  sum.compared += more.compared;
  sum.preemptions += more.preemptions;
  sum.preempted += more.preempted;
  for (const key of ['rowsTrue', 'rowsFalse', 'rowsUnjudged'] as const) {
    for (const [row, count] of more[key].entries()) sum[key][row] = (sum[key][row] ?? 0) + count;
  }
  for (const [op, outcomes] of Object.entries(more.outcomes)) {
    for (const [outcome, count] of Object.entries(outcomes)) noteOutcome(sum, op, outcome, count);
  }
  for (const [name, { count, script }] of Object.entries(more.labels)) noteLabel(sum, name, script, count);
}

export function noteOutcome({ outcomes }: Counts, op: string, outcome: string, count = 1): void {
  let byOutcome = outcomes[op];
  if (byOutcome === undefined) outcomes[op] = byOutcome = {};
  byOutcome[outcome] = (byOutcome[outcome] ?? 0) + count;
}

export function noteLabel({ labels }: Counts, name: string, script: Script, count = 1): void {
  const known = labels[name];
  if (known === undefined) {
    labels[name] = { count, script };
    return;
  }
  known.count += count;
  if (script.commands.length < known.script.commands.length) known.script = script;
}

/** Numbers the rows of all rules, one after the other, in the order of the table of calls. */
export function firstRows<M, S extends Stateful>(
  spec: Spec<M, S>,
): { first: ReadonlyMap<string, number>; rows: number } {
  const first = new Map<string, number>();
  let rows = 0;
  for (const [op, rule] of Object.entries(spec.rules)) {
    first.set(op, rows);
    rows += rowCount(rule);
  }
  return { first, rows };
}

/** Where the judge counts. */
export const tallyOf = ({ rowsTrue, rowsFalse, rowsUnjudged }: Counts): Tally => ({
  note(row, holds) {
    const rows = holds ? rowsTrue : rowsFalse;
    rows[row] = (rows[row] ?? 0) + 1;
  },
  unjudged(row) {
    rowsUnjudged[row] = (rowsUnjudged[row] ?? 0) + 1;
  },
});

/** One row of a rule, for reports. */
export interface RowName {
  readonly op: string;
  readonly table: 'refuse' | 'may' | 'accept';
  readonly name: string;
}

/** The names of all rows, by number. */
export function rowNames<M, S extends Stateful>(spec: Spec<M, S>): RowName[] {
  return Object.entries(spec.rules).flatMap(([op, rule]) => [
    ...namesOf(op, 'refuse', rule.refuse),
    ...namesOf(op, 'may', rule.may),
    ...namesOf(op, 'accept', rule.accept),
  ]);
}

const namesOf = (
  op: string,
  table: RowName['table'],
  rows: Rule<never, never, never>['refuse' | 'may' | 'accept'],
): RowName[] => rows.map(([name]) => ({ op, table, name }));
