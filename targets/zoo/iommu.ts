/** Bugs of page tables, the IOTLB, address ranges and devices. */
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
      tables.map = (root, ioPage, page, rights) => map(root, ioPage, page, rights | WRITE);
    },
  },
  {
    name: 'inclusive-end',
    origin: 'invented',
    layer: 'iommu',
    catches: 'I5',
    text: 'a mapping of one page or more reaches one page further',
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
        const fits = ioPage + count < iommu.ioPages && page + count < pages.pages;
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
    name: 'addresses-leak',
    origin: 'invented',
    layer: 'dma',
    catches: 'M3',
    text: 'address ranges are not given back at unmap',
    needs: [],
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
    name: 'reads-the-first-line',
    origin: 'invented',
    layer: 'device',
    catches: 'H1',
    text: 'a device reads the first line of a page whatever the address',
    needs: [],
    patch({ engine, memory }) {
      const read = engine.readLine.bind(engine);
      engine.readLine = (context, ioLine) => read(context, ioLine - (ioLine % memory.linesPerPage));
    },
  },
  {
    name: 'writes-two-lines',
    origin: 'invented',
    layer: 'device',
    catches: 'H2',
    text: 'writing a line of a page overwrites the next one too',
    needs: [],
    patch({ memory }) {
      const write = memory.writeLine.bind(memory);
      memory.writeLine = (page, line, tag) => {
        write(page, line, tag);
        if (line + 1 < memory.linesPerPage) write(page, line + 1, tag);
      };
    },
  },
];
