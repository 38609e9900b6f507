import { expect } from 'chai';
import { EBADF, EINVAL, EMFILE, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_ID } from './faults.ts';
import { FLAG_CACHED, HEAP_IOMMU } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';

/** Numbers that a user may send where another is meant. */
const HOSTILE = [-1, 0.5, 8, 2 ** 60, Number.NaN];
/** The first user address of client 0 on a machine of 64 pages and 64 of vmalloc. */
const USER = 128 * 64;

/** Pages that are free or parked. */
const freeOf = ({ pages }: Kernel): number => pages.freeCount.get(0) + pages.parked.count.get(0);

/** A client with a buffer of three pages that only a descriptor holds. */
function holder(kernel: Kernel, flags = 0): { client: number; fd: number; buffer: number } {
  const { ion, sharing } = kernel;
  const client = ion.createClient();
  const handle = ion.allocate(client, 3 * 64, HEAP_IOMMU, flags);
  const buffer = ion.lookUp(client, handle);
  const fd = sharing.share(client, handle);
  ion.free(client, handle);
  return { client, fd, buffer };
}

/** Page frames + 1 and cached bits that a client's address space shows. */
const spaceOf = ({ users }: Kernel, client: number): number[] =>
  Array.from({ length: 16 }, (_, page) => users.translate(client, page));

