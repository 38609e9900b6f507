/** Bugs of the memory manager and of the GPU driver. */
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
    text: 'a buffer must be one block: it fails in crumbs although enough pages are free',
    needs: ['fragmentation'],
    patch({ buffers }) {
      buffers.takePages = (array, count) => buffers.takeContiguous(array, count);
    },
  },
  {
    name: 'freed-while-bound',
    origin: 'ION-14',
    layer: 'ion',
    catches: 'I2',
    text: 'dropping the last but one reference frees the pages, though a device still reaches them',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'gpu_context_create', 'gpu_bind'],
    patch({ buffers }) {
      buffers.dropReference = (buffer) => {
        const left = buffers.refs.add(buffer, -1);
        if (left <= 1 && buffers.count.get(buffer) > 0) buffers.destroy(buffer);
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
    patch({ ion }) {
      const allocate = ion.allocate.bind(ion);
      ion.allocate = (client, bytes, heaps) => allocate(client, bytes >= 2 ** 63 ? 1 : bytes, heaps);
    },
  },
  {
    name: 'bind-counts-twice',
    origin: 'invented',
    layer: 'gpu',
    catches: 'C2',
    text: 'a binding takes two references and drops one',
    needs: [],
    patch({ ion, gpu }) {
      const publish = gpu.publish.bind(gpu);
      gpu.publish = (context, ioPage, buffer) => {
        ion.takeReference(buffer);
        publish(context, ioPage, buffer);
      };
    },
  },
  {
    name: 'maps-into-the-first-context',
    origin: 'GP-09',
    layer: 'gpu',
    catches: 'I3',
    text: 'a buffer is mapped into whichever GPU context has the lowest id',
    needs: [],
    patch({ gpu, iommu }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        let first = 0;
        while (!gpu.isContext(first)) first++;
        if (ioPage < 0 || first === context) return ioPage;
        for (let i = 0; i < gpu.countOf(buffer); i++) {
          iommu.tables.map(iommu.rootOf(first), ioPage + i, gpu.ion.buffers.pageAt(buffer, i), rights);
        }
        return ioPage;
      };
    },
  },
  {
    name: 'late-reference',
    origin: 'ION-11',
    layer: 'gpu',
    catches: 'C1',
    text: 'bind looks the handle up, drops the lock, and takes its reference only when it maps',
    needs: ['second actor'],
    patch({ ion, gpu }) {
      const take = ion.takeReference.bind(ion);
      const map = gpu.mapBuffer.bind(gpu);
      ion.takeReference = () => {};
      gpu.mapBuffer = (context, buffer, rights) => {
        take(buffer);
        return map(context, buffer, rights);
      };
    },
  },
];
