/**
 * A report of a trace for people: what it can show, what was found, how much of it was covered. In at most 100 columns
 * but for event lines, so that it can go into a mail.
 */

import {
  CHECKS,
  type Confidence,
  type Fact,
  type Series,
  type TraceFinding,
  type TraceReport,
} from '../traces/index.ts';
import type { Format, Output } from './session.ts';
import { count, table, wrapped } from './table.ts';
import {
  assumed,
  bars,
  COLUMNS_OF_SPACES,
  coverageFacts,
  distributionFacts,
  eventText,
  moreText,
  shown,
  sightFacts,
  sourceLine,
  spaceRow,
  totalsText,
  untoldText,
} from './trace-facts.ts';

const COLUMNS = 100;
const LABEL = 11;
/** Columns of a figure over time. */
const GRAPH = 60;
const SPACES_SHOWN = 16;

export function traceText(report: TraceReport, io: Output): readonly string[] {
  const bold = (text: string): string => io.style('bold', text);
  const { source, findings } = report;
  const untold = untoldText(report);
  return [
    ...wrapped(`${bold(shown(source.file))}: ${sourceLine(report)}`, COLUMNS),
    '',
    bold('What the trace can show'),
    ...sightFacts(report).flatMap(factLines),
    '',
    `${bold('Findings')}: ${totalsText(report)}`,
    ...findings.flatMap((finding) => findingLines(finding, io)),
    ...(untold === '' ? [] : ['', `  and ${untold}`]),
    '',
    bold('Coverage'),
    ...coverageFacts(report).flatMap(factLines),
    ...distributionFacts(report).flatMap(factLines),
    ...seriesLines(report),
    ...spaceLines(report),
  ];
}

/** The name, and each sentence on lines of its own beside it. */
function factLines([name, ...sentences]: Fact): readonly string[] {
  const lines = sentences.flatMap((sentence) => wrapped(sentence, COLUMNS - LABEL - 2));
  return lines.map((line, at) => `  ${(at === 0 ? name : '').padEnd(LABEL)}${line}`);
}

const COLOURS: Readonly<Record<Confidence, Format>> = { certain: 'red', likely: 'red', possible: 'yellow' };

function findingLines(finding: TraceFinding, io: Output): readonly string[] {
  const { check, confidence, text, evidence } = finding;
  const { invariant, level, text: rule } = CHECKS[check];
  const more = moreText(finding);
  const head = `${io.style(COLOURS[confidence], confidence)} ${io.style('bold', check)} (${invariant}, ${level})`;
  const roles = evidence.map(({ role, event }) => [`line ${count(event.line)}`, role] as const);
  const places = table(roles, new Set([0]));
  return [
    '',
    `  ${head}`,
    ...indented(text),
    ...indented(`rule: ${rule}`),
    ...assumed(finding).flatMap((sentence) => indented(`if: ${sentence}`)),
    ...evidence.flatMap(({ event }, at) => [`    ${places[at]}`, `      ${eventText(event)}`]),
    ...(more === '' ? [] : [`    and ${more}`]),
  ];
}

const indented = (text: string): readonly string[] =>
  wrapped(shown(text), COLUMNS - 4).map((line) => `    ${line}`);

function seriesLines({ source, distributions: { live, liveBytes } }: TraceReport): readonly string[] {
  const { last } = source;
  if (last === undefined || live.times.length === 0) return [];
  return factLines(['over time', `${graph(live, last)} mappings`, `${graph(liveBytes, last)} bytes`]);
}

/** The most of each of so many equal times. */
function graph({ times, values }: Series, last: number): string {
  const first = times[0] ?? 0;
  const width = Math.max((last - first) / GRAPH, 1);
  const columns = new Array<number>(GRAPH).fill(0);
  for (const [at, from] of times.entries()) {
    const begin = Math.min(Math.floor((from - first) / width), GRAPH - 1);
    const end = Math.min(Math.floor(((times[at + 1] ?? last) - first) / width), GRAPH - 1);
    for (let column = begin; column <= end; column += 1)
      columns[column] = Math.max(columns[column] ?? 0, values[at] ?? 0);
  }
  return bars(columns);
}

function spaceLines({ distributions: { spaces } }: TraceReport): readonly string[] {
  if (spaces.length === 0) return [];
  const rows = [COLUMNS_OF_SPACES, ...spaces.slice(0, SPACES_SHOWN).map(spaceRow)];
  const hidden = spaces.length - SPACES_SHOWN;
  const lines = table(rows, new Set([1, 2, 3, 4, 5])).map((line) => `  ${line}`);
  return ['', ...lines, ...(hidden > 0 ? [`  and ${count(hidden)} more`] : [])];
}
