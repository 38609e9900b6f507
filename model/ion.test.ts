import { expect } from 'chai';
import { showLine } from './contents.ts';
import type { ArgsOf } from './index.ts';
import { Judged, NOTHING, PLENTY, type Shown, seen } from './judged.test.ts';
import { KIND } from './view.ts';

type Alloc = ArgsOf<'ion_alloc'>;

function withClient(fields: ConstructorParameters<typeof Judged>[0] = {}): Judged {
  const judged = new Judged(fields);
  judged.make('ion_client_create', {}, { client: 0 });
  return judged;
}

const ask = (bytes: number, client = 0, more: Partial<Alloc> = {}): Alloc => ({
  client,
  bytes,
  heaps: ['iommu'],
  flags: 'uncached',
  ...more,
});

/** Asks single heaps, or several. */
const from = (bytes: number, ...heaps: Alloc['heaps']): Alloc => ask(bytes, 0, { heaps });

describe('ion_client_create', () => {
  it('gives an id that is not in use', () => {
    const judged = withClient();
    for (const client of [0, 2, -1, 0.5]) {
      expect(judged.to('ion_client_create', {}, { client })).to.equal('an id that is not in use (C5)');
    }
    expect(judged.errnos('ion_client_create', {}, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('ion_client_create', {}, 'EMFILE')).to.equal('no EMFILE (P1)');
    judged.make('ion_client_create', {}, { client: 1 });
    expect(judged.errnos('ion_client_create', {})).to.deep.equal(['EMFILE']);
    expect(judged.to('ion_client_create', {}, { client: 1 })).to.equal('refuse EMFILE (P1)');
  });
});

describe('ion_alloc', () => {
  it('refuses clients that there are none of, with one errno', () => {
    const judged = withClient();
    for (const client of [1, 2, -1, 99, 0.5, 2 ** 64]) {
      expect(judged.errnos('ion_alloc', ask(64, client))).to.deep.equal(['EBADF']);
      const said = judged.to('ion_alloc', ask(64, client), { handle: 1, pages: [0] });
      expect(said).to.equal('refuse EBADF (C5)');
    }
  });

  it('refuses sizes that are nothing when rounded up', () => {
    const judged = withClient();
    expect(judged.errnos('ion_alloc', ask(0))).to.deep.equal(['EINVAL']);
    for (const bytes of [-1, -(2 ** 64)])
      expect(judged.errnos('ion_alloc', ask(bytes))).to.deep.equal(['EINVAL']);
    for (const bytes of [2 ** 64, 2 ** 64 - 1]) {
      expect(judged.errnos('ion_alloc', ask(bytes))).to.deep.equal(['EINVAL', 'ENOMEM']);
      expect(judged.to('ion_alloc', ask(bytes), { handle: 1, pages: [0] })).to.equal('refuse EINVAL (P2)');
    }
    expect(judged.errnos('ion_alloc', ask(2 ** 64 - 4096))).to.deep.equal(['ENOMEM']);
    const real = withClient({ pages: 2, pageBytes: 4096, ioBits: 14 });
    expect(real.errnos('ion_alloc', ask(2 ** 64 - 4096))).to.deep.equal(['EINVAL', 'ENOMEM']);
    expect(real.errnos('ion_alloc', ask(2 ** 64 - 8192))).to.deep.equal(['ENOMEM']);
  });

  it('refuses a choice of no heap', () => {
    expect(withClient().errnos('ion_alloc', from(64))).to.deep.equal(['ENODEV', 'ENOMEM']);
    expect(withClient().to('ion_alloc', from(64), { handle: 1, pages: [0] })).to.equal('refuse ENODEV (P1)');
    expect(withClient().errnos('ion_alloc', ask(64))).to.deep.equal([]);
  });

  it('refuses more than there is', () => {
    const judged = withClient({ reserve: 2 });
    expect(judged.errnos('ion_alloc', ask(14 * 64))).to.deep.equal([]);
    expect(judged.errnos('ion_alloc', ask(14 * 64 + 1))).to.deep.equal(['ENOMEM']);
    judged.hold(3);
    expect(judged.errnos('ion_alloc', ask(14 * 64))).to.deep.equal(['ENOMEM']);
    expect(judged.to('ion_alloc', ask(2 ** 63), { handle: 1, pages: [0] })).to.equal('refuse ENOMEM (P2)');
  });

  it('refuses a handle too many', () => {
    const judged = withClient();
    for (const handle of [1, 2]) judged.make('ion_alloc', ask(1), { handle, pages: [handle] });
    expect(judged.errnos('ion_alloc', ask(1))).to.deep.equal(['ENOSPC']);
    expect(judged.errnos('ion_alloc', ask(2 ** 40))).to.deep.equal(['ENOMEM', 'ENOSPC']);
    expect(judged.to('ion_alloc', ask(1), { handle: 2, pages: [3] })).to.equal('refuse ENOSPC (P1)');
  });

  it('refuses what none of the heaps gives: half of memory, or the largest block', () => {
    const refused = (pages: number, ...heaps: Alloc['heaps']): boolean =>
      withClient()
        .to('ion_alloc', from(pages * 64, ...heaps), { handle: 1, pages: [] })
        .startsWith('refuse');
    expect([8, 9].map((pages) => refused(pages, 'system'))).to.deep.equal([false, true]);
    expect([4, 5].map((pages) => refused(pages, 'system-contig'))).to.deep.equal([false, true]);
    expect([8, 9].map((pages) => refused(pages, 'system-contig', 'system'))).to.deep.equal([false, true]);
    expect([16, 17].map((pages) => refused(pages, 'iommu', 'system'))).to.deep.equal([false, true]);
    expect(withClient().to('ion_alloc', from(9 * 64, 'system'), { handle: 1, pages: [] })).to.equal(
      'refuse ENOMEM (P2)',
    );
  });

  it('owes single pages whichever heap gives them, and a block to nobody', () => {
    const errnos = (pages: number, ...heaps: Alloc['heaps']): string[] =>
      withClient().errnos('ion_alloc', from(pages * 64, ...heaps));
    for (const heap of ['iommu', 'system'] as const) expect(errnos(8, heap), heap).to.deep.equal([]);
    expect([1, 2].map((pages) => errnos(pages, 'system-contig'))).to.deep.equal([[], ['ENOMEM']]);
    expect(errnos(4, 'system-contig', 'system')).to.deep.equal([]);
    expect(errnos(9, 'iommu', 'system')).to.deep.equal([]);
  });

  it('counts pages that are kept for later among those it may not fail for', () => {
    const errnos = (free: number, kept: NonNullable<Shown['kept']>): string[] =>
      withClient().errnos('ion_alloc', ask(3 * 64), seen({ ...PLENTY, free, kept }));
    expect(errnos(4, [0, 0, 0])).to.deep.equal(['ENOMEM']);
    for (const kept of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const)
      expect(errnos(4, kept), kept.join()).to.deep.equal([]);
  });

  // Three pages, a page of array, a chunk of the table: five pages, no vmalloc. Nine take two of array, listed by one
  // more, behind three tables of kernel addresses, and three chunks.
  it('may fail only if the target shows too few pages or addresses for it, its array and its table', () => {
    const errnos = (pages: number, shown: Partial<Shown>): string[] =>
      withClient({ reserve: 1 }).errnos('ion_alloc', ask(pages * 64), seen({ ...PLENTY, ...shown }));
    expect(errnos(3, { free: 6, hole: 0 })).to.deep.equal([]);
    expect(errnos(3, { free: 5 })).to.deep.equal(['ENOMEM']);
    expect(errnos(9, { free: 19, hole: 3 })).to.deep.equal([]);
    expect(errnos(9, { free: 18 })).to.deep.equal(['ENOMEM']);
    expect(errnos(9, { hole: 2 })).to.deep.equal(['ENOMEM']);
    expect(withClient().errnos('ion_alloc', ask(64), NOTHING)).to.deep.equal(['ENOMEM']);
    expect(withClient().toErrno('ion_alloc', ask(8 * 64), 'ENOMEM')).to.equal('no ENOMEM (M1)');
    expect(withClient().toErrno('ion_alloc', ask(9 * 64), 'ENOMEM')).to.equal('no ENOMEM (M2b)');
  });

  it('takes pages in any order, each once, that nobody holds', () => {
    const judged = withClient({ occupied: [[7, 1]] });
    judged.hold(5);
    judged.make('kvmalloc', { bytes: 8 }, { memory: 6 * 64 });
    const said = (...pages: number[]): string => judged.to('ion_alloc', ask(128), { handle: 1, pages });
    expect(said(9, 2)).to.equal('content');
    for (const page of [9, 5, 6, 7, 16, -1, 0.5]) {
      expect(said(9, page)).to.equal('pages that nobody holds, each once (C1)');
    }
    for (const pages of [[9], [9, 2, 3], []]) {
      expect(said(...pages)).to.equal('as many pages as were asked for (P1)');
    }
  });

  it('gives one aligned block where only the contiguous heap was asked', () => {
    const judged = withClient();
    const said = (heaps: Alloc['heaps'], ...pages: number[]): string =>
      judged.to('ion_alloc', from(3 * 64, ...heaps), { handle: 1, pages });
    expect(said(['system-contig'], 4, 5, 6)).to.equal('content');
    for (const pages of [
      [5, 6, 7],
      [2, 3, 4],
      [4, 6, 5],
      [4, 5, 7],
    ]) {
      expect(said(['system-contig'], ...pages), pages.join()).to.equal(
        'one aligned block where only that will do (P1)',
      );
      expect(said(['system-contig', 'system'], ...pages)).to.equal('content');
    }
    const unnumbered = new Judged({}, false);
    unnumbered.make('ion_client_create', {}, { client: 0 });
    const answer = { handle: 1, pages: [5, 1, 9] };
    expect(unnumbered.to('ion_alloc', from(3 * 64, 'system-contig'), answer)).to.equal('content');
  });

  it('gives a handle that is not in use, from 1 on', () => {
    const judged = withClient();
    judged.make('ion_alloc', ask(1), { handle: 2, pages: [0] });
    for (const handle of [0, 2, 3, -1, 0.5]) {
      const said = judged.to('ion_alloc', ask(1), { handle, pages: [1] });
      expect(said).to.equal('an id that is not in use (C5)');
    }
  });

  it('zeroes the buffer: in memory, or as far as a CPU sees it', () => {
    const held = (flags: Alloc['flags'], coherent = 'no'): string[] => {
      const judged = withClient({ policies: { coherent } });
      judged.make('ion_alloc', ask(64, 0, { flags }), { handle: 1, pages: [9] });
      return [...new Set([...judged.world.line.values.subarray(9 * 4, 10 * 4)].map(showLine))];
    };
    expect(held('uncached')).to.deep.equal(['0 in memory']);
    expect(held('cached')).to.deep.equal(['anything in memory, 0 cached and dirty']);
    expect(held('cached', 'yes')).to.deep.equal(['0 in memory']);
    expect(withClient().world.line.values.every((line) => line === -1)).to.equal(true);
  });

  it('remembers which buffers CPUs reach without their caches', () => {
    const judged = withClient();
    judged.make('ion_alloc', ask(64, 0, { flags: 'cached' }), { handle: 1, pages: [9] });
    judged.make('ion_alloc', ask(64), { handle: 2, pages: [4] });
    expect([9, 4].map((page) => judged.world.uncached.get(page))).to.deep.equal([0, 1]);
    judged.make('ion_free', { client: 0, handle: 2 }, {});
    expect(judged.world.uncached.get(4)).to.equal(0);
  });

  it('makes a buffer in the order of the pages, with one handle and one reference', () => {
    const judged = withClient();
    judged.make('ion_client_create', {}, { client: 1 });
    judged.make('ion_alloc', ask(65, 1), { handle: 2, pages: [9, 4] });
    const { kind, head, index, refs, handle, handleCount } = judged.world;
    for (const [at, page] of [9, 4].entries()) {
      expect([kind, head, index].map((column) => column.get(page))).to.deep.equal([KIND.BUFFER, 10, at]);
    }
    expect(refs.values.reduce((sum, count) => sum + count)).to.equal(1);
    expect(refs.get(9)).to.equal(1);
    expect([...handle.values]).to.deep.equal([0, 0, 0, 0, 0, 10]);
    expect([...handleCount.values]).to.deep.equal([0, 0, 0, 0, 0, 1]);
  });

  it('names single pages where they have no numbers', () => {
    const judged = new Judged({ pages: 4 }, false);
    judged.make('ion_client_create', {}, { client: 0 });
    judged.hold(1);
    judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
    expect(judged.fresh('ion_alloc', ask(64))).to.deep.equal({ pages: [0] });
    expect(judged.errnos('ion_alloc', ask(128))).to.deep.equal(['ENOMEM']);
    judged.make('ion_alloc', ask(64), { handle: 1, pages: [0] });
    expect(judged.errnos('ion_alloc', ask(64))).to.deep.equal(['ENOMEM']);
  });
});

describe('ion_free', () => {
  it('refuses clients and handles that there are none of, whatever they are', () => {
    const judged = withClient();
    judged.make('ion_client_create', {}, { client: 1 });
    judged.make('ion_alloc', ask(1), { handle: 1, pages: [0] });
    for (const client of [2, -1, 0.5, 2 ** 60]) {
      expect(judged.errnos('ion_free', { client, handle: 1 })).to.deep.equal(['EBADF', 'EINVAL']);
      expect(judged.to('ion_free', { client, handle: 1 }, {})).to.equal('refuse EBADF (C5)');
    }
    for (const [client, handle] of [
      [1, 1],
      [0, 2],
      [0, 0],
      [0, 3],
      [0, -1],
      [0, 0.5],
    ] as const) {
      expect(judged.errnos('ion_free', { client, handle })).to.deep.equal(['EINVAL']);
      expect(judged.to('ion_free', { client, handle }, {})).to.equal('refuse EINVAL (C5)');
    }
    expect(judged.errnos('ion_free', { client: 0, handle: 1 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('ion_free', { client: 0, handle: 1 }, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });

  it('gives the buffer back with its last reference', () => {
    const judged = withClient();
    const before = judged.world.state.save();
    judged.make('ion_alloc', ask(65), { handle: 1, pages: [9, 4] });
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(judged.world.state.words).to.deep.equal(before);
    expect(judged.errnos('ion_free', { client: 0, handle: 1 })).to.deep.equal(['EINVAL']);
  });

  it('keeps a buffer that is bound', () => {
    const judged = withClient();
    judged.make('ion_alloc', ask(65), { handle: 1, pages: [9, 4] });
    judged.make('gpu_context_create', { client: 0 }, { context: 0 });
    judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 64 });
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(judged.world.refs.get(9)).to.equal(1);
    expect(judged.world.kind.get(4)).to.equal(KIND.BUFFER);
    judged.make('gpu_unbind', { context: 0, binding: 64 }, {});
    expect(judged.world.kind.get(4)).to.equal(KIND.FREE);
  });

  it('drops one of the references that imports made, and then the handle', () => {
    const judged = withClient();
    judged.make('ion_alloc', ask(65), { handle: 1, pages: [9, 4] });
    const alone = judged.world.state.save();
    judged.make('ion_share', { client: 0, handle: 1 }, { fd: 0 });
    judged.make('ion_import', { client: 0, fd: 0 }, { handle: 1 });
    judged.make('fd_close', { client: 0, fd: 0 }, {});
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(judged.world.state.words).to.deep.equal(alone);
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(judged.errnos('ion_free', { client: 0, handle: 1 })).to.deep.equal(['EINVAL']);
  });
});

describe('ion_sg_table', () => {
  const TABLE = { client: 0, handle: 1 };

  function withBuffer(pageNumbers = true): Judged {
    const judged = new Judged({}, pageNumbers);
    judged.make('ion_client_create', {}, { client: 0 });
    judged.make('ion_alloc', ask(4 * 64), { handle: 1, pages: [9, 4, 5, 10] });
    return judged;
  }

  it('refuses clients and handles that there are none of', () => {
    const judged = withBuffer();
    for (const client of [1, -1, 0.5, 2 ** 60]) {
      expect(judged.errnos('ion_sg_table', { client, handle: 1 })).to.deep.equal(['EBADF', 'EINVAL']);
    }
    expect(judged.to('ion_sg_table', { client: 1, handle: 1 }, { segments: [] })).to.equal(
      'refuse EBADF (C5)',
    );
    for (const handle of [0, 2, -1, 0.5]) {
      expect(judged.errnos('ion_sg_table', { client: 0, handle })).to.deep.equal(['EINVAL']);
    }
    expect(judged.errnos('ion_sg_table', TABLE, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('ion_sg_table', TABLE, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });

  it('lists the pages of the buffer in order, neighbours merged or not', () => {
    const judged = withBuffer();
    const said = (...segments: number[]): string => judged.to('ion_sg_table', TABLE, { segments });
    expect(said(9, 1, 4, 2, 10, 1)).to.equal('content');
    expect(said(9, 1, 4, 1, 5, 1, 10, 1)).to.equal('content');
    for (const segments of [
      [],
      [9, 1, 4, 2],
      [9, 1, 4, 2, 10, 2],
      [4, 2, 9, 1, 10, 1],
      [9, 1, 4, 2, 10, 1, 11, 1],
      [9, 0, 9, 1, 4, 2, 10, 1],
      [9, -1, 4, 2, 10, 1],
      [9, 1, 4, 2, 10],
      [9, 1, 4, 2, 10, 2 ** 40],
    ]) {
      expect(said(...segments), segments.join()).to.equal('the pages of the buffer, in order (S2)');
    }
    expect(withBuffer(false).to('ion_sg_table', TABLE, { segments: [7, 4] })).to.equal('content');
  });
});

describe('ion_query', () => {
  it('tells a client that there are three heaps', () => {
    const judged = withClient();
    expect(judged.to('ion_query', { client: 0 }, { heaps: 3 })).to.equal('content');
    for (const heaps of [2, 4]) {
      expect(judged.to('ion_query', { client: 0 }, { heaps })).to.equal('the number of heaps (P1)');
    }
    expect(judged.errnos('ion_query', { client: 0 }, NOTHING)).to.deep.equal([]);
    for (const client of [1, -1, 0.5]) {
      expect(judged.errnos('ion_query', { client })).to.deep.equal(['EBADF']);
      expect(judged.to('ion_query', { client }, { heaps: 3 })).to.equal('refuse EBADF (C5)');
    }
    expect(judged.toErrno('ion_query', { client: 0 }, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });
});

describe('ion_client_destroy', () => {
  it('refuses clients that there are none of', () => {
    const judged = withClient();
    for (const client of [1, 2, -1, 0.5]) {
      expect(judged.errnos('ion_client_destroy', { client })).to.deep.equal(['EBADF']);
      expect(judged.to('ion_client_destroy', { client }, {})).to.equal('refuse EBADF (C5)');
    }
    expect(judged.toErrno('ion_client_destroy', { client: 0 }, 'EBUSY')).to.equal('no EBUSY (P1)');
  });

  it('takes what the client has along: contexts, jobs, mappings, handles, descriptors; nobody else’s', () => {
    const judged = withClient();
    judged.make('ion_client_create', {}, { client: 1 });
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 2 });
    const open = (client: number): void => {
      judged.make('ion_alloc', ask(65, client), { handle: 1, pages: [8 + 2 * client, 4 - client] });
      judged.make('ion_alloc', ask(1, client), { handle: 2, pages: [client] });
      judged.make('gpu_context_create', { client }, { context: client });
      for (const address of [64, 512])
        judged.make('gpu_bind', { context: client, handle: 1, access: 'read' }, { address });
      const work = { context: client, at: 64, bytes: 16, access: 'read', tag: 1 } as const;
      judged.make('gpu_submit', work, { job: client });
      judged.make('ion_share', { client, handle: 2 }, { fd: 3 });
      const user = { address: (32 + 16 * client) * 64 };
      judged.make('ion_mmap', { client, fd: 3, offset: 0, bytes: 64 }, user);
      const kernel = { handle: 1, address: (17 + 4 * client) * 64 };
      judged.make('ion_map_kernel', { client, handle: 1 }, kernel);
    };
    open(1);
    const before = judged.world.state.save();
    open(0);
    judged.make('ion_client_destroy', { client: 0 }, {});
    judged.make('ion_client_create', {}, { client: 0 });
    expect(judged.world.state.words).to.deep.equal(before);
    expect(judged.errnos('gpu_context_destroy', { context: 0 })).to.deep.equal(['ENOENT']);
  });
});
