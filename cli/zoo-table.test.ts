import { expect } from 'chai';
import type { Case } from '../counterexamples/index.ts';
import type { Certificate, Finding, Script } from '../properties/index.ts';
import type { Bug } from '../targets/zoo/index.ts';
import { recordingSession } from './session.ts';
import type { HuntedBug } from './worker.ts';
import { curveOf } from './zoo-curve.ts';
import { type Row, rowOf } from './zoo-figures.ts';
import { pageOf } from './zoo-page.ts';
import { explained, printTable, totalLines } from './zoo-table.ts';

const bug = (name: string, layer: Bug['layer'], rest: Partial<Bug> = {}): Bug => ({
  ...{ name, layer, origin: 'invented', catches: 'C1', text: `${name} is wrong`, needs: [], patch: () => {} },
  ...rest,
});

const script = (length: number): Script => ({
  format: 1,
  machine: {},
  commands: Array.from({ length }, () => ({ op: 'drain' })),
});

/** A hunt that found something after so many commands, with so many left after shrinking; or that found nothing. */
function hunted(seed: number, commands: number, finding?: Partial<Finding>, length = 0): HuntedBug {
  const spent = { bug: '', seed, scripts: 10, commands };
  if (finding === undefined) return { hunted: spent, ms: commands };
  const whole: Finding = {
    ...{ kind: 'invariant', command: 0, call: { op: 'drain', args: {} }, serves: 'C1', clause: 'state' },
    ...{ layer: 'pages', detail: '', ...finding },
  };
  return {
    hunted: { ...spent, found: { index: 9, script: script(60), finding: whole } },
    shrunk: { script: script(length), finding: whole, executions: 5 },
    ms: commands / 10,
  };
}

/** A case of so many commands. */
const known = (length: number, certificate: Certificate): Case => ({
  format: 1,
  title: '',
  property: { name: 'lockstep' },
  script: script(length),
  certificate,
});

const KNOWN: readonly Case[] = [
  known(2, { result: 'proven', states: 1204 }),
  known(7, { result: 'undecided', states: 100_000 }),
  known(6, { result: 'undecided', states: 0, reason: 'pairs of runs are not searched' }),
];

const LONG = 'a row of a rule whose name is longer than the room there is for it';

const ROWS: readonly Row[] = [
  { bug: bug('easy', 'pages'), hunts: [hunted(1, 30, {}, 2), hunted(2, 10, {}, 4), hunted(3, 20, {}, 3)] },
  {
    bug: bug('often-another', 'pages', { origin: 'PA-01', needs: ['fragmentation'] }),
    hunts: [
      hunted(1, 1000, { kind: 'reply', serves: 'P1', clause: LONG }, 5),
      hunted(2, 3000, { kind: 'reply', serves: 'P1', clause: LONG }, 5),
      hunted(3, 2000, { kind: 'view', clause: 'head' }, 7),
    ],
  },
  {
    bug: bug('rare', 'ion', { origin: 'ION-11', needs: ['second actor'] }),
    hunts: [hunted(1, 90_000), hunted(2, 50_000, {}, 6), hunted(3, 100_000)],
  },
].map((each, at) => rowOf({ ...each, kept: KNOWN[at] }));

const ASKED = {
  scripts: 6000,
  seeds: [1, 2, 3],
  times: false,
  curve: 'docs/zoo.svg',
  markdown: 'docs/zoo.md',
};

const GOLDEN = `
bug              origin  needs          found  commands  length  worst  known  proven  fired first
pages
  easy                                    3/3        20       3      4      2   1,204  C1 state
  often-another  PA-01   fragmentation    3/3     2,000       5      7      7       -  P1 a row of a rule … +1
ion
  rare           ION-11  second actor     1/3    50,000       6      6      6       -  C1 state
2 of 3 bugs found in every hunt, 246,060 commands spent
1 of 3 shortest cases proven to be the shortest possible
not decided: often-another, not within 100,000 states
not decided: rare, pairs of runs are not searched
missed: rare, found in 1 of 3
not first: often-another is C1, P1 fired first in 2 of 3
found: in how many hunts, one for each seed, of at most 6,000 scripts, drawn from seeds 1 to 3
commands: run until the first failure, the median
length, worst: commands left after shrinking, the median and the most
known: the fewest commands that are known to show the bug
proven: states without a shorter script, of all that the calls and values of that case can reach
fired first: the invariant, and the row or column that decided, or when the invariant is asked`;

