import { expect } from 'chai';
import { showLine } from './contents.ts';
import type { Machine } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { translation } from './units.ts';
import { CONTEXT } from './world.ts';

const GARBAGE = [1, 2, 3, 99, -1, 0.5, 2 ** 64];

/** Client 0 with context 0 and a buffer of pages 9, 4 and 7 behind handle 1; client 1 with one of page 2. */
function withBuffers(fields: Partial<Machine> = {}): Judged {
  const judged = new Judged(fields);
  for (const client of [0, 1]) judged.make('ion_client_create', {}, { client });
  judged.make(
    'ion_alloc',
    { client: 0, bytes: 130, heaps: ['iommu'], flags: 'uncached' },
    { handle: 1, pages: [9, 4, 7] },
  );
  judged.make(
    'ion_alloc',
    { client: 1, bytes: 1, heaps: ['iommu'], flags: 'uncached' },
    { handle: 2, pages: [2] },
  );
  judged.make('gpu_context_create', { client: 0 }, { context: 0 });
  return judged;
}

const BIND = { context: 0, handle: 1, access: 'both' } as const;

describe('gpu_context_create', () => {
  it('refuses clients that there are none of', () => {
    const judged = new Judged();
    for (const client of [0, ...GARBAGE]) {
      expect(judged.errnos('gpu_context_create', { client })).to.deep.equal(['EBADF']);
      expect(judged.to('gpu_context_create', { client }, { context: 0 })).to.equal('refuse EBADF (C5)');
    }
  });

  it('gives an id that is not in use, which domains share', () => {
    const judged = withBuffers();
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 1 });
    for (const context of [0, 1, 3, -1, 0.5]) {
      const said = judged.to('gpu_context_create', { client: 1 }, { context });
      expect(said).to.equal('an id that is not in use (C5)');
    }
    judged.make('gpu_context_create', { client: 1 }, { context: 2 });
    expect(judged.errnos('gpu_context_create', { client: 0 })).to.deep.equal(['ENOSPC']);
    expect(judged.to('gpu_context_create', { client: 0 }, { context: 1 })).to.equal('refuse ENOSPC (P1)');
  });

  it('may fail only if the target shows no page', () => {
    const errnos = (free: number): string[] =>
      withBuffers().errnos('gpu_context_create', { client: 1 }, seen({ ...PLENTY, free }));
    expect(errnos(1)).to.deep.equal([]);
    expect(errnos(0)).to.deep.equal(['ENOMEM']);
    expect(withBuffers().toErrno('gpu_context_create', { client: 1 }, 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });
});

