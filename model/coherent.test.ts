import { expect } from 'chai';
import { writtenUncached } from './contents.ts';
import type { Machine } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { translation } from './units.ts';
import { KIND } from './view.ts';

/**
 * Devices 3 and 4 are in DMA domain 0 of 16 I/O pages, the last of them reserved. Kernel pages 16 to 31 are
 * vmalloc's.
 */
function withDevices(fields: Partial<Machine> = {}, pageNumbers = true): Judged {
  const judged = new Judged(fields, pageNumbers);
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
  for (const device of [0, 1])
    judged.make('iommu_attach_device', { domain: 0, device }, { device: device + 3 });
  return judged;
}

const entries = (values: Int32Array): (readonly number[])[] =>
  [...values].map((entry, at) => [at, entry] as const).filter(([, entry]) => entry !== 0);

describe('dma_alloc_coherent', () => {
  const ALLOC = { device: 3, bytes: 65 };
  const GIVEN = { cpu: 18 * 64, dma: 128, pages: [9, 4] };
  const answer = (judged: Judged, fields: Partial<typeof GIVEN>): string =>
    judged.to('dma_alloc_coherent', ALLOC, { ...GIVEN, ...fields });

  it('is sent for devices in DMA domains', () => {
    const undue = withDevices().undue('dma_alloc_coherent', { device: 2, bytes: 64 });
    expect(undue).to.equal('the device is in a domain of the DMA API');
  });

  it('refuses no bytes, and more than memory', () => {
    const judged = withDevices();
    for (const bytes of [0, -64, 17 * 64, 2 ** 64]) {
      expect(judged.errnos('dma_alloc_coherent', { device: 3, bytes })).to.deep.equal(['ENOMEM']);
    }
    expect(judged.to('dma_alloc_coherent', { device: 3, bytes: 0 }, GIVEN)).to.equal('refuse ENOMEM (P1)');
    expect(judged.to('dma_alloc_coherent', { device: 3, bytes: 2 ** 64 }, GIVEN)).to.equal(
      'refuse ENOMEM (P2)',
    );
    expect(judged.errnos('dma_alloc_coherent', ALLOC)).to.deep.equal([]);
    expect(judged.toErrno('dma_alloc_coherent', ALLOC, 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });

  it('may fail for want of device addresses, of kernel addresses, or of pages', () => {
    const errnos = (judged: Judged, given: Partial<typeof PLENTY> = {}): string[] =>
      judged.errnos('dma_alloc_coherent', ALLOC, seen({ ...PLENTY, ...given }));
    expect(errnos(withDevices({ ioBits: 8 }))).to.deep.equal(['ENOMEM']);
    expect(errnos(withDevices({ ioBits: 9 }))).to.deep.equal([]);
    expect(errnos(withDevices(), { hole: 3 })).to.deep.equal([]);
    expect(errnos(withDevices(), { hole: 2 })).to.deep.equal(['ENOMEM']);
    // Two pages, one for the array, two tables for the device, and for the kernel the top one and two more.
    expect(errnos(withDevices(), { free: 8 })).to.deep.equal([]);
    expect(errnos(withDevices(), { free: 7 })).to.deep.equal(['ENOMEM']);
    expect(withDevices().errnos('dma_alloc_coherent', ALLOC, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('gives pages that nobody holds, as many as were asked for', () => {
    const judged = withDevices();
    judged.hold(3);
    for (const pages of [[9], [9, 4, 5], []])
      expect(answer(judged, { pages })).to.equal('as many pages as were asked for (P1)');
    for (const pages of [
      [9, 9],
      [3, 4],
      [4, 16],
      [-1, 4],
    ]) {
      expect(answer(judged, { pages })).to.equal('pages that nobody holds, each once (C1)');
    }
    expect(answer(judged, {})).to.equal('content');
  });

  it('gives kernel addresses that are not used, with a guard page behind', () => {
    const judged = withDevices();
    judged.make('dma_alloc_coherent', ALLOC, { cpu: 20 * 64, dma: 512, pages: [1, 2] });
    for (const page of [15, 18.5, 19, 20, 21, 30, 31, 32]) {
      expect(answer(judged, { cpu: page * 64 })).to.equal('unused kernel addresses, and a guard page (S3)');
    }
    for (const page of [16, 17, 23, 29]) expect(answer(judged, { cpu: page * 64 })).to.equal('content');
  });

  it('gives device addresses that are not used, never page 0, none reserved', () => {
    const judged = withDevices();
    judged.make('dma_alloc_coherent', ALLOC, { cpu: 28 * 64, dma: 256, pages: [1, 2] });
    for (const page of [14, 15]) expect(answer(judged, { dma: page * 64 })).to.match(/^(no reserved|unused)/);
    expect(answer(judged, { dma: 14 * 64 })).to.equal('no reserved address (I7)');
    for (const page of [0, 3, 4, 5, 16, -2, 1.5]) {
      expect(answer(judged, { dma: page * 64 })).to.equal('unused addresses (S3)');
    }
    for (const page of [1, 2, 6, 13]) expect(answer(judged, { dma: page * 64 })).to.equal('content');
  });

  it('is zero in memory, reached by the device and without caches by CPUs, and free again when freed', () => {
    for (const policies of [{}, { invalidation: 'lazy' }]) {
      const judged = withDevices({ policies });
      const before = judged.world.state.save();
      judged.make('dma_alloc_coherent', ALLOC, GIVEN);
      const { reach, mapped, line, kind } = judged.world;
      expect(entries(reach.values)).to.deep.equal([
        [2, translation(9, 3)],
        [3, translation(4, 3)],
      ]);
      expect(entries(mapped.values)).to.deep.equal([
        [2, 20],
        [3, 10],
      ]);
      expect([line.get(36), line.get(19)]).to.deep.equal([writtenUncached(0), writtenUncached(0)]);
      expect([kind.get(9), kind.get(4)]).to.deep.equal([KIND.COHERENT, KIND.COHERENT]);
      judged.make('dma_free_coherent', { coherent: GIVEN.cpu }, { flushes: 0 });
      expect(entries(judged.world.stale.values).length).to.equal(policies.invalidation === undefined ? 0 : 2);
      judged.world.stale.fill(0);
      expect(judged.world.state.words).to.deep.equal(before);
    }
  });

  it('has names for pages where they have no numbers', () => {
    const judged = withDevices({}, false);
    judged.hold(0, 2);
    expect(judged.fresh('dma_alloc_coherent', ALLOC)).to.deep.equal({ pages: [1, 3] });
  });
});

describe('dma_free_coherent', () => {
  it('is sent for coherent memory, by its first kernel address, and never fails', () => {
    const judged = withDevices();
    judged.make('dma_alloc_coherent', { device: 4, bytes: 128 }, { cpu: 18 * 64, dma: 128, pages: [9, 4] });
    for (const coherent of [19 * 64, 18 * 64 + 8, 128, 9 * 64, 0, -64]) {
      expect(judged.undue('dma_free_coherent', { coherent })).to.equal('the memory is allocated');
    }
    const asked = { coherent: 18 * 64 };
    expect(judged.errnos('dma_free_coherent', asked, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('dma_free_coherent', asked, 'EINVAL')).to.equal('no EINVAL (P1)');
    expect(judged.to('dma_free_coherent', asked, { flushes: 1 })).to.equal(
      'flushes go up, and only where unmapped ranges wait for one (P1)',
    );
    judged.make('dma_free_coherent', asked, { flushes: 0 });
    expect(judged.undue('dma_free_coherent', asked)).to.equal('the memory is allocated');
  });
});
