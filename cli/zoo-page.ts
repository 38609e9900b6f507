/** The kill table as a page in Markdown: what the documentation shows is what the command found. */
import { dirname, relative } from 'node:path';
import { ORIGINS, ZOO } from '../targets/zoo/index.ts';
import { count, rowsOf } from './table.ts';
import type { ZooOptions } from './zoo.ts';
import type { Row } from './zoo-figures.ts';
import { missing, originsText } from './zoo-origins.ts';
import { headerOf, legendOf, numbersOf, totalLines } from './zoo-table.ts';

type Asked = Pick<ZooOptions, 'scripts' | 'seeds' | 'times' | 'curve' | 'markdown'>;

export function pageOf(rows: readonly Row[], asked: Asked): string {
  const paragraphs = [
    ['# The zoo'],
    INTRODUCTION,
    totalLines(rows).map((line) => `- ${line}`),
    ...curveIn(asked),
    ['## The table'],
    legendOf(asked).map(([column, text]) => `- *${column}*: ${text}`),
    tableOf(rows, asked.times),
    ['## Where they come from'],
    [`${originsText()}. An origin is an id of this table and of the next.`],
    originTable(),
    ['## What is missing'],
    missingTable(),
  ];
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const INTRODUCTION = [
  'Each bug of the zoo is the built-in implementation with one step replaced. Those with an origin re-create a',
  'bug of a real kernel; the others were invented. A specification, a generator or a shrinker that gets worse',
  'shows here first: a bug is missed, takes more commands until it is found, or stays longer than it was. This',
  'page is written by `npm run zoo`; `ionclad zoo` prints the same table for one seed.',
];

/** The curve with a path from where the page is. */
function curveIn({ curve, markdown }: Asked): string[][] {
  if (curve === undefined || markdown === undefined) return [];
  const path = relative(dirname(markdown), curve).replaceAll('\\', '/');
  return [[`![Bugs found against commands run, each bug by itself](${path})`]];
}

function tableOf(rows: readonly Row[], times: boolean): string[] {
  const header = ['layer', ...headerOf(times), 'fired first', 'what is wrong'];
  const lines = rows.map(({ bug, figures }) => [
    bug.layer,
    `\`${bug.name}\``,
    bug.origin,
    bug.needs.join(', '),
    `${figures.found}/${figures.hunts}`,
    ...numbersOf(figures, times).map((value) => (value === undefined ? '-' : count(value))),
    figures.fired
      .map(({ serves, by, times: n }) => `${serves} ${by}${n < figures.found ? ` (${n})` : ''}`)
      .join('; '),
    bug.text,
  ]);
  return rowsOf(header, lines, (at) => at > 3 && at < header.length - 2);
}

function originTable(): string[] {
  const made = ORIGINS.filter((origin) => origin.missing === undefined);
  const lines = made.map(({ id, year, what }) => {
    const bugs = ZOO.filter(({ origin }) => origin === id).map(({ name }) => `\`${name}\``);
    return [id, String(year), what, bugs.join(', ')];
  });
  return rowsOf(['id', 'year', 'what it was', 'bugs of the zoo'], lines);
}

function missingTable(): string[] {
  const lines = missing().flatMap(([needed, origins]) =>
    origins.map(({ id, year, what }) => [needed, id, String(year), what]),
  );
  return rowsOf(['missing', 'id', 'year', 'what it was'], lines);
}
