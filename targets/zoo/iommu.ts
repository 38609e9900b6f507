/** Bugs of the IOTLB, of domains and the devices in them. */
import { ENOMEM } from '../../impl/errno.ts';
import { OWNER_BLOCK } from '../../impl/owners.ts';
import { pageBytesOf } from '../builtin-calls.ts';
import type { Bug } from './bug.ts';

export const IOMMU_BUGS: readonly Bug[] = [
  {
    name: 'stale-iotlb',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I1',
    text: 'unmapping does not invalidate the IOTLB',
    needs: [],
    patch({ iotlb }) {
      iotlb.invalidate = () => {};
    },
  },
  {
    name: 'inclusive-end',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I5',
    text: 'a mapping that ends inside a block reaches one page further',
    needs: [],
    only: [
      'alloc_pages',
      'free_pages',
      'iommu_domain_alloc',
      'iommu_domain_free',
      'iommu_map',
      'iommu_unmap',
    ],
    patch({ iommu, tables, pages }) {
      const map = iommu.mapRange.bind(iommu);
      iommu.mapRange = (context, ioPage, page, count, rights) => {
        const result = map(context, ioPage, page, count, rights);
        const fits = ioPage + count < iommu.ioPages && pages.owner.values[page + count] === OWNER_BLOCK;
        if (result === 0 && fits) tables.map(iommu.rootOf(context), ioPage + count, page + count, rights);
        return result;
      };
    },
  },
  {
    name: 'backwards',
    origin: 'invented',
    layer: 'iommu',
    catches: 'S4',
    text: 'the pages of a range are mapped in the opposite order',
    needs: [],
    only: [
      'alloc_pages',
      'free_pages',
      'iommu_domain_alloc',
      'iommu_domain_free',
      'iommu_map',
      'iommu_unmap',
    ],
    patch({ iommu, tables }) {
      iommu.mapRange = (context, ioPage, page, count, rights) => {
        for (let i = 0; i < count; i++) {
          const result = tables.map(iommu.rootOf(context), ioPage + i, page + count - 1 - i, rights);
          if (result === 0) continue;
          iommu.undoMap(context, ioPage, i);
          return result;
        }
        return 0;
      };
    },
  },
  {
    name: 'invalidation-one-short',
    origin: 'IO-12',
    layer: 'iommu',
    catches: 'I1',
    text: 'the end of the range to invalidate is taken for its last page',
    needs: [],
    patch({ iotlb }) {
      const invalidate = iotlb.invalidate.bind(iotlb);
      iotlb.invalidate = (space, ioPage, count) => invalidate(space, ioPage, count - 1);
    },
  },
  {
    name: 'iotlb-without-tags',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I1',
    text: 'a translation that the IOTLB holds is used for all address spaces',
    needs: [],
    only: ['iommu_domain_alloc', 'iommu_attach_device', 'dma_alloc_coherent', 'device_read'],
    patch({ iotlb, iommu }) {
      const lookUp = iotlb.lookUp.bind(iotlb);
      iotlb.lookUp = (own, ioPage) => {
        let entry = lookUp(own, ioPage);
        for (let space = 0; space <= iommu.shared && entry === 0; space++) entry = lookUp(space, ioPage);
        return entry;
      };
    },
  },
  {
    name: 'list-not-unmapped',
    origin: 'IO-11',
    layer: 'iommu',
    catches: 'I5',
    text: 'when not all of a list can be mapped, what was mapped of it stays',
    needs: [],
    patch({ iommu, tables }) {
      iommu.mapSegments = (context, ioPage, reader, rights) => {
        tables.begin();
        let at = ioPage;
        let result = 0;
        while (result === 0 && reader.next()) {
          result = iommu.mapRange(context, at, reader.page, reader.length, rights);
          at += reader.length;
        }
        return result;
      };
    },
  },
  {
    name: 'detach-forgotten',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I6',
    text: 'a device that is detached keeps its domain',
    needs: [],
    patch({ devices }) {
      devices.detach = () => {};
    },
  },
  {
    name: 'attach-takes-over',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I6',
    text: 'a device that is attached already changes its domain without being detached',
    needs: [],
    patch({ devices }) {
      devices.isAttached = () => false;
    },
  },
  {
    name: 'unmap-ends-with-the-table',
    origin: 'IO-02',
    layer: 'iommu',
    catches: 'I1',
    text: 'an unmap that goes on in the next table stops where the first one ends, and says that it went on',
    needs: [],
    only: [
      'alloc_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'iommu_map',
      'iommu_unmap',
      'device_probe',
    ],
    patch({ iommu, tables }) {
      const clear = iommu.clearEntries.bind(iommu);
      iommu.clearEntries = (context, ioPage, count) => {
        const slots = tables.pagesOf(1);
        const root = iommu.rootOf(context);
        let mapped = 0;
        while (mapped < count && tables.walk(root, ioPage + mapped) !== 0) mapped++;
        clear(context, ioPage, Math.min(count, slots - (ioPage % slots)));
        return mapped;
      };
    },
  },
  {
    name: 'mapped-nothing',
    origin: 'IO-09',
    layer: 'iommu',
    catches: 'P1',
    text: 'a mapping of less than a page succeeds and maps nothing',
    needs: [],
    patch({ iommu, memory }) {
      const map = iommu.map.bind(iommu);
      const pageBytes = pageBytesOf(memory);
      iommu.map = (context, iova, phys, bytes, rights) =>
        map(context, iova, phys, Math.floor(bytes / pageBytes) * pageBytes, rights);
    },
  },
  {
    name: 'failure-taken-for-success',
    origin: 'IO-10',
    layer: 'iommu',
    catches: 'S4',
    text: 'the error of a list that there were no tables for passes for the bytes that were mapped',
    needs: ['fault'],
    patch({ iommu }) {
      const map = iommu.mapSegments.bind(iommu);
      iommu.mapSegments = (context, ioPage, reader, rights) => {
        const result = map(context, ioPage, reader, rights);
        return result === -ENOMEM ? 0 : result;
      };
    },
  },
  {
    name: 'undone-one-short',
    origin: 'ION-01',
    layer: 'iommu',
    catches: 'C4',
    text: 'a mapping that fails half way for want of a table is undone but for its last page',
    needs: ['fault'],
    property: 'fault',
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
    ],
    patch({ iommu }) {
      const giveUp = iommu.giveUp.bind(iommu);
      iommu.giveUp = (context, ioPage, mapped, error) => {
        if (error !== -ENOMEM) return giveUp(context, ioPage, mapped, error);
        iommu.undoMap(context, ioPage, Math.max(mapped - 1, 0));
        return error;
      };
    },
  },
  {
    name: 'flush-after-the-end',
    origin: 'IO-23',
    layer: 'iommu',
    catches: 'I1',
    text: 'the flush at the end of an address space goes by a list that it is on no more, and drops nothing',
    needs: [],
    only: [
      'alloc_pages',
      'iommu_domain_alloc',
      'iommu_domain_free',
      'iommu_attach_device',
      'iommu_detach_device',
      'iommu_map',
      'device_read',
    ],
    patch({ iotlb }) {
      iotlb.flush = () => {};
    },
  },
  {
    name: 'tables-of-another',
    origin: 'IO-26',
    layer: 'iommu',
    catches: 'I3',
    text: 'two contexts are given the same tables by mistake',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind'],
    patch({ iommu }) {
      iommu.spaceFor = (context) => context - (context % 2);
    },
  },
  {
    name: 'attached-to-the-next',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I6',
    text: 'the domain of a device is entered one too high, and there need be none of that id',
    needs: [],
    only: ['iommu_domain_alloc', 'iommu_attach_device'],
    patch({ devices }) {
      const attach = devices.attach.bind(devices);
      devices.attach = (domain, device) => attach(domain + 1, device);
    },
  },
  {
    name: 'attached-under-another-id',
    origin: 'IO-27',
    layer: 'iommu',
    catches: 'I6',
    text: 'the domain of a device is entered under the id of another',
    needs: [],
    patch({ devices }) {
      const attach = devices.attach.bind(devices);
      devices.attach = (domain, device) => {
        const result = attach(domain, device);
        if (result < 0 || device === 0) return result;
        devices.domain.set(device, 0);
        devices.domain.set(0, domain + 1);
        return result;
      };
    },
  },
  {
    name: 'address-wraps',
    origin: 'IO-34',
    layer: 'iommu',
    catches: 'P2',
    text: 'a device address wraps at the end of the address space before its bounds are checked',
    needs: [],
    only: ['iommu_domain_alloc', 'alloc_pages', 'iommu_map'],
    patch({ iommu, memory }) {
      const map = iommu.map.bind(iommu);
      const end = iommu.ioPages * pageBytesOf(memory);
      iommu.map = (context, iova, phys, bytes, rights) => map(context, iova % end, phys, bytes, rights);
    },
  },
];
