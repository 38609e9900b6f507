import { expect } from 'chai';
import { type ArgsOf, type Machine, VIEW } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { tablesFor } from './translations.ts';
import { translation } from './units.ts';
import { CONTEXT } from './world.ts';

type Map = ArgsOf<'iommu_map'>;

/** A domain of each type, 0 unmanaged and 1 of the DMA API; blocks of two pages at 2 and 4. */
function withDomains(fields: Partial<Machine> = {}, pageNumbers = true): Judged {
  const judged = new Judged(fields, pageNumbers);
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 0 });
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 1 });
  for (const pfn of [2, 4]) judged.make('alloc_pages', { order: 1 }, { pfn });
  return judged;
}

const mapOf = (fields: Partial<Map> = {}): Map => ({
  domain: 0,
  iova: 64,
  phys: 128,
  bytes: 64,
  prot: 'both',
  ...fields,
});

describe('iommu_domain_alloc', () => {
  it('gives an id that is not in use, which GPU contexts share', () => {
    const judged = withDomains();
    for (const domain of [0, 1, 3, -1, 0.5]) {
      const said = judged.to('iommu_domain_alloc', { type: 'dma' }, { domain });
      expect(said).to.equal('an id that is not in use (C5)');
    }
    judged.make('ion_client_create', {}, { client: 0 });
    judged.make('gpu_context_create', { client: 0 }, { context: 2 });
    expect(judged.errnos('iommu_domain_alloc', { type: 'dma' })).to.deep.equal(['ENOSPC']);
    expect(judged.to('iommu_domain_alloc', { type: 'dma' }, { domain: 2 })).to.equal('refuse ENOSPC (P1)');
    expect([...judged.world.context.values]).to.deep.equal([CONTEXT.UNMANAGED, CONTEXT.DMA, CONTEXT.GPU]);
  });

  it('may fail only if the target shows no page above the reserve', () => {
    const errnos = (free: number): string[] =>
      new Judged({ reserve: 1 }).errnos('iommu_domain_alloc', { type: 'dma' }, seen({ ...PLENTY, free }));
    expect(errnos(2)).to.deep.equal([]);
    expect(errnos(1)).to.deep.equal(['ENOMEM']);
    expect(new Judged().toErrno('iommu_domain_alloc', { type: 'dma' }, 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });
});

describe('iommu_domain_free', () => {
  it('is sent for domains alone, with no device in them', () => {
    const judged = withDomains();
    judged.make('ion_client_create', {}, { client: 0 });
    judged.make('gpu_context_create', { client: 0 }, { context: 2 });
    for (const domain of [2, 3, -1]) {
      expect(judged.undue('iommu_domain_free', { domain })).to.equal('the domain exists');
    }
    judged.make('iommu_attach_device', { domain: 1, device: 1 }, { device: 4 });
    expect(judged.undue('iommu_domain_free', { domain: 1 })).to.equal('no device is attached');
    expect(judged.undue('iommu_domain_free', { domain: 0 })).to.equal(undefined);
    judged.make('iommu_detach_device', { device: 4 }, {});
    expect(judged.undue('iommu_domain_free', { domain: 1 })).to.equal(undefined);
  });

  it('ends what was mapped, there alone, and never fails', () => {
    const judged = withDomains();
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 2 });
    for (const domain of [0, 2])
      judged.make('iommu_map', mapOf({ domain, iova: 14 * 64 }), { iova: 14 * 64 });
    expect(judged.errnos('iommu_domain_free', { domain: 0 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('iommu_domain_free', { domain: 0 }, 'EBUSY')).to.equal('no EBUSY (P1)');
    judged.make('iommu_domain_free', { domain: 0 }, {});
    expect(reached(judged)).to.deep.equal([[46, translation(2, 3)]]);
    expect(judged.undue('iommu_domain_free', { domain: 0 })).to.equal('the domain exists');
  });
});

describe('iommu_map', () => {
  it('is sent for unmanaged domains, and memory inside one block', () => {
    const judged = withDomains();
    for (const domain of [1, 2, 3, -1]) {
      const undue = judged.undue('iommu_map', mapOf({ domain }));
      expect(undue).to.equal('the domain is one that its user maps into');
    }
    const undue = (phys: number, bytes: number): string | undefined =>
      judged.undue('iommu_map', mapOf({ phys, bytes }));
    for (const [phys, bytes] of [
      [192, 128],
      [64, 128],
      [0, 64],
      [-64, 64],
      [960, 128],
      [2 ** 40, 64],
    ] as const) {
      expect(undue(phys, bytes)).to.equal('the memory is one allocated block');
    }
    for (const [phys, bytes] of [
      [128, 128],
      [192, 64],
      [128, 0],
      [136, 8],
    ] as const) {
      expect(undue(phys, bytes)).to.equal(undefined);
    }
    judged.hold(0, 15);
    for (const phys of [0, 15 * 64]) expect(undue(phys, 64)).to.equal(undefined);
  });

  it('refuses what is not aligned to pages', () => {
    const judged = withDomains();
    for (const fields of [{ iova: 8 }, { phys: 136 }, { bytes: 8 }, { iova: 8, bytes: 0 }]) {
      expect(judged.errnos('iommu_map', mapOf(fields))).to.deep.equal(['EINVAL']);
      expect(judged.to('iommu_map', mapOf(fields), { iova: 64 })).to.equal('refuse EINVAL (P1)');
    }
  });

  it('is sent for addresses that are not reserved', () => {
    const undue = (iova: number, bytes: number, reservedIoPages: number): string | undefined =>
      withDomains({ reservedIoPages }).undue('iommu_map', mapOf({ iova, bytes }));
    for (const [iova, bytes] of [
      [15 * 64, 64],
      [14 * 64, 128],
    ] as const) {
      expect(undue(iova, bytes, 1)).to.equal('no reserved address is asked for');
      expect(undue(iova, bytes, 0)).to.equal(undefined);
    }
    expect(undue(13 * 64, 128, 1)).to.equal(undefined);
    expect(undue(13 * 64, 128, 2)).to.equal('no reserved address is asked for');
  });

  it('refuses to map without rights', () => {
    const judged = withDomains();
    expect(judged.errnos('iommu_map', mapOf({ prot: 'none' }))).to.deep.equal(['EINVAL']);
    expect(judged.errnos('iommu_map', mapOf({ prot: 'none', bytes: 0 }))).to.deep.equal([]);
  });

  it('refuses ranges that leave the address space, by a page or by wrapping', () => {
    const judged = withDomains();
    for (const iova of [15 * 64, 16 * 64, -64, 2 ** 64 - 4096]) {
      expect(judged.undue('iommu_map', mapOf({ iova, bytes: 128 }))).to.equal(undefined);
      expect(judged.errnos('iommu_map', mapOf({ iova, bytes: 128 })), `${iova}`).to.deep.equal(['ERANGE']);
    }
    expect(judged.errnos('iommu_map', mapOf({ bytes: -64 }))).to.deep.equal(['ERANGE']);
    expect(judged.to('iommu_map', mapOf({ iova: 16 * 64 }), { iova: 16 * 64 })).to.equal(
      'refuse ERANGE (P2)',
    );
    for (const iova of [0, 13 * 64]) {
      expect(judged.errnos('iommu_map', mapOf({ iova, bytes: 128 }))).to.deep.equal([]);
    }
  });

  it('maps at the address that was asked for', () => {
    const said = withDomains().to('iommu_map', mapOf({ iova: 64 }), { iova: 128 });
    expect(said).to.equal('the address that was asked for (P1)');
  });

  it('refuses to map over a present translation, wherever in the range it is', () => {
    const judged = withDomains();
    judged.make('iommu_map', mapOf({ iova: 128 }), { iova: 128 });
    for (const iova of [64, 128]) {
      expect(judged.errnos('iommu_map', mapOf({ iova, bytes: 128 }))).to.deep.equal(['EADDRINUSE', 'EEXIST']);
    }
    expect(judged.to('iommu_map', mapOf({ iova: 128 }), { iova: 128 })).to.equal('refuse EEXIST (S4)');
    expect(judged.errnos('iommu_map', mapOf({ iova: 136 }))).to.deep.equal(['EINVAL']);
    for (const iova of [0, 192]) expect(judged.errnos('iommu_map', mapOf({ iova }))).to.deep.equal([]);
  });

  it('does nothing with no bytes, wherever that is, and has no reason to fail', () => {
    const judged = withDomains();
    judged.make('iommu_map', mapOf({ iova: 128 }), { iova: 128 });
    const before = judged.world.state.save();
    for (const iova of [0, 128, 16 * 64, 2 ** 64 - 4096]) {
      expect(judged.errnos('iommu_map', mapOf({ iova, bytes: 0 }), NOTHING)).to.deep.equal([]);
      judged.make('iommu_map', mapOf({ iova, bytes: 0 }), { iova });
    }
    expect(judged.world.state.words).to.deep.equal(before);
  });

  // 16 I/O pages in tables of 4 entries: the top table, and under it one for each 4 I/O pages.
  it('may fail only if the target shows too few pages for tables', () => {
    const errnos = (bytes: number, free: number): string[] =>
      withDomains().errnos('iommu_map', mapOf({ bytes }), seen({ ...PLENTY, free }));
    expect(errnos(128, 2)).to.deep.equal([]);
    expect(errnos(128, 1)).to.deep.equal(['ENOMEM']);
    expect(withDomains().errnos('iommu_map', mapOf(), NOTHING)).to.deep.equal(['ENOMEM']);
    expect(withDomains().toErrno('iommu_map', mapOf(), 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });

  it('translates each page of the range, with the rights asked for', () => {
    const judged = withDomains();
    judged.make('iommu_map', mapOf({ iova: 0, bytes: 128, prot: 'read' }), { iova: 0 });
    judged.make('iommu_map', mapOf({ iova: 14 * 64, phys: 5 * 64, prot: 'write' }), { iova: 14 * 64 });
    const expected = [
      [0, translation(2, 1)],
      [1, translation(3, 1)],
      [14, translation(5, 2)],
    ];
    expect(reached(judged)).to.deep.equal(expected);
  });
});

describe('iommu_unmap', () => {
  /** Mapped: I/O pages 0, 1, 3 and 15. */
  function withMappings(): Judged {
    const judged = withDomains({ reservedIoPages: 0 });
    judged.make('iommu_map', mapOf({ iova: 0, bytes: 128 }), { iova: 0 });
    for (const iova of [3 * 64, 15 * 64]) judged.make('iommu_map', mapOf({ iova }), { iova });
    return judged;
  }

  const replies = (judged: Judged, iova: number, bytes: number): number[] =>
    [-64, 0, 64, 128, 192].filter(
      (done) => judged.to('iommu_unmap', { domain: 0, iova, bytes }, { bytes: done }) === 'content',
    );

  it('is sent for unmanaged domains', () => {
    for (const domain of [1, 2, 99]) {
      const undue = withDomains().undue('iommu_unmap', { domain, iova: 0, bytes: 64 });
      expect(undue).to.equal('the domain is one that its user maps into');
    }
  });

  it('goes up to the first hole, and says how far', () => {
    const judged = withMappings();
    expect(replies(judged, 0, 64)).to.deep.equal([64]);
    expect(replies(judged, 0, 256)).to.deep.equal([128]);
    expect(replies(judged, 128, 128)).to.deep.equal([0]);
    expect(replies(judged, 192, 0)).to.deep.equal([0]);
    const said = judged.to('iommu_unmap', { domain: 0, iova: 0, bytes: 64 }, { bytes: 128 });
    expect(said).to.equal('the bytes that were mapped from there on (P1)');
  });

  it('unmaps nothing when misaligned', () => {
    expect(replies(withMappings(), 8, 64)).to.deep.equal([0]);
    expect(replies(withMappings(), 0, 8)).to.deep.equal([0]);
  });

  it('unmaps up to the end of the address space, or nothing, when the range leaves it', () => {
    expect(replies(withMappings(), 15 * 64, 128)).to.deep.equal([0, 64]);
    expect(replies(withMappings(), 15 * 64, 64)).to.deep.equal([64]);
    for (const iova of [-64, 16 * 64, 2 ** 64 - 4096])
      expect(replies(withMappings(), iova, 128)).to.deep.equal([0]);
  });

  it('ends what it said it unmapped, and never fails', () => {
    const judged = withMappings();
    const asked = { domain: 0, iova: 0, bytes: 256 };
    expect(judged.errnos('iommu_unmap', asked, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('iommu_unmap', asked, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('iommu_unmap', asked, { bytes: 128 });
    expect(reached(judged).map(([at]) => at)).to.deep.equal([3, 15]);
    judged.make('iommu_unmap', { domain: 0, iova: 15 * 64, bytes: 64 }, { bytes: 64 });
    expect(reached(judged).map(([at]) => at)).to.deep.equal([3]);
    expect(judged.to('iommu_map', mapOf({ iova: 0 }), { iova: 0 })).to.equal('content');
  });
});

describe('iommu_map_sg', () => {
  const asked = (fields: Partial<ArgsOf<'iommu_map_sg'>> = {}): ArgsOf<'iommu_map_sg'> => ({
    domain: 0,
    iova: 64,
    table: 0,
    prot: 'read',
    ...fields,
  });

  /** Table 0 lists pages 4, 5, 2 and 3. */
  function withTable(fields: Partial<Machine> = {}): Judged {
    const judged = withDomains(fields);
    judged.make('sg_alloc_table_from_pages', { pages: [4, 2], maxSegment: 128 }, { table: 0, segments: 2 });
    return judged;
  }

  it('is sent for unmanaged domains, tables that exist, and addresses that are not reserved', () => {
    const undue = (fields: Partial<ArgsOf<'iommu_map_sg'>>): string | undefined =>
      withTable().undue('iommu_map_sg', asked(fields));
    for (const domain of [1, 2, -1]) {
      expect(undue({ domain })).to.equal('the domain is one that its user maps into');
    }
    for (const table of [1, 2, -1]) expect(undue({ table })).to.equal('the table is allocated');
    expect(undue({ iova: 12 * 64 })).to.equal('no reserved address is asked for');
    for (const iova of [0, 11 * 64, 13 * 64]) expect(undue({ iova })).to.equal(undefined);
  });

  it('refuses misaligned addresses, no rights, ranges outside, and what is mapped', () => {
    const judged = withTable();
    const errnos = (fields: Partial<ArgsOf<'iommu_map_sg'>>): string[] =>
      judged.errnos('iommu_map_sg', asked(fields));
    expect(errnos({ iova: 8 })).to.deep.equal(['EINVAL']);
    expect(errnos({ prot: 'none' })).to.deep.equal(['EINVAL']);
    for (const iova of [13 * 64, 16 * 64, -64, 2 ** 64 - 4096]) {
      expect(errnos({ iova })).to.deep.equal(['ERANGE']);
    }
    judged.make('iommu_map', mapOf({ iova: 256 }), { iova: 256 });
    for (const iova of [64, 256]) expect(errnos({ iova })).to.deep.equal(['EADDRINUSE', 'EEXIST']);
    for (const iova of [0, 320]) expect(errnos({ iova })).to.deep.equal([]);
  });

  it('may fail only if the target shows too few pages for tables', () => {
    const errnos = (free: number): string[] =>
      withTable().errnos('iommu_map_sg', asked(), seen({ ...PLENTY, free }));
    expect(errnos(2)).to.deep.equal([]);
    expect(errnos(1)).to.deep.equal(['ENOMEM']);
    expect(withTable().toErrno('iommu_map_sg', asked(), 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });

  it('maps all pages in the order of the table', () => {
    const judged = withTable();
    expect(judged.to('iommu_map_sg', asked(), { bytes: 128 })).to.equal('the bytes of the table (P1)');
    judged.make('iommu_map_sg', asked(), { bytes: 256 });
    const expected = [4, 5, 2, 3].map((page, at) => [at + 1, translation(page, 1)]);
    expect(reached(judged)).to.deep.equal(expected);
  });
});

describe('iommu_iova_to_phys', () => {
  const replies = (judged: Judged, iova: number, domain = 0): number[] =>
    [0, 8, 128, 136, 192].filter(
      (phys) => judged.to('iommu_iova_to_phys', { domain, iova }, { phys }) === 'content',
    );

  it('is sent for domains of either type', () => {
    const judged = withDomains();
    const undue = (domain: number): string | undefined =>
      judged.undue('iommu_iova_to_phys', { domain, iova: 0 });
    for (const domain of [0, 1]) expect(undue(domain)).to.equal(undefined);
    for (const domain of [2, -1]) expect(undue(domain)).to.equal('the domain exists');
    expect(judged.errnos('iommu_iova_to_phys', { domain: 0, iova: 0 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('iommu_iova_to_phys', { domain: 0, iova: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });

  it('keeps the low bits, whatever the rights, and is 0 for nothing', () => {
    const judged = withDomains();
    judged.make('iommu_map', mapOf({ prot: 'write' }), { iova: 64 });
    expect(replies(judged, 64)).to.deep.equal([128]);
    expect(replies(judged, 72)).to.deep.equal([136]);
    for (const iova of [0, 8, 128, 1024, -64, 2 ** 64 - 4096]) {
      expect(replies(judged, iova), `${iova}`).to.deep.equal([0]);
    }
    expect(replies(judged, 64, 1)).to.deep.equal([0]);
  });

  it('is any address where pages have no numbers, and 0 for nothing', () => {
    const judged = new Judged({}, false);
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 0 });
    judged.hold(2);
    judged.make('iommu_map', mapOf(), { iova: 64 });
    expect(replies(judged, 64)).to.deep.equal([0, 8, 128, 136, 192]);
    expect(replies(judged, 128)).to.deep.equal([0]);
    const said = judged.to('iommu_iova_to_phys', { domain: 0, iova: 128 }, { phys: 8 });
    expect(said).to.equal('0 where nothing is mapped (S4)');
  });
});

describe('tablesFor', () => {
  it('counts the tables of each level below the top that a run can touch', () => {
    const tables = (ioPages: number, count: number): number =>
      tablesFor({ tableBits: 2 } as Parameters<typeof tablesFor>[0], ioPages, count);
    expect([1, 4, 5].map((count) => tables(4, count))).to.deep.equal([0, 0, 0]);
    expect([1, 4, 5].map((count) => tables(16, count))).to.deep.equal([2, 2, 3]);
    expect([1, 4, 5, 17].map((count) => tables(64, count))).to.deep.equal([4, 4, 5, 9]);
  });
});

const reached = ({ world }: Judged): (readonly [number, number])[] =>
  [...(world.state.columns(VIEW.reach + 1)[VIEW.reach] ?? [])]
    .map((entry, at) => [at, entry] as const)
    .filter(([, entry]) => entry !== 0);
