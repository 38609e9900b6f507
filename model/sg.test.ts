import { expect } from 'chai';
import fc from 'fast-check';
import { isReadable, isReadableByCpu, written } from './contents.ts';
import { Judged, machineWith, NOTHING, PLENTY, seen } from './judged.test.ts';
import { chunksFor, tablePages } from './sg.ts';

/** Blocks of two pages at 0, 2 and 6, of one at 4 and 5. */
function withBlocks(pageNumbers = true): Judged {
  const judged = new Judged({}, pageNumbers);
  for (const pfn of [0, 2, 6]) judged.make('alloc_pages', { order: 1 }, { pfn });
  judged.hold(4, 5);
  return judged;
}

describe('sg_alloc_table_from_pages', () => {
  it('merges what is adjacent, in the order of the list, and the count is owed', () => {
    const segments = (pages: readonly number[], maxSegment: number): number[] =>
      [0, 1, 2, 3, 4, 5, 6].filter(
        (count) =>
          withBlocks().to(
            'sg_alloc_table_from_pages',
            { pages, maxSegment },
            { table: 0, segments: count },
          ) === 'content',
      );
    expect(segments([0, 2], 1_000)).to.deep.equal([1]);
    expect(segments([2, 0], 1_000)).to.deep.equal([2]);
    expect(segments([0, 4], 1_000)).to.deep.equal([2]);
    expect(segments([4, 4], 1_000)).to.deep.equal([2]);
    expect(segments([0, 2, 4, 5], 1_000)).to.deep.equal([1]);
    expect(segments([0, 2, 4, 5], 3 * 64)).to.deep.equal([2]);
    expect(segments([0, 2], 127)).to.deep.equal([4]);
    expect(segments([0, 2], 128)).to.deep.equal([2]);
  });

  it('names what is wrong with a count, where pages have numbers', () => {
    const asked = { pages: [0, 2] };
    const said = (judged: Judged, segments: number, maxSegment = 128): string =>
      judged.to('sg_alloc_table_from_pages', { ...asked, maxSegment }, { table: 0, segments });
    expect(said(withBlocks(), 3)).to.equal('the fewest segments (S2)');
    for (const segments of [2, 3, 4]) expect(said(withBlocks(false), segments)).to.equal('content');
    for (const pageNumbers of [true, false]) {
      for (const segments of [0, 1, 5])
        expect(said(withBlocks(pageNumbers), segments)).to.equal('segments that list every page (S2)');
      expect(said(withBlocks(pageNumbers), 3, 64)).to.equal('segments that list every page (S2)');
    }
  });

  it('gives a table that exists and is not in use', () => {
    const judged = withBlocks();
    judged.make('sg_alloc_table_from_pages', { pages: [0], maxSegment: 64 }, { table: 1, segments: 2 });
    for (const table of [1, 2, -1, 0.5]) {
      const said = judged.to(
        'sg_alloc_table_from_pages',
        { pages: [2], maxSegment: 64 },
        { table, segments: 2 },
      );
      expect(said).to.equal('a table that is not in use (C5)');
    }
  });

  it('is sent for blocks, at least one, by their first pages', () => {
    const judged = withBlocks();
    const undue = (...pages: number[]): string | undefined =>
      judged.undue('sg_alloc_table_from_pages', { pages, maxSegment: 64 });
    expect(undue()).to.equal('there is a page to list');
    for (const page of [1, 8, 99, -1]) expect(undue(0, page)).to.equal('every block is allocated');
    expect(undue(0, 0)).to.equal(undefined);
    expect(undue(...Array<number>(8).fill(0))).to.equal(undefined);
    expect(undue(...Array<number>(9).fill(0))).to.equal('a table lists so many pages');
  });

  it('refuses segments shorter than a page, and one table too many', () => {
    const judged = withBlocks();
    const errnos = (maxSegment: number): string[] =>
      judged.errnos('sg_alloc_table_from_pages', { pages: [0], maxSegment });
    for (const short of [63, 1, 0, -1]) expect(errnos(short)).to.deep.equal(['EINVAL']);
    for (const enough of [64, 2 ** 64]) expect(errnos(enough)).to.deep.equal([]);
    for (const table of [0, 1]) {
      judged.make('sg_alloc_table_from_pages', { pages: [0], maxSegment: 128 }, { table, segments: 1 });
    }
    expect(errnos(64)).to.deep.equal(['ENOMEM']);
    expect(errnos(63)).to.deep.equal(['EINVAL', 'ENOMEM']);
    const said = judged.to(
      'sg_alloc_table_from_pages',
      { pages: [0], maxSegment: 128 },
      { table: 0, segments: 1 },
    );
    expect(said).to.equal('refuse ENOMEM (P1)');
  });

  it('may fail only if the target shows too few pages for its chunks', () => {
    const errnos = (pages: readonly number[], free: number): string[] =>
      withBlocks().errnos('sg_alloc_table_from_pages', { pages, maxSegment: 64 }, seen({ ...PLENTY, free }));
    expect(errnos([0, 2], 1)).to.deep.equal([]);
    expect(errnos([0, 2], 0)).to.deep.equal(['ENOMEM']);
    expect(errnos([0, 2, 4], 2)).to.deep.equal([]);
    expect(errnos([0, 2, 4], 1)).to.deep.equal(['ENOMEM']);
    const kept = seen({ ...PLENTY, free: 0, kept: [0, 1, 0] });
    expect(
      withBlocks().errnos('sg_alloc_table_from_pages', { pages: [0], maxSegment: 64 }, kept),
    ).to.deep.equal([]);
    const asked = { pages: [0], maxSegment: 64 };
    expect(withBlocks().errnos('sg_alloc_table_from_pages', asked, NOTHING)).to.deep.equal(['ENOMEM']);
    expect(withBlocks().toErrno('sg_alloc_table_from_pages', asked, 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });

  it('leaves nothing behind when it is freed', () => {
    const judged = withBlocks();
    const before = judged.world.state.save();
    judged.make('sg_alloc_table_from_pages', { pages: [6, 4], maxSegment: 64 }, { table: 1, segments: 3 });
    judged.make('sg_free_table', { table: 1 }, {});
    expect(judged.world.state.words).to.deep.equal(before);
  });

  it('lists all pages of each block, in order', () => {
    const judged = withBlocks();
    judged.make(
      'sg_alloc_table_from_pages',
      { pages: [6, 4, 0, 0], maxSegment: 64 },
      { table: 1, segments: 7 },
    );
    expect(tablePages(judged.world, 1)).to.deep.equal([6, 7, 4, 0, 1, 0, 1]);
    expect(tablePages(judged.world, 0)).to.deep.equal([]);
  });
});

describe('sg_copy', () => {
  /** A table of pages 4, 0 and 1, in this order, on a machine of four lines a page. */
  const withTable = (coherent: string): Judged => {
    const judged = new Judged({ policies: { coherent } });
    judged.make('alloc_pages', { order: 1 }, { pfn: 0 });
    judged.hold(4);
    judged.make('sg_alloc_table_from_pages', { pages: [4, 0], maxSegment: 64 }, { table: 1, segments: 3 });
    return judged;
  };
  const copy = (skip: number, bytes: number, tag = 7) => ({ table: 1, skip, bytes, tag }) as const;

  it('writes the lines of the list in its order, and no others', () => {
    const judged = withTable('yes');
    judged.make('sg_copy', copy(48, 32), { copied: 32 });
    const lines = [...judged.world.line.values.entries()].filter(([, line]) => line !== -1);
    expect(lines).to.deep.equal([
      [0, written(7)],
      [19, written(7)],
    ]);
  });

  it('writes through the cache where devices do not look into it', () => {
    const judged = withTable('no');
    judged.make('sg_copy', copy(0, 16), { copied: 16 });
    const line = judged.world.line.get(16);
    expect([6, 7].map((tag) => isReadableByCpu(line, tag))).to.deep.equal([false, true]);
    expect([6, 7].map((tag) => isReadable(line, tag))).to.deep.equal([true, true]);
  });

  it('stops where the list ends', () => {
    for (const [skip, bytes, copied] of [
      [0, 192, 192],
      [0, 208, 192],
      [176, 32, 16],
      [192, 16, 0],
      [1_600, 16, 0],
      [0, 0, 0],
      [16, 2 ** 64, 176],
    ] as const) {
      const said = (given: number): string =>
        withTable('no').to('sg_copy', copy(skip, bytes), { copied: given });
      expect(said(copied), `${skip} + ${bytes}`).to.equal('content');
      expect(said(copied + 16)).to.equal('the bytes up to the end of the list (P1)');
    }
  });

  it('is sent for tables, whole lines, and tags', () => {
    const judged = withTable('no');
    for (const table of [0, 2, -1, 0.5]) {
      expect(judged.undue('sg_copy', { ...copy(0, 16), table })).to.equal('the table is allocated');
    }
    for (const [skip, bytes] of [
      [8, 16],
      [0, 17],
      [-16, 16],
      [0, -16],
    ] as const) {
      expect(judged.undue('sg_copy', copy(skip, bytes))).to.equal('whole lines are written');
    }
    for (const tag of [-1, 256, 0.5])
      expect(judged.undue('sg_copy', copy(0, 16, tag))).to.equal('the tag is a byte');
    for (const tag of [0, 255]) expect(judged.undue('sg_copy', copy(0, 0, tag))).to.equal(undefined);
  });

  it('never fails', () => {
    const judged = withTable('no');
    expect(judged.errnos('sg_copy', copy(0, 16), NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('sg_copy', copy(0, 16), 'EINVAL')).to.equal('no EINVAL (P1)');
  });
});

describe('sg_free_table', () => {
  it('is sent for a table that exists and is not mapped', () => {
    const judged = withBlocks();
    for (const table of [0, -1, 2, 2 ** 40]) {
      expect(judged.undue('sg_free_table', { table })).to.equal('the table is allocated');
    }
    judged.make('sg_alloc_table_from_pages', { pages: [0], maxSegment: 128 }, { table: 0, segments: 1 });
    judged.world.sgDomain.set(0, 1);
    expect(judged.undue('sg_free_table', { table: 0 })).to.equal('the table is not mapped');
    judged.world.sgDomain.set(0, 0);
    expect(judged.errnos('sg_free_table', { table: 0 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('sg_free_table', { table: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('sg_free_table', { table: 0 }, {});
    expect(judged.undue('sg_free_table', { table: 0 })).to.equal('the table is allocated');
  });
});

describe('chunksFor', () => {
  it('is the fewest chunks that hold the entries and a link in each but the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.constantFrom(64, 128, 4096), (entries, pageBytes) => {
        const room = pageBytes / 16;
        const held = (chunks: number): number => chunks * (room - 1) + 1;
        const chunks = chunksFor(machineWith({ pageBytes }), entries);
        expect(held(chunks)).to.be.at.least(entries);
        if (chunks > 1) expect(held(chunks - 1)).to.be.below(entries);
      }),
    );
  });
});
