/** Bugs of page tables, the IOTLB, domains and the devices in them. */
import { OWNER_BLOCK } from '../../impl/owners.ts';
import { WRITE } from '../../impl/tables.ts';
import type { Bug } from './bug.ts';

export const IOMMU_BUGS: readonly Bug[] = [
  {
    name: 'stale-iotlb',
    origin: 'GP-01',
    layer: 'iommu',
    catches: 'I1',
    text: 'unmapping does not invalidate the IOTLB',
    needs: [],
    patch({ iotlb }) {
      iotlb.invalidate = () => {};
    },
  },
  {
    name: 'writable-anyway',
    origin: 'GP-14',
    layer: 'iommu',
    catches: 'I4',
    text: 'what is mapped for reading can be written too',
    needs: [],
    patch({ tables }) {
      const map = tables.map.bind(tables);
      tables.map = (root, ioPage, page, rights, level) => map(root, ioPage, page, rights | WRITE, level);
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
    name: 'tables-not-freed',
    origin: 'invented',
    layer: 'iommu',
    catches: 'C3',
    text: 'ending an address space frees its top table and forgets those below',
    needs: [],
    patch({ tables }) {
      tables.destroy = (root) => tables.freeTable(root);
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
    origin: 'IO-26',
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
    name: 'wrong-part-stays',
    origin: 'GP-18',
    layer: 'iommu',
    catches: 'S4',
    text: 'a large leaf of which a part is unmapped is split into leaves of its first part',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap'],
    patch({ tables }) {
      tables.partOf = (block) => block;
    },
  },
  {
    name: 'low-bits-lost',
    origin: 'IO-04',
    layer: 'iommu',
    catches: 'S4',
    text: 'where in a page a device address leads is left out of its translation',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_iova_to_phys'],
    patch({ iommu, memory }) {
      const pageBytes = memory.wordBytes << memory.pageShift;
      const translate = iommu.iovaToPhys.bind(iommu);
      iommu.iovaToPhys = (context, iova) => translate(context, iova - (iova % pageBytes));
    },
  },
  {
    name: 'list-not-unmapped',
    origin: 'IO-11',
    layer: 'iommu',
    catches: 'I5',
    text: 'when not all of a list can be mapped, what was mapped of it stays',
    needs: [],
    only: ['alloc_pages', 'sg_alloc_table_from_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_map_sg'],
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
    origin: 'IO-23',
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
    origin: 'UF-08',
    layer: 'iommu',
    catches: 'I6',
    text: 'a device that is attached already changes its domain without being detached',
    needs: [],
    patch({ devices }) {
      devices.isAttached = () => false;
    },
  },
];
