/**
 * Layer 4, the memory manager. After the ION core of about Linux 3.18 (clients and handles) and the IOMMU heap of
 * the 2012 review: pages that need not be contiguous, handed out zeroed, never mapped by the heap itself.
 */
import type { ArgsOf, ValueOf } from './calls.ts';
import { dropReference, isUnheld, take, unheldCount } from './memory.ts';
import { hasRoom } from './metadata.ts';
import { chunksFor } from './sg.ts';
import type { Rule } from './spec.ts';
import { unmapAll } from './translations.ts';
import { pagesFor } from './units.ts';
import { KIND } from './view.ts';
import { CONTEXT, type World } from './world.ts';

/** Sizes from here on wrap when they are rounded up. The nearest double is compared: no size in use is near. */
const sizeEnd = (pageBytes: number): number => 2 ** 64 - pageBytes;

/** `ion_client_create()`: an application opens the device. */
export const clientCreate: Rule<World, ArgsOf<'ion_client_create'>, ValueOf<'ion_client_create'>> = {
  require: [],
  refuse: [['EMFILE', (s) => !s.client.values.includes(0), 'P1', 'no client id is left']],
  may: [],
  accept: [['an id that is not in use', (s, _args, { client }) => isFreeClient(s, client), 'C5']],
  effect: (s, _args, { client }) => s.client.set(client, 1),
  owes: () => 'P1',
};

/** `ion_client_destroy(client)`: its GPU contexts end first, then its handles are dropped. */
export const clientDestroy: Rule<World, ArgsOf<'ion_client_destroy'>, ValueOf<'ion_client_destroy'>> = {
  require: [],
  refuse: [['EBADF', (s, { client }) => !isClient(s, client), 'C5', 'there is no such client']],
  may: [],
  accept: [],
  effect(s, { client }) {
    for (let context = 0; context < s.context.count; context++) {
      if (s.owner.get(context) === client + 1) endContext(s, context);
    }
    for (const handle of handlesOf(s, client)) dropHandle(s, client, handle);
    s.client.set(client, 0);
  },
  owes: () => 'P1',
};

/**
 * `ion_alloc(client, bytes, heaps)`: a buffer of single pages, in any order, all zero. It must succeed whenever
 * enough single pages are free for it, for its page array and for its scatter-gather table.
 */
export const ionAlloc: Rule<World, ArgsOf<'ion_alloc'>, ValueOf<'ion_alloc'>> = {
  require: [],
  refuse: [
    ['EBADF', (s, { client }) => !isClient(s, client), 'C5', 'there is no such client'],
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
      (s, { bytes }) => bytes < 0 || pagesFor(s.machine, bytes) > unheldCount(s),
      'P2',
      'it is more than anybody could have',
    ],
  ],
  may: [['ENOMEM', (s, { bytes }, seen) => !hasRoomForBuffer(s, pagesFor(s.machine, bytes), seen)]],
  accept: [
    ['an id that is not in use', (s, { client }, { handle }) => isFreeHandle(s, client, handle), 'C5'],
    [
      'as many pages as were asked for',
      (s, { bytes }, { pages }) => pages.length === pagesFor(s.machine, bytes),
      'P1',
    ],
    ['pages that nobody holds, each once', (s, _args, { pages }) => areUnheld(s, pages), 'C1'],
  ],
  effect(s, { client }, { handle, pages }) {
    const [head = 0] = pages;
    take(s, pages, KIND.BUFFER, 0);
    s.handle.set(handleAt(s, client, handle), head + 1);
    s.refs.set(head, 1);
  },
  owes: () => 'M1',
  fresh: (s, { bytes }) => ({ pages: freshPages(s, pagesFor(s.machine, bytes)) }),
};

