/** `ionclad zoo --exhaustive`: every bug is looked for in scopes, and is shown by a shortest script or not at all. */
import type { Case } from '../counterexamples/index.ts';
import { type Bug, UNEXPLORED } from '../targets/zoo/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { inLanes } from './lanes.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { saveText } from './save.ts';
import type { ScopeHunt } from './scope-hunt.ts';
import type { Session } from './session.ts';
import { count, many, rowsOf, table, wrapped } from './table.ts';
import { version } from './version.ts';
import type { ZooOptions } from './zoo.ts';
import { KEPT_CASES, keepSearched, keptCase } from './zoo-cases.ts';

/** One bug, and what came out. */
export interface SearchedBug {
  readonly bug: Bug;
  readonly hunt: ScopeHunt;
  readonly kept: Case | undefined;
}

const COLUMNS = 110;

export async function exhaustiveZoo(options: ZooOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  const rows = await searchAll(options, session);
  const problems = keep(rows, options, signal);
  const code = codeOf(rows, problems, signal);
  if (options.json) io.out(JSON.stringify(reportOf(rows, code), null, 2));
  else if (rows.length === 0) io.out('nothing ran');
  else print(rows, session);
  for (const problem of problems) io.err(`ionclad: ${problem}`);
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

async function searchAll({ bugs, cases, threads }: ZooOptions, session: Session): Promise<SearchedBug[]> {
  const progress = new Progress(session, bugs.length, undefined, 'bug');
  const runner = new ThreadRunner(session, progress, threads);
  let scripts = 0;
  let commands = 0;
  try {
    const rows = await inLanes(bugs, threads, async (bug) => {
      const kept = await keptCase(cases ?? KEPT_CASES, bug, session.io);
      const hunt = await runner.huntInScopes(bug.name, kept?.script);
      if (hunt === undefined) return undefined;
      scripts++;
      commands += hunt.transitions;
      progress.update({ scripts, commands });
      return { bug, hunt, kept };
    });
    return rows.filter((row) => row !== undefined);
  } finally {
    progress.end();
    await runner.close();
  }
}

/** @returns what went wrong with files */
function keep(rows: readonly SearchedBug[], { cases, markdown }: ZooOptions, signal: AbortSignal): string[] {
  const saved = rows.map((row) =>
    cases === undefined || row.hunt.found === undefined
      ? undefined
      : keepSearched(cases, row, row.hunt.found),
  );
  const page = markdown === undefined || signal.aborted ? undefined : saveText(markdown, pageOf(rows));
  return [...saved, page].flatMap((each) => (each !== undefined && 'problem' in each ? [each.problem] : []));
}

function codeOf(rows: readonly SearchedBug[], problems: readonly string[], signal: AbortSignal): ExitCode {
  if (signal.aborted) return EXIT.INTERRUPTED;
  if (problems.length > 0) return EXIT.USAGE;
  if (rows.length === 0) return EXIT.NOTHING_RAN;
  return rows.every((row) => problemWith(row) === undefined) ? EXIT.HELD : EXIT.GATE;
}

/** A bug is found, or there is a reason why not, which is the right one. */
export function problemWith({ bug, hunt, kept }: SearchedBug): string | undefined {
  const reason = UNEXPLORED[bug.name];
  if (hunt.found !== undefined)
    return reason === undefined
      ? undefined
      : `${bug.name} is found: the reason why not is not needed any more`;
  if (reason === undefined) return `${bug.name} is not found, and nobody knows why`;
  const isSo = reason.obstacle === 'outside the store' ? hunt.lost.length > 0 : callsOfOthers(kept) > 1;
  return isSo ? undefined : `${bug.name} is not found, and not because of "${reason.obstacle}"`;
}

/** Calls that others make while one is interrupted. */
function callsOfOthers(kept: Case | undefined): number {
  const others = new Set(kept?.script.schedule?.map(({ to }) => to));
  return kept?.script.commands.filter(({ actor }) => others.has(actor ?? 'main')).length ?? 0;
}

const lengthOf = ({ script }: Pick<Case, 'script'>): number => script.commands.length;

const HEADER = ['bug', 'scope', 'states', 'commands', 'known', 'shown as'];

function cellsOf({ bug, hunt: { found }, kept }: SearchedBug): string[] {
  const known = kept === undefined ? '-' : count(lengthOf(kept));
  if (found === undefined) return [bug.name, '-', '-', '-', known, UNEXPLORED[bug.name]?.obstacle ?? '-'];
  const { scope, states, finding } = found;
  return [bug.name, scope, count(states), count(lengthOf(found)), known, finding.serves];
}

function print(rows: readonly SearchedBug[], { io }: Session): void {
  const cells = rows.map((row) => cellsOf(row)).map(([name = '', ...rest]) => [`  ${name}`, ...rest]);
  const [header = '', ...lines] = table([HEADER, ...cells], new Set([2, 3, 4]));
  io.out(io.style('bold', header));
  for (const [at, row] of rows.entries()) {
    if (row.bug.layer !== rows[at - 1]?.bug.layer) io.out(row.bug.layer);
    io.out(lines[at] ?? '');
  }
  io.out('');
  for (const line of totalLines(rows)) io.out(line);
  io.out('');
  for (const [name, text] of LEGEND) for (const line of wrapped(`${name}: ${text}`, COLUMNS)) io.out(line);
}

/** The total, and by name whatever is not as it should be. */
function totalLines(rows: readonly SearchedBug[]): string[] {
  const found = rows.filter(({ hunt }) => hunt.found !== undefined);
  const spent = rows.reduce((sum, { hunt }) => sum + hunt.transitions, 0);
  const longer = found.flatMap(({ bug, hunt, kept }) => {
    const [own, known] = [hunt.found, kept].map((each) => (each === undefined ? 0 : lengthOf(each)));
    return known !== undefined && own !== undefined && known > 0 && own > known ? [bug.name] : [];
  });
  const others = found.filter(({ bug, hunt }) => hunt.found?.finding.serves !== bug.catches);
  const problems = rows.flatMap((row) => problemWith(row) ?? []);
  return [
    `${count(found.length)} of ${many(rows.length, 'bug')} found, ${many(spent, 'transition')} made`,
    ...(longer.length === 0 ? [] : [`in no scope as short as known: ${longer.join(', ')}`]),
    ...others.map(
      ({ bug, hunt }) => `${bug.name} is ${bug.catches}, shown as ${hunt.found?.finding.serves ?? ''}`,
    ),
    ...rows.flatMap(({ bug, hunt }) => reasonLine(bug, hunt)),
    ...problems,
  ];
}

function reasonLine({ name }: Bug, { found }: ScopeHunt): string[] {
  const reason = UNEXPLORED[name];
  return found !== undefined || reason === undefined
    ? []
    : [`not found: ${name}, ${reason.obstacle}: ${reason.text}`];
}

const LEGEND = [
  ['scope', 'where it was found; ionclad explore --list says what they are'],
  ['states', 'of specification and implementation, until it was found'],
  ['commands', 'of the shortest script of the scope: there is none with fewer'],
  ['known', 'the fewest commands that were known to show the bug, on any machine'],
  ['shown as', 'the invariant that is broken'],
] as const;

const INTRODUCTION = [
  'Each bug of the zoo, looked for by every script of small machines: what is found has the fewest commands that',
  'any script of its scope has. This page is written by `npm run zoo-exhaustive`; `ionclad zoo --exhaustive` prints',
  'the table.',
];

function pageOf(rows: readonly SearchedBug[]): string {
  const lines = rows.map((row) => {
    const [name = '', ...rest] = cellsOf(row);
    return [row.bug.layer, `\`${name}\``, ...rest, row.bug.text];
  });
  const header = ['layer', ...HEADER, 'what is wrong'];
  const paragraphs = [
    ['# The zoo, exhaustively'],
    INTRODUCTION,
    totalLines(rows).map((line) => `- ${line}`),
    LEGEND.map(([column, text]) => `- *${column}*: ${text}`),
    rowsOf(header, lines, (at) => at > 2 && at < 6),
  ];
  return `${paragraphs.map((each) => each.join('\n')).join('\n\n')}\n`;
}

function reportOf(rows: readonly SearchedBug[], exitCode: ExitCode): object {
  return {
    ionclad: version(),
    command: 'zoo',
    exhaustive: true,
    exitCode,
    bugs: rows.map(({ bug: { name, layer, catches }, hunt, kept }) => ({
      ...{ bug: name, layer, catches },
      ...(kept === undefined ? {} : { known: lengthOf(kept) }),
      ...hunt,
      ...(hunt.found === undefined ? { reason: UNEXPLORED[name] } : {}),
    })),
  };
}
