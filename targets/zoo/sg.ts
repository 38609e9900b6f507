/** Bugs of scatter-gather tables. */
import { OWNER_BLOCK } from '../../impl/owners.ts';
import { pageBytesOf } from '../builtin-calls.ts';
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
    origin: 'invented',
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
  {
    name: 'segment-limit-rounded-up',
    origin: 'SG-06',
    layer: 'sg',
    catches: 'S2',
    text: 'a limit of segments that is no multiple of the page size is rounded up: segments overshoot it',
    needs: [],
    patch({ sg, memory }) {
      const allocate = sg.allocateFromPages.bind(sg);
      const pageBytes = pageBytesOf(memory);
      sg.allocateFromPages = (blocks, maxSegment) =>
        allocate(blocks, maxSegment < pageBytes ? maxSegment : Math.ceil(maxSegment / pageBytes) * pageBytes);
    },
  },
  {
    name: 'unmapped-by-segments',
    origin: 'SG-09',
    layer: 'sg',
    catches: 'I1',
    text: 'a table is unmapped with the number of its segments for that of its pages',
    needs: [],
    patch({ dma, sg, flushQueue }) {
      const unmap = dma.unmap.bind(dma);
      const release = flushQueue.release.bind(flushQueue);
      dma.unmap = (table) => {
        flushQueue.release = (domain, ioPage) => release(domain, ioPage, sg.segments.get(table));
        const flushes = unmap(table);
        flushQueue.release = release;
        return flushes;
      };
    },
  },
  {
    name: 'length-wraps',
    origin: 'SG-13',
    layer: 'sg',
    catches: 'I1',
    text: 'the pages of a table are added up in 2 bits: fewer addresses are taken than mapped',
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
      const count = sg.countPages.bind(sg);
      sg.countPages = (table, reader) => {
        const pages = count(table, reader);
        return pages % 4 === 0 ? pages : pages % 4;
      };
    },
  },
];
