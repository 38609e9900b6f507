/**
 * What CPUs reach through explicit mappings: the kernel's (vmap, coherent memory, buffers) in the vmalloc space, and
 * those of clients. A *mapped page* is a page of these spaces, counted from the start of the vmalloc space; its address
 * follows that of the linear map. After Linux 6.1, mm/vmalloc.c `vmap()`.
 */
import type { Machine } from './machine.ts';
import type { Seen } from './spec.ts';
import { tablesFor } from './translations.ts';
import { availablePages, COUNTER, shownCounter } from './view.ts';
import type { World } from './world.ts';

/** The mapped page of a CPU address, which may be none. */
export const mappedPageOf = ({ machine }: World, address: number): number =>
  Math.floor(address / machine.pageBytes) - machine.pages;

export const addressOfMapped = ({ machine }: World, mappedPage: number): number =>
  (mappedPage + machine.pages) * machine.pageBytes;

/** First mapped page of a client's address space. */
export const userStart = ({ machine }: World, client: number): number =>
  machine.vmallocPages + client * machine.userPages;

/** `count` pages of the vmalloc space and their guard page, where nothing known is; the page before may be a guard. */
export function isKernelHole(s: World, address: number, count: number): boolean {
  const first = mappedPageOf(s, address);
  if (address % s.machine.pageBytes !== 0 || first < 0 || first + count + 1 > s.machine.vmallocPages)
    return false;
  const before = Math.max(first - 1, 0);
  return isUnmapped(s, before, first + count + 1 - before);
}

/** `count` pages of a client's address space where nothing is. */
export function isUserHole(s: World, client: number, address: number, count: number): boolean {
  const first = mappedPageOf(s, address);
  const start = userStart(s, client);
  if (address % s.machine.pageBytes !== 0 || first < start || first + count > start + s.machine.userPages)
    return false;
  return isUnmapped(s, first, count);
}

function isUnmapped({ mapped, coveredWords, machine }: World, first: number, count: number): boolean {
  for (let page = first; page < first + count; page++) {
    const isCovered = page < machine.vmallocPages && coveredWords.get(machine.pages + page) !== 0;
    if (mapped.get(page) !== 0 || isCovered) return false;
  }
  return true;
}

/** Some hole of a client's address space has room. */
export function hasUserHole(s: World, client: number, count: number): boolean {
  const start = userStart(s, client);
  for (let first = start; first + count <= start + s.machine.userPages; first++) {
    if (isUnmapped(s, first, count)) return true;
  }
  return false;
}

/** Maps pages from an address on. */
export function mapForCpu(s: World, address: number, pages: readonly number[], cached: boolean): void {
  const first = mappedPageOf(s, address);
  for (const [at, page] of pages.entries()) s.mapped.set(first + at, ((page + 1) << 1) | (cached ? 1 : 0));
  s.area.set(first, pages.length);
}

/** Ends the mapping that starts at an address. */
export function unmapForCpu(s: World, address: number): void {
  const first = mappedPageOf(s, address);
  for (let page = first; page < first + s.area.get(first); page++) s.mapped.set(page, 0);
  s.area.set(first, 0);
}

/** Pages that the kernel's own tables take at the most for so many pages of vmalloc space, the top one included. */
export const kernelTables = (machine: Machine, count: number): number =>
  1 + tablesFor(machine, machine.vmallocPages, count);

/** The target shows enough addresses for a mapping of so many pages, and enough free pages for its tables. */
export function hasKernelRoom(s: World, count: number, seen: Seen, more = 0): boolean {
  const hole = shownCounter(seen, COUNTER.vmallocHole);
  const available = availablePages(seen, s.machine);
  if (hole === undefined || available === undefined) return false;
  return hole >= count + 1 && available >= kernelTables(s.machine, count) + more;
}