describe('the kill table', () => {
  it('has a row for each bug, and names what is not as it should be', () => {
    const session = recordingSession();
    printTable(ROWS, ASKED, session.io);
    const lines = [session.recorded().out, ...totalLines(ROWS), ...explained(ASKED)].join('\n');
    expect(`\n${lines}`).to.equal(GOLDEN);
  });

  it('has a column for times where that is asked for', () => {
    const session = recordingSession();
    printTable(ROWS, { ...ASKED, times: true }, session.io);
    expect(session.recorded().out)
      .to.match(/^bug .* commands +ms +length/)
      .and.to.match(/ 3\/3 +20 +2 +3 +4 +2 +1,204 /);
  });

  it('colours rows that were missed or caught by another', () => {
    const lines: string[] = [];
    const style = (format: string, text: string): string => `${format}:${text}`;
    printTable(ROWS, ASKED, { ...recordingSession().io, out: (line) => void lines.push(line), style });
    expect(lines.map((line) => line.split(' ')[0])).to.deep.equal([
      'bold:bug',
      'pages',
      '',
      'yellow:',
      'ion',
      'red:',
    ]);
  });

  it('lets another invariant fire first now and then, and says so', () => {
    const hunts = [hunted(1, 10, {}, 1), hunted(2, 10, {}, 1), hunted(3, 10, { serves: 'M1' }, 1)];
    const row = rowOf({ bug: bug('easy', 'pages'), hunts, kept: undefined });
    expect(row.isCaught).to.equal(true);
    expect(totalLines([row])).to.include('not always first: easy is C1, M1 fired first in 1 of 3');
  });

  it('knows the shortest from what was kept, and not from what fired for another reason', () => {
    const [, row = expect.fail('there is no such row')] = ROWS;
    const shorter = { format: 1, title: '', property: { name: 'lockstep' }, script: script(1) } as const;
    const { figures } = rowOf({ ...row, kept: shorter });
    expect(rowOf({ ...row, kept: undefined }).figures).to.include({ known: 7, length: 5, worst: 7 });
    expect(figures.known).to.equal(1);
  });
});

describe('the page', () => {
  it('has the table with whole names, and the curve', () => {
    const page = pageOf(ROWS, { ...ASKED, times: true });
    expect(page)
      .to.include('# The zoo\n')
      .and.include('](zoo.svg)\n')
      .and.include('- missed: rare, found in 1 of 3\n');
    expect(page).to.include(
      `| pages | \`often-another\` | PA-01 | fragmentation | 3/3 | 2,000 | 200 | 5 | 7 | 7 | - | P1 ${LONG} (2); ` +
        'C1 view head (1) | often-another is wrong |\n',
    );
    const tables = page.split('\n\n').filter((paragraph) => paragraph.startsWith('|'));
    expect(tables).to.have.length(3);
    for (const lines of tables.map((text) => text.trim().split('\n')))
      expect(new Set(lines.map((line) => line.split(' | ').length)).size).to.equal(1);
  });

  it('has no curve where none was drawn', () => {
    expect(pageOf(ROWS, { ...ASKED, curve: undefined })).not.to.include('.svg');
  });
});

describe('the curve', () => {
  const svg = curveOf(ROWS);
  const pathOf = (style: string): string =>
    new RegExp(`<path class="${style}" d="([^"]+)"`).exec(svg)?.[1] ?? expect.fail(`there is no ${style}`);

  it('rises with each hunt that finds its bug', () => {
    expect(pathOf('fragmentation')).to.match(/^M64 320H\S+V221\.3H\S+V122\.7H\S+V24H716$/);
    expect(pathOf('actor')).to.match(/^M64 320H\S+V221\.3H716$/);
    const rights = Array.from(pathOf('all').matchAll(/H([\d.]+)/g), ([, x]) => Number(x));
    expect(rights).to.have.length(8);
    expect(rights).to.deep.equal(rights.toSorted((one, other) => one - other));
  });

  it('tells in words what it shows, and names its axes', () => {
    expect(svg).to.include('7 of 9 hunts for 3 bugs have found theirs; 50 % within 2,000 commands</desc>');
    expect(svg).to.include('>100,000</text>').and.not.include('>1,000,000</text>');
    expect(svg)
      .to.include('>commands run, for each bug by itself</text>')
      .and.include('those that need fragmentation (1)');
    expect(svg).not.to.include('need a fault');
  });

  it('is drawn of nothing too', () => {
    expect(curveOf([])).to.include('0 of 0 hunts').and.not.include('NaN');
  });
});
