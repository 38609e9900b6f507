import { by } from './about.ts';
import type { Buffers } from './buffers.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EBADF, EMFILE } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import { SEEN_FD } from './seen.ts';
import type { Store } from './store.ts';

/**
 * File descriptors of each client, numbered from 0. Each holds a reference to one buffer, so that a buffer
 * may outlive all of its handles.
 */
export class Fds {
  /** At client * fds + fd: page 0 of the buffer + 1, or 0. */
  readonly fd: Column;
  private readonly buffers: Buffers;
  private readonly faults: FaultPoints;
  private readonly end: number;

  constructor(store: Store, config: Config, buffers: Buffers, faults: FaultPoints) {
    this.buffers = buffers;
    this.faults = faults;
    this.end = config.fds;
    this.fd = store.column(config.clients * config.fds, SEEN_FD, by('client', ['fd', config.fds]));
  }

  /** A descriptor of a client for a buffer, with a reference of its own. Returns it, or -EMFILE. */
  open(client: number, buffer: number): number {
    const fd = this.newId(client);
    if (fd < 0) return fd;
    this.fd.set(this.placeOf(client, fd), buffer + 1);
    this.takeReference(buffer);
    return fd;
  }

  /** The buffer behind a number that a user sent, or -EBADF. */
  lookUp(client: number, fd: number): number {
    if (!isIndex(fd, this.end)) return -EBADF;
    const held = this.fd.get(this.placeOf(client, fd));
    return held === 0 ? -EBADF : held - 1;
  }

  /** Ends a descriptor that is open: the number goes first, then its reference. */
  close(client: number, fd: number): void {
    const place = this.placeOf(client, fd);
    const buffer = this.fd.get(place) - 1;
    this.fd.set(place, 0);
    this.dropReference(buffer);
  }

  closeAll(client: number): void {
    for (let fd = 0; fd < this.end; fd++) {
      if (this.fd.get(this.placeOf(client, fd)) !== 0) this.close(client, fd);
    }
  }

  takeReference(buffer: number): void {
    this.buffers.takeReference(buffer);
  }

  dropReference(buffer: number): void {
    this.buffers.dropReference(buffer);
  }

  /** The lowest number that is not open, or -EMFILE. */
  newId(client: number): number {
    if (this.faults.ask(SITE_ID)) return -EMFILE;
    for (let fd = 0; fd < this.end; fd++) if (this.fd.get(this.placeOf(client, fd)) === 0) return fd;
    return -EMFILE;
  }

  /** Where a descriptor stands in its column. */
  placeOf(client: number, fd: number): number {
    return client * this.end + fd;
  }
}
