/** Bugs of metadata: slabs, vmalloc, the kernel's page tables, vmap. */
import { ENOMEM } from '../../impl/errno.ts';
import { pageBytesOf } from '../builtin-calls.ts';
import type { Bug } from './bug.ts';

export const METADATA_BUGS: readonly Bug[] = [
  {
    name: 'kmalloc-takes-two',
    origin: 'invented',
    layer: 'metadata',
    catches: 'M2a',
    text: 'metadata of at most a page asks for two contiguous ones',
    needs: ['fragmentation'],
    only: ['alloc_pages', 'free_pages', 'kmalloc', 'kfree'],
    patch({ metadata: { contiguous }, pages }) {
      const page = contiguous.page.bind(contiguous);
      const slab = contiguous.takeSlab.bind(contiguous);
      const hasTwo = (): boolean => {
        const pair = pages.tryTake(1);
        if (pair >= 0) pages.freeToLists(pair, 1);
        return pair >= 0;
      };
      contiguous.page = () => (hasTwo() ? page() : -ENOMEM);
      contiguous.takeSlab = () => (hasTwo() ? slab() : -ENOMEM);
    },
  },
  {
    name: 'no-vmalloc-fallback',
    origin: 'PA-17',
    layer: 'metadata',
    catches: 'M2b',
    text: 'metadata above a page must be contiguous',
    needs: ['fragmentation'],
    patch({ metadata, memory }) {
      const allocate = metadata.kvmalloc.bind(metadata);
      const pageBytes = pageBytesOf(memory);
      metadata.kvmalloc = (bytes) => (bytes > pageBytes ? metadata.kmallocLarge(bytes) : allocate(bytes));
    },
  },
  {
    name: 'slab-goes-with-the-first',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C1',
    text: 'a page of small objects is freed with the first of them',
    needs: [],
    patch({ metadata: { contiguous }, memory }) {
      const pageBytes = pageBytesOf(memory);
      const { slabs } = contiguous;
      contiguous.release = (pointer) => {
        const page = Math.floor(pointer / pageBytes);
        const shift = slabs.shift.get(page);
        if (shift !== 0) slabs.free(pointer);
        else contiguous.free(page);
        if (slabs.isSlab(page)) slabs.freeSlab(page, shift);
      };
    },
  },
  {
    name: 'objects-overlap',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C1',
    text: 'the size of a small object is rounded down to one that slabs have',
    needs: [],
    patch({ metadata: { contiguous } }) {
      const { slabs } = contiguous;
      const allocate = slabs.allocate.bind(slabs);
      slabs.allocate = (bytes) => allocate(2 ** Math.floor(Math.log2(bytes)));
    },
  },
  {
    name: 'vfree-keeps-the-pages',
    origin: 'PA-07',
    layer: 'metadata',
    catches: 'C3',
    text: 'vfree gives the addresses and the list of the pages back, and forgets the pages',
    needs: [],
    patch({ metadata: { scattered } }) {
      const free = scattered.free.bind(scattered);
      const unback = scattered.unback.bind(scattered);
      scattered.free = (kernelPage) => {
        scattered.unback = () => {};
        free(kernelPage);
        scattered.unback = unback;
      };
    },
  },
  {
    name: 'kernel-tables-stay',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C3',
    text: 'tables of kernel addresses are not freed when they are empty',
    needs: [],
    patch({ metadata: { scattered } }) {
      scattered.tables.prune = () => {};
    },
  },
  {
    name: 'addresses-stay',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C3',
    text: 'vfree gives the pages back and keeps the kernel addresses',
    needs: [],
    patch({ metadata }) {
      metadata.scattered.release = () => {};
    },
  },
  {
    name: 'guard-page-handed-out',
    origin: 'invented',
    layer: 'metadata',
    catches: 'P3',
    text: 'the guard page behind an area is the first of the next',
    needs: [],
    patch({ metadata: { scattered } }) {
      const { area } = scattered;
      const reserve = scattered.reserve.bind(scattered);
      const release = scattered.release.bind(scattered);
      scattered.reserve = (count) => {
        const start = reserve(count);
        if (start >= 0) area.set(start + count, 0);
        return start;
      };
      scattered.release = (start, count) => {
        const next = area.get(start + count);
        release(start, count);
        area.set(start + count, next);
      };
    },
  },
  {
    name: 'vmap-one-short',
    origin: 'invented',
    layer: 'metadata',
    catches: 'P3',
    text: 'the last of several pages is left out of a mapping of kernel addresses',
    needs: [],
    patch({ metadata: { scattered } }) {
      const map = scattered.mapPages.bind(scattered);
      scattered.mapPages = (count, pageOf, cached) =>
        map(count, (index) => (index > 0 && index === count - 1 ? -1 : pageOf(index)), cached);
    },
  },
  {
    name: 'uncached-mapped-cached',
    origin: 'invented',
    layer: 'metadata',
    catches: 'P3',
    text: 'kernel addresses are cached whatever the memory needs',
    needs: [],
    patch({ metadata: { scattered } }) {
      const map = scattered.mapPages.bind(scattered);
      scattered.mapPages = (count, pageOf) => map(count, pageOf, true);
    },
  },
  {
    name: 'size-of-31-bits',
    origin: 'PA-04',
    layer: 'metadata',
    catches: 'P2',
    text: 'the size of metadata is kept in 31 bits, whatever was asked for',
    needs: [],
    patch({ metadata }) {
      const allocate = metadata.kvmalloc.bind(metadata);
      metadata.kvmalloc = (bytes) => allocate(bytes % 2 ** 31);
    },
  },
  {
    name: 'kvfree-is-kfree',
    origin: 'PA-10',
    layer: 'metadata',
    catches: 'C3',
    text: 'memory that kvmalloc may have out of single pages is freed as if it never had',
    needs: [],
    patch({ metadata, memory }) {
      const free = metadata.kfree.bind(metadata);
      metadata.kvfree = (pointer) => {
        if (memory.isPage(Math.floor(pointer / pageBytesOf(memory)))) free(pointer);
      };
    },
  },
  {
    name: 'mapped-in-pairs',
    origin: 'PA-05',
    layer: 'metadata',
    catches: 'I2',
    text: 'pages are mapped as pairs wherever the first is aligned, though the second came from elsewhere',
    needs: [],
    patch({ metadata: { scattered } }) {
      const map = scattered.mapPages.bind(scattered);
      scattered.mapPages = (count, pageOf, cached) => {
        const inPair = (index: number): number => {
          const first = pageOf(index - (index % 2));
          return index % 2 === 1 && first % 2 === 0 ? first + 1 : pageOf(index);
        };
        return map(count, inPair, cached);
      };
    },
  },
  {
    name: 'vmalloc-keeps-one',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C4',
    text: 'when pages run out half way through an area, the last that it got is not freed',
    needs: ['fault'],
    patch({ metadata: { scattered } }) {
      const back = scattered.back.bind(scattered);
      scattered.back = (start, array, count) => {
        const done = back(start, array, count);
        return done < count ? Math.max(done - 1, 0) : done;
      };
    },
  },
  {
    name: 'addresses-stay-without-tables',
    origin: 'invented',
    layer: 'metadata',
    catches: 'C4',
    text: 'kernel addresses stay taken when there are no tables to map them with',
    needs: ['fault'],
    property: 'fault',
    patch({ metadata: { scattered } }) {
      const map = scattered.mapPages.bind(scattered);
      const release = scattered.release.bind(scattered);
      scattered.mapPages = (count, pageOf, cached) => {
        scattered.release = () => {};
        const kernelPage = map(count, pageOf, cached);
        scattered.release = release;
        return kernelPage;
      };
    },
  },
];
