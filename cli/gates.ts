/** The gates of `run --gate`: what a run must have seen before its green means anything. */
import { SPEC } from '../model/index.ts';
import { type Audited, type Counts, type RowName, rowNames } from '../properties/index.ts';
import { ZOO } from '../targets/zoo/index.ts';
import type { FolderCoverage } from './coverage.ts';
import { EXCUSED, type Excuse } from './excused.ts';
import type { Hunted } from './hunt.ts';
import { count, percent } from './table.ts';

export interface Gate {
  readonly name: string;
  /** What was reached, in words and as a number to compare with that of the last release. */
  readonly now: string;
  readonly figure: number;
  /** The less the better. */
  readonly isLess?: true;
  readonly least: string;
  readonly held: boolean;
  readonly missing: readonly string[];
  /** What is missing for a reason. */
  readonly excused: readonly { readonly what: string; readonly why: string }[];
}

/** Something that is to be seen. */
interface Item {
  readonly what: string;
  readonly isSeen: boolean;
}

/** What is known about ionclad itself after a run on the built-in implementation. */
export interface Evidence {
  readonly audited: Audited;
  readonly hunted: readonly Hunted[];
  /** By number of the invariant: some bug is not found as that without it. */
  readonly invariants: readonly boolean[];
  readonly coverage: readonly FolderCoverage[];
}

/** Commands that were not made, in percent of all that were drawn, at the most. */
const SKIPPED_MOST = 35;

/** What is asked of any target: that the run made its calls and met what they owe. */
export function targetGates(counts: Counts, calls: readonly string[]): Gate[] {
  const refusals = rowItems(counts).filter(({ row }) => row.table === 'refuse' && calls.includes(row.op));
  return [
    counted('calls made', callItems(counts, calls)),
    counted('errnos owed that were given', errnoItems(counts, calls, ['refuse'])),
    counted('refusals seen true and false', refusals),
    skipGate(counts),
  ];
}

/** What is asked of ionclad itself. */
export function ownGates(
  counts: Counts,
  { audited, hunted, invariants, coverage }: Evidence,
  excused: readonly Excuse[] = EXCUSED,
): Gate[] {
  const rows = rowItems(counts, audited);
  const calls = Object.keys(SPEC.calls);
  const errnos = errnoItems(counts, calls, ['refuse', 'may']);
  const ofTable = (table: RowName['table']): typeof rows => rows.filter(({ row }) => row.table === table);
  const nearMisses = ofTable('accept').map(({ what, isKilled }) => ({ what, isSeen: isKilled }));
  const mutants = [
    ...rows.map(({ what, isKilled }) => ({ what, isSeen: isKilled })),
    ...invariantItems(invariants),
  ];
  const bugs = huntItems(hunted);
  const gate = (name: string, items: readonly Item[]): Gate => counted(name, items, excused);
  return [
    gate('calls made', callItems(counts, calls)),
    gate('errnos given', errnos),
    gate('refusals seen true and false', ofTable('refuse')),
    gate('allowances seen true and false', ofTable('may')),
    gate('near misses rejected by one row', nearMisses),
    gate('situations met', labelItems(counts)),
    gate('bugs of the zoo found', bugs),
    gate('invariants at risk', riskItems(hunted)),
    gate('specification mutants noticed', mutants),
    {
      ...counted('excuses that are needed', excuseItems([...errnos, ...mutants, ...bugs], excused)),
      isLess: true,
    },
    skipGate(counts),
    ...coverage.map(coverageGate),
  ];
}

/** Some row that has no excuse is not killed, or an allowance was not seen both ways. */
export function isAnythingOpen({ killed, seenTrue, seenFalse }: Audited): boolean {
  return rowTexts().some(
    ({ row, what }, at) =>
      (killed[at] !== true && excuseOf(what, EXCUSED) === undefined) ||
      (row.table === 'may' && !(seenTrue[at] === true && seenFalse[at] === true)),
  );
}

const excuseOf = (what: string, excused: readonly Excuse[]): string | undefined =>
  excused.find((excuse) => excuse.what.includes(what))?.why;

/** A gate that is held when everything is seen or excused. */
function counted(name: string, items: readonly Item[], excused: readonly Excuse[] = []): Gate {
  const open = items.filter(({ isSeen }) => !isSeen).map(({ what }) => what);
  const missing = open.filter((what) => excuseOf(what, excused) === undefined);
  const besides = open.flatMap((what) => {
    const why = excuseOf(what, excused);
    return why === undefined ? [] : [{ what, why }];
  });
  const seen = items.length - open.length;
  const now = `${count(seen)} of ${count(items.length)}`;
  return {
    name,
    now: besides.length === 0 ? now : `${now}, ${besides.length} excused`,
    figure: seen,
    least: 'all',
    held: missing.length === 0,
    missing,
    excused: besides,
  };
}