/** `ion_free(client, handle)`: the handle's reference goes; others keep the buffer. */
export const ionFree: Rule<World, ArgsOf<'ion_free'>, ValueOf<'ion_free'>> = {
  require: [],
  refuse: [
    ['EBADF', (s, { client }) => !isClient(s, client), 'C5', 'there is no such client'],
    [
      'EINVAL',
      (s, { client, handle }) => bufferOf(s, client, handle) === undefined,
      'C5',
      'the client has no such handle',
    ],
  ],
  may: [],
  accept: [],
  effect: (s, { client, handle }) => dropHandle(s, client, handle),
  owes: () => 'P1',
};

/** An id in use; ids come from users and may be anything. */
export const isClient = ({ client }: World, id: number): boolean => client.values[id] === 1;

/** Page 0 of the buffer behind a handle of a client, or undefined. */
export function bufferOf(s: World, client: number, handle: number): number | undefined {
  if (!isClient(s, client) || !isHandleId(s, handle)) return undefined;
  const held = s.handle.get(handleAt(s, client, handle));
  return held === 0 ? undefined : held - 1;
}

/** A job is over: nothing of it is left, so that states that differ in nothing else are equal. */
export function endJob(s: World, job: number): void {
  for (const column of [s.job, s.jobContext, s.jobLine, s.jobTag]) column.set(job, 0);
}

/** Ends a GPU context: its jobs die, what it bound is dropped, nothing is reachable through it. */
export function endContext(s: World, context: number): void {
  for (let job = 0; job < s.job.count; job++) {
    if (s.job.get(job) !== 0 && s.jobContext.get(job) === context) endJob(s, job);
  }
  unmapAll(s, context);
  for (let at = context * s.ioPages; at < (context + 1) * s.ioPages; at++) {
    const bound = s.bound.get(at);
    s.bound.set(at, 0);
    if (bound !== 0) dropReference(s, bound - 1);
  }
  s.context.set(context, CONTEXT.NONE);
  s.owner.set(context, 0);
}

/** Handles of a client, by id. */
export const handlesOf = (s: World, client: number): number[] =>
  handleIds(s).filter((handle) => s.handle.get(handleAt(s, client, handle)) !== 0);

/** Place of a handle in its column; ids start at 1, place 0 of each client stays empty. */
export const handleAt = ({ machine }: World, client: number, handle: number): number =>
  client * (machine.handles + 1) + handle;

const handleIds = ({ machine }: World): number[] =>
  Array.from({ length: machine.handles }, (_, at) => at + 1);

const isHandleId = ({ machine }: World, handle: number): boolean =>
  Number.isSafeInteger(handle) && handle >= 1 && handle <= machine.handles;

const isFreeClient = ({ client }: World, id: number): boolean => client.values[id] === 0;

const isFreeHandle = (s: World, client: number, handle: number): boolean =>
  isHandleId(s, handle) && s.handle.get(handleAt(s, client, handle)) === 0;

/** A handle id that the client has left, or undefined. */
export const freeHandle = (s: World, client: number): number | undefined =>
  handleIds(s).find((handle) => isFreeHandle(s, client, handle));

function dropHandle(s: World, client: number, handle: number): void {
  const at = handleAt(s, client, handle);
  const head = s.handle.get(at) - 1;
  s.handle.set(at, 0);
  dropReference(s, head);
}

const hasRoomForBuffer = (s: World, pages: number, seen: Parameters<typeof hasRoom>[2]): boolean =>
  hasRoom(s, pages * s.machine.pageArrayEntryBytes, seen, pages + chunksFor(s.machine, pages));

const areUnheld = (s: World, pages: readonly number[]): boolean =>
  new Set(pages).size === pages.length && pages.every((page) => isUnheld(s, page));

/** Names for the pages of a buffer whose target shows none: single ones, which names of order 0 are. */
function freshPages(s: World, count: number): number[] {
  const fresh: number[] = [];
  for (let page = 0; page < s.machine.pages && fresh.length < count; page++)
    if (isUnheld(s, page)) fresh.push(page);
  return fresh;
}
