import { expect } from 'chai';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';

/** Client 0 has a buffer of two pages as handle 1, and descriptor 0 for it. */
function withFile(): Judged {
  const judged = new Judged();
  judged.make('ion_client_create', {}, { client: 0 });
  const asked = { client: 0, bytes: 128, heaps: ['iommu'], flags: 'cached' } as const;
  judged.make('ion_alloc', asked, { handle: 1, pages: [3, 6] });
  judged.make('ion_share', { client: 0, handle: 1 }, { fd: 0 });
  return judged;
}

describe('errnos of some kernels, and not of others', () => {
  it('are ENOMEM of a descriptor, if the target shows no page for it', () => {
    const owned = { client: 0, handle: 1 };
    for (const short of [NOTHING, seen({ ...PLENTY, free: 0 })])
      expect(withFile().errnos('ion_share', owned, short)).to.deep.equal(['ENOMEM']);
    expect(withFile().errnos('ion_share', owned, seen({ ...PLENTY, free: 1 }))).to.deep.equal([]);
  });

  it('are EOVERFLOW of a range that wraps, and of no other', () => {
    const errnos = (offset: number, bytes: number): string[] =>
      withFile().errnos('ion_mmap', { client: 0, fd: 0, offset, bytes });
    for (const [offset, bytes] of [
      [-64, 64],
      [2 ** 64, 64],
    ] as const)
      expect(errnos(offset, bytes)).to.deep.equal(['EINVAL', 'EOVERFLOW']);
    expect(errnos(0, 2 ** 64)).to.deep.equal(['EINVAL', 'ENOMEM', 'EOVERFLOW']);
    expect(errnos(64, 128)).to.deep.equal(['EINVAL']);
    expect(errnos(64, 64)).to.deep.equal([]);
  });
});

describe('calls with a descriptor', () => {
  it('say that it is the client that is missing, where it is', () => {
    const judged = withFile();
    const [none, from] = [{ client: 1, fd: 0 }, 'errno EBADF: there is no such '];
    const range = { ...none, offset: 0, bytes: 64 };
    expect([
      judged.expected('ion_import', none, { handle: 1 }),
      judged.expected('ion_mmap', range, { address: 0 }),
      judged.expected('ion_sync', none, {}),
      judged.expected('fd_close', none, {}),
      judged.expected('fd_dup', none, { fd: 1 }),
      judged.expected('fd_send', { ...none, to: 0 }, { fd: 1 }),
      judged.expected('fd_send', { client: 0, fd: 0, to: 1 }, { fd: 1 }),
    ]).to.deep.equal([...Array<string>(6).fill(`${from}client`), `${from}receiver`]);
    expect(judged.expected('fd_close', { client: 0, fd: 1 }, {})).to.match(
      /the client has no such descriptor$/,
    );
  });
});
