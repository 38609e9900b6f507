import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { UsageError } from './exit.ts';
import { pagesOf, readProcMemory } from './proc-memory.ts';

const sample = (name: string): string =>
  readFileSync(new URL(`../../cli/test-data/${name}.txt`, import.meta.url), 'utf8');

const BUDDY = `Node 0, zone      DMA      1      0      2      0
Node 1, zone   Normal      4      1      0      0
`;
const TYPES = `Page block order: 2
Pages per block:  4

Free pages count per migrate type at order       0      1      2
Node    0, zone      DMA, type    Unmovable      1      0      0
Node    0, zone      DMA, type      Movable      0      0      2
Node    1, zone   Normal, type      Movable     >4      0      0
Node    1, zone   Normal, type          CMA      0      1      0

Number of blocks type     Unmovable      Movable      CMA
Node 0, zone      DMA            1            2            0
Node 1, zone   Normal            5            6            1
Number of mixed blocks    Unmovable      Movable      CMA
Node 0, zone      DMA            9            9            9
`;
const ZONES = `Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 77
  pages free     9
        boost    0
        min      3
        present  14
        managed  12
      nr_zone_inactive_anon 1
      nr_zone_active_file 2
  pagesets
    cpu: 0
              count: 3
Node 1, zone   Normal
        boost    2
        min      5
        present  50
        managed  40
      nr_zone_active_anon 4
Node 0, zone  Movable
        min      32
        managed  0
`;

