/** Bugs of I/O page tables. */
import { EEXIST } from '../../impl/errno.ts';
import { READ, WRITE } from '../../impl/tables.ts';
import type { Bug } from './bug.ts';

export const TABLES_BUGS: readonly Bug[] = [
  {
    name: 'writable-anyway',
    origin: 'invented',
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
    name: 'write-means-both',
    origin: 'IO-29',
    layer: 'iommu',
    catches: 'I4',
    text: 'what is mapped for writing alone can be read too',
    needs: [],
    patch({ tables }) {
      const map = tables.map.bind(tables);
      tables.map = (root, ioPage, page, rights, level) =>
        map(root, ioPage, page, rights === WRITE ? READ | WRITE : rights, level);
    },
  },
  {
    name: 'entry-too-narrow',
    origin: 'IO-30',
    layer: 'iommu',
    catches: 'I2',
    text: 'an entry has room for 5 bits of a page number',
    needs: [],
    patch({ tables }) {
      const map = tables.map.bind(tables);
      tables.map = (root, ioPage, page, rights, level) => map(root, ioPage, page % 32, rights, level);
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
    text: 'where in a large leaf a device address leads is left out of its translation',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap'],
    patch({ tables }) {
      const inBlock = tables.inBlock.bind(tables);
      tables.inBlock = (block, level) => inBlock(block, level, 0);
    },
  },
  {
    name: 'block-taken-for-a-table',
    origin: 'IO-03',
    layer: 'iommu',
    catches: 'S4',
    text: 'a large leaf on the way is followed as if it led to a table: entries are kept in pages of data',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map'],
    patch({ tables, memory }) {
      const descend = tables.descend.bind(tables);
      tables.descend = (table, slot) => {
        const child = descend(table, slot);
        return child === -EEXIST ? (memory.read(table, slot) >>> 2) - 1 : child;
      };
    },
  },
  {
    name: 'no-part-of-a-block',
    origin: 'IO-05',
    layer: 'iommu',
    catches: 'P1',
    text: 'a part of a large leaf is not unmapped any more, though callers rely on it',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap'],
    patch({ tables }) {
      tables.unmapPart = () => 0;
    },
  },
  {
    name: 'block-over-a-table',
    origin: 'IO-06',
    layer: 'iommu',
    catches: 'S4',
    text: 'a large leaf is put in the place of a table, without a look at what that still maps',
    needs: [],
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map'],
    patch({ tables }) {
      tables.hasRoom = () => true;
    },
  },
  {
    name: 'lost-in-the-split',
    origin: 'invented',
    layer: 'iommu',
    catches: 'S4',
    text: 'a large leaf of which a part cannot be unmapped is not put back',
    needs: ['fault'],
    property: 'fault',
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap'],
    patch({ tables, memory }) {
      const unmapPart = tables.unmapPart.bind(tables);
      tables.unmapPart = (table, level, ioPage, count) => {
        const done = unmapPart(table, level, ioPage, count);
        if (done === 0) memory.write(table, tables.slotOf(ioPage, level), 0);
        return done;
      };
    },
  },
];
