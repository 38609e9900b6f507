import { expect } from 'chai';
import { showLine } from './contents.ts';
import type { ArgsOf, Machine } from './index.ts';
import { Judged, NOTHING, PLENTY, type Shown, seen } from './judged.test.ts';

/** Ids that no client and no descriptor has. */
const GARBAGE = [2, -1, 0.5, 2 ** 60];
const OWNED = { client: 0, handle: 1 } as const;
const FILE = { client: 0, fd: 0 } as const;

/**
 * Clients 0 and 1 with up to two handles and three descriptors each; a buffer of pages 9, 4 and 7 behind handle 1 and
 * descriptor 0 of client 0. Kernel pages 16 to 31 are vmalloc's, then come eight of each client.
 */
function withFile(fields: Partial<Machine> = {}, flags: ArgsOf<'ion_alloc'>['flags'] = 'uncached'): Judged {
  const judged = new Judged({ fds: 3, userPages: 8, ...fields });
  for (const client of [0, 1]) judged.make('ion_client_create', {}, { client });
  const asked = { client: 0, bytes: 192, heaps: ['iommu'], flags } as const;
  judged.make('ion_alloc', asked, { handle: 1, pages: [9, 4, 7] });
  judged.make('ion_share', OWNED, { fd: 0 });
  return judged;
}

/** Where a client's address space starts. */
const user = (client: number): number => (32 + 8 * client) * 64;

const refs = ({ world }: Judged): number => world.refs.get(9);

/** The whole state after a change, and after the changes that undo it. */
function expectUndone(judged: Judged, change: () => void): void {
  const before = judged.world.state.save();
  change();
  expect(judged.world.state.words).to.deep.equal(before);
}

describe('calls with a descriptor', () => {
  const calls = ['ion_import', 'fd_close', 'fd_dup', 'ion_sync'] as const;
  for (const op of calls) {
    it(`refuse clients and descriptors that there are none of: ${op}`, () => {
      const judged = withFile();
      for (const client of GARBAGE) expect(judged.errnos(op, { client, fd: 0 })).to.deep.equal(['EBADF']);
      for (const fd of [1, 3, ...GARBAGE]) {
        expect(judged.errnos(op, { client: 0, fd })).to.deep.equal(['EBADF']);
      }
      const answer = { fd: 1, handle: 1 };
      expect(judged.to(op, { client: 1, fd: 0 }, answer), 'another’s').to.equal('refuse EBADF (C5)');
      expect(judged.errnos(op, FILE, NOTHING)).to.deep.equal([]);
      expect(judged.toErrno(op, FILE, 'ENOMEM')).to.equal('no ENOMEM (P1)');
    });
  }
});

describe('ion_share', () => {
  it('refuses clients and handles that there are none of', () => {
    const judged = withFile();
    for (const client of GARBAGE) {
      expect(judged.errnos('ion_share', { client, handle: 1 })).to.deep.equal(['EBADF', 'EINVAL']);
      expect(judged.to('ion_share', { client, handle: 1 }, { fd: 1 })).to.equal('refuse EBADF (C5)');
    }
    for (const handle of [0, 2, -1, 0.5])
      expect(judged.errnos('ion_share', { client: 0, handle })).to.deep.equal(['EINVAL']);
    expect(judged.errnos('ion_share', { client: 1, handle: 1 }), 'another’s').to.deep.equal(['EINVAL']);
  });

  it('gives a descriptor of the client that is not in use, from 0 on', () => {
    const judged = withFile();
    for (const fd of [0, 3, -1, 0.5]) {
      expect(judged.to('ion_share', OWNED, { fd })).to.equal('a descriptor that is not in use (C5)');
    }
    expect(judged.toErrno('ion_share', OWNED, 'EMFILE')).to.equal('no EMFILE (P1)');
    for (const fd of [2, 1]) judged.make('ion_share', OWNED, { fd });
    expect(judged.errnos('ion_share', OWNED)).to.deep.equal(['EMFILE']);
    expect(judged.to('ion_share', OWNED, { fd: 2 })).to.equal('refuse EMFILE (P1)');
    expect(refs(judged)).to.equal(4);
  });

  it('keeps the buffer when its handle goes, and lets it go with the descriptor', () => {
    const judged = withFile();
    judged.make('ion_free', OWNED, {});
    expect(refs(judged)).to.equal(1);
    expect(judged.world.size.get(9)).to.equal(3);
    judged.make('fd_close', FILE, {});
    expect([refs(judged), judged.world.size.get(9)]).to.deep.equal([0, 0]);
  });
});