describe('memory of a kernel', () => {
  it('is the sum of its zones and migrate types', () => {
    const read = readProcMemory(BUDDY + TYPES + ZONES, 'here');
    expect(read).to.deep.equal({
      zones: ['DMA', '1/Normal'],
      freeBlocks: [5, 1, 2, 0],
      managed: 52,
      min: 8,
      boost: 2,
      onLists: 7,
      mobility: { movableBlocks: 9, otherBlocks: 6, blockPages: 4, freeMovable: 14 },
    });
  });

  it('stands in any order, with other text between, with and without pagetypeinfo', () => {
    const all = readProcMemory(BUDDY + TYPES + ZONES, 'here');
    const indices = 'Node 0, zone      DMA -1.000 0.500 0.750\nMemTotal:  217360 kB\n';
    for (const text of [TYPES + BUDDY + ZONES, ZONES + indices + BUDDY + TYPES])
      expect(readProcMemory(text.replaceAll('\n', '\r\n'), 'here')).to.deep.equal(all);
    expect(readProcMemory(BUDDY + ZONES, 'here')).to.deep.equal({ ...all, mobility: undefined });
  });

  it('of an old kernel has neither lists of zones nor managed pages', () => {
    const old = ZONES.replaceAll(/.*(managed|nr_zone_).*\n/g, '').replace(
      /Node 0, zone {2}Movable[\s\S]*$/,
      '',
    );
    expect(readProcMemory(BUDDY + old, 'here')).to.deep.include({ managed: 64, onLists: undefined });
  });

  it('is read from real ones', () => {
    expect(readProcMemory(sample('checkerboard'), 'sample')).to.deep.equal({
      zones: ['DMA', 'DMA32'],
      freeBlocks: [22_178, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      managed: 54_340,
      min: 455,
      boost: 0,
      onLists: 829,
      mobility: { movableBlocks: 21, otherBlocks: 107, blockPages: 512, freeMovable: 0 },
    });
    expect(readProcMemory(sample('exhausted'), 'sample')).to.deep.equal({
      zones: ['DMA', 'DMA32'],
      freeBlocks: [3, 3, 3, 2, 2, 4, 7, 6, 2, 0, 1],
      managed: 54_340,
      min: 1_403,
      boost: 948,
      onLists: 828,
      mobility: { movableBlocks: 28, otherBlocks: 100, blockPages: 512, freeMovable: 2_624 },
    });
  });
});

const shows = (zones: number): string =>
  `it shows zones with memory: ${zones} of /proc/buddyinfo, 0 of /proc/pagetypeinfo, 0 of /proc/zoneinfo; ` +
  'expected the text of /proc/buddyinfo and /proc/zoneinfo, and of /proc/pagetypeinfo where it can be read';

/** Texts that are refused, each with all that is said. */
const REFUSED: readonly (readonly [title: string, text: string, problem: string])[] = [
  ['nothing', '', shows(0)],
  ['one file of the two that are needed', BUDDY, shows(2)],
  [
    'a negative number',
    BUDDY.replace(' 4 ', '-4 ') + ZONES,
    'line 2: "Node 1, zone Normal -4 1 0 0" is no row of /proc/buddyinfo, pagetypeinfo or zoneinfo',
  ],
  [
    'a negative watermark',
    BUDDY + ZONES.replace('5', '-5'),
    'line 18: expected a number, got "-5" in "min -5"',
  ],
  [
    'a number without end',
    BUDDY.replace('4', '4'.repeat(99)) + ZONES,
    `line 2: expected a number, got "${'4'.repeat(60)}" in "Node 1, zone Normal ${'4'.repeat(40)}"`,
  ],
  [
    'more free than there is',
    BUDDY.replace('4', '400') + ZONES,
    '411 pages are free, of 52 that are managed',
  ],
  [
    'a row that ends early',
    `${ZONES}Node 0, zone      DMA      1      0      2      0\nNode 1, zone   Normal      4`,
    'zone 1/Normal has 1 orders where another has 4: is it cut off?',
  ],
  [
    'a row that is missing',
    `${BUDDY.split('\n', 1)[0]}\n${ZONES}`,
    'zone 1/Normal stands in /proc/zoneinfo and not in /proc/buddyinfo: is it cut off?',
  ],
  [
    'a zone that is missing',
    BUDDY + ZONES.replace(/Node 1[\s\S]*$/, ''),
    'zone 1/Normal stands in /proc/buddyinfo and not in /proc/zoneinfo: is it cut off?',
  ],
  [
    'a zone without its watermark',
    BUDDY + ZONES.replace(/ +min +5\n/, ''),
    'zone 1/Normal of /proc/zoneinfo has no min watermark',
  ],
  [
    'a table of page blocks that ends early',
    BUDDY + TYPES.replace(/Node 1, zone {3}Normal {12}5.*\n/, '') + ZONES,
    '/proc/pagetypeinfo is not whole: zone 1/Normal is missing in a part of it',
  ],
  [
    'two moments',
    BUDDY + ZONES + BUDDY + ZONES,
    'line 25: "Node 0, zone DMA 1 0 2 0" is there a second time; expected the files of one moment',
  ],
  [
    'a migrate type twice',
    BUDDY + TYPES.replace('CMA      0', 'Movable      0') + ZONES,
    'line 10: "Node 1, zone Normal, type Movable 0 1 0" is there a second time; ' +
      'expected the files of one moment',
  ],
  [
    'a row of a thousand orders',
    `Node 0, zone DMA${' 1'.repeat(1_000)}\n`,
    'line 1: 1000 orders; at most 32 are expected',
  ],
  [
    'what would move a cursor',
    'Node \x1b[2J',
    'line 1: "Node ?[2J" is no row of /proc/buddyinfo, pagetypeinfo or zoneinfo',
  ],
];

describe('memory of no kernel', () => {
  for (const [title, text, problem] of REFUSED) {
    it(title, () => {
      expect(() => readProcMemory(text, 'here')).to.throw(UsageError, `here: ${problem}`);
    });
  }

  it('is told in one line whatever was cut, doubled or written over', () => {
    const whole = sample('exhausted');
    const spot = fc.nat(whole.length);
    const edit = fc.tuple(
      spot,
      spot,
      fc.oneof(fc.string(), fc.constantFrom('-', '\n', ' 1', '9'.repeat(20))),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const text = edits.reduce((old, [from, to, put]) => old.slice(0, from) + put + old.slice(to), whole);
        try {
          const { freeBlocks, managed } = readProcMemory(text, 'here');
          expect(pagesOf(freeBlocks)).to.be.at.most(managed);
        } catch (cause) {
          expect(cause).to.be.instanceOf(UsageError);
          expect((cause as Error).message).to.match(/^here: [\x20-\x7e]{1,400}$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes no longer than its size', () => {
    for (const text of ['\n', ' 1', 'Node 0, zone x, type y 1', '\0'].map((part) => part.repeat(400_000)))
      expect(() => readProcMemory(text, 'here')).to.throw(UsageError);
  });
});
