/**
 * Layer 4, the memory manager. After the ION core of about Linux 3.18 (clients and handles) and the IOMMU heap of
 * the 2012 review: pages that need not be contiguous, handed out zeroed, never mapped by the heap itself.
 */
import {
  bufferOf,
  closeHandle,
  endClient,
  freeHandle,
  handleAt,
  isClient,
  isFreeHandle,
  NO_CLIENT,
  NO_HANDLE,
  openHandle,
} from './buffers.ts';
import type { ArgsOf, ValueOf } from './calls.ts';
import { areUnheld, isUnheld, pagesOf, take, unheldCount } from './memory.ts';
import { hasRoom } from './metadata.ts';
import { chunksFor } from './sg.ts';
import type { Rule, Seen } from './spec.ts';
import { pagesFor, roundUpToPowerOfTwo } from './units.ts';
import { KIND } from './view.ts';
import type { World } from './world.ts';

/** Sizes from here on wrap when they are rounded up. The nearest double is compared: no size in use is near. */
const sizeEnd = (pageBytes: number): number => 2 ** 64 - pageBytes;
const HEAPS = 3;

type Alloc = ArgsOf<'ion_alloc'>;

/** `ion_client_create()`: an application opens the device. */
export const clientCreate: Rule<World, ArgsOf<'ion_client_create'>, ValueOf<'ion_client_create'>> = {
  require: [],
  refuse: [['EMFILE', (s) => !s.client.values.includes(0), 'P1', 'no client id is left']],
  may: [],
  accept: [['an id that is not in use', (s, _args, { client }) => s.client.peek(client) === 0, 'C5']],
  effect: (s, _args, { client }) => s.client.set(client, 1),
  owes: () => 'P1',
};

/** `ion_client_destroy(client)`: its GPU contexts end first, then what it maps and holds. */
export const clientDestroy: Rule<World, ArgsOf<'ion_client_destroy'>, ValueOf<'ion_client_destroy'>> = {
  require: [],
  refuse: [NO_CLIENT],
  may: [],
  accept: [],
  effect: (s, { client }) => endClient(s, client),
  owes: () => 'P1',
};

/**
 * `ion_alloc(client, bytes, heaps, flags)`: a buffer, all zero, from whichever of the heaps has it. The iommu and the
 * system heap take single pages: they must succeed whenever enough are free for the buffer, its page array and its
 * scatter-gather table. The system heap refuses more than half of memory; the contiguous one gives one block.
 */
export const ionAlloc: Rule<World, Alloc, ValueOf<'ion_alloc'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    [
      'EINVAL',
      (s, { bytes }) => bytes <= 0 || bytes >= sizeEnd(s.machine.pageBytes),
      'P2',
      'no buffer has this size',
    ],
    ['ENODEV', (_s, { heaps }) => heaps.length === 0, 'P1', 'no heap is asked for'],
    [
      'ENOSPC',
      (s, { client }) => isClient(s, client) && freeHandle(s, client) === undefined,
      'P1',
      'no handle id is left',
    ],
    [
      'ENOMEM',
      (s, { bytes }) => pagesFor(s.machine, bytes) > unheldCount(s),
      'P2',
      'nobody could have so much',
    ],
    [
      'ENOMEM',
      (s, args) => !args.heaps.some((heap) => isWithinHeap(s, heap, args)),
      'P2',
      'no heap gives so much',
    ],
  ],
  may: [['ENOMEM', (s, args, seen) => !args.heaps.some((heap) => owesBuffer(s, heap, args, seen))]],
  accept: [
    ['an id that is not in use', (s, { client }, { handle }) => isFreeHandle(s, client, handle), 'C5'],
    [
      'as many pages as were asked for',
      (s, { bytes }, { pages }) => pages.length === pagesFor(s.machine, bytes),
      'P1',
    ],
    ['pages that nobody holds, each once', (s, _args, { pages }) => areUnheld(s, pages), 'C1'],
    [
      'one aligned block where only that will do',
      (_s, args, { pages }) => isBlockIfOwed(args, pages),
      'P1',
      'page-numbers',
    ],
  ],
  effect(s, { client, flags }, { handle, pages }) {
    take(s, pages, KIND.BUFFER, flags === 'cached' ? 'zeroed by a CPU' : 'zero, uncached');
    openHandle(s, client, handle, pages[0] ?? 0);
  },
  owes: (s, args) => (isArrayAbovePage(s, args) ? 'M2b' : 'M1'),
  fresh: (s, { bytes }) => ({ pages: freshPages(s, pagesFor(s.machine, bytes)) }),
};

