/** Bugs of the DMA API: address ranges, the flush queue, syncs, coherent memory. */
import type { Bug } from './bug.ts';

export const DMA_BUGS: readonly Bug[] = [
  {
    name: 'addresses-leak',
    origin: 'invented',
    layer: 'dma',
    catches: 'M3',
    text: 'address ranges are not given back at unmap',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    patch({ iommu }) {
      iommu.iova.free = () => {};
    },
  },
  {
    name: 'address-zero',
    origin: 'invented',
    layer: 'dma',
    catches: 'S3',
    text: 'the first range handed out starts at address 0',
    needs: [],
    patch({ iommu: { iova } }) {
      const allocate = iova.allocate.bind(iova);
      iova.allocate = (space, count) => {
        const first = allocate(space, count);
        return iova.nextUsed(space, 0) === first ? 0 : first;
      };
    },
  },
  {
    name: 'reserved-address-handed-out',
    origin: 'IV-10',
    layer: 'dma',
    catches: 'I7',
    text: 'addresses are handed out from the top, where the reserved ones are',
    needs: [],
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
      'dma_alloc_coherent',
    ],
    patch({ iommu: { iova, ioPages } }) {
      const allocate = iova.allocate.bind(iova);
      iova.allocate = (space, count) => {
        const first = allocate(space, count);
        return first < 0 ? first : ioPages - count;
      };
    },
  },
  {
    name: 'addresses-back-before-the-flush',
    origin: 'IO-19',
    layer: 'dma',
    catches: 'S3',
    text: 'addresses that await a flush are handed out again',
    needs: [],
    only: ['iommu_domain_alloc', 'iommu_attach_device', 'dma_alloc_coherent', 'dma_free_coherent'],
    patch({ flushQueue }) {
      const release = flushQueue.release.bind(flushQueue);
      flushQueue.release = (domain, ioPage, count) => {
        release(domain, ioPage, count);
        flushQueue.freeAddresses(domain, ioPage, count);
      };
    },
  },
  {
    name: 'flush-of-nothing',
    origin: 'IO-14',
    layer: 'dma',
    catches: 'I1',
    text: 'a flush empties its queue and leaves the IOTLB as it is',
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
      flushQueue.invalidate = () => {};
    },
  },
  {
    name: 'queue-outlives-its-domain',
    origin: 'IO-18',
    layer: 'dma',
    catches: 'I1',
    text: 'what waits for a flush when its domain ends still waits in the next with its number',
    needs: [],
    only: [
      'iommu_domain_alloc',
      'iommu_domain_free',
      'iommu_attach_device',
      'iommu_detach_device',
      'dma_alloc_coherent',
      'dma_free_coherent',
    ],
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
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
      'dma_sync_sg_for_device',
      'cpu_write',
    ],
    patch({ dma }) {
      dma.syncForDevice = () => {};
    },
  },
  {
    name: 'no-sync-for-cpu',
    origin: 'DM-10',
    layer: 'dma',
    catches: 'H1',
    text: 'CPUs go on to read their copies of what a device has written since',
    needs: [],
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
      'dma_unmap_sg',
      'dma_sync_sg_for_cpu',
      'cpu_write',
      'device_write',
    ],
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
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
      'dma_unmap_sg',
      'dma_sync_sg_for_cpu',
      'cpu_write',
    ],
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
    origin: 'DM-07',
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
];
