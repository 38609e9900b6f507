/** Situations that a good run meets: counted, and shown with the shortest script of each. */
import { bufferOf, bufferOfFd, handleFor, handlesOf, isClient } from './buffers.ts';
import { isDirty } from './contents.ts';
import { pagesOf, unheldCount } from './memory.ts';
import type { Label, Seen } from './spec.ts';
import type { Args, Reply } from './target.ts';
import { boundPages, isLazy } from './translations.ts';
import { availablePages, COUNTER, KIND, shownCounter, shows, VIEW } from './view.ts';
import { hasStaleCopies, type World } from './world.ts';

const number = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);
const failed = (reply: Reply, errno: string): boolean => 'errno' in reply && reply.errno === errno;
const failedByItself = (reply: Reply, errno: string, { fired }: Seen): boolean =>
  failed(reply, errno) && fired.length === 0;
const field = (reply: Reply, name: string): number => ('ok' in reply ? number(reply.ok[name]) : Number.NaN);
const linearEnd = ({ machine }: World): number => machine.pages * machine.pageBytes;
const holdsAny = (seen: Seen, counter: number): boolean => (shownCounter(seen, counter) ?? 0) > 0;

/** The target shows a dirty line of one of these pages. */
function showsDirty({ view }: Seen, pages: readonly number[], { linesPerPage }: World): boolean {
  const line = view?.columns[VIEW.line] ?? new Int32Array(0);
  return pages.some((page) => line.subarray(page * linesPerPage, (page + 1) * linesPerPage).some(isDirty));
}

const buffer = (s: World, { client, handle }: Args): number | undefined =>
  bufferOf(s, number(client), number(handle));

const bufferOfFile = (s: World, { client, fd }: Args): number | undefined =>
  bufferOfFd(s, number(client), number(fd));

/** Another client, and not this one, has a handle for the buffer. */
const isHeldByOthers = (s: World, client: number, head: number): boolean =>
  s.handle.values.includes(head + 1) && handleFor(s, client, head) === undefined;

/** The IOTLB, as the target shows it, still has what waits for a flush. */
function hasDeadEntry({ stale }: World, { view }: Seen): boolean {
  const iotlb = view?.columns[VIEW.iotlb] ?? new Int32Array(0);
  return iotlb.some((entry, index) => entry !== 0 && entry === stale.peek(index));
}

function showsKind(seen: Seen, kind: number): boolean {
  return shows(seen, VIEW.kind) && (seen.view?.columns[VIEW.kind]?.includes(kind) ?? false);
}

/**
 * A coarse class of the state: whether memory is out, short or plenty, and what may be waiting on such a machine, old
 * translations or old copies.
 */
export function stateClass(s: World): number {
  const free = unheldCount(s);
  const short = free * 4 <= s.machine.pages ? 1 : 2;
  return ((free <= 0 ? 0 : short) * 2 + (isLazy(s) ? 1 : 0)) * 2 + (hasStaleCopies(s) ? 1 : 0);
}

