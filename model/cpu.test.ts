import { expect } from 'chai';
import { NOTHING as ANYTHING, cpuWrote, deviceWrote, written, writtenUncached } from './contents.ts';
import type { Machine } from './index.ts';
import { Judged, NOTHING } from './judged.test.ts';

const page = (number: number): number => number * 64;

/** Kernel pages 16 to 31 are the vmalloc space; client 0 has 32 to 47, client 1 48 to 63. */
const KERNEL = page(16);
const USER = page(44);

/**
 * A block of pages 2 and 3, single ones at 5 and 6, which vmap put at 20 the other way round. A buffer of
 * pages 9 and 4 is mapped for the kernel at 16, and for client 0 at 44.
 */
function withMappings(flags: 'cached' | 'uncached', fields: Partial<Machine> = {}): Judged {
  const judged = new Judged(fields);
  const asked = { client: 0, bytes: 128, heaps: ['iommu'], flags } as const;
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  judged.hold(5, 6);
  judged.make('ion_client_create', {}, { client: 0 });
  judged.make('ion_alloc', asked, { handle: 1, pages: [9, 4] });
  judged.make('ion_map_kernel', { client: 0, handle: 1 }, { handle: 1, address: KERNEL });
  judged.make('ion_share', { client: 0, handle: 1 }, { fd: 0 });
  judged.make('ion_mmap', { client: 0, fd: 0, offset: 0, bytes: 128 }, { address: USER });
  judged.make('vmap', { pages: [6, 5] }, { address: page(20) });
  return judged;
}

const cached = (): Judged => withMappings('cached');
const UP_TO_FAULT = 'the lines up to the first fault (P3)';
const LAST = 'what was last written (H1)';
const OWN = 'the kernel accesses one block, or what is mapped there as one';

