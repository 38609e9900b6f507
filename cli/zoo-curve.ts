/**
 * The curve of bugs found against commands spent, as SVG text. The same rows give the same bytes: coordinates
 * are rounded. Its colours follow the reader's, light or dark.
 */
import { count, many } from './table.ts';
import type { Row } from './zoo-figures.ts';

const WIDTH = 760;
const HEIGHT = 440;
/** The part that the curves are drawn in. */
const PLOT = { left: 64, right: 716, top: 24, bottom: 320 } as const;
const X_TITLE = 'commands run, for each bug by itself';
const Y_TITLE = 'bugs found, mean of the seeds';
const LEGEND = { top: 392, column: 360, line: 22 } as const;

/** Bugs that are drawn as one curve. */
interface Curve {
  readonly text: string;
  /** How its line is told from the others: by colour and by dashes. */
  readonly style: 'all' | 'fault' | 'fragmentation' | 'actor';
  readonly rows: readonly Row[];
}

export function curveOf(rows: readonly Row[]): string {
  const curves = curvesOf(rows);
  const decades = Math.max(1, Math.ceil(Math.log10(mostSpent(rows))));
  const x = (commands: number): number =>
    PLOT.left + (Math.log10(commands) / decades) * (PLOT.right - PLOT.left);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}"`,
    'role="img" aria-labelledby="title desc">',
    '<title id="title">Bugs of the zoo found, against commands run</title>',
    `<desc id="desc">${described(curves[0]?.rows ?? [])}</desc>`,
    `<style>${STYLE}</style>`,
    ...gridOf(decades, x),
    ...curves.toReversed().map((curve) => `<path class="${curve.style}" d="${pathOf(curve.rows, x)}"/>`),
    ...curves.flatMap(legendOf),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#57606a}.grid{stroke:#d0d7de;stroke-width:1}',
  'path,.key{fill:none;stroke-width:2}.all{stroke:#0969da;stroke-width:3}',
  '.fault{stroke:#cf222e;stroke-dasharray:7 4}.fragmentation{stroke:#9a6700;stroke-dasharray:2 4}',
  '.actor{stroke:#8250df;stroke-dasharray:10 3 2 3}',
  '@media(prefers-color-scheme:dark){text{fill:#b1bac4}.grid{stroke:#3d444d}.all{stroke:#58a6ff}',
  '.fault{stroke:#ff7b72}.fragmentation{stroke:#d29922}.actor{stroke:#bc8cff}}',
].join('');

/** All bugs, and those that need something, as far as there are any. */
function curvesOf(rows: readonly Row[]): Curve[] {
  const needing = (need: Row['bug']['needs'][number]): Row[] =>
    rows.filter(({ bug }) => bug.needs.includes(need));
  const curves: Curve[] = [
    { text: 'all bugs', style: 'all', rows },
    { text: 'those that need a fault', style: 'fault', rows: needing('fault') },
    { text: 'those that need fragmentation', style: 'fragmentation', rows: needing('fragmentation') },
    { text: 'those that need a second actor', style: 'actor', rows: needing('second actor') },
  ];
  return curves.filter((curve) => curve.rows.length > 0);
}

/** Commands until the finding, of all hunts that had one. */
const spentIn = (rows: readonly Row[]): number[] =>
  rows
    .flatMap(({ hunts }) =>
      hunts.flatMap(({ hunted }) => (hunted.found === undefined ? [] : [hunted.commands])),
    )
    .toSorted((one, other) => one - other);

const huntsIn = (rows: readonly Row[]): number => rows.reduce((sum, { hunts }) => sum + hunts.length, 0);

/** Also of the hunts that found nothing: the axis ends where they gave up. */
const mostSpent = (rows: readonly Row[]): number =>
  Math.max(1, ...rows.flatMap(({ hunts }) => hunts.map(({ hunted }) => hunted.commands)));

const round = (value: number): string => String(Math.round(value * 10) / 10);

const heightOf = (share: number): number => PLOT.bottom - share * (PLOT.bottom - PLOT.top);

/** A step for each finding; steps that are closer than a tenth of a unit are one. */
function pathOf(rows: readonly Row[], x: (commands: number) => number): string {
  const hunts = huntsIn(rows);
  const steps = new Map<string, string>();
  for (const [at, commands] of spentIn(rows).entries())
    steps.set(round(x(commands)), round(heightOf((at + 1) / hunts)));
  const path = [...steps].map(([right, up]) => `H${right}V${up}`);
  return `M${PLOT.left} ${PLOT.bottom}${path.join('')}H${PLOT.right}`;
}

function gridOf(decades: number, x: (commands: number) => number): string[] {
  const { left, right, top, bottom } = PLOT;
  const powers = Array.from({ length: decades + 1 }, (_, power) => 10 ** power);
  const middle = (left + right) / 2;
  return [
    ...[0, 25, 50, 75, 100].flatMap((percent) => {
      const y = round(heightOf(percent / 100));
      return [
        `<line class="grid" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>`,
        `<text x="${left - 8}" y="${y}" text-anchor="end" dominant-baseline="middle">${percent} %</text>`,
      ];
    }),
    ...powers.flatMap((power) => {
      const at = round(x(power));
      return [
        `<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>`,
        `<text x="${at}" y="${bottom + 20}" text-anchor="middle">${count(power)}</text>`,
      ];
    }),
    `<text x="${middle}" y="${bottom + 46}" text-anchor="middle">${X_TITLE}</text>`,
    `<text text-anchor="middle" transform="translate(16 ${(top + bottom) / 2}) rotate(-90)">${Y_TITLE}</text>`,
  ];
}

function legendOf({ text, style, rows }: Curve, at: number): string[] {
  const x = PLOT.left + (at % 2) * LEGEND.column;
  const y = LEGEND.top + Math.floor(at / 2) * LEGEND.line;
  return [
    `<line class="key ${style}" x1="${x}" x2="${x + 40}" y1="${y}" y2="${y}"/>`,
    `<text x="${x + 50}" y="${y}" dominant-baseline="middle">${text} (${rows.length})</text>`,
  ];
}

/** The curve of all bugs in words. */
function described(rows: readonly Row[]): string {
  const hunts = huntsIn(rows);
  const spent = spentIn(rows);
  const shares = [0.5, 0.9, 0.99].flatMap((share) => {
    const commands = spent[Math.ceil(share * hunts) - 1];
    return commands === undefined ? [] : [`${share * 100} % within ${count(commands)} commands`];
  });
  const found = `${count(spent.length)} of ${count(hunts)} hunts`;
  return [`${found} for ${many(rows.length, 'bug')} have found theirs`, ...shares].join('; ');
}
