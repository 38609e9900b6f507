/** Bugs of the memory manager: buffers, its heaps, clients and their handles. */
import type { Buffers } from '../../impl/buffers.ts';
import { HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from '../../impl/heaps.ts';
import type { SgReader } from '../../impl/sg-chunks.ts';
import type { Bug } from './bug.ts';

/** How many segments the list of a buffer has. */
function segmentsOf(buffers: Buffers, buffer: number, reader: SgReader): number {
  let segments = 0;
  buffers.open(buffer, reader);
  while (reader.next()) segments++;
  return segments;
}

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
    origin: 'invented',
    layer: 'ion',
    catches: 'M1',
    text: 'a buffer of a few pages must be one block: it fails in crumbs although enough pages are free',
    needs: ['fragmentation'],
    patch({ buffers }) {
      const take = buffers.takePages.bind(buffers);
      buffers.takePages = (array, count) =>
        count <= 8 ? buffers.takeContiguous(array, count) : take(array, count);
    },
  },
  {
    name: 'freed-while-bound',
    origin: 'invented',
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
    origin: 'invented',
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
        allocate(client, bytes > 2 ** 63 ? 1 : bytes, heaps, flags);
    },
  },
  {
    name: 'pool-not-zeroed',
    origin: 'invented',
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
    text: 'a shrinker takes deferred buffers apart for the pool, so that no page of them comes free',
    needs: [],
    patch({ buffers, pages }) {
      pages.reclaim = buffers.shrink.bind(buffers);
      buffers.shrink = () => {
        while (buffers.freeOldest((page) => buffers.givePool(page)));
        return false;
      };
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
        buffers.count.set(buffer, segmentsOf(buffers, buffer, reader));
        destroy(buffer);
      };
    },
  },
  {
    name: 'made-without-a-list',
    origin: 'ION-02',
    layer: 'ion',
    catches: 'S4',
    text: 'a buffer is made although the list of its segments could not be built',
    needs: ['fault'],
    patch({ buffers }) {
      const list = buffers.listSegments.bind(buffers);
      buffers.listSegments = (array, count) => Math.max(list(array, count), 0);
    },
  },
  {
    name: 'array-must-be-contiguous',
    origin: 'ION-03',
    layer: 'ion',
    catches: 'M2b',
    text: 'the list of the pages of a buffer is one block, however long it is',
    needs: ['fragmentation'],
    only: ['alloc_pages', 'free_pages', 'ion_client_create', 'ion_alloc'],
    patch({ buffers, metadata }) {
      buffers.allocateArray = (count) => metadata.allocateArray(count, 'kmalloc');
    },
  },
  {
    name: 'array-left-behind',
    origin: 'ION-25',
    layer: 'ion',
    catches: 'C4',
    text: 'when a buffer cannot be made, its pages are freed and the array that lists them is not',
    needs: ['fault'],
    patch({ buffers, metadata }) {
      const giveBack = buffers.giveBack.bind(buffers);
      const free = metadata.free.bind(metadata);
      buffers.giveBack = (array, count, heap) => {
        metadata.free = () => {};
        giveBack(array, count, heap);
        metadata.free = free;
      };
    },
  },
  {
    name: 'block-freed-as-a-page',
    origin: 'SG-04',
    layer: 'ion',
    catches: 'C1',
    text: 'a block whose pages cannot be listed is freed as if it were one page',
    needs: ['fault'],
    patch({ buffers, pages }) {
      const allocate = buffers.allocateArray.bind(buffers);
      const free = pages.freeRun.bind(pages);
      buffers.allocateArray = (count, heap) => {
        const array = allocate(count, heap);
        if (array >= 0 || heap !== HEAP_SYSTEM_CONTIG) return array;
        pages.freeRun = (first) => {
          pages.freeRun = free;
          free(first, 1);
        };
        return array;
      };
    },
  },
  {
    name: 'page-count-wraps',
    origin: 'GP-15',
    layer: 'ion',
    catches: 'P2',
    text: 'the pages of a buffer are counted in 32 bits',
    needs: [],
    patch({ ion }) {
      const make = ion.tryHeaps.bind(ion);
      ion.tryHeaps = (count, heaps, cached) => make(Math.max(count % 2 ** 32, 1), heaps, cached);
    },
  },
  {
    name: 'zeroed-by-segments',
    origin: 'SG-10',
    layer: 'sg',
    catches: 'I8',
    text: 'as many pages of a new buffer are zeroed as it has segments',
    needs: [],
    patch({ buffers, reader }) {
      const prepare = buffers.prepare.bind(buffers);
      buffers.prepare = (buffer) => prepare(buffer, segmentsOf(buffers, buffer, reader));
    },
  },
  {
    name: 'no-reclaim',
    origin: 'ION-19',
    layer: 'ion',
    catches: 'M1',
    text: 'pages of the system heap are asked for without any effort, also where nothing less will do',
    needs: [],
    only: ['alloc_pages', 'ion_client_create', 'ion_alloc', 'ion_free'],
    patch({ buffers: { system }, pages }) {
      const take = system.takePage.bind(system);
      system.takePage = () => {
        const reclaim = pages.reclaim;
        pages.reclaim = () => false;
        const page = take();
        pages.reclaim = reclaim;
        return page;
      };
    },
  },
  {
    name: 'pool-goes-without-its-pages',
    origin: 'ION-26',
    layer: 'ion',
    catches: 'C1',
    text: 'emptying the pool forgets the pages in it',
    needs: [],
    patch({ buffers: { system } }) {
      system.emptyPool = () => {
        let any = false;
        while (system.pool.take() >= 0) any = true;
        return any;
      };
    },
  },
];
