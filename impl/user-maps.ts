import { by } from './about.ts';
import type { Buffers } from './buffers.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { SEEN_NOWHERE, SEEN_USER_MAP } from './seen.ts';
import type { Store } from './store.ts';
import type { UserSpaces } from './user-space.ts';

/**
 * Mappings of buffers in the address spaces of clients. Each holds a reference: what a client can still reach
 * outlives its handle and its descriptor. After the ION core, ion_mmap().
 */
export class UserMaps {
  /** At client * userPages + first user page: page 0 of the buffer + 1, or 0. */
  readonly buffer: Column;
  /** Pages of the mapping that starts there. */
  private readonly count: Column;
  private readonly buffers: Buffers;
  private readonly users: UserSpaces;
  readonly userPages: number;

  constructor(store: Store, config: Config, buffers: Buffers, users: UserSpaces) {
    this.buffers = buffers;
    this.users = users;
    this.userPages = config.userPages;
    const pages = config.clients * config.userPages;
    this.buffer = store.column(pages, SEEN_USER_MAP, by('client', config.userPages));
    this.count = store.column(pages, SEEN_NOWHERE, by('client', config.userPages));
  }

  /** Maps `count` pages of a buffer from page `first` on. Returns the first user page, or -ENOMEM. */
  map(client: number, buffer: number, first: number, count: number): number {
    const pageOf = (index: number): number => this.buffers.pageAt(buffer, first + index);
    const userPage = this.users.map(client, count, pageOf, this.isCached(buffer));
    if (userPage < 0) return userPage;
    this.record(client, userPage, buffer + 1, count);
    this.takeReference(buffer);
    return userPage;
  }

  /** Whether a mapping of a client starts at a page of its address space. */
  startsAt(client: number, userPage: number): boolean {
    return this.buffer.get(this.placeOf(client, userPage)) !== 0;
  }

  /** Ends the mapping that starts at a page: unreachable first, then its reference. */
  unmap(client: number, userPage: number): void {
    const place = this.placeOf(client, userPage);
    const buffer = this.buffer.get(place) - 1;
    this.users.unmap(client, userPage, this.count.get(place));
    this.record(client, userPage, 0, 0);
    this.dropReference(buffer);
  }

  unmapAll(client: number): void {
    for (let page = 0; page < this.userPages; page++) {
      if (this.startsAt(client, page)) this.unmap(client, page);
    }
  }

  /** The attribute that every mapping of a buffer must have. */
  isCached(buffer: number): boolean {
    return this.buffers.isCached(buffer);
  }

  takeReference(buffer: number): void {
    this.buffers.takeReference(buffer);
  }

  dropReference(buffer: number): void {
    this.buffers.dropReference(buffer);
  }

  private record(client: number, userPage: number, buffer: number, count: number): void {
    const place = this.placeOf(client, userPage);
    this.buffer.set(place, buffer);
    this.count.set(place, count);
  }

  private placeOf(client: number, userPage: number): number {
    return client * this.userPages + userPage;
  }
}
