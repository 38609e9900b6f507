/** Situations that a good run meets: counted, and shown with the shortest script of each. */
import { bufferOf, freeHandle, isClient } from './ion.ts';
import { unheldCount } from './memory.ts';
import type { Label, Premise } from './spec.ts';
import type { Call } from './target.ts';
import { pagesFor } from './units.ts';
import { CONTEXT, type World } from './world.ts';

const number = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

export const LABELS: readonly Label<World>[] = [
  {
    name: 'enough free, no block of the order asked',
    calls: ['alloc_pages'],
    holds: (s, { order }, reply) =>
      'errno' in reply && number(order) > 0 && unheldCount(s) >= 2 ** number(order),
  },
  {
    name: 'metadata above a page out of single pages',
    calls: ['kvmalloc'],
    holds: (s, _args, reply) =>
      'ok' in reply && number(reply.ok['memory']) >= s.machine.pages * s.machine.pageBytes,
  },
  {
    name: 'metadata above a page in one piece',
    calls: ['kvmalloc'],
    holds: (s, { bytes }, reply) =>
      'ok' in reply &&
      number(bytes) > s.machine.pageBytes &&
      number(reply.ok['memory']) < s.machine.pages * s.machine.pageBytes,
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
    holds: (_s, _args, reply, { fired }) =>
      'errno' in reply && reply.errno === 'ENOMEM' && fired.length === 0,
  },
  {
    name: 'a buffer outlives its last handle',
    calls: ['ion_free'],
    holds: (s, { client, handle }) => {
      const head = bufferOf(s, number(client), number(handle));
      return head !== undefined && s.refs.get(head) > 1;
    },
  },
  {
    name: 'a map meets a present translation',
    calls: ['iommu_map'],
    holds: (_s, _args, reply) => 'errno' in reply && reply.errno === 'EEXIST',
  },
  {
    name: 'no address range is left',
    calls: ['gpu_bind'],
    holds: (_s, _args, reply, { fired }) =>
      'errno' in reply && reply.errno === 'ENOSPC' && fired.length === 0,
  },
  {
    name: 'a device faults half way',
    calls: ['device_write'],
    holds: (s, { bytes }, reply) =>
      'ok' in reply &&
      number(reply.ok['lines']) > 0 &&
      number(reply.ok['lines']) < number(bytes) / s.machine.lineBytes,
  },
  {
    name: 'a job faults',
    calls: ['tick_engine'],
    holds: (_s, _args, reply) => 'ok' in reply && reply.ok['fault'] === 1,
  },
  {
    name: 'a handle that the client does not have is named',
    calls: ['ion_free'],
    holds: (_s, _args, reply) => 'errno' in reply && reply.errno === 'EINVAL',
  },
];

/** What must be true at a finding for it to decide an argument, so that shrinking cannot slide to a trivial case. */
export const PREMISES: readonly Premise<World>[] = [
  {
    name: 'T1',
    text: 'two clients have contexts, and each bound nothing but its own buffers',
    holds: (s) => new Set(gpuOwners(s)).size >= 2,
  },
  {
    name: 'T7',
    text: 'the failing allocation has a handle id left, and fits one block of an empty machine',
    holds: (s, { op, args }: Call) =>
      op === 'ion_alloc' &&
      isClient(s, number(args['client'])) &&
      freeHandle(s, number(args['client'])) !== undefined &&
      pagesFor(s.machine, number(args['bytes'])) <= 2 ** s.machine.orderMax,
  },
];

const gpuOwners = (s: World): number[] =>
  [...s.owner.values].filter((_owner, context) => s.context.get(context) === CONTEXT.GPU);