export const LABELS: readonly Label<World>[] = [
  {
    name: 'enough free, no block of the order asked',
    calls: ['alloc_pages'],
    holds: (s, { order }, reply, seen) =>
      failedByItself(reply, 'ENOMEM', seen) && number(order) > 0 && unheldCount(s) >= 2 ** number(order),
  },
  {
    name: 'a block that only compaction could give',
    calls: ['alloc_pages'],
    holds: (_s, { order }, reply, seen) =>
      'ok' in reply &&
      number(order) > 0 &&
      showsKind(seen, KIND.MOVABLE) &&
      !(seen.view?.columns[VIEW.freeOrder]?.some((shown) => shown > number(order)) ?? true),
  },
  {
    name: 'pages are parked when an allocation fails',
    calls: ['alloc_pages', 'ion_alloc'],
    holds: (_s, _args, reply, seen) =>
      failedByItself(reply, 'ENOMEM', seen) && holdsAny(seen, COUNTER.parked),
  },
  {
    name: 'a buffer while others wait to be freed',
    calls: ['ion_alloc'],
    holds: (_s, _args, reply, seen) => 'ok' in reply && holdsAny(seen, COUNTER.deferred),
  },
  {
    name: 'a buffer while a pool has pages',
    calls: ['ion_alloc'],
    holds: (_s, _args, reply, seen) => 'ok' in reply && holdsAny(seen, COUNTER.pooled),
  },
  {
    name: 'metadata above a page out of single pages',
    calls: ['kvmalloc'],
    holds: (s, _args, reply) => field(reply, 'memory') >= linearEnd(s),
  },
  {
    name: 'metadata above a page in one piece',
    calls: ['kvmalloc'],
    holds: (s, { bytes }, reply) =>
      number(bytes) > s.machine.pageBytes && field(reply, 'memory') < linearEnd(s),
  },
  {
    name: 'several objects in one page',
    calls: ['kmalloc'],
    holds: (s, _args, reply) =>
      (s.coveredWords.peek(Math.floor(field(reply, 'memory') / s.machine.pageBytes)) ?? 0) > 0,
  },
  {
    name: 'kernel addresses run out',
    calls: ['vmalloc', 'vmap', 'ion_map_kernel', 'dma_alloc_coherent'],
    holds: (s, _args, reply, seen) =>
      failedByItself(reply, 'ENOMEM', seen) &&
      (shownCounter(seen, COUNTER.vmallocHole) ?? s.machine.pages) <= 2 &&
      (availablePages(seen, s.machine) ?? 0) > s.machine.pages / 2,
  },
  {
    name: 'a failed step that the call recovered from',
    calls: ['kvmalloc', 'ion_alloc'],
    holds: (_s, _args, reply, { fired }) => 'ok' in reply && fired.length > 0,
  },
  {
    name: 'a call that a fault made fail',
    calls: ['ion_alloc', 'gpu_bind', 'iommu_map', 'dma_map_sg', 'sg_alloc_table_from_pages'],
    holds: (_s, _args, reply, { fired }) => 'errno' in reply && fired.length > 0,
  },
  {
    name: 'memory is short for a buffer',
    calls: ['ion_alloc'],
    holds: (_s, _args, reply, seen) => failedByItself(reply, 'ENOMEM', seen),
  },
  {
    name: 'a buffer outlives its last handle',
    calls: ['ion_free'],
    holds: (s, args) => {
      const head = buffer(s, args);
      return head !== undefined && s.refs.get(head) > 1;
    },
  },
  {
    name: 'an id is given again',
    calls: ['ion_alloc', 'ion_import'],
    holds: (s, { client }, reply) =>
      'ok' in reply && handlesOf(s, number(client)).some((handle) => handle > field(reply, 'handle')),
  },
  {
    name: 'an import of a buffer that the client has',
    calls: ['ion_import'],
    holds: (s, args, reply) =>
      'ok' in reply && handleFor(s, number(args['client']), bufferOfFile(s, args) ?? -1) !== undefined,
  },
  {
    name: 'an import of another client’s buffer',
    calls: ['ion_import'],
    holds: (s, args, reply) =>
      'ok' in reply && isHeldByOthers(s, number(args['client']), bufferOfFile(s, args) ?? -1),
  },
  {
    name: 'a kernel mapping is shared by handles',
    calls: ['ion_map_kernel'],
    holds: (s, args, reply) => 'ok' in reply && (s.kernelMap.peek(buffer(s, args) ?? -1) ?? 0) !== 0,
  },
  {
    name: 'a map meets a present translation',
    calls: ['iommu_map', 'iommu_map_sg'],
    holds: (_s, _args, reply) => failed(reply, 'EEXIST'),
  },
  {
    name: 'no address range is left',
    calls: ['gpu_bind'],
    holds: (_s, _args, reply, seen) => failedByItself(reply, 'ENOSPC', seen),
  },
  {
    name: 'the IOTLB holds a dead entry',
    calls: [
      'tick_flush',
      'device_read',
      'device_write',
      'device_probe',
      'free_pages',
      'dma_map_sg',
      'dma_unmap_sg',
    ],
    holds: (s, _args, _reply, seen) => isLazy(s) && hasDeadEntry(s, seen),
  },
  {
    name: 'a dirty line when a device gets a buffer',
    calls: ['gpu_submit', 'dma_sync_sg_for_device'],
    holds: (s, { context, mapping }, _reply, seen) => {
      const pages =
        mapping === undefined
          ? boundPages(s, number(context))
          : pagesOf(s, (s.sgPage.peek(number(mapping) * s.sgPagesMax) ?? 1) - 1);
      return showsDirty(seen, pages, s);
    },
  },
  {
    name: 'a device faults half way',
    calls: ['device_write'],
    holds: (s, { bytes }, reply) =>
      field(reply, 'lines') > 0 && field(reply, 'lines') < number(bytes) / s.machine.lineBytes,
  },
  {
    name: 'an application reaches beyond its mapping',
    calls: ['cpu_write'],
    holds: (s, { bytes }, reply) =>
      field(reply, 'lines') > 0 && field(reply, 'lines') < number(bytes) / s.machine.lineBytes,
  },
  { name: 'a job faults', calls: ['tick_engine'], holds: (_s, _args, reply) => field(reply, 'fault') === 1 },
  {
    name: 'a handle that the client does not have is named',
    calls: ['ion_free'],
    holds: (s, { client }, reply) => isClient(s, number(client)) && failed(reply, 'EINVAL'),
  },
];
