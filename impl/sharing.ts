import { isIndex } from './check.ts';
import type { Config } from './config.ts';
import { EBADF, EINVAL } from './errno.ts';
import type { Ion } from './ion.ts';
import type { Steps } from './steps.ts';

/**
 * What clients do with file descriptors: pass buffers on, map them, sync them. After the ION core of about
 * Linux 3.18 and Linux 6.1 drivers/dma-buf/dma-buf.c. Every number that comes in is looked up, whatever it
 * is.
 */
export class Sharing {
  private readonly ion: Ion;
  private readonly pageBytes: number;
  private readonly userPages: number;
  /** Number of the first user page of client 0: the kernel's own address space comes before. */
  private readonly userBase: number;

  constructor(config: Config, ion: Ion) {
    this.ion = ion;
    this.pageBytes = config.pageBytes;
    this.userPages = config.userPages;
    this.userBase = config.pages + config.vmallocPages;
  }

  /** `ION_IOC_SHARE`. Returns a descriptor; -EBADF no such client, -EINVAL no such handle, -EMFILE. */
  share(client: number, handle: number): number {
    const buffer = this.ion.find(client, handle);
    return buffer < 0 ? buffer : this.ion.fds.open(client, buffer);
  }

  /** {@link share}, interruptible. */
  shareSteps(client: number, handle: number): Steps {
    return this.ion.whileHeld(
      () => this.ion.find(client, handle),
      (buffer) => this.ion.fds.open(client, buffer),
    );
  }

  /**
   * `ION_IOC_IMPORT`: the handle that a client has for a buffer, once more, or a new one. Returns it; -EBADF,
   * -ENOSPC no handle id.
   */
  import(client: number, fd: number): number {
    const buffer = this.lookUp(client, fd);
    return buffer < 0 ? buffer : this.importBuffer(client, buffer);
  }

  /** {@link import}, interruptible: whether there is a handle is asked in the section that makes one. */
  importSteps(client: number, fd: number): Steps {
    return this.ion.whileHeld(
      () => this.lookUp(client, fd),
      (buffer) => this.importBuffer(client, buffer),
    );
  }

  /** `close()`. Returns 0, or -EBADF. */
  close(client: number, fd: number): number {
    const buffer = this.lookUp(client, fd);
    if (buffer < 0) return buffer;
    this.ion.fds.close(client, fd);
    return 0;
  }

  /** `dup()`. Returns another descriptor of the same client; -EBADF, -EMFILE. */
  dup(client: number, fd: number): number {
    return this.send(client, fd, client);
  }

  /** `SCM_RIGHTS`: returns a descriptor of the client `to` for the same buffer; -EBADF, -EMFILE. */
  send(client: number, fd: number, to: number): number {
    const buffer = this.lookUpFor(client, fd, to);
    return buffer < 0 ? buffer : this.ion.fds.open(to, buffer);
  }

  /** {@link send} and {@link dup}, interruptible. */
  sendSteps(client: number, fd: number, to: number): Steps {
    return this.ion.whileHeld(
      () => this.lookUpFor(client, fd, to),
      (buffer) => this.ion.fds.open(to, buffer),
    );
  }

  /**
   * `mmap()` of a descriptor: [offset, offset + bytes) of its buffer, to read and write.
   *
   * @param offset - any number; a multiple of the page size, or -EINVAL
   * @param bytes - any number; rounded up to pages
   * @returns the address in bytes; -EBADF, -EINVAL nothing or more than the buffer has, -ENOMEM
   */
  mmap(client: number, fd: number, offset: number, bytes: number): number {
    const buffer = this.lookUp(client, fd);
    return buffer < 0 ? buffer : this.mapRange(client, buffer, offset, bytes);
  }

  /** {@link mmap}, interruptible. */
  mmapSteps(client: number, fd: number, offset: number, bytes: number): Steps {
    return this.ion.whileHeld(
      () => this.lookUp(client, fd),
      (buffer) => this.mapRange(client, buffer, offset, bytes),
    );
  }

  /**
   * `munmap()` of what {@link mmap} returned. Returns 0; -EBADF, -EINVAL no mapping of the client starts
   * there.
   */
  munmap(client: number, address: number): number {
    if (!this.ion.isClient(client)) return -EBADF;
    const userPage = address / this.pageBytes - this.userBase - client * this.userPages;
    if (!isIndex(userPage, this.userPages)) return -EINVAL;
    if (!this.ion.userMaps.startsAt(client, userPage)) return -EINVAL;
    this.ion.userMaps.unmap(client, userPage);
    return 0;
  }

  /** `ION_IOC_SYNC`: devices see what CPUs wrote to the buffer. Returns 0, or -EBADF. */
  sync(client: number, fd: number): number {
    const buffer = this.lookUp(client, fd);
    if (buffer < 0) return buffer;
    this.ion.buffers.clean(buffer);
    return 0;
  }

  /** The buffer behind a descriptor, or -EBADF. */
  lookUp(client: number, fd: number): number {
    return this.ion.isClient(client) ? this.ion.fds.lookUp(client, fd) : -EBADF;
  }

  /** The buffer behind a descriptor for a client that may get it, or -EBADF. */
  lookUpFor(client: number, fd: number, to: number): number {
    return this.ion.isClient(to) ? this.lookUp(client, fd) : -EBADF;
  }

  /** Whether there are such pages in a buffer, and at least one. */
  isInside(buffer: number, first: number, count: number): boolean {
    const pages = this.ion.buffers.count.get(buffer);
    return isIndex(first, pages) && count > 0 && first + count <= pages;
  }

  /** A handle with a reference of its own. Returns it, or -ENOSPC. */
  importNew(client: number, buffer: number): number {
    const handle = this.ion.newHandle(client);
    if (handle < 0) return handle;
    this.ion.takeReference(buffer);
    this.ion.openHandle(client, handle, buffer);
    return handle;
  }

  private importBuffer(client: number, buffer: number): number {
    const handle = this.ion.findHandle(client, buffer);
    if (handle === 0) return this.importNew(client, buffer);
    this.ion.getHandle(client, handle);
    return handle;
  }

  private mapRange(client: number, buffer: number, offset: number, bytes: number): number {
    const first = offset / this.pageBytes;
    const count = Math.ceil(bytes / this.pageBytes);
    if (!this.isInside(buffer, first, count)) return -EINVAL;
    const userPage = this.ion.userMaps.map(client, buffer, first, count);
    return userPage < 0 ? userPage : this.addressOf(client, userPage);
  }

  private addressOf(client: number, userPage: number): number {
    return (this.userBase + client * this.userPages + userPage) * this.pageBytes;
  }
}