describe('fd_dup', () => {
  it('gives another descriptor of the same client', () => {
    const judged = withFile();
    expect(judged.to('fd_dup', FILE, { fd: 0 })).to.equal('a descriptor that is not in use (C5)');
    expectUndone(judged, () => {
      judged.make('fd_dup', FILE, { fd: 2 });
      expect([...judged.world.fd.values]).to.deep.equal([10, 0, 10, 0, 0, 0]);
      expect(refs(judged)).to.equal(3);
      judged.make('fd_close', { client: 0, fd: 2 }, {});
    });
    for (const fd of [1, 2]) judged.make('fd_dup', FILE, { fd });
    expect(judged.errnos('fd_dup', FILE)).to.deep.equal(['EMFILE']);
    expect(judged.to('fd_dup', FILE, { fd: 2 })).to.equal('refuse EMFILE (P1)');
  });
});

describe('fd_send', () => {
  const SEND = { ...FILE, to: 1 } as const;

  it('refuses senders, descriptors and receivers that there are none of', () => {
    const judged = withFile();
    for (const client of GARBAGE)
      expect(judged.errnos('fd_send', { ...SEND, client })).to.deep.equal(['EBADF']);
    for (const fd of [1, 3, -1, 0.5])
      expect(judged.errnos('fd_send', { ...SEND, fd })).to.deep.equal(['EBADF']);
    for (const to of GARBAGE) {
      expect(judged.errnos('fd_send', { ...SEND, to })).to.deep.equal(['EBADF']);
      expect(judged.to('fd_send', { ...SEND, to }, { fd: 0 })).to.equal('refuse EBADF (C5)');
    }
    expect(judged.errnos('fd_send', { ...SEND, client: 1 })).to.deep.equal(['EBADF']);
  });

  it('gives the receiver a descriptor of its own, and leaves the sender’s', () => {
    const judged = withFile();
    for (const fd of [3, -1]) {
      expect(judged.to('fd_send', SEND, { fd })).to.equal('a descriptor that is not in use (C5)');
    }
    for (const fd of [0, 2, 1]) judged.make('fd_send', SEND, { fd });
    expect([...judged.world.fd.values]).to.deep.equal([10, 0, 0, 10, 10, 10]);
    expect(refs(judged)).to.equal(5);
    expect(judged.errnos('fd_send', SEND)).to.deep.equal(['EMFILE']);
    expect(judged.to('fd_send', SEND, { fd: 0 })).to.equal('refuse EMFILE (P1)');
    expect(judged.errnos('fd_send', { ...SEND, to: 0 }), 'to oneself').to.deep.equal([]);
    expect(judged.toErrno('fd_send', { ...SEND, to: 0 }, 'EMFILE')).to.equal('no EMFILE (P1)');
  });

  it('leaves the receiver its buffer when the sender ends', () => {
    const judged = withFile();
    judged.make('fd_send', SEND, { fd: 0 });
    judged.make('ion_client_destroy', { client: 0 }, {});
    expect(refs(judged)).to.equal(1);
    judged.make('ion_import', { client: 1, fd: 0 }, { handle: 2 });
    judged.make('ion_client_destroy', { client: 1 }, {});
    expect(judged.world.size.get(9)).to.equal(0);
  });
});

