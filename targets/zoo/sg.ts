/** Bugs of scatter-gather tables. */
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
    origin: 'DM-14',
    layer: 'sg',
    catches: 'H1',
    text: 'filling a table that is shorter than asked for goes on in the page behind its last',
    needs: [],
    only: ['alloc_pages', 'sg_alloc_table_from_pages', 'sg_copy', 'cpu_write'],
    patch({ sgCopy, memory }) {
      const fill = sgCopy.fill.bind(sgCopy);
      const write = sgCopy.writeLine.bind(sgCopy);
      sgCopy.fill = (table, skip, bytes, tag) => {
        let end = -1;
        sgCopy.writeLine = (page, line, each) => {
          write(page, line, each);
          end = page * memory.linesPerPage + line + 1;
        };
        const copied = fill(table, skip, bytes, tag);
        if (end >= 0 && copied < bytes && memory.isPage(Math.floor(end / memory.linesPerPage)))
          write(0, end, tag);
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
    patch({ sg }) {
      sg.open = (table, reader) =>
        reader.open(sg.head.get(table) - 1, Math.max(sg.segments.get(table) - 1, 1));
    },
  },
];
