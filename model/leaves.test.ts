import { expect } from 'chai';
import type { ArgsOf, Machine, Seen } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';

/** Domain 0 is unmanaged, of 16 I/O pages in tables of four. */
function withDomain(fields: Partial<Machine> = {}, pageNumbers = true): Judged {
  const judged = new Judged(fields, pageNumbers);
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 0 });
  return judged;
}

const mapOf = (fields: Pick<ArgsOf<'iommu_map'>, 'iova' | 'phys' | 'bytes'>): ArgsOf<'iommu_map'> => ({
  domain: 0,
  prot: 'both',
  ...fields,
});

describe('iommu_unmap of large leaves', () => {
  const SHORT = seen({ ...PLENTY, free: 1 });
  const FAILED = seen({ ...PLENTY, fired: ['table'] });

  /** Blocks of four pages at 8 and 12. Domain 0 maps the first at I/O page 4, a page of the second at 8. */
  function withLeaf(pageNumbers = true): Judged {
    const judged = withDomain({}, pageNumbers);
    const pfns = pageNumbers ? [8, 12] : [32, 36];
    for (const pfn of pfns) judged.make('alloc_pages', { order: 2 }, { pfn });
    const [first = 0, second = 0] = pfns.map((pfn) => pfn * 64);
    judged.make('iommu_map', mapOf({ iova: 256, phys: first, bytes: 256 }), { iova: 256 });
    judged.make('iommu_map', mapOf({ iova: 512, phys: second, bytes: 64 }), { iova: 512 });
    return judged;
  }

  const replies = (judged: Judged, iova: number, bytes: number, given: Seen): number[] =>
    [-64, 0, 32, 64, 128, 192, 256, 320].filter(
      (done) => judged.to('iommu_unmap', { domain: 0, iova, bytes }, { bytes: done }, given) === 'content',
    );

  it('ends before one, if a step failed or too few pages for tables are shown', () => {
    for (const given of [SHORT, FAILED, NOTHING]) {
      expect(replies(withLeaf(), 256, 64, given)).to.deep.equal([0, 64]);
      expect(replies(withLeaf(), 320, 128, given)).to.deep.equal([0, 64, 128]);
      expect(replies(withLeaf(false), 256, 64, given)).to.deep.equal([0, 64]);
    }
    expect(replies(withLeaf(), 256, 64, seen(PLENTY))).to.deep.equal([64]);
  });

  it('has no errno to give, whatever failed: the kernel returns a size', () => {
    for (const given of [SHORT, FAILED, NOTHING])
      expect(withLeaf().errnos('iommu_unmap', { domain: 0, iova: 256, bytes: 64 }, given)).to.deep.equal([]);
  });

  it('does not end before what was never one', () => {
    const judged = withLeaf();
    expect(replies(judged, 512, 64, FAILED)).to.deep.equal([64]);
    expect(replies(judged, 256, 320, FAILED)).to.deep.equal([0, 64, 128, 192, 320]);
    judged.make('iommu_unmap', { domain: 0, iova: 448, bytes: 64 }, { bytes: 64 });
    expect(replies(judged, 256, 192, FAILED)).to.deep.equal([192]);
    judged.make('iommu_map', mapOf({ iova: 448, phys: 12 * 64, bytes: 64 }), { iova: 448 });
    expect(replies(judged, 256, 64, FAILED)).to.deep.equal([64]);
  });

  it('knows that leaves lead to aligned memory, and that the top table has none', () => {
    const judged = withDomain();
    judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
    judged.make('alloc_pages', { order: 2 }, { pfn: 8 });
    judged.make('iommu_map', mapOf({ iova: 256, phys: 9 * 64, bytes: 192 }), { iova: 256 });
    judged.make('iommu_map', mapOf({ iova: 448, phys: 128, bytes: 64 }), { iova: 448 });
    expect(replies(judged, 256, 64, FAILED)).to.deep.equal([64]);
    const small = withDomain({ tableBits: 3, ioBits: 9, reservedIoPages: 0 });
    for (const [at, pfn] of [0, 4].entries()) {
      small.make('alloc_pages', { order: 2 }, { pfn });
      small.make('iommu_map', mapOf({ iova: at * 256, phys: pfn * 64, bytes: 256 }), { iova: at * 256 });
    }
    expect(replies(small, 0, 64, FAILED)).to.deep.equal([64]);
  });
});