describe('cpu_write', () => {
  const undue = (at: number, bytes: number, judged = cached()): string | undefined =>
    judged.undue('cpu_write', { at, bytes, tag: 7 });

  it('is sent by the kernel for one block, or for what is mapped as one', () => {
    for (const [at, bytes] of [
      [page(0), 16],
      [page(1), 64],
      [page(3), 128],
      [page(5), 128],
      [page(15) + 48, 32],
      [page(9), 64],
      [page(18), 16],
      [KERNEL, 129],
      [page(19), 16],
      [page(21) + 48, 17],
      [page(31), 16],
    ] as const) {
      expect(undue(at, bytes), `${at}`).to.equal(OWN);
    }
    for (const [at, bytes] of [
      [page(2), 128],
      [page(3) + 60, 4],
      [page(5), 64],
      [KERNEL, 128],
      [page(20) + 60, 68],
    ] as const) {
      expect(undue(at, bytes), `${at}`).to.equal(undefined);
    }
    const judged = cached();
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
    judged.make('iommu_attach_device', { domain: 0, device: 0 }, { device: 3 });
    expect(undue(page(24), 64, judged)).to.equal(OWN);
    judged.make('dma_alloc_coherent', { device: 3, bytes: 64 }, { cpu: page(24), dma: 64, pages: [10] });
    expect(undue(page(24), 64, judged)).to.equal(undefined);
  });

  it('is sent by users for anything, and for sizes that are refused', () => {
    for (const at of [page(32), USER, page(64), page(70), -16, -page(1), 2 ** 64, page(32) + 0.5]) {
      expect(undue(at, 16), `${at}`).to.equal(undefined);
    }
    for (const bytes of [0, -16, 8 * 64 + 1, 2 ** 64]) expect(undue(page(1), bytes)).to.equal(undefined);
  });

  it('is sent with tags that a line can hold', () => {
    for (const tag of [0, -1, 256]) {
      const said = cached().undue('cpu_write', { at: USER, bytes: 16, tag });
      expect(said).to.equal('the tag is a byte, and not 0');
    }
  });

  it('is not sent for an address that names a block where pages have no numbers', () => {
    const judged = new Judged({}, false);
    judged.hold(3);
    judged.make('alloc_pages', { order: 1 }, { pfn: 32 });
    judged.make('alloc_pages', { order: 1 }, { pfn: 16 });
    for (const at of [16, 17, 32, 33]) {
      expect(undue(page(at), 16, judged)).to.equal('the address is not the name of a block too');
    }
    for (const at of [3, 34]) expect(undue(page(at), 16, judged)).to.equal(undefined);
  });

  it('refuses sizes that are none, or more than eight pages', () => {
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      const asked = { at: USER, bytes, tag: 7 };
      expect(cached().errnos('cpu_write', asked, NOTHING)).to.deep.equal(['EINVAL']);
      expect(cached().to('cpu_write', asked, { lines: 0 })).to.equal('refuse EINVAL (P2)');
    }
    const asked = { at: USER, bytes: 8 * 64, tag: 7 };
    expect(cached().toErrno('cpu_write', asked, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('writes whole lines up to the first page that is not mapped', () => {
    const lines = (at: number, bytes: number): number[] =>
      [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter(
        (count) => cached().to('cpu_write', { at, bytes, tag: 7 }, { lines: count }) === 'content',
      );
    expect(lines(USER, 128)).to.deep.equal([8]);
    expect(lines(USER + 112, 64)).to.deep.equal([1]);
    expect(lines(USER + 15, 2)).to.deep.equal([2]);
    for (const at of [page(32), USER - 16, page(46), page(60), page(64), -16, 2 ** 64]) {
      expect(lines(at, 32), `${at}`).to.deep.equal([0]);
    }
    expect(lines(page(2), 128)).to.deep.equal([8]);
    const said = cached().to('cpu_write', { at: USER, bytes: 32, tag: 7 }, { lines: 1 });
    expect(said).to.equal(UP_TO_FAULT);
  });

  for (const vmallocPages of [16, 20]) {
    it(`stays in the address space of one client, behind ${vmallocPages} pages of the kernel's`, () => {
      const judged = withMappings('uncached', { vmallocPages });
      const end = 32 + vmallocPages;
      judged.make('ion_client_create', {}, { client: 1 });
      judged.make('fd_send', { client: 0, fd: 0, to: 1 }, { fd: 0 });
      judged.make('ion_mmap', { client: 0, fd: 0, offset: 0, bytes: 128 }, { address: page(end - 2) });
      judged.make('ion_mmap', { client: 1, fd: 0, offset: 0, bytes: 128 }, { address: page(end) });
      const at = page(end) - 32;
      expect(judged.to('cpu_write', { at, bytes: 64, tag: 7 }, { lines: 4 })).to.equal(UP_TO_FAULT);
      expect(judged.to('cpu_write', { at, bytes: 64, tag: 7 }, { lines: 2 })).to.equal('content');
    });
  }

  it('writes through the cache, or to memory where the mapping has none', () => {
    for (const [flags, policies, expected] of [
      ['cached', {}, cpuWrote(cpuWrote(ANYTHING, 0), 7)],
      ['uncached', {}, writtenUncached(7)],
      ['cached', { coherent: 'yes' }, written(7)],
    ] as const) {
      for (const at of [KERNEL, USER]) {
        const judged = withMappings(flags, { policies });
        const before = [...judged.world.line.values];
        judged.make('cpu_write', { at: at + 48, bytes: 32, tag: 7 }, { lines: 2 });
        const changed = [...judged.world.line.values.entries()].filter(
          ([line, value]) => value !== before[line],
        );
        expect(changed).to.deep.equal([
          [16, expected],
          [39, expected],
        ]);
      }
    }
  });

  it('reaches blocks by their own addresses and by those of vmap', () => {
    const judged = cached();
    judged.make('cpu_write', { at: page(20) + 48, bytes: 32, tag: 7 }, { lines: 2 });
    judged.make('cpu_write', { at: page(2), bytes: 16, tag: 8 }, { lines: 1 });
    const line = (at: number): number => judged.world.line.get(at);
    expect([line(27), line(20), line(8)]).to.deep.equal([7, 7, 8].map((tag) => cpuWrote(ANYTHING, tag)));
  });
});

describe('cpu_read', () => {
  const said = (judged: Judged, at: number, ...data: number[]): string =>
    judged.to('cpu_read', { at, bytes: Math.max(data.length, 1) * 16 }, { data });

  it('is sent by the kernel for what it has, and refuses what is no size', () => {
    expect(cached().undue('cpu_read', { at: page(1), bytes: 16 })).to.equal(OWN);
    const unnumbered = new Judged({}, false);
    unnumbered.make('alloc_pages', { order: 1 }, { pfn: 16 });
    const undue = unnumbered.undue('cpu_read', { at: page(16), bytes: 16 });
    expect(undue).to.equal('the address is not the name of a block too');
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      expect(cached().errnos('cpu_read', { at: USER, bytes })).to.deep.equal(['EINVAL']);
      expect(cached().to('cpu_read', { at: USER, bytes }, { data: [] })).to.equal('refuse EINVAL (P2)');
    }
    expect(cached().toErrno('cpu_read', { at: USER, bytes: 16 }, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('gives a tag a line, up to the first page that is not mapped', () => {
    const asked = { at: USER + 112, bytes: 32 };
    expect(cached().to('cpu_read', asked, { data: [0] })).to.equal('content');
    for (const data of [[], [0, 0]]) expect(cached().to('cpu_read', asked, { data })).to.equal(UP_TO_FAULT);
    expect(cached().to('cpu_read', { at: -16, bytes: 16 }, { data: [] })).to.equal('content');
  });

  it('gives what CPUs wrote last, by whatever address', () => {
    for (const flags of ['cached', 'uncached'] as const) {
      for (const coherent of ['no', 'yes']) {
        const judged = withMappings(flags, { policies: { coherent } });
        judged.make('cpu_write', { at: KERNEL + 48, bytes: 32, tag: 7 }, { lines: 2 });
        expect(said(judged, USER + 32, 0, 7, 7, 0)).to.equal('content');
        expect(said(judged, USER + 32, 0, 0, 7, 0)).to.equal(LAST);
      }
    }
  });

  it('gives what a device wrote at once where there are no copies, and after a sync where there may be', () => {
    const withContext = (judged: Judged): Judged => {
      judged.make('gpu_context_create', { client: 0 }, { context: 0 });
      judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 64 });
      judged.make('device_write', { through: 0, at: 64, bytes: 16, tag: 7 }, { lines: 1 });
      return judged;
    };
    for (const judged of [
      withMappings('uncached'),
      withMappings('cached', { policies: { coherent: 'yes' } }),
    ]) {
      withContext(judged);
      expect(said(judged, USER, 7)).to.equal('content');
      expect(said(judged, USER, 0)).to.equal(LAST);
    }
    const judged = withContext(cached());
    expect(judged.world.line.get(36)).to.equal(deviceWrote(written(0), 7));
    for (const tag of [0, 7]) expect(said(judged, USER, tag)).to.equal('content');
    expect(said(judged, USER, 1)).to.equal(LAST);
    judged.make('gpu_unbind', { context: 0, binding: 64 }, {});
    expect(said(judged, USER, 7)).to.equal('content');
    expect(said(judged, USER, 0)).to.equal(LAST);
  });

  it('gives anything of a block that nobody has written, and changes nothing', () => {
    const judged = cached();
    const before = judged.world.state.save();
    judged.make('cpu_read', { at: page(2), bytes: 32 }, { data: [165, 3] });
    expect(judged.world.state.words).to.deep.equal(before);
  });
});

describe('what happens by itself', () => {
  it('changes nothing that is known, and never fails', () => {
    const judged = cached();
    judged.make('cpu_write', { at: USER, bytes: 32, tag: 7 }, { lines: 2 });
    const before = judged.world.state.save();
    for (const entry of [0, 7]) {
      judged.make('tick_cache', { entry }, {});
      judged.make('tick_iotlb', { entry }, {});
      judged.make('tick_worker', {}, {});
    }
    expect(judged.world.state.words).to.deep.equal(before);
    for (const op of ['tick_cache', 'tick_iotlb'] as const) {
      expect(judged.toErrno(op, { entry: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    }
    expect(judged.toErrno('tick_worker', {}, 'EINVAL')).to.equal('no EINVAL (P1)');
  });
});
