/** Bugs of the allocator of device addresses. */
import { ENOSPC } from '../../impl/errno.ts';
import type { Bug } from './bug.ts';

export const IOVA_BUGS: readonly Bug[] = [
  {
    name: 'addresses-leak',
    origin: 'invented',
    layer: 'iova',
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
    layer: 'iova',
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
    layer: 'iova',
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
    name: 'searched-from-the-last',
    origin: 'IV-02',
    layer: 'iova',
    catches: 'M3',
    text: 'the search starts behind the last range in use, and does not look at the holes before it',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    patch({ iommu: { iova } }) {
      iova.searchFrom = (space, align) => {
        let end = 1;
        for (let at = iova.nextUsed(space, 0); at >= 0; at = iova.nextUsed(space, at + 1)) end = at + 1;
        return Math.ceil(end / align) * align;
      };
    },
  },
  {
    name: 'limit-exclusive',
    origin: 'IV-04',
    layer: 'iova',
    catches: 'M3',
    text: 'the highest address of a space is taken for the end of it: it is never handed out',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    patch({ iommu: { iova } }) {
      const allocate = iova.allocate.bind(iova);
      iova.allocate = (space, count) => {
        const first = allocate(space, count);
        if (first < 0 || first + count < iova.end) return first;
        iova.free(space, first, count);
        return -ENOSPC;
      };
    },
  },
  {
    name: 'cached-ranges-count-as-used',
    origin: 'IV-06',
    layer: 'iova',
    catches: 'M3',
    text: 'freed single pages of addresses are kept for the next of that size, whoever else may need them',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    patch({ iommu, flushQueue }) {
      const { iova, tables, ioPages } = iommu;
      const allocate = iova.allocate.bind(iova);
      const free = iova.free.bind(iova);
      const isKept = (space: number, ioPage: number): boolean =>
        tables.walk(iommu.rootOf(space), ioPage) === 0 &&
        (flushQueue.stale.values[space * ioPages + ioPage] ?? 0) === 0;
      const takeKept = (space: number): number => {
        let at = iova.nextUsed(space, 0);
        while (at >= 0 && !isKept(space, at)) at = iova.nextUsed(space, at + 1);
        return at;
      };
      iova.free = (space, first, count) => {
        if (count > 1) free(space, first, count);
      };
      iova.allocate = (space, count) => {
        const kept = count === 1 ? takeKept(space) : -1;
        return kept < 0 ? allocate(space, count) : kept;
      };
    },
  },
  {
    name: 'failed-size-remembered',
    origin: 'IV-12',
    layer: 'iova',
    catches: 'M3',
    text: 'what has failed for one size fails for as long as the space lives, though addresses came back',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    patch(kernel) {
      const { iova } = kernel.iommu;
      const allocate = iova.allocate.bind(iova);
      const clear = iova.clear.bind(iova);
      const reset = kernel.reset.bind(kernel);
      const failed = new Map<number, number>();
      kernel.reset = () => {
        failed.clear();
        reset();
      };
      iova.clear = (space) => {
        failed.delete(space);
        clear(space);
      };
      iova.allocate = (space, count) => {
        if (count >= (failed.get(space) ?? Number.POSITIVE_INFINITY)) return -ENOSPC;
        const first = allocate(space, count);
        if (first < 0 && count < iova.end && kernel.faults.fired === 0) failed.set(space, count);
        return first;
      };
    },
  },
  {
    name: 'rounded-past-the-end',
    origin: 'UF-01',
    layer: 'iova',
    catches: 'S3',
    text: 'where no address is left, rounding up wraps past the end of the space to address 0',
    needs: [],
    patch({ iommu: { iova }, faults }) {
      const allocate = iova.allocate.bind(iova);
      iova.allocate = (space, count) => {
        const first = allocate(space, count);
        return first < 0 && count < iova.end && faults.fired === 0 ? 0 : first;
      };
    },
  },
  {
    name: 'doorbells-mapped-along',
    origin: 'invented',
    layer: 'iova',
    catches: 'I7',
    text: 'what is mapped is reachable at the doorbells too',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map'],
    patch({ iommu, tables }) {
      const map = iommu.mapRange.bind(iommu);
      iommu.mapRange = (context, ioPage, page, count, rights) => {
        const result = map(context, ioPage, page, count, rights);
        const { end } = iommu.iova;
        if (result === 0 && end < iommu.ioPages) tables.map(iommu.rootOf(context), end, page, rights);
        return result;
      };
    },
  },
];
