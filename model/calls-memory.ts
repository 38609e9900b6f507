/** The table of calls, first part: pages, the kernel's own memory, scatter-gather tables. */
import type { CallShape } from './spec.ts';

export const MEMORY_CALLS = {
  alloc_pages: {
    layer: 'pages',
    by: 'kernel',
    text: 'take 2^order contiguous pages',
    sites: ['page'],
    args: { order: { is: 'number', from: 0, to: 'orderMax', likely: [0, 0, 1, 2], odd: [-1, 60] } },
    gives: { kind: 'block', fields: { pfn: { is: 'pfn', below: 'pages', chosen: true } } },
  },
  free_pages: {
    layer: 'pages',
    by: 'kernel',
    text: 'give a block back, whole',
    args: { block: { is: 'ref', of: ['block'], consumes: true } },
  },
  split_page: {
    layer: 'pages',
    by: 'kernel',
    text: 'make every page of a block a block of its own',
    args: { block: { is: 'ref', of: ['block'], consumes: true } },
    gives: {
      kind: 'split',
      fields: { pfn: { is: 'pfn', below: 'pages' }, count: { is: 'number', from: 1, to: 'blockPages' } },
    },
  },
  free_pages_exact: {
    layer: 'pages',
    by: 'kernel',
    text: 'give the pages of a split block back, one by one',
    args: { split: { is: 'ref', of: ['split'], consumes: true } },
  },
  occupy: {
    layer: 'pages',
    by: 'kernel',
    text: 'somebody else takes exactly these page frames and writes them; movable ones may be moved later',
    sites: ['id'],
    args: {
      pfn: { is: 'number', from: 0, to: 'lastPage', odd: [-1, 99_999_999] },
      count: { is: 'number', from: 1, to: 4 },
      mobility: { is: 'word', of: ['unmovable', 'movable'] },
      tag: { is: 'number', from: 1, to: 255, opaque: true },
    },
    gives: { kind: 'occupant', fields: { occupant: { is: 'number', below: 'occupants', chosen: true } } },
  },
  release: {
    layer: 'pages',
    by: 'kernel',
    text: 'an occupant’s pages are free again',
    args: { occupant: { is: 'ref', of: ['occupant'], consumes: true } },
  },
  compact: {
    layer: 'pages',
    by: 'kernel',
    text: 'move movable pages together, so that larger blocks come free',
    args: {},
  },
  drain: { layer: 'pages', by: 'kernel', text: 'parked pages go back to the buddy lists', args: {} },
  shrink: { layer: 'pages', by: 'kernel', text: 'deferred buffers are freed, pools are emptied', args: {} },
  kmalloc: {
    layer: 'metadata',
    by: 'kernel',
    text: 'contiguous memory for metadata',
    sites: ['kmalloc'],
    args: {
      bytes: {
        is: 'number',
        from: 1,
        to: 4,
        unit: 'pageBytes',
        ragged: true,
        odd: [0, -1, 1_088, '0xffffffffffffffff'],
      },
    },
    gives: {
      kind: 'object',
      fields: { memory: { is: 'number', below: 'kernelWords', unit: 8, chosen: true } },
    },
  },
  kfree: {
    layer: 'metadata',
    by: 'kernel',
    text: 'give memory from kmalloc back',
    args: { memory: { is: 'ref', of: ['object'], consumes: true } },
  },
  vmalloc: {
    layer: 'metadata',
    by: 'kernel',
    text: 'single pages behind a range of kernel addresses',
    sites: ['vmalloc', 'kmalloc', 'page', 'table'],
    args: {
      bytes: {
        is: 'number',
        from: 1,
        to: 8,
        unit: 'pageBytes',
        ragged: true,
        odd: [0, '0xffffffffffffffff'],
      },
    },
    gives: {
      kind: 'area',
      fields: { memory: { is: 'number', below: 'kernelPages', unit: 'pageBytes', chosen: true } },
    },
  },
  vfree: {
    layer: 'metadata',
    by: 'kernel',
    text: 'give memory from vmalloc back',
    args: { memory: { is: 'ref', of: ['area'], consumes: true } },
  },
  kvmalloc: {
    layer: 'metadata',
    by: 'kernel',
    text: 'memory for metadata: contiguous, or above a page out of single pages',
    sites: ['kmalloc', 'kmalloc_large', 'vmalloc', 'page', 'table'],
    args: {
      bytes: {
        is: 'number',
        from: 1,
        to: 12,
        unit: 'pageBytes',
        ragged: true,
        odd: [0, -1, 2_147_483_648, '0xffffffffffffffff'],
      },
    },
    gives: {
      kind: 'memory',
      fields: { memory: { is: 'number', below: 'kernelWords', unit: 8, chosen: true } },
    },
  },
  kvfree: {
    layer: 'metadata',
    by: 'kernel',
    text: 'give memory from kvmalloc, kmalloc or vmalloc back',
    args: { memory: { is: 'ref', of: ['memory', 'object', 'area'], consumes: true } },
  },
  vmap: {
    layer: 'metadata',
    by: 'kernel',
    text: 'map blocks at consecutive kernel addresses',
    sites: ['vmalloc', 'table'],
    args: { pages: { is: 'refs', of: ['block'], most: 4 } },
    gives: {
      kind: 'vmap',
      fields: { address: { is: 'number', below: 'kernelPages', unit: 'pageBytes', chosen: true } },
    },
  },
  vunmap: {
    layer: 'metadata',
    by: 'kernel',
    text: 'end a mapping of vmap',
    args: { address: { is: 'ref', of: ['vmap'], consumes: true } },
  },
  sg_alloc_table_from_pages: {
    layer: 'sg',
    by: 'kernel',
    text: 'list blocks of pages as segments, neighbours merged',
    sites: ['kmalloc', 'id'],
    args: {
      pages: { is: 'refs', of: ['block'], most: 4 },
      maxSegment: { is: 'number', from: 1, to: 8, unit: 'pageBytes', ragged: true, odd: [0, 1] },
    },
    gives: {
      kind: 'table',
      fields: {
        table: { is: 'number', below: 'sgTables', chosen: true },
        segments: { is: 'number', to: 'tablePages' },
      },
    },
  },
  sg_copy: {
    layer: 'sg',
    by: 'kernel',
    text: 'write lines of a table’s pages, as a CPU does, up to the table’s end',
    args: {
      table: { is: 'ref', of: ['table'] },
      skip: { is: 'number', from: 0, to: 8, unit: 'lineBytes' },
      bytes: { is: 'number', from: 1, to: 8, unit: 'lineBytes', odd: [0] },
      tag: { is: 'number', from: 1, to: 255, opaque: true },
    },
    gives: { fields: { copied: { is: 'number', to: 'tableLines', unit: 'lineBytes' } } },
  },
  sg_free_table: {
    layer: 'sg',
    by: 'kernel',
    text: 'give a scatter-gather table back',
    args: { table: { is: 'ref', of: ['table'], consumes: true } },
  },
} as const;

MEMORY_CALLS satisfies Readonly<Record<string, CallShape>>;