describe('ion_import', () => {
  const IMPORT = { client: 1, fd: 0 } as const;
  const HANDLE = 'the handle that the client has, or a new one (C5)';

  it('gives a new handle to a client that has none for the buffer', () => {
    const judged = withFile();
    judged.make('fd_send', { ...FILE, to: 1 }, { fd: 0 });
    for (const handle of [0, 3, -1, 0.5])
      expect(judged.to('ion_import', IMPORT, { handle }), `${handle}`).to.equal(HANDLE);
    judged.make('ion_import', IMPORT, { handle: 2 });
    const { handle, handleCount } = judged.world;
    expect([...handle.values]).to.deep.equal([0, 10, 0, 0, 0, 10]);
    expect([...handleCount.values]).to.deep.equal([0, 1, 0, 0, 0, 1]);
    expect(refs(judged)).to.equal(4);
  });

  it('gives the one handle again to a client that has it, and counts it up', () => {
    const judged = withFile();
    for (const handle of [2, 0]) expect(judged.to('ion_import', FILE, { handle })).to.equal(HANDLE);
    judged.make('ion_import', FILE, { handle: 1 });
    expect([judged.world.handleCount.get(1), refs(judged)]).to.deep.equal([2, 2]);
  });

  it('refuses a handle too many, but not one that is there', () => {
    const judged = withFile({ handles: 1 });
    judged.make('fd_send', { ...FILE, to: 1 }, { fd: 0 });
    expect(judged.errnos('ion_import', FILE)).to.deep.equal([]);
    expect(judged.toErrno('ion_import', IMPORT, 'ENOSPC')).to.equal('no ENOSPC (P1)');
    const other = { client: 1, bytes: 1, heaps: ['iommu'], flags: 'cached' } as const;
    judged.make('ion_alloc', other, { handle: 1, pages: [2] });
    expect(judged.errnos('ion_import', IMPORT)).to.deep.equal(['ENOSPC']);
    expect(judged.to('ion_import', IMPORT, { handle: 1 })).to.equal('refuse ENOSPC (P1)');
  });
});

