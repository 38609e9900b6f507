/** Bugs of the page allocator and of metadata. */
import { ENOMEM } from '../../impl/errno.ts';
import type { Bug } from './bug.ts';

export const PAGES_BUGS: readonly Bug[] = [
  {
    name: 'free-first-page-only',
    origin: 'PA-08',
    layer: 'pages',
    catches: 'C1',
    text: 'freeing a block of several pages gives only the first one back',
    needs: [],
    patch({ pages }) {
      pages.freeBlock = (page) => {
        pages.disown(page, pages.block.get(page));
        pages.block.set(page, 0);
        pages.free(page, 0);
      };
    },
  },
  {
    name: 'uncounted-tail',
    origin: 'PA-01',
    layer: 'pages',
    catches: 'C6',
    text: 'pages given back from the tail of a larger block are not counted as free',
    needs: [],
    patch({ pages }) {
      pages.freeRun = (first, count) => {
        for (let page = first; page < first + count; page++) pages.merge(page, 0);
      };
    },
  },
  {
    name: 'no-merge',
    origin: 'invented',
    layer: 'pages',
    catches: 'S1',
    text: 'a freed block is not joined with its free buddy',
    needs: [],
    patch({ pages }) {
      pages.canMerge = () => false;
    },
  },
  {
    name: 'order-as-enomem',
    origin: 'invented',
    layer: 'pages',
    catches: 'P1',
    text: 'an order that does not exist is reported as lack of memory',
    needs: [],
    patch({ pages }) {
      const allocate = pages.allocateBlock.bind(pages);
      pages.allocateBlock = (order) => (order < 0 || order > pages.orderMax ? -ENOMEM : allocate(order));
    },
  },
  {
    name: 'kmalloc-takes-two',
    origin: 'invented',
    layer: 'metadata',
    catches: 'M2a',
    text: 'metadata of a page asks for two contiguous ones',
    needs: ['fragmentation'],
    only: ['alloc_pages', 'free_pages', 'kvmalloc', 'kvfree'],
    patch({ metadata }) {
      metadata.kmalloc = () => {
        const pair = metadata.contiguous.large(2);
        if (pair < 0) return pair;
        metadata.contiguous.free(pair);
        return metadata.contiguous.page();
      };
    },
  },
  {
    name: 'no-vmalloc-fallback',
    origin: 'PA-17',
    layer: 'metadata',
    catches: 'M2b',
    text: 'metadata above a page must be contiguous',
    needs: ['fragmentation'],
    only: ['alloc_pages', 'free_pages', 'kvmalloc', 'kvfree'],
    patch({ metadata }) {
      metadata.vmalloc = () => -ENOMEM;
    },
  },
];