const callItems = ({ outcomes }: Counts, calls: readonly string[]): Item[] =>
  calls.map((op) => ({ what: op, isSeen: outcomes[op] !== undefined }));

/** Errnos that rows name, by call. */
function errnoItems(
  { outcomes }: Counts,
  calls: readonly string[],
  tables: readonly ('refuse' | 'may')[],
): Item[] {
  return calls.flatMap((op) => {
    const named = tables.flatMap((table) => SPEC.rules[op]?.[table].map(([errno]) => errno) ?? []);
    return [...new Set(named)].map((errno) => ({
      what: `${op}: ${errno}`,
      isSeen: outcomes[op]?.[errno] !== undefined,
    }));
  });
}

interface RowItem extends Item {
  readonly row: RowName;
  readonly isKilled: boolean;
}

/** Rows that were seen true and false, in the run or when they were asked besides. */
function rowItems({ rowsTrue, rowsFalse }: Counts, audited?: Audited): RowItem[] {
  return rowTexts().map(({ row, what }, at) => {
    const isTrue = (rowsTrue[at] ?? 0) > 0 || audited?.seenTrue[at] === true;
    const isFalse = (rowsFalse[at] ?? 0) > 0 || audited?.seenFalse[at] === true;
    return { row, what, isSeen: isTrue && isFalse, isKilled: audited?.killed[at] === true };
  });
}

/** All rows in words; those of one name are numbered. */
function rowTexts(): { readonly row: RowName; readonly what: string }[] {
  const names = new Map<string, number>();
  return rowNames(SPEC).map((row) => {
    const text = `${row.op}: ${row.table} ${row.name}`;
    const times = (names.get(text) ?? 0) + 1;
    names.set(text, times);
    return { row, what: times === 1 ? text : `${text} #${times}` };
  });
}

const labelItems = ({ labels }: Counts): Item[] =>
  SPEC.labels.map(({ name }) => ({ what: name, isSeen: (labels[name]?.count ?? 0) > 0 }));

/** A bug counts as found when its own invariant fires first. */
const huntItems = (hunted: readonly Hunted[]): Item[] =>
  ZOO.map(({ name, catches }) => {
    const finding = hunted.find(({ bug }) => bug === name)?.found?.finding;
    const what = finding === undefined || finding.serves === catches ? name : `${name}, as ${finding.serves}`;
    return { what, isSeen: finding?.serves === catches };
  });

const riskItems = (hunted: readonly Hunted[]): Item[] =>
  [...new Set(SPEC.invariants.map(({ id }) => id))].map((id) => ({
    what: id,
    isSeen: hunted.some(({ found }) => found?.finding.serves === id),
  }));

/** Invariants that rows and the comparison of views hold have nothing of their own that could be left out. */
const invariantItems = (noticed: readonly boolean[]): Item[] =>
  SPEC.invariants
    .map(({ id, form, text }, at) => ({ form, what: `${id}: ${text}`, isSeen: noticed[at] === true }))
    .filter(({ form }) => form !== 'clause');

function excuseItems(items: readonly Item[], excused: readonly Excuse[]): Item[] {
  const open = items.filter(({ isSeen }) => !isSeen).map(({ what }) => what);
  return excused.flatMap((excuse) => excuse.what.map((what) => ({ what, isSeen: open.includes(what) })));
}

function skipGate({ commands, skippedMissing, skippedDuty }: Counts): Gate {
  const skipped = skippedMissing + skippedDuty;
  const share = (100 * skipped) / Math.max(commands + skipped, 1);
  return {
    name: 'commands skipped, at most',
    now: percent(skipped, commands + skipped),
    figure: Math.round(share * 10) / 10,
    isLess: true,
    least: `${SKIPPED_MOST} %`,
    held: share <= SKIPPED_MOST,
    missing: [],
    excused: [],
  };
}

function coverageGate({ folder, least, lines, functions, open }: FolderCoverage): Gate {
  const figure = Math.min(lines ?? -1, functions ?? -1);
  const held = figure >= least;
  return {
    name: `coverage of ${folder}/`,
    now: lines === undefined ? 'no file' : `${lines.toFixed(1)}, ${(functions ?? 0).toFixed(1)} %`,
    figure,
    least: `${least} %`,
    held,
    missing: held ? [] : open,
    excused: [],
  };
}