describe('ion_map_kernel', () => {
  const ADDRESS = 18 * 64;
  const said = (judged: Judged, address: number, handle = 1): string =>
    judged.to('ion_map_kernel', OWNED, { handle, address });

  it('refuses clients and handles that there are none of', () => {
    const judged = withFile();
    for (const client of GARBAGE) {
      expect(judged.errnos('ion_map_kernel', { client, handle: 1 })).to.deep.equal(['EBADF', 'EINVAL']);
    }
    for (const handle of [0, 2, 0.5])
      expect(judged.errnos('ion_map_kernel', { client: 0, handle })).to.deep.equal(['EINVAL']);
    expect(judged.to('ion_map_kernel', { client: 1, handle: 1 }, { handle: 1, address: ADDRESS })).to.equal(
      'refuse EINVAL (C5)',
    );
  });

  it('gives unused addresses of the vmalloc space, with a guard page behind', () => {
    const judged = withFile();
    for (const page of [16, 18, 28]) expect(said(judged, page * 64), `${page}`).to.equal('content');
    const wrong = 'the address of the mapping there is, or unused ones (P3)';
    for (const address of [15 * 64, 29 * 64, 32 * 64, 18 * 64 + 8, -64])
      expect(said(judged, address), `${address}`).to.equal(wrong);
    expect(said(judged, ADDRESS, 2)).to.equal('the handle that was asked for (P1)');
    expect(judged.toErrno('ion_map_kernel', OWNED, 'ENOMEM')).to.equal('no ENOMEM (M2b)');
  });

  it('maps the buffer once, for all handles, and counts by handle', () => {
    const judged = withFile();
    judged.make('fd_send', { ...FILE, to: 1 }, { fd: 0 });
    judged.make('ion_import', { client: 1, fd: 0 }, { handle: 2 });
    expectUndone(judged, () => {
      judged.make('ion_map_kernel', OWNED, { handle: 1, address: ADDRESS });
      const { mapped, kernelMaps } = judged.world;
      expect([...mapped.values.subarray(0, 7)], 'uncached').to.deep.equal([0, 0, 20, 10, 16, 0, 0]);
      expect(said(judged, 24 * 64)).to.equal('the address of the mapping there is, or unused ones (P3)');
      expect(judged.errnos('ion_map_kernel', OWNED, NOTHING), 'it is there').to.deep.equal([]);
      judged.make('ion_map_kernel', { client: 1, handle: 2 }, { handle: 2, address: ADDRESS });
      judged.make('ion_map_kernel', OWNED, { handle: 1, address: ADDRESS });
      expect([...kernelMaps.values]).to.deep.equal([0, 2, 0, 0, 0, 1]);
      for (const [client, map] of [
        [0, 1],
        [1, 2],
      ] as const)
        judged.make('ion_unmap_kernel', { client, map }, {});
      expect(mapped.get(2), 'one handle counts it still').to.equal(20);
      judged.make('ion_unmap_kernel', { client: 0, map: 1 }, {});
    });
  });

  it('maps through caches what is cached', () => {
    const judged = withFile({}, 'cached');
    judged.make('ion_map_kernel', OWNED, { handle: 1, address: ADDRESS });
    expect([...judged.world.mapped.values.subarray(2, 5)]).to.deep.equal([21, 11, 17]);
  });

  // Three pages and a guard; the top table and two more.
  it('may fail only if the target shows too few addresses, or too few pages for tables', () => {
    const errnos = (shown: Partial<Shown>): string[] =>
      withFile().errnos('ion_map_kernel', OWNED, seen({ ...PLENTY, ...shown }));
    expect(errnos({ hole: 4, free: 3 })).to.deep.equal([]);
    expect(errnos({ hole: 3 })).to.deep.equal(['ENOMEM']);
    expect(errnos({ free: 2 })).to.deep.equal(['ENOMEM']);
    expect(withFile().errnos('ion_map_kernel', OWNED, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('ends with the last handle that counts it', () => {
    const judged = withFile();
    judged.make('ion_map_kernel', OWNED, { handle: 1, address: ADDRESS });
    judged.make('ion_free', OWNED, {});
    const { mapped, kernelMap, kernelMaps } = judged.world;
    for (const column of [mapped, kernelMap, kernelMaps])
      expect(column.values.every((value) => value === 0)).to.equal(true);
    expect(refs(judged), 'the descriptor holds the buffer').to.equal(1);
  });
});

describe('ion_unmap_kernel', () => {
  it('is sent for handles of the client that count a mapping', () => {
    const judged = withFile();
    const undue = (client: number, map: number): string | undefined =>
      judged.undue('ion_unmap_kernel', { client, map });
    for (const [client, map] of [
      [2, 1],
      [1, 1],
      [0, 2],
      [0, 0],
      [0, 0.5],
    ] as const)
      expect(undue(client, map), `${client} ${map}`).to.equal('the client has the handle');
    expect(undue(0, 1)).to.equal('the handle counts a kernel mapping');
    judged.make('ion_map_kernel', OWNED, { handle: 1, address: 16 * 64 });
    expect(undue(0, 1)).to.equal(undefined);
    expect(judged.toErrno('ion_unmap_kernel', { client: 0, map: 1 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });
});

describe('ion_mmap', () => {
  const PART = { ...FILE, offset: 64, bytes: 65 } as const;
  const RANGE = 'the range is not whole pages of the buffer';
  const errnos = (more: Partial<ArgsOf<'ion_mmap'>>): string[] =>
    withFile().errnos('ion_mmap', { ...PART, ...more });

  it('refuses clients and descriptors that there are none of', () => {
    for (const client of GARBAGE) expect(errnos({ client })).to.deep.equal(['EBADF', 'EINVAL']);
    for (const fd of [1, 3, -1, 0.5]) expect(errnos({ fd })).to.deep.equal(['EBADF', 'EINVAL']);
    expect(withFile().to('ion_mmap', { ...PART, client: 1 }, { address: user(1) })).to.equal(
      'refuse EBADF (C5)',
    );
  });

  it(`refuses what ${RANGE.slice('the range '.length)}`, () => {
    for (const [offset, bytes] of [
      [0, 0],
      [0, -64],
      [8, 64],
      [0, 193],
      [64, 129],
      [128, 65],
      [192, 64],
    ] as const) {
      expect(errnos({ offset, bytes }), `${offset} ${bytes}`).to.deep.equal(['EINVAL']);
    }
    for (const [offset, bytes] of [
      [0, 1],
      [0, 192],
      [64, 128],
      [128, 64],
    ] as const) {
      expect(errnos({ offset, bytes }), `${offset} ${bytes}`).to.deep.equal([]);
    }
    expect(withFile().to('ion_mmap', { ...PART, bytes: 0 }, { address: user(0) })).to.equal(
      'refuse EINVAL (P3)',
    );
    expect(withFile().toErrno('ion_mmap', PART, 'EINVAL')).to.equal('no EINVAL (S3)');
  });

  it('gives unused addresses of the client alone', () => {
    const judged = withFile();
    judged.make('ion_mmap', PART, { address: user(0) + 3 * 64 });
    const said = (address: number): string => judged.to('ion_mmap', PART, { address });
    for (const page of [0, 1, 5, 6]) expect(said(user(0) + page * 64), `${page}`).to.equal('content');
    for (const address of [2, 3, 4, 7, 8, -1].map((page) => user(0) + page * 64).concat(user(0) + 8)) {
      expect(said(address), `${address}`).to.equal('addresses of the client that are unused (P3)');
    }
  });

  it('must fail when no hole has room, and only then', () => {
    const judged = withFile({ userPages: 5 });
    const whole = { ...FILE, offset: 0, bytes: 192 };
    judged.make('ion_mmap', whole, { address: 34 * 64 });
    expect(judged.errnos('ion_mmap', whole)).to.deep.equal(['ENOMEM']);
    expect(judged.to('ion_mmap', whole, { address: 32 * 64 })).to.equal('refuse ENOMEM (S3)');
    expect(judged.errnos('ion_mmap', PART)).to.deep.equal([]);
    expect(judged.toErrno('ion_mmap', PART, 'ENOMEM')).to.equal('no ENOMEM (S3)');
  });

  it('reaches exactly the part that was asked for, and holds the buffer', () => {
    const judged = withFile();
    judged.make('ion_mmap', PART, { address: user(0) + 64 });
    const { mapped, userMap } = judged.world;
    expect([...mapped.values.subarray(16, 21)]).to.deep.equal([0, 10, 16, 0, 0]);
    expect([...userMap.values.subarray(0, 4)]).to.deep.equal([0, 10, 0, 0]);
    judged.make('fd_close', FILE, {});
    judged.make('ion_free', OWNED, {});
    expect(refs(judged)).to.equal(1);
    judged.make('cpu_write', { at: user(0) + 64, bytes: 192, tag: 3 }, { lines: 8 });
    judged.make('ion_munmap', { client: 0, map: user(0) + 64 }, {});
    expect(judged.world.size.get(9)).to.equal(0);
  });
});

describe('ion_munmap', () => {
  it('refuses clients that there are none of, and addresses where no mapping of the client starts', () => {
    const judged = withFile();
    judged.make('ion_mmap', { ...FILE, offset: 0, bytes: 128 }, { address: user(0) });
    for (const client of GARBAGE) {
      expect(judged.errnos('ion_munmap', { client, map: user(0) })).to.deep.equal(['EBADF', 'EINVAL']);
      expect(judged.to('ion_munmap', { client, map: user(0) }, {})).to.equal('refuse EBADF (C5)');
    }
    for (const map of [user(0) + 8, user(0) + 64, user(0) + 128, 0, -64, 2 ** 60, 0.5]) {
      expect(judged.errnos('ion_munmap', { client: 0, map }), `${map}`).to.deep.equal(['EINVAL']);
    }
    expect(judged.to('ion_munmap', { client: 1, map: user(0) }, {}), 'another’s').to.equal(
      'refuse EINVAL (C5)',
    );
    judged.make('ion_map_kernel', OWNED, { handle: 1, address: 16 * 64 });
    expect(judged.errnos('ion_munmap', { client: 0, map: 16 * 64 }), 'the kernel’s').to.deep.equal([
      'EINVAL',
    ]);
    expect(judged.errnos('ion_munmap', { client: 0, map: user(0) }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('ion_munmap', { client: 0, map: user(0) }, 'ENOMEM')).to.equal('no ENOMEM (P1)');
  });

  it('ends one mapping, and drops its reference', () => {
    const judged = withFile();
    judged.make('ion_mmap', { ...FILE, offset: 0, bytes: 64 }, { address: user(0) + 64 });
    expectUndone(judged, () => {
      judged.make('ion_mmap', { ...FILE, offset: 0, bytes: 192 }, { address: user(0) + 128 });
      expect(refs(judged)).to.equal(4);
      judged.make('ion_munmap', { client: 0, map: user(0) + 128 }, {});
    });
  });
});

describe('ion_sync', () => {
  it('brings to memory what CPUs wrote to the buffer, and nothing else', () => {
    const judged = withFile({}, 'cached');
    const other = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' } as const;
    judged.make('ion_alloc', other, { handle: 2, pages: [2] });
    const held = (page: number): string => showLine(judged.world.line.get(page * 4));
    expect(held(9)).to.equal('anything in memory, 0 cached and dirty');
    judged.make('ion_sync', FILE, {});
    expect([9, 4, 7].map(held)).to.deep.equal(['0 in memory', '0 in memory', '0 in memory']);
    expect(held(2)).to.equal('anything in memory, 0 cached and dirty');
  });
});
