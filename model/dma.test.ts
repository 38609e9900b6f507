import { expect } from 'chai';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { translation } from './units.ts';

const ASKED = { domain: 0, table: 0, direction: 'bidirectional' } as const;

/** Domain 0 of the DMA API on 16 I/O pages; table 0 lists pages 2, 3 and 5. */
function withTable(ioBits = 10): Judged {
  const judged = new Judged({ ioBits });
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  judged.hold(5);
  judged.make('sg_alloc_table_from_pages', { pages: [2, 5], maxSegment: 128 }, { table: 0, segments: 2 });
  return judged;
}

/** Lists one block four times over, and maps it there: so many I/O pages are in use from `address` on. */
function fill(judged: Judged, address: number, pages: number): void {
  judged.hold(8);
  const list = Array.from({ length: pages }, () => 8);
  judged.make('sg_alloc_table_from_pages', { pages: list, maxSegment: 64 }, { table: 1, segments: pages });
  const segments = [address, pages * 64];
  judged.make('dma_map_sg', { ...ASKED, table: 1 }, { table: 1, dma: address, segments });
}

const said = (judged: Judged, ...segments: number[]): string =>
  judged.to('dma_map_sg', ASKED, { table: 0, dma: segments[0] ?? 0, segments });

describe('dma_map_sg', () => {
  it('is sent for a domain of the DMA API and a table that is not mapped', () => {
    const judged = withTable();
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
    for (const domain of [1, 2, -1]) {
      expect(judged.undue('dma_map_sg', { ...ASKED, domain })).to.equal('the domain is one of the DMA API');
    }
    for (const table of [1, 2, -1]) {
      expect(judged.undue('dma_map_sg', { ...ASKED, table })).to.equal('the table is allocated');
    }
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 64, segments: [64, 192] });
    expect(judged.undue('dma_map_sg', ASKED)).to.equal('the table is not mapped');
  });

  it('leaves addresses and number of segments open', () => {
    const judged = withTable();
    for (const segments of [
      [64, 192],
      [64, 128, 512, 64],
      [192, 64, 128, 64, 64, 64],
      [13 * 64, 192],
    ]) {
      expect(said(judged, ...segments)).to.equal('content');
    }
  });

  it('gives segments that add up to the table, no more of them than pages', () => {
    const judged = withTable();
    expect(said(judged, 64, 128)).to.equal('segments as long as the table (S5)');
    expect(said(judged, 64, 256)).to.equal('segments as long as the table (S5)');
    for (const segments of [[], [64], [64, 128, 256], [64, 64, 128, 64, 192, 64, 256, 64]]) {
      expect(said(judged, ...segments)).to.equal('no more segments than pages (S5)');
    }
  });

  it('gives segments of whole pages, none of them empty', () => {
    const judged = withTable();
    for (const segments of [
      [72, 192],
      [64, 96, 192, 96],
      [64, 192, 512, 0],
      [64, 256, 512, -64],
    ]) {
      expect(said(judged, ...segments)).to.equal('aligned segments of whole pages (S3)');
    }
  });

  it('gives unused addresses, never page 0, and none twice', () => {
    const judged = withTable();
    fill(judged, 256, 2);
    for (const segments of [
      [0, 192],
      [192, 192],
      [14 * 64, 192],
      [-64, 192],
      [64, 128, 128, 64],
      [320, 192],
    ]) {
      expect(said(judged, ...segments)).to.equal('unused addresses (S3)');
    }
    expect(said(judged, 64, 192)).to.equal('content');
    expect(said(judged, 384, 192)).to.equal('content');
  });

  it('says which table, and where it starts', () => {
    const judged = withTable();
    const segments = [64, 192];
    expect(judged.to('dma_map_sg', ASKED, { table: 1, dma: 64, segments })).to.equal(
      'the table that was asked for (P1)',
    );
    expect(judged.to('dma_map_sg', ASKED, { table: 0, dma: 128, segments })).to.equal(
      'the address of the first segment (P1)',
    );
  });

  it('must fail when the domain has too few addresses left', () => {
    const judged = withTable(8);
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
    expect(said(judged, 64, 192)).to.equal('content');
    fill(judged, 64, 1);
    expect(said(judged, 128, 192)).to.equal('refuse ENOMEM (S3)');
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
  });

  it('may fail when no aligned hole of the rounded size exists', () => {
    const judged = withTable(9);
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal([]);
    expect(judged.toErrno('dma_map_sg', ASKED, 'ENOMEM')).to.equal('no ENOMEM (M3)');
    fill(judged, 7 * 64, 1);
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
    expect(said(judged, 64, 192)).to.equal('content');
  });

  it('may fail only if the target shows too few pages for tables', () => {
    const errnos = (free: number): string[] =>
      withTable().errnos('dma_map_sg', ASKED, seen({ ...PLENTY, free }));
    expect(errnos(2)).to.deep.equal([]);
    expect(errnos(1)).to.deep.equal(['ENOMEM']);
    expect(withTable().errnos('dma_map_sg', ASKED, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('translates the pages in the order of the table, to the segments in theirs', () => {
    const rights = { to_device: 1, from_device: 2, bidirectional: 3 } as const;
    for (const direction of ['to_device', 'from_device', 'bidirectional'] as const) {
      const judged = withTable();
      const segments = [512, 64, 64, 128];
      judged.make('dma_map_sg', { ...ASKED, direction }, { table: 0, dma: 512, segments });
      const entries = [...judged.world.reach.values].map((entry, at) => [at, entry]);
      const expected = [
        [1, 3],
        [2, 5],
        [8, 2],
      ].map(([at, page = 0]) => [at, translation(page, rights[direction])]);
      expect(entries.filter(([, entry]) => entry !== 0)).to.deep.equal(expected);
    }
  });
});

describe('dma_unmap_sg', () => {
  it('is sent for what is mapped', () => {
    for (const mapping of [0, 1, 2, -1]) {
      expect(withTable().undue('dma_unmap_sg', { mapping })).to.equal('the table is mapped');
    }
  });

  it('ends the mapping, and no other, and never fails', () => {
    const judged = withTable();
    fill(judged, 256, 2);
    const before = [...judged.world.reach.values];
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 512, segments: [512, 64, 64, 128] });
    expect(judged.errnos('dma_unmap_sg', { mapping: 0 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('dma_unmap_sg', { mapping: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('dma_unmap_sg', { mapping: 0 }, {});
    expect([...judged.world.reach.values]).to.deep.equal(before);
    expect(judged.undue('dma_unmap_sg', { mapping: 0 })).to.equal('the table is mapped');
  });
});
