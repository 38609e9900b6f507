/** Bugs of scatter-gather tables. */
import { OWNER_BLOCK } from '../../impl/owners.ts';
import type { Bug } from './bug.ts';

export const SG_BUGS: readonly Bug[] = [
  {
    name: 'no-coalescing',
    origin: 'invented',
    layer: 'sg',
    catches: 'S2',
    text: 'adjacent pages are not merged into one segment',
    needs: [],
    patch({ chunks }) {
      chunks.canExtend = () => false;
    },
  },
  {
    name: 'chunks-left-behind',
    origin: 'SG-02',
    layer: 'sg',
    catches: 'C4',
    text: 'when a table cannot be finished, the chunks it already has are not freed',
    needs: ['fault'],
    only: ['alloc_pages', 'sg_alloc_table_from_pages', 'sg_free_table'],
    patch({ chunks }) {
      chunks.abort = () => {};
    },
  },
  {
    name: 'only-the-first-chunk-freed',
    origin: 'SG-02',
    layer: 'sg',
    catches: 'C3',
    text: 'freeing a table of several chunks frees the first of them',
    needs: [],
    only: ['alloc_pages', 'sg_alloc_table_from_pages', 'sg_free_table'],
    patch({ sg, chunks }) {
      sg.free = (table) => {
        chunks.freeChunk(sg.head.get(table) - 1);
        sg.head.set(table, 0);
        sg.segments.set(table, 0);
      };
    },
  },
  {
    name: 'copies-past-the-end',
    origin: 'invented',
    layer: 'sg',
    catches: 'H2',
    text: 'filling a table that is shorter than asked for goes on in the block behind its last page',
    needs: [],
    only: ['alloc_pages', 'cpu_write', 'sg_alloc_table_from_pages', 'sg_copy'],
    patch({ sgCopy, memory, cache, pages }) {
      const fill = sgCopy.fill.bind(sgCopy);
      const write = sgCopy.writeLine.bind(sgCopy);
      let behind = -1;
      sgCopy.writeLine = (page, line, tag) => {
        write(page, line, tag);
        behind = page + Math.floor(line / memory.linesPerPage) + 1;
      };
      sgCopy.fill = (table, skip, bytes, tag) => {
        behind = -1;
        const copied = fill(table, skip, bytes, tag);
        if (copied < bytes && pages.owner.values[behind] === OWNER_BLOCK) {
          cache.invalidatePage(behind);
          memory.writeLine(behind, 0, tag);
        }
        return copied;
      };
    },
  },
  {
    name: 'last-segment-lost',
    origin: 'SG-10',
    layer: 'dma',
    catches: 'S5',
    text: 'whoever walks a table of several segments misses the last',
    needs: [],
    only: [
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_map_sg',
      'dma_unmap_sg',
    ],
    patch({ sg }) {
      sg.open = (table, reader) =>
        reader.open(sg.head.get(table) - 1, Math.max(sg.segments.get(table) - 1, 1));
    },
  },
];
