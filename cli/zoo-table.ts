/** The kill table as text. Nothing of it depends on the machine that it was made on, but for the times. */
import { reasonOf } from './certificate-text.ts';
import type { Format, Output } from './session.ts';
import { count, many, table, wrapped } from './table.ts';
import type { ZooOptions } from './zoo.ts';
import type { Figures, Row } from './zoo-figures.ts';

const COLUMNS_MAX = 110;
/** What fired first has at least so much room. */
const FIRED_MIN = 12;

/** The columns up to those of the invariant. */
export const headerOf = (times: boolean): string[] => (times ? HEADER.toSpliced(5, 0, 'ms') : [...HEADER]);

const HEADER = ['bug', 'origin', 'needs', 'found', 'commands', 'length', 'worst', 'known', 'proven'];

type Asked = Pick<ZooOptions, 'scripts' | 'seeds' | 'times'>;

/** One row a bug, by layer. */
export function printTable(rows: readonly Row[], asked: Asked, io: Output): void {
  const cells = rows.map(({ bug, figures: each }) => [
    `  ${bug.name}`,
    bug.origin === 'invented' ? '' : bug.origin,
    bug.needs.join(', '),
    `${each.found}/${each.hunts}`,
    ...numbersOf(each, asked.times).map((value) => (value === undefined ? '-' : count(value))),
  ]);
  const header = headerOf(asked.times);
  const right = new Set(header.map((_, at) => at).slice(3));
  const lines = table([header, ...cells], right);
  const width = Math.max(...lines.map((line) => line.length));
  const room = Math.max(COLUMNS_MAX - width - 2, FIRED_MIN);
  const whole = lines.map((line, at) => {
    const row = rows[at - 1];
    const fired = row === undefined ? 'fired first' : firedText(row.figures, room);
    return `${line.padEnd(width)}  ${fired}`;
  });
  io.out(io.style('bold', whole[0] ?? ''));
  for (const [at, row] of rows.entries()) {
    if (row.bug.layer !== rows[at - 1]?.bug.layer) io.out(row.bug.layer);
    const format = formatOf(row);
    const line = whole[at + 1] ?? '';
    io.out(format === undefined ? line : io.style(format, line));
  }
}

/** The columns from `commands` to `proven`. */
export const numbersOf = (
  { commands, ms, length, worst, known, proven }: Figures,
  times: boolean,
): (number | undefined)[] => {
  const rounded = ms === undefined ? undefined : Math.ceil(ms);
  return [commands, ...(times ? [rounded] : []), length, worst, known, proven];
};

function firedText({ fired: [first, ...others] }: Figures, room: number): string {
  if (first === undefined) return '-';
  const more = others.length === 0 ? '' : ` +${others.length}`;
  const text = `${first.serves} ${first.by}`;
  const space = room - more.length;
  return `${text.length > space ? `${text.slice(0, space - 1)}…` : text}${more}`;
}

function formatOf({ figures, isCaught }: Row): Format | undefined {
  if (figures.found < figures.hunts) return 'red';
  return isCaught ? undefined : 'yellow';
}

/** The total, and by name whatever is not as it should be. */
export function totalLines(rows: readonly Row[]): string[] {
  const found = rows.filter(({ figures }) => figures.found === figures.hunts);
  const spent = rows.reduce((sum, { figures }) => sum + figures.spent, 0);
  const missed = rows.filter((row) => !found.includes(row));
  const others = found.filter(({ bug, figures }) =>
    figures.fired.some(({ serves }) => serves !== bug.catches),
  );
  const total = `${count(found.length)} of ${many(rows.length, 'bug')}`;
  return [
    `${total} found in every hunt, ${many(spent, 'command')} spent`,
    ...provenLines(rows),
    ...missed.map(({ bug, figures }) => `missed: ${bug.name}, found in ${figures.found} of ${figures.hunts}`),
    ...others.map(({ bug, figures, isCaught }) => {
      const rest = figures.fired.filter(({ serves }) => serves !== bug.catches);
      const times = rest.reduce((sum, each) => sum + each.times, 0);
      const ids = [...new Set(rest.map(({ serves }) => serves))].join(', ');
      const how = isCaught ? 'not always first' : 'not first';
      return `${how}: ${bug.name} is ${bug.catches}, ${ids} fired first in ${times} of ${figures.hunts}`;
    }),
  ];
}

/** How many of the shortest cases are the shortest possible, and why that is not known of the others. */
function provenLines(rows: readonly Row[]): string[] {
  const certificates = rows.map(({ bug, kept }) => ({ bug, certificate: kept?.certificate }));
  const asked = certificates.filter(({ certificate }) => certificate !== undefined);
  if (asked.length === 0) return [];
  const proven = asked.filter(({ certificate }) => certificate?.result === 'proven');
  return [
    `${count(proven.length)} of ${many(asked.length, 'shortest case')} proven to be the shortest possible`,
    ...asked.flatMap(({ bug, certificate }) =>
      certificate === undefined || certificate.result === 'proven'
        ? []
        : [`not decided: ${bug.name}, ${reasonOf(certificate)}`],
    ),
  ];
}

/** What the columns mean. */
export function legendOf({ scripts, seeds, times }: Asked): (readonly [column: string, text: string])[] {
  const [first = 0] = seeds;
  const drawn = seeds.length === 1 ? `seed ${first}` : `seeds ${first} to ${seeds.at(-1) ?? first}`;
  return [
    [
      'found',
      `in how many hunts, one for each seed, of at most ${many(scripts, 'script')}, drawn from ${drawn}`,
    ],
    ['commands', 'run until the first failure, the median'],
    ...(times ? [['ms', 'the time that this took, which depends on the machine'] as const] : []),
    ['length, worst', 'commands left after shrinking, the median and the most'],
    ['known', 'the fewest commands that are known to show the bug'],
    ['proven', 'states without a shorter script, of all that the calls and values of that case can reach'],
    ['fired first', 'the invariant, and the row or column that decided, or when the invariant is asked'],
  ];
}

export const explained = (asked: Asked): string[] =>
  legendOf(asked).flatMap(([column, text]) => wrapped(`${column}: ${text}`, COLUMNS_MAX));
