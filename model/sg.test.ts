import { expect } from 'chai';
import fc from 'fast-check';
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
    const asked = { pages: [0, 2], maxSegment: 64 };
    const said = (judged: Judged): string =>
      judged.to('sg_alloc_table_from_pages', asked, { table: 0, segments: 3 });
    expect(said(withBlocks())).to.equal('the fewest segments (S2)');
    expect(said(withBlocks(false))).to.equal('content');
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
    const asked = { pages: [0], maxSegment: 64 };
    expect(withBlocks().errnos('sg_alloc_table_from_pages', asked, NOTHING)).to.deep.equal(['ENOMEM']);
    expect(withBlocks().toErrno('sg_alloc_table_from_pages', asked, 'ENOMEM')).to.equal('no ENOMEM (M1)');
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

describe('sg_free_table', () => {
  it('is sent for a table that exists and is not mapped', () => {
    const judged = withBlocks();
    for (const table of [0, -1, 2, 2 ** 40]) {
      expect(judged.undue('sg_free_table', { table })).to.equal('the table is allocated');
    }
    judged.make('sg_alloc_table_from_pages', { pages: [0], maxSegment: 128 }, { table: 0, segments: 1 });
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
    const asked = { domain: 0, table: 0, direction: 'to_device' } as const;
    judged.make('dma_map_sg', asked, { table: 0, dma: 64, segments: [64, 128] });
    expect(judged.undue('sg_free_table', { table: 0 })).to.equal('the table is not mapped');
    judged.make('dma_unmap_sg', { mapping: 0 }, {});
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
