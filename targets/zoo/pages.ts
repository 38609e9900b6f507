/** Bugs of the page allocator, of the parked list, of compaction and of those who occupy pages. */
import { ceilLog2 } from '../../impl/check.ts';
import { EBUSY, ENOMEM, ENOSPC } from '../../impl/errno.ts';
import { OWNER_MOVABLE, OWNER_OCCUPIED } from '../../impl/owners.ts';
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
    name: 'taken-off-and-counted',
    origin: 'PA-01',
    layer: 'pages',
    catches: 'C6',
    text: 'a page that is taken out of the free lists by its number is still counted as free',
    needs: [],
    patch({ pages }) {
      const carve = pages.carve.bind(pages);
      pages.carve = (page) => {
        carve(page);
        pages.freeCount.add(0, 1);
      };
    },
  },
  {
    name: 'uncounted-tail',
    origin: 'invented',
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
    name: 'drain-keeps-one',
    origin: 'invented',
    layer: 'pages',
    catches: 'L1',
    text: 'a drain stops before the last parked page',
    needs: [],
    patch({ pages }) {
      pages.drain = () => {
        while (pages.parked.count.get(0) > 1) pages.freeToLists(pages.parked.pop(), 0);
      };
    },
  },
  {
    name: 'parked-counts-as-used',
    origin: 'invented',
    layer: 'pages',
    catches: 'M1',
    text: 'a block cannot be had although all pages that it lacks are parked',
    needs: [],
    patch({ pages }) {
      pages.take = (order) => {
        const page = pages.tryTake(order);
        return page < 0 && pages.reclaim() ? pages.tryTake(order) : page;
      };
    },
  },
  {
    name: 'reserve-handed-out',
    origin: 'invented',
    layer: 'pages',
    catches: 'P1',
    text: 'the last pages, which are kept for emergencies, are handed out too',
    needs: [],
    patch({ pages }) {
      const take = pages.tryTake.bind(pages);
      pages.tryTake = (order) => {
        pages.freeCount.add(0, pages.pages);
        const page = take(order);
        pages.freeCount.add(0, -pages.pages);
        return page;
      };
    },
  },
  {
    name: 'split-stays-compound',
    origin: 'PA-15',
    layer: 'pages',
    catches: 'C1',
    text: 'the pages of a split block still belong to its first page',
    needs: [],
    patch({ pages }) {
      pages.splitBlock = (first) => {
        const count = pages.block.get(first);
        pages.run.set(first, count);
        return count;
      };
    },
  },
  {
    name: 'moved-and-still-owned',
    origin: 'invented',
    layer: 'pages',
    catches: 'C1',
    text: 'compaction frees the page that it moved from, and leaves it to its owner too',
    needs: ['fragmentation'],
    patch({ pages }) {
      const move = pages.occupants.move.bind(pages.occupants);
      pages.occupants.move = (from, to) => {
        move(from, to);
        pages.owner.set(from, OWNER_MOVABLE);
      };
    },
  },
  {
    name: 'moved-without-contents',
    origin: 'invented',
    layer: 'pages',
    catches: 'H2',
    text: 'compaction moves a page and leaves what it holds behind',
    needs: ['fragmentation'],
    patch({ pages }) {
      pages.moveContents = () => {};
    },
  },
  {
    name: 'parks-without-end',
    origin: 'invented',
    layer: 'pages',
    catches: 'C6',
    text: 'the parked list takes every page that comes back',
    needs: [],
    patch({ pages }) {
      pages.parked.hasRoom = () => true;
    },
  },
  {
    name: 'moved-and-not-freed',
    origin: 'invented',
    layer: 'pages',
    catches: 'C6',
    text: 'the page that compaction moved from is never given back',
    needs: ['fragmentation'],
    only: ['occupy', 'release', 'compact'],
    patch({ pages }) {
      const move = pages.occupants.move.bind(pages.occupants);
      pages.occupants.move = (from, to) => {
        move(from, to);
        pages.carve(from);
        pages.own(from, 1, OWNER_MOVABLE);
      };
    },
  },
  {
    name: 'half-occupied',
    origin: 'invented',
    layer: 'pages',
    catches: 'C4',
    text: 'when one of the pages asked for is in use, those before it stay taken',
    needs: [],
    patch({ pages }) {
      const occupy = pages.occupants.occupy.bind(pages.occupants);
      pages.occupants.occupy = (first, count, movable) => {
        const result = occupy(first, count, movable);
        for (let page = first; result === -EBUSY && pages.freeOrderAt(page) >= 0; page++) {
          pages.carve(page);
          pages.own(page, 1, OWNER_OCCUPIED);
        }
        return result;
      };
    },
  },
  {
    name: 'split-for-nothing',
    origin: 'BD-11',
    layer: 'pages',
    catches: 'S1',
    text: 'a range is cut out of a free block before all else is to be had; when it is not, the pieces stay apart',
    needs: ['fault'],
    patch({ pages }) {
      const occupy = pages.occupants.occupy.bind(pages.occupants);
      const canMerge = pages.canMerge.bind(pages);
      pages.occupants.occupy = (first, count, movable) => {
        const result = occupy(first, count, movable);
        pages.canMerge = () => false;
        for (let page = first; result === -ENOSPC && page < first + count; page++) {
          pages.carve(page);
          pages.freeToLists(page, 0);
        }
        pages.canMerge = canMerge;
        return result;
      };
    },
  },
  {
    name: 'rounded-past-the-largest',
    origin: 'BD-04',
    layer: 'pages',
    catches: 'P1',
    text: 'a contiguous request that is rounded up past the largest block stops the machine',
    needs: [],
    patch({ buffers, pages }) {
      buffers.takeBlock = (count) => {
        const order = ceilLog2(count);
        const first = pages.allocate(order);
        if (first >= 0) pages.freeRun(first + count, (1 << order) - count);
        return first;
      };
    },
  },
];
