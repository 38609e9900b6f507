/** Bugs of the DMA API: the flush queue, syncs, coherent memory. */
import type { Bug } from './bug.ts';

export const DMA_BUGS: readonly Bug[] = [
  {
    name: 'addresses-back-before-the-flush',
    origin: 'IO-19',
    layer: 'dma',
    catches: 'S3',
    text: 'addresses that await a flush are handed out again',
    needs: [],
    patch({ flushQueue }) {
      const release = flushQueue.release.bind(flushQueue);
      flushQueue.release = (domain, ioPage, count) => {
        release(domain, ioPage, count);
        flushQueue.freeAddresses(domain, ioPage, count);
      };
    },
  },
  {
    name: 'flush-too-short',
    origin: 'IO-14',
    layer: 'dma',
    catches: 'I1',
    text: 'a flush drops the first page of each range from the IOTLB, and leaves the rest',
    needs: [],
    only: [
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_alloc_coherent',
      'dma_free_coherent',
      'device_read',
      'tick_flush',
    ],
    patch({ flushQueue }) {
      const invalidate = flushQueue.invalidate.bind(flushQueue);
      flushQueue.invalidate = (domain, ioPage) => invalidate(domain, ioPage, 1);
    },
  },
  {
    name: 'queue-outlives-its-domain',
    origin: 'invented',
    layer: 'dma',
    catches: 'I1',
    text: 'what waits for a flush when its domain ends still waits in the next with its number',
    needs: [],
    patch({ flushQueue }) {
      flushQueue.forget = () => {};
    },
  },
  {
    name: 'no-sync-for-device',
    origin: 'DM-11',
    layer: 'dma',
    catches: 'H1',
    text: 'what CPUs wrote stays in their caches while a device reads memory',
    needs: [],
    patch({ dma }) {
      dma.syncForDevice = () => {};
    },
  },
  {
    name: 'no-sync-for-cpu',
    origin: 'invented',
    layer: 'dma',
    catches: 'H1',
    text: 'CPUs go on to read their copies of what a device has written since',
    needs: [],
    patch({ dma }) {
      dma.syncForCpu = () => {};
    },
  },
  {
    name: 'unmapped-in-both-directions',
    origin: 'DM-10',
    layer: 'dma',
    catches: 'H2',
    text: 'unmapping what only CPUs wrote drops what they wrote since it was mapped',
    needs: [],
    patch({ dma, sg, reader, cache }) {
      dma.syncForCpu = (table) => {
        sg.open(table, reader);
        while (reader.next()) for (let i = 0; i < reader.length; i++) cache.invalidatePage(reader.page + i);
      };
    },
  },
  {
    name: 'coherent-not-zeroed',
    origin: 'ION-04',
    layer: 'dma',
    catches: 'I8',
    text: 'coherent memory holds what its pages held before',
    needs: [],
    patch({ coherent, cache }) {
      const allocate = coherent.allocate.bind(coherent);
      const zero = cache.zeroPage.bind(cache);
      coherent.allocate = (device, bytes) => {
        cache.zeroPage = () => {};
        const page = allocate(device, bytes);
        cache.zeroPage = zero;
        return page;
      };
    },
  },
  {
    name: 'coherent-still-mapped',
    origin: 'invented',
    layer: 'dma',
    catches: 'I2',
    text: 'coherent memory is freed while the device still reaches it',
    needs: [],
    patch({ coherent, flushQueue }) {
      const free = coherent.free.bind(coherent);
      const release = flushQueue.release.bind(flushQueue);
      coherent.free = (kernelPage) => {
        flushQueue.release = () => {};
        const flushes = free(kernelPage);
        flushQueue.release = release;
        return flushes;
      };
    },
  },
  {
    name: 'settled-by-dropping',
    origin: 'invented',
    layer: 'dma',
    catches: 'I8',
    text: 'the zeros of coherent memory are dropped from the cache before they get to memory',
    needs: [],
    patch({ coherent, cache }) {
      coherent.settle = (page) => cache.invalidatePage(page);
    },
  },
  {
    name: 'queued-nowhere',
    origin: 'IO-18',
    layer: 'dma',
    catches: 'I1',
    text: 'a strict domain leaves what it unmaps to a flush queue that it does not have',
    needs: [],
    patch({ flushQueue, iommu }) {
      const release = flushQueue.release.bind(flushQueue);
      flushQueue.release = (domain, ioPage, count) => {
        if (flushQueue.stale.count > 0) release(domain, ioPage, count);
        else iommu.clearEntries(domain, ioPage, count);
      };
    },
  },
  {
    name: 'freed-while-shared',
    origin: 'PA-13',
    layer: 'dma',
    catches: 'I2',
    text: 'coherent memory that a device cannot be given is freed as if it had no uncached mapping yet',
    needs: ['fault'],
    patch({ coherent, metadata: { scattered } }) {
      const allocate = coherent.allocate.bind(coherent);
      const unmap = scattered.unmapPages.bind(scattered);
      coherent.allocate = (device, bytes) => {
        scattered.unmapPages = () => {};
        const page = allocate(device, bytes);
        scattered.unmapPages = unmap;
        return page;
      };
    },
  },
];
