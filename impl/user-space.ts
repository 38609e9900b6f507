import { by } from './about.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { mappingOf } from './cpu-mapping.ts';
import { ENOMEM } from './errno.ts';
import { SEEN_MAPPED } from './seen.ts';
import type { Store } from './store.ts';

/** The address spaces of applications, one for each client; pages of each are numbered from 0. */
export class UserSpaces {
  /** For each client, what each page translates to: see {@link mappingOf}. */
  readonly mapped: Column;
  private readonly userPages: number;
  private readonly pages: number;

  constructor(store: Store, config: Config) {
    this.userPages = config.userPages;
    this.pages = config.pages;
    const pages = config.clients * config.userPages;
    this.mapped = store.column(pages, SEEN_MAPPED, by('client', config.userPages));
  }

  /**
   * Maps pages at the lowest consecutive addresses that are free: `pageOf` names them in order.
   *
   * @returns the first user page, or -ENOMEM when there is no such hole
   */
  map(client: number, count: number, pageOf: (index: number) => number, cached: boolean): number {
    const start = this.findHole(client, count);
    if (start < 0) return -ENOMEM;
    for (let index = 0; index < count; index++) this.mapPage(client, start + index, pageOf(index), cached);
    return start;
  }

  unmap(client: number, userPage: number, count: number): void {
    for (let page = userPage; page < userPage + count; page++) this.mapped.set(this.at(client, page), 0);
  }

  /** What the application finds behind a page: (page frame + 1) << 1 | cached, or 0. */
  translate(client: number, userPage: number): number {
    return userPage >= 0 && userPage < this.userPages ? this.mapped.get(this.at(client, userPage)) : 0;
  }

  /** Unmaps everything, when the application ends. */
  clear(client: number): void {
    this.unmap(client, 0, this.userPages);
  }

  /** What is no page leaves a hole: a list of pages may be what a device wrote. */
  private mapPage(client: number, userPage: number, page: number, cached: boolean): void {
    if (page >= 0 && page < this.pages) this.mapped.set(this.at(client, userPage), mappingOf(page, cached));
  }

  private at(client: number, userPage: number): number {
    return client * this.userPages + userPage;
  }

  /** The lowest hole of `count` pages, or -1. */
  private findHole(client: number, count: number): number {
    let from = 0;
    for (let page = 0; page < this.userPages; page++) {
      if (this.translate(client, page) !== 0) from = page + 1;
      else if (page + 1 - from === count) return from;
    }
    return -1;
  }
}
