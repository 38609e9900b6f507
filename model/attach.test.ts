import { expect } from 'chai';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';

/** A domain of each type, 0 unmanaged and 1 of the DMA API; a block of two pages at 2. */
function withDomains(): Judged {
  const judged = new Judged();
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 0 });
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 1 });
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  return judged;
}

describe('iommu_attach_device and iommu_detach_device', () => {
  it('attaches a device that is in no domain', () => {
    const judged = withDomains();
    const asked = { domain: 1, device: 0 };
    for (const device of [2, 99, -1, 0.5]) {
      expect(judged.errnos('iommu_attach_device', { domain: 1, device })).to.deep.equal(['ENODEV']);
    }
    const short = seen({ ...PLENTY, free: 0 });
    for (const shown of [NOTHING, short])
      expect(judged.errnos('iommu_attach_device', asked, shown)).to.deep.equal(['ENOMEM']);
    expect(judged.toErrno('iommu_attach_device', asked, 'ENOMEM')).to.equal('no ENOMEM (P1)');
    expect(judged.undue('iommu_attach_device', { domain: 2, device: 0 })).to.equal('the domain exists');
    for (const device of [0, 2, 4]) {
      const said = judged.to('iommu_attach_device', asked, { device });
      expect(said).to.equal('the device that was asked for (P1)');
    }
    judged.make('iommu_attach_device', asked, { device: 3 });
    for (const domain of [0, 1]) {
      expect(judged.errnos('iommu_attach_device', { domain, device: 0 })).to.deep.equal(['EBUSY']);
    }
    judged.make('iommu_attach_device', { domain: 1, device: 1 }, { device: 4 });
    expect([...judged.world.device.values]).to.deep.equal([2, 2]);
  });

  it('detaches a device that nothing is mapped for', () => {
    const judged = withDomains();
    const undue = (device: number): string | undefined => judged.undue('iommu_detach_device', { device });
    for (const device of [0, 3, 5, -1]) expect(undue(device)).to.equal('the device is attached');
    judged.make('iommu_attach_device', { domain: 1, device: 0 }, { device: 3 });
    judged.make('iommu_attach_device', { domain: 1, device: 1 }, { device: 4 });
    const memory = { cpu: 16 * 64, dma: 64, pages: [9] };
    judged.make('dma_alloc_coherent', { device: 3, bytes: 64 }, memory);
    expect(undue(3)).to.equal('the DMA API has nothing mapped for it');
    judged.make('dma_free_coherent', { coherent: 16 * 64 }, { flushes: 0 });
    judged.make('sg_alloc_table_from_pages', { pages: [2], maxSegment: 128 }, { table: 1, segments: 1 });
    const asked = { device: 3, table: 1, direction: 'to_device' } as const;
    judged.make('dma_map_sg', asked, { table: 1, dma: 64, segments: [64, 128] });
    expect(undue(3)).to.equal('the DMA API has nothing mapped for it');
    expect(undue(4)).to.equal(undefined);
    judged.make('dma_unmap_sg', { mapping: 1 }, { flushes: 0 });
    expect(judged.errnos('iommu_detach_device', { device: 3 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('iommu_detach_device', { device: 3 }, 'EBUSY')).to.equal('no EBUSY (P1)');
    judged.make('iommu_detach_device', { device: 3 }, {});
    expect([...judged.world.device.values]).to.deep.equal([0, 2]);
  });
});