/** `ion_free(client, handle)`: one user reference goes; a handle that was imported twice needs two more. */
export const ionFree: Rule<World, ArgsOf<'ion_free'>, ValueOf<'ion_free'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_HANDLE],
  may: [],
  accept: [],
  effect(s, { client, handle }) {
    const at = handleAt(s, client, handle);
    if (s.handleCount.get(at) === 1) closeHandle(s, client, handle);
    else s.handleCount.set(at, s.handleCount.get(at) - 1);
  },
  owes: () => 'P1',
};

/** `ion_sg_table(client, handle)`: what a driver maps from. How pages are merged into segments is left open. */
export const ionSgTable: Rule<World, ArgsOf<'ion_sg_table'>, ValueOf<'ion_sg_table'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_HANDLE],
  may: [],
  accept: [['the pages of the buffer, in order', listsBuffer, 'S2', 'page-numbers']],
  effect: () => {},
  owes: () => 'P1',
};

/** `ION_IOC_HEAP_QUERY`, as far as the number of heaps. */
export const ionQuery: Rule<World, ArgsOf<'ion_query'>, ValueOf<'ion_query'>> = {
  require: [],
  refuse: [NO_CLIENT],
  may: [],
  accept: [['the number of heaps', (_s, _args, { heaps }) => heaps === HEAPS, 'P1']],
  effect: () => {},
  owes: () => 'P1',
};

/** The list of the buffer's pages does not fit a page. */
const isArrayAbovePage = ({ machine }: World, { bytes }: Alloc): boolean =>
  pagesFor(machine, bytes) * machine.pageArrayEntryBytes > machine.pageBytes;

function isWithinHeap({ machine }: World, heap: string, { bytes }: Alloc): boolean {
  const pages = pagesFor(machine, bytes);
  if (heap === 'system') return pages <= machine.pages / 2;
  return heap !== 'system-contig' || pages <= 2 ** machine.orderMax;
}

/** The heap must have it: what the target shows is enough, of single pages. */
function owesBuffer(s: World, heap: string, args: Alloc, seen: Seen): boolean {
  const pages = pagesFor(s.machine, args.bytes);
  if (heap === 'system-contig' && pages > 1) return false;
  const more = pages + chunksFor(s.machine, pages);
  return isWithinHeap(s, heap, args) && hasRoom(s, pages * s.machine.pageArrayEntryBytes, seen, more);
}

function isBlockIfOwed({ heaps }: Alloc, pages: readonly number[]): boolean {
  const [first = 0] = pages;
  if (heaps.some((heap) => heap !== 'system-contig')) return true;
  return first % roundUpToPowerOfTwo(pages.length) === 0 && pages.every((page, at) => page === first + at);
}

function listsBuffer(s: World, args: ArgsOf<'ion_sg_table'>, { segments }: ValueOf<'ion_sg_table'>): boolean {
  const pages = pagesOf(s, bufferOf(s, args.client, args.handle) ?? 0);
  let at = 0;
  for (let segment = 0; segment < segments.length; segment += 2) {
    const [first = -1, count = 0] = segments.slice(segment, segment + 2);
    if (!(count >= 1)) return false;
    for (let page = first; page < first + count; page++) if (pages[at++] !== page) return false;
  }
  return at === pages.length;
}

/** Names for the pages of a buffer whose target shows none: single ones, which names of order 0 are. */
function freshPages(s: World, count: number): number[] {
  const fresh: number[] = [];
  for (let page = 0; page < s.machine.pages && fresh.length < count; page++)
    if (isUnheld(s, page)) fresh.push(page);
  return fresh;
}
