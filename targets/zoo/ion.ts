/** Bugs of the memory manager: buffers, its heaps, clients and their handles. */
import { HEAP_SYSTEM } from '../../impl/heaps.ts';
import type { Bug } from './bug.ts';

export const ION_BUGS: readonly Bug[] = [
  {
    name: 'not-zeroed',
    origin: 'ION-04',
    layer: 'ion',
    catches: 'I8',
    text: 'a new buffer holds what its pages held before',
    needs: [],
    patch({ buffers }) {
      buffers.zero = () => {};
    },
  },
  {
    name: 'contiguous-only',
    origin: 'ION-03',
    layer: 'ion',
    catches: 'M1',
    text: 'a buffer of a few pages must be one block: it fails in crumbs although enough pages are free',
    needs: ['fragmentation'],
    only: ['alloc_pages', 'free_pages', 'ion_client_create', 'ion_alloc'],
    patch({ buffers }) {
      const take = buffers.takePages.bind(buffers);
      buffers.takePages = (array, count) =>
        count <= 8 ? buffers.takeContiguous(array, count) : take(array, count);
    },
  },
  {
    name: 'freed-while-bound',
    origin: 'ION-14',
    layer: 'ion',
    catches: 'I2',
    text: 'the buffer goes with its handle, though a device still reaches it',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'gpu_context_create', 'gpu_bind'],
    patch({ ion }) {
      const free = ion.free.bind(ion);
      ion.free = (client, handle) => {
        const buffer = ion.isClient(client) ? ion.lookUp(client, handle) : -1;
        const result = free(client, handle);
        if (result === 0 && ion.buffers.refs.get(buffer) > 0) ion.buffers.destroy(buffer);
        return result;
      };
    },
  },
  {
    name: 'dead-client-lives',
    origin: 'ION-11',
    layer: 'ion',
    catches: 'C5',
    text: 'an application that has ended can still allocate',
    needs: [],
    patch({ ion }) {
      ion.isClient = (client) => Number.isInteger(client) && client >= 0 && client < ion.client.count;
    },
  },
  {
    name: 'size-wraps',
    origin: 'ION-30',
    layer: 'ion',
    catches: 'P2',
    text: 'a size near 2^64 is rounded to a small one',
    needs: [],
    only: ['ion_client_create', 'ion_alloc'],
    patch({ ion }) {
      const allocate = ion.allocate.bind(ion);
      ion.allocate = (client, bytes, heaps, flags) =>
        allocate(client, bytes >= 2 ** 63 ? 1 : bytes, heaps, flags);
    },
  },
  {
    name: 'pool-not-zeroed',
    origin: 'BD-08',
    layer: 'ion',
    catches: 'I8',
    text: 'pages out of the pool of the system heap are flushed and not zeroed before they are handed out',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'ion_map_kernel', 'cpu_write', 'tick_worker'],
    patch({ buffers }) {
      const { pool } = buffers.system;
      const pooled = new Set<number>();
      const take = pool.take.bind(pool);
      const gather = buffers.gather.bind(buffers);
      const zero = buffers.zero.bind(buffers);
      pool.take = () => {
        const page = take();
        pooled.add(page);
        return page;
      };
      buffers.gather = (count, heap) => {
        pooled.clear();
        return gather(count, heap);
      };
      buffers.zero = (page) => (pooled.has(page) ? buffers.settle(page) : zero(page));
    },
  },
  {
    name: 'shrinker-frees-nothing',
    origin: 'ION-23',
    layer: 'ion',
    catches: 'L1',
    text: 'a shrinker leaves what is pooled and deferred alone until an allocation is about to fail',
    needs: [],
    patch({ buffers, pages }) {
      pages.reclaim = buffers.shrink.bind(buffers);
      buffers.shrink = () => false;
    },
  },
  {
    name: 'worker-sleeps',
    origin: 'invented',
    layer: 'ion',
    catches: 'L1',
    text: 'the free worker never frees a deferred buffer',
    needs: [],
    patch({ buffers }) {
      buffers.work = () => {};
    },
  },
  {
    name: 'deferred-freed-twice',
    origin: 'invented',
    layer: 'ion',
    catches: 'C1',
    text: 'the worker gives a page to the pool and frees it too',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'tick_worker'],
    patch({ buffers, pages }) {
      const give = buffers.system.pool.give.bind(buffers.system.pool);
      buffers.work = () => {
        buffers.freeOldest((page) => {
          give(page);
          pages.freeToLists(page, 0);
        });
      };
    },
  },
  {
    name: 'more-than-half',
    origin: 'invented',
    layer: 'ion',
    catches: 'P2',
    text: 'the system heap hands out more than half of all memory at once',
    needs: [],
    only: ['ion_client_create', 'ion_alloc'],
    patch({ buffers }) {
      buffers.system.mayTake = () => true;
    },
  },
  {
    name: 'half-made',
    origin: 'ION-25',
    layer: 'ion',
    catches: 'C4',
    text: 'when the last heap cannot make a buffer, the pages that it has so far are not freed',
    needs: [],
    only: ['ion_client_create', 'ion_alloc'],
    patch({ buffers }) {
      const giveBack = buffers.giveBack.bind(buffers);
      buffers.giveBack = (array, count, heap) => giveBack(array, heap === HEAP_SYSTEM ? 0 : count, heap);
    },
  },
  {
    name: 'freed-by-segments',
    origin: 'ION-21',
    layer: 'ion',
    catches: 'C1',
    text: 'a buffer is freed page by page as far as it has segments',
    needs: [],
    patch({ buffers, reader }) {
      const destroy = buffers.destroy.bind(buffers);
      buffers.destroy = (buffer) => {
        let segments = 0;
        buffers.open(buffer, reader);
        while (reader.next()) segments++;
        buffers.count.set(buffer, segments);
        destroy(buffer);
      };
    },
  },
];