describe('file descriptors', () => {
  it('keep a buffer that has no handle any more', () => {
    const kernel = boot();
    const { client, fd, buffer } = holder(kernel);
    expect(fd).to.equal(0);
    expect(kernel.buffers.refs.get(buffer)).to.equal(1);
    expect(kernel.sharing.import(client, fd)).to.equal(1);
    expect(kernel.buffers.refs.get(buffer)).to.equal(2);
    expect(kernel.ion.lookUp(client, 1)).to.equal(buffer);
    expect(kernel.sharing.close(client, fd)).to.equal(0);
    expect(kernel.sharing.close(client, fd)).to.equal(-EBADF);
    expect(kernel.ion.free(client, 1)).to.equal(0);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('are each client’s own, and numbered from the lowest that is free', () => {
    const kernel = boot({ fds: 2 });
    const { sharing, ion } = kernel;
    const { client, fd, buffer } = holder(kernel);
    const other = ion.createClient();
    expect([sharing.dup(client, fd), sharing.dup(client, fd)]).to.deep.equal([1, -EMFILE]);
    expect([1, 2, 3].map(() => sharing.send(client, fd, other))).to.deep.equal([0, 1, -EMFILE]);
    expect(kernel.buffers.refs.get(buffer)).to.equal(4);
    sharing.close(client, fd);
    expect(sharing.dup(client, 1)).to.equal(0);
    ion.destroyClient(client);
    expect(kernel.buffers.refs.get(buffer)).to.equal(2);
    expect(sharing.import(other, 1)).to.equal(1);
    ion.destroyClient(other);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('are looked up, whatever comes in', () => {
    const kernel = boot();
    const { sharing } = kernel;
    const { client, fd } = holder(kernel);
    for (const none of [...HOSTILE, 1]) {
      for (const [who, what] of [
        [client, none],
        [none, fd],
      ] as const) {
        expect(sharing.import(who, what)).to.equal(-EBADF);
        expect(sharing.close(who, what)).to.equal(-EBADF);
        expect(sharing.dup(who, what)).to.equal(-EBADF);
        expect(sharing.mmap(who, what, 0, 64)).to.equal(-EBADF);
        expect(sharing.sync(who, what)).to.equal(-EBADF);
      }
      expect(sharing.send(client, fd, none)).to.equal(-EBADF);
      expect(sharing.munmap(none, USER)).to.equal(-EBADF);
      expect(sharing.share(none, 1)).to.equal(-EBADF);
      expect(sharing.share(client, none)).to.equal(-EINVAL);
    }
  });

  it('leave nothing behind when there is no number for them', () => {
    const kernel = boot({ handles: 1 });
    const { sharing, ion, buffers, faults } = kernel;
    const { client, fd, buffer } = holder(kernel);
    faults.arm(SITE_ID, 1);
    expect(sharing.dup(client, fd)).to.equal(-EMFILE);
    faults.arm(SITE_ID, 1);
    expect(sharing.import(client, fd)).to.equal(-ENOSPC);
    const handle = ion.allocate(client, 64, HEAP_IOMMU);
    expect(sharing.import(client, fd)).to.equal(-ENOSPC);
    faults.arm(SITE_ID, 1);
    expect(sharing.share(client, handle)).to.equal(-EMFILE);
    expect(buffers.refs.get(buffer)).to.equal(1);
    expect(ion.fds.fd.values.filter((held) => held !== 0)).to.have.length(1);
  });

  it('sync what was written to a cached buffer', () => {
    const kernel = boot();
    const { client, fd, buffer } = holder(kernel, FLAG_CACHED);
    kernel.cache.write(buffer, 1, 7);
    expect(kernel.sharing.sync(client, fd)).to.equal(0);
    expect(kernel.memory.readLine(buffer, 1)).to.equal(7);
    expect(kernel.cache.read(buffer, 1)).to.equal(7);
  });
});

describe('user mappings', () => {
  for (const flags of [0, FLAG_CACHED]) {
    it(`show the pages of a buffer, as cached as it is: ${flags}`, () => {
      const kernel = boot();
      const { client, fd, buffer } = holder(kernel, flags);
      expect(kernel.sharing.mmap(client, fd, 64, 65)).to.equal(USER);
      const expected = [1, 2].map((i) => ((kernel.buffers.pageAt(buffer, i) + 1) << 1) | flags);
      expect(spaceOf(kernel, client).slice(0, 3)).to.deep.equal([...expected, 0]);
    });
  }

  it('keep a buffer alive, until they end with their client', () => {
    const kernel = boot();
    const { sharing, ion, buffers } = kernel;
    const { client, fd, buffer } = holder(kernel);
    const [low, high] = [sharing.mmap(client, fd, 0, 64), sharing.mmap(client, fd, 0, 192)];
    expect(high - low).to.equal(64);
    sharing.close(client, fd);
    expect(buffers.refs.get(buffer)).to.equal(2);
    expect(sharing.munmap(client, high + 64)).to.equal(-EINVAL);
    expect(sharing.munmap(client, low)).to.equal(0);
    expect(sharing.munmap(client, low)).to.equal(-EINVAL);
    expect(buffers.refs.get(buffer)).to.equal(1);
    ion.destroyClient(client);
    expect(freeOf(kernel)).to.equal(64);
    expect(spaceOf(kernel, client).every((mapping) => mapping === 0)).to.equal(true);
  });

  it('stay inside the buffer', () => {
    const kernel = boot();
    const { client, fd } = holder(kernel);
    const { sharing } = kernel;
    for (const bytes of [0, -1, 193, 2 ** 64, Number.NaN]) {
      expect(sharing.mmap(client, fd, 0, bytes)).to.equal(-EINVAL);
    }
    for (const offset of [1, 8, -64, 192, 2 ** 64, Number.NaN]) {
      expect(sharing.mmap(client, fd, offset, 64)).to.equal(-EINVAL);
    }
    expect(sharing.mmap(client, fd, 128, 65)).to.equal(-EINVAL);
    expect(sharing.mmap(client, fd, 128, 64)).to.equal(USER);
  });

  it('belong to their client', () => {
    const kernel = boot({ userPages: 4 });
    const { sharing, ion, buffers } = kernel;
    const { client, fd, buffer } = holder(kernel);
    const other = ion.createClient();
    const theirs = sharing.mmap(other, sharing.send(client, fd, other), 0, 192);
    expect(theirs).to.equal(USER + 4 * 64);
    expect(sharing.mmap(client, fd, 0, 192)).to.equal(USER);
    expect(sharing.mmap(client, fd, 0, 128)).to.equal(-ENOMEM);
    expect(buffers.refs.get(buffer)).to.equal(4);
    for (const address of [theirs, 0, USER + 1, USER - 64, 2 ** 64]) {
      expect(sharing.munmap(client, address)).to.equal(-EINVAL);
    }
    expect(sharing.munmap(other, theirs)).to.equal(0);
    expect(spaceOf(kernel, client)[0]).to.not.equal(0);
  });
});
