import { expect } from 'chai';
import { FIELDS, type Machine, machineProblem, POLICIES, type SpecField } from './index.ts';
import { machineWith } from './judged.test.ts';

const problem = (fields: Partial<Machine>): string | undefined => machineProblem(machineWith(fields));
const fields: [string, SpecField][] = Object.entries(FIELDS);

describe('FIELDS', () => {
  it('have defaults and drawn values in their ranges', () => {
    for (const [name, { from, to, default: usual, drawn = [], powerOfTwo, text }] of fields) {
      for (const value of [usual, ...drawn]) {
        expect(value, name).to.be.within(from, to);
        if (powerOfTwo) expect(Math.log2(value) % 1, name).to.equal(0);
      }
      expect(text, name).to.match(/^\S.*[^.]$/);
    }
  });

  it('make a machine by their defaults, and one by each drawn value', () => {
    expect(problem({})).to.equal(undefined);
    for (const [name, { drawn = [] }] of fields) {
      for (const value of drawn) expect(problem({ [name]: value }), name).to.equal(undefined);
    }
  });
});

describe('POLICIES', () => {
  it('have at least two values each', () => {
    for (const { values } of Object.values(POLICIES)) expect(new Set(values).size).to.be.at.least(2);
  });

  it('are free to choose exactly where the specification reads them', () => {
    const free = Object.entries(POLICIES).filter(([, policy]) => 'free' in policy);
    expect(free.map(([name]) => name)).to.deep.equal(['placement', 'coherent', 'invalidation']);
  });
});

describe('machineProblem', () => {
  it('wants lines no longer than pages', () => {
    expect(problem({ lineBytes: 64 })).to.equal(undefined);
    expect(problem({ lineBytes: 128 })).to.equal('lineBytes 128 is more than pageBytes 64');
  });

  it('wants page arrays that get smaller at each level', () => {
    expect(problem({ pageArrayEntryBytes: 32 })).to.equal(undefined);
    expect(problem({ pageArrayEntryBytes: 64 })).to.equal(
      '64 bytes an entry: a page array is no smaller than its pages of 64',
    );
  });

  it('wants tables that fit a page', () => {
    expect(problem({ tableBits: 3 })).to.equal(undefined);
    expect(problem({ tableBits: 4 })).to.equal('a table of 2^4 entries does not fit a page of 64 bytes');
  });

  it('wants from 2 to 2^20 I/O pages', () => {
    const reservedIoPages = 0;
    expect([7, 26].map((ioBits) => problem({ ioBits, reservedIoPages }))).to.deep.equal([
      undefined,
      undefined,
    ]);
    const few = 'ioBits 7 leaves fewer than 2 I/O pages of 128 bytes';
    expect(problem({ ioBits: 7, pageBytes: 128 })).to.equal(few);
    const many = 'ioBits 27 makes 2097152 I/O pages; at most 2^20 are supported';
    expect(problem({ ioBits: 27 })).to.equal(many);
  });

  it('wants an I/O page that is neither page 0 nor reserved', () => {
    expect(problem({ ioBits: 9, reservedIoPages: 6 })).to.equal(undefined);
    expect(problem({ ioBits: 9, reservedIoPages: 7 })).to.equal(
      '7 reserved I/O pages leave none of 8 to map',
    );
  });

  it('wants at most 2^24 I/O pages in all contexts', () => {
    expect(problem({ contexts: 16, ioBits: 26 })).to.equal(undefined);
    expect(problem({ contexts: 17, ioBits: 26 })).to.equal(
      '17 contexts of 1048576 I/O pages; at most 2^24 in all are supported',
    );
  });

  it('wants no more words than fit an array', () => {
    const pages = 2 ** 22;
    expect(problem({ pages, vmallocPages: pages })).to.equal(undefined);
    expect(problem({ pages, vmallocPages: pages, pageBytes: 128 })).to.equal(
      '4194304 pages and 4194304 of vmalloc are 134217728 words of 8 bytes; at most 2^26 are supported',
    );
    expect(problem({ vmallocPages: pages, pageBytes: 65_536, ioBits: 20 })).to.match(/ words of 8 bytes; /);
  });

  it('wants runs of occupied pages inside the machine, each page once', () => {
    const occupied = (...runs: [number, number][]): string | undefined => problem({ occupied: runs });
    expect(occupied([4, 4], [0, 4], [15, 1])).to.equal(undefined);
    expect(occupied([4, 4], [2, 3])).to.equal(
      'occupied: page 4 is listed twice, in occupied and movable together',
    );
    expect(occupied([-1, 2])).to.equal('occupied: page -1 is negative');
    expect(occupied([3, 0])).to.equal('occupied: the run at page 3 has 0 pages');
    expect(occupied([15, 2])).to.equal("occupied: page 16 is outside the machine's 16 pages");
    for (const run of [
      [0.5, 1],
      [1, Number.NaN],
    ] as const)
      expect(occupied([...run])).to.equal(`occupied: [${run.join(', ')}] are no pages`);
  });

  it('wants pages that are occupied or movable, not both', () => {
    const both = (first: number): string | undefined =>
      problem({ occupied: [[4, 2]], movable: [[first, 2]] });
    expect([2, 6].map(both)).to.deep.equal([undefined, undefined]);
    for (const [first, page, list] of [
      [3, 4, 'occupied'],
      [5, 5, 'movable'],
    ] as const)
      expect(both(first)).to.equal(`${list}: page ${page} is listed twice, in occupied and movable together`);
    expect(problem({ movable: [[15, 2]] })).to.equal("movable: page 16 is outside the machine's 16 pages");
  });
});