describe('gpu_bind', () => {
  it('refuses contexts that are no GPU context, with any handle', () => {
    const judged = withBuffers();
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
    for (const context of GARBAGE) {
      expect(judged.errnos('gpu_bind', { ...BIND, context })).to.deep.equal(['EINVAL', 'ENOENT']);
      expect(judged.to('gpu_bind', { ...BIND, context }, { address: 64 })).to.equal('refuse ENOENT (C5)');
    }
  });

  it('refuses handles that the context’s own client does not have', () => {
    const judged = withBuffers();
    for (const handle of [0, 2, 3, -1, 0.5]) {
      expect(judged.errnos('gpu_bind', { ...BIND, handle })).to.deep.equal(['EINVAL']);
      expect(judged.to('gpu_bind', { ...BIND, handle }, { address: 64 })).to.equal('refuse EINVAL (C5)');
    }
    expect(judged.errnos('gpu_bind', BIND)).to.deep.equal([]);
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(judged.errnos('gpu_bind', BIND)).to.deep.equal(['EINVAL']);
  });

  it('gives an aligned range that is unused, never page 0, and not reserved', () => {
    const judged = withBuffers();
    judged.make('gpu_bind', BIND, { address: 256 });
    const said = (address: number): string => judged.to('gpu_bind', BIND, { address });
    for (const address of [64, 7 * 64, 12 * 64]) expect(said(address)).to.equal('content');
    for (const address of [0, 128, 6 * 64, 13 * 64, 16 * 64, -64, 2 ** 60, 65, 64.5, Number.NaN]) {
      expect(said(address)).to.equal('unused addresses (S3)');
    }
  });

  it('must fail when no hole is left, and may when no aligned one of the rounded size is', () => {
    const judged = withBuffers({ ioBits: 9, reservedIoPages: 0 });
    expect(judged.errnos('gpu_bind', BIND)).to.deep.equal([]);
    expect(judged.toErrno('gpu_bind', BIND, 'ENOSPC')).to.equal('no ENOSPC (M3)');
    judged.make('gpu_bind', BIND, { address: 5 * 64 });
    expect(judged.errnos('gpu_bind', BIND)).to.deep.equal(['ENOSPC']);
    expect(judged.to('gpu_bind', BIND, { address: 128 })).to.equal('content');
    judged.make('gpu_bind', BIND, { address: 128 });
    expect(judged.errnos('gpu_bind', BIND)).to.deep.equal(['ENOSPC']);
    expect(judged.to('gpu_bind', BIND, { address: 64 })).to.equal('unused addresses (S3)');
    const reserved = withBuffers({ ioBits: 9, reservedIoPages: 5 });
    expect(reserved.to('gpu_bind', BIND, { address: 64 })).to.equal('unused addresses (S3)');
    expect(withBuffers({ ioBits: 9, reservedIoPages: 4 }).to('gpu_bind', BIND, { address: 64 })).to.equal(
      'content',
    );
  });

  it('may fail only if the target shows too few pages for tables', () => {
    const errnos = (free: number): string[] =>
      withBuffers().errnos('gpu_bind', BIND, seen({ ...PLENTY, free }));
    expect(errnos(2)).to.deep.equal([]);
    expect(errnos(1)).to.deep.equal(['ENOMEM']);
    expect(withBuffers().errnos('gpu_bind', BIND, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('translates the buffer in its own order, and counts a reference', () => {
    const judged = withBuffers();
    judged.make('gpu_bind', { ...BIND, access: 'read' }, { address: 12 * 64 });
    const { reach, bound, refs } = judged.world;
    const entries = [12, 13, 14].map((ioPage) => reach.get(ioPage));
    expect(entries).to.deep.equal([9, 4, 7].map((page) => translation(page, 1)));
    expect(reach.values.filter((entry) => entry !== 0)).to.have.length(3);
    expect(bound.get(12)).to.equal(10);
    expect(refs.get(9)).to.equal(2);
    judged.make('gpu_bind', BIND, { address: 64 });
    expect([reach.get(1), refs.get(9)]).to.deep.equal([translation(9, 3), 3]);
  });
});

describe('gpu_unbind', () => {
  it('refuses contexts that are no GPU context, and addresses where no binding starts', () => {
    const judged = withBuffers();
    judged.make('gpu_bind', BIND, { address: 64 });
    for (const context of GARBAGE) {
      expect(judged.errnos('gpu_unbind', { context, binding: 64 })).to.deep.equal(['EINVAL', 'ENOENT']);
      expect(judged.to('gpu_unbind', { context, binding: 64 }, {})).to.equal('refuse ENOENT (C5)');
    }
    for (const binding of [0, 65, 128, 16 * 64, 17 * 64, -64, 2 ** 64]) {
      expect(judged.errnos('gpu_unbind', { context: 0, binding })).to.deep.equal(['EINVAL']);
      expect(judged.to('gpu_unbind', { context: 0, binding }, {})).to.equal('refuse EINVAL (C5)');
    }
    expect(judged.errnos('gpu_unbind', { context: 0, binding: 64 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('gpu_unbind', { context: 0, binding: 64 }, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });

  it('ends one binding, and drops its reference', () => {
    const judged = withBuffers();
    judged.make('gpu_bind', BIND, { address: 256 });
    const before = judged.world.state.save();
    judged.make('gpu_bind', BIND, { address: 64 });
    judged.make('gpu_unbind', { context: 0, binding: 64 }, {});
    expect(judged.world.state.words).to.deep.equal(before);
    expect(judged.errnos('gpu_unbind', { context: 0, binding: 64 })).to.deep.equal(['EINVAL']);
  });
});

describe('gpu_submit', () => {
  const work = (at: number, bytes: number): { at: number; bytes: number } & typeof WORK => ({
    ...WORK,
    at,
    bytes,
  });
  const WORK = { context: 0, access: 'write', tag: 7 } as const;

  it('refuses contexts that are no GPU context', () => {
    const judged = withBuffers();
    for (const context of GARBAGE) {
      expect(judged.errnos('gpu_submit', { ...work(0, 16), context })).to.deep.equal(['ENOENT']);
      expect(judged.to('gpu_submit', { ...work(0, 16), context }, { job: 0 })).to.equal('refuse ENOENT (C5)');
    }
  });

  it('refuses sizes that are none, or more than eight pages', () => {
    const judged = withBuffers();
    for (const bytes of [0, -1, 8 * 64 + 1, 2 ** 64]) {
      expect(judged.errnos('gpu_submit', work(0, bytes))).to.deep.equal(['EINVAL']);
      expect(judged.to('gpu_submit', work(0, bytes), { job: 0 })).to.equal('refuse EINVAL (P2)');
    }
    for (const bytes of [1, 8 * 64]) expect(judged.errnos('gpu_submit', work(0, bytes))).to.deep.equal([]);
    expect(judged.toErrno('gpu_submit', work(0, 1), 'EBUSY')).to.equal('no EBUSY (P1)');
  });

  it('is sent with tags that a line can hold', () => {
    const undue = (tag: number): string | undefined =>
      withBuffers().undue('gpu_submit', { ...work(0, 16), tag });
    for (const tag of [0, -1, 256]) expect(undue(tag)).to.equal('the tag is a byte, and not 0');
    for (const tag of [1, 255]) expect(undue(tag)).to.equal(undefined);
  });

  it('gives an id that is not in use', () => {
    const judged = withBuffers();
    judged.make('gpu_submit', work(0, 16), { job: 1 });
    for (const job of [1, 2, -1, 0.5]) {
      expect(judged.to('gpu_submit', work(0, 16), { job })).to.equal('an id that is not in use (C5)');
    }
    judged.make('gpu_submit', work(0, 16), { job: 0 });
    expect(judged.errnos('gpu_submit', work(0, 16))).to.deep.equal(['EBUSY']);
    expect(judged.to('gpu_submit', work(0, 16), { job: 0 })).to.equal('refuse EBUSY (P1)');
  });

  it('counts the lines that are touched; where the address is none, those of the size', () => {
    const lines = (at: number, bytes: number): number => {
      const judged = withBuffers();
      judged.make('gpu_submit', work(at, bytes), { job: 0 });
      return judged.world.job.get(0);
    };
    expect([lines(0, 16), lines(15, 2), lines(16, 17), lines(1_023, 1), lines(1_023, 17)]).to.deep.equal([
      1, 2, 2, 1, 2,
    ]);
    expect([lines(1_024, 16), lines(1_025, 17), lines(-8, 16), lines(2 ** 64, 32)]).to.deep.equal([
      1, 2, 1, 2,
    ]);
  });
});

describe('gpu_context_destroy', () => {
  it('refuses what is no GPU context', () => {
    const judged = withBuffers();
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
    for (const context of GARBAGE) {
      expect(judged.errnos('gpu_context_destroy', { context })).to.deep.equal(['ENOENT']);
      expect(judged.to('gpu_context_destroy', { context }, {})).to.equal('refuse ENOENT (C5)');
    }
    expect(judged.toErrno('gpu_context_destroy', { context: 0 }, 'EBUSY')).to.equal('no EBUSY (P1)');
  });

  it('takes jobs and bindings of the context along, and no other’s', () => {
    const judged = withBuffers();
    judged.make('gpu_context_create', { client: 0 }, { context: 1 });
    for (const context of [0, 1]) {
      judged.make('gpu_bind', { ...BIND, context }, { address: 12 * 64 });
      const work = { context, at: 0, bytes: 16, access: 'read', tag: 1 } as const;
      judged.make('gpu_submit', work, { job: context });
    }
    judged.make('gpu_context_destroy', { context: 0 }, {});
    const { context, job, refs, reach, bound } = judged.world;
    expect([...context.values]).to.deep.equal([CONTEXT.NONE, CONTEXT.GPU, CONTEXT.NONE]);
    expect([...job.values]).to.deep.equal([0, 1]);
    expect(refs.get(9)).to.equal(2);
    expect([...reach.values.keys()].filter((at) => reach.get(at) !== 0)).to.deep.equal([28, 29, 30]);
    expect([...bound.values.keys()].filter((at) => bound.get(at) !== 0)).to.deep.equal([28]);
  });
});

/** Clients' buffers, cached: page 9 behind handle 1, mapped for the kernel at page 18, and page 4 behind handle 2. */
function withCached(): Judged {
  const judged = new Judged();
  judged.make('ion_client_create', {}, { client: 0 });
  const asked = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' } as const;
  judged.make('ion_alloc', asked, { handle: 1, pages: [9] });
  judged.make('ion_alloc', asked, { handle: 2, pages: [4] });
  judged.make('ion_map_kernel', { client: 0, handle: 1 }, { handle: 1, address: KERNEL });
  judged.make('gpu_context_create', { client: 0 }, { context: 0 });
  return judged;
}

const KERNEL = 18 * 64;

/** What the lines of a page hold, each state once. */
const held = ({ world }: Judged, page: number): string[] => [
  ...new Set([...world.line.values.subarray(page * 4, page * 4 + 4)].map(showLine)),
];

describe('syncs of a GPU driver', () => {
  const WORK = { context: 0, at: 64, bytes: 16, access: 'read', tag: 1 } as const;

  it('show devices what CPUs wrote: of one buffer at its bind, of all that is bound at a submit', () => {
    const judged = withCached();
    expect(held(judged, 9)).to.deep.equal(['anything in memory, 0 cached and dirty']);
    judged.make('gpu_bind', BIND, { address: 64 });
    expect(held(judged, 9)).to.deep.equal(['0 in memory']);
    expect(held(judged, 4)).to.deep.equal(['anything in memory, 0 cached and dirty']);
    judged.make('cpu_write', { at: KERNEL, bytes: 64, tag: 7 }, { lines: 4 });
    expect(held(judged, 9)).to.deep.equal(['0 in memory, 7 cached and dirty']);
    judged.make('gpu_submit', WORK, { job: 0 });
    expect(held(judged, 9)).to.deep.equal(['7 in memory']);
    expect(held(judged, 4)).to.deep.equal(['anything in memory, 0 cached and dirty']);
  });

  for (const [name, end] of [
    ['gpu_unbind', (judged: Judged) => judged.make('gpu_unbind', { context: 0, binding: 64 }, {})],
    ['gpu_context_destroy', (judged: Judged) => judged.make('gpu_context_destroy', { context: 0 }, {})],
  ] as const) {
    it(`show CPUs what devices wrote, at ${name}`, () => {
      const judged = withCached();
      judged.make('gpu_bind', BIND, { address: 64 });
      judged.make('device_write', { through: 0, at: 64, bytes: 64, tag: 5 }, { lines: 4 });
      expect(held(judged, 9)).to.deep.equal(['5 in memory, 0 cached']);
      end(judged);
      expect(held(judged, 9)).to.deep.equal(['5 in memory']);
    });
  }

  it('cost a CPU what it wrote behind the driver’s back', () => {
    const judged = withCached();
    judged.make('gpu_bind', BIND, { address: 64 });
    judged.make('cpu_write', { at: KERNEL, bytes: 64, tag: 7 }, { lines: 4 });
    judged.make('gpu_unbind', { context: 0, binding: 64 }, {});
    expect(held(judged, 9)).to.deep.equal(['anything in memory']);
  });
});
