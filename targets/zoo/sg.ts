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
    origin: 'ION-25',
    layer: 'sg',
    catches: 'C4',
    text: 'when a table cannot be finished, the chunks it already has are not freed',
    needs: ['fault'],
    patch({ chunks }) {
      chunks.abort = () => {};
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
