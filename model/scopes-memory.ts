/** Scopes, first part: pages, the kernel's own memory, scatter-gather tables. */
import type { NamedScope } from './spec.ts';

/** Kernel memory just large enough for what is searched, and nothing beside it. */
const TINY = { vmallocPages: 2, parked: 0 } as const;

const PAGES = ['alloc_pages', 'free_pages'];
const METADATA = ['kmalloc', 'kfree', 'vmalloc', 'vfree', 'kvmalloc', 'kvfree'];
/** Sizes that no memory has. */
const NO_SIZE = [0, '0xffffffffffffffff'];

export const MEMORY_SCOPES: Readonly<Record<string, NamedScope>> = {
  pages: {
    text: 'the buddy allocator: every way of splitting and merging four pages',
    machine: { ...TINY, pages: 4, orderMax: 2 },
    only: PAGES,
    few: 3,
    depth: 100,
  },
  'pages-parked': {
    text: 'the same with up to two freed pages kept apart, which are not merged before they are drained',
    machine: { ...TINY, pages: 4, orderMax: 2, parked: 2 },
    only: [...PAGES, 'drain'],
    few: 3,
    depth: 100,
  },
  'pages-lifo': {
    text: 'six pages, of which the one that was freed last is taken first',
    machine: { ...TINY, pages: 6, orderMax: 1, parked: 1, policies: { placement: 'lifo' } },
    only: [...PAGES, 'drain'],
    few: 2,
    depth: 100,
  },
  'pages-split': {
    text: 'blocks that are split into pages of their own, and orders that do not exist',
    machine: { ...TINY, pages: 8, orderMax: 3 },
    only: [...PAGES, 'split_page', 'free_pages_exact'],
    values: { alloc_pages: { order: [-1, 0, 1, 2, 3, 60] } },
    depth: 7,
  },
  'pages-reserve': {
    text: 'the last page is for emergencies',
    machine: { pages: 5, reserve: 1, parked: 1 },
    only: [...PAGES, 'kmalloc', 'kfree', 'vmalloc', 'vfree'],
    values: { kmalloc: { bytes: [64, 128] }, vmalloc: { bytes: [64, 128] } },
    depth: 6,
  },
  'pages-occupied': {
    text: 'others take page frames by number, some of which compaction moves',
    machine: { ...TINY, pages: 6, orderMax: 2, occupants: 2, movable: [[1, 2]] },
    only: [...PAGES, 'occupy', 'release', 'compact'],
    values: {
      alloc_pages: { order: [0, 1, 2] },
      occupy: { pfn: [-1, 0, 1, 4], count: [1, 2], tag: [1] },
    },
    depth: 6,
  },
  'pages-moved': {
    text: 'what compaction moves, with what is in it',
    machine: { ...TINY, pages: 4, orderMax: 1, occupants: 2 },
    only: [...PAGES, 'occupy', 'release', 'compact', 'cpu_write'],
    values: {
      occupy: { pfn: [0, 1], count: [1, 2], mobility: ['movable'], tag: [1] },
      cpu_write: { at: [{ offset: 0 }], bytes: [16], tag: [2] },
    },
    few: 2,
    depth: 5,
  },
  'pages-compacted': {
    text: 'three pages with a movable one in the middle',
    machine: { ...TINY, pages: 3, orderMax: 1, parked: 2, movable: [[1, 1]] },
    only: [...PAGES, 'compact', 'drain'],
    few: 2,
    depth: 100,
  },
  'pages-faults': {
    text: 'one fault while pages, objects and kernel addresses are taken',
    machine: { pages: 6, vmallocPages: 4, occupants: 2, parked: 0 },
    only: [...PAGES, 'occupy', 'release', 'kmalloc', 'kfree', 'vmap', 'vunmap'],
    values: { occupy: { pfn: [0, 1], count: [1, 2], tag: [1] }, kmalloc: { bytes: [64] } },
    depth: 4,
    faults: 1,
  },
  metadata: {
    text: 'memory for metadata, in one piece and out of single pages',
    machine: { pages: 6, orderMax: 1, vmallocPages: 5 },
    only: [...PAGES, 'kvmalloc', 'kvfree'],
    few: 3,
    depth: 4,
  },
  'metadata-objects': {
    text: 'objects smaller than a page, several on one',
    machine: { pages: 3, vmallocPages: 3, parked: 0 },
    only: METADATA,
    values: {
      kmalloc: { bytes: [...NO_SIZE, 1, 2, 64] },
      vmalloc: { bytes: [...NO_SIZE, 64] },
      kvmalloc: { bytes: [-1, 1, 22, 26] },
    },
    depth: 4,
  },
  'metadata-large': {
    text: 'memory that is larger than the largest block, or than any',
    machine: { pages: 14, orderMax: 2, vmallocPages: 12, parked: 2 },
    only: METADATA,
    values: {
      kmalloc: { bytes: [64, 128, 320] },
      vmalloc: { bytes: [64, 320] },
      kvmalloc: { bytes: [64, 128, 320, 2_147_483_648] },
    },
    depth: 4,
  },
  'metadata-scattered': {
    text: 'no two pages are neighbours',
    machine: { pages: 6, orderMax: 0, vmallocPages: 6, parked: 1 },
    only: METADATA,
    values: { kmalloc: { bytes: [64] }, vmalloc: { bytes: [128] }, kvmalloc: { bytes: [64, 128, 192] } },
    depth: 6,
  },
  'metadata-short': {
    text: 'three pages in all',
    machine: { pages: 3, vmallocPages: 5 },
    only: METADATA,
    values: { kmalloc: { bytes: [64, 128] }, vmalloc: { bytes: [64] }, kvmalloc: { bytes: [64, 192] } },
    depth: 6,
  },
  'metadata-one-page': {
    text: 'a machine of one page',
    machine: { pages: 1 },
    only: [...PAGES, 'kmalloc', 'kfree', 'kvmalloc', 'kvfree'],
    values: { kmalloc: { bytes: [16, 64] }, kvmalloc: { bytes: [16, 64] } },
    depth: 100,
  },
  'kernel-maps': {
    text: 'blocks at consecutive kernel addresses',
    machine: { pages: 8, orderMax: 1, vmallocPages: 8, parked: 0 },
    only: [...PAGES, 'vmap', 'vunmap', 'vmalloc', 'vfree', 'cpu_write', 'cpu_read'],
    values: {
      vmap: { pages: [1, 2] },
      vmalloc: { bytes: [64] },
      cpu_write: { at: [{ offset: 0 }], bytes: [16], tag: [1] },
      cpu_read: { at: [{ offset: 0 }], bytes: [16] },
    },
    few: 2,
    depth: 4,
  },
  sg: {
    text: 'blocks listed as segments, up to limits that are no multiples of a page',
    machine: { ...TINY, pages: 11, orderMax: 3, sgTables: 2 },
    only: [...PAGES, 'sg_alloc_table_from_pages', 'sg_free_table'],
    values: {
      alloc_pages: { order: [0, 1, 3] },
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [0, 1, 64, 66, 128] },
    },
    depth: 5,
  },
  'sg-short': {
    text: 'tables of several chunks where pages run out',
    machine: { ...TINY, pages: 5, orderMax: 2, sgTables: 2 },
    only: [...PAGES, 'sg_alloc_table_from_pages', 'sg_free_table'],
    values: {
      alloc_pages: { order: [0, 1, 2] },
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [64] },
    },
    depth: 6,
  },
  'sg-copy': {
    text: 'what CPUs write through tables, up to their ends',
    machine: { ...TINY, pages: 6, orderMax: 1, sgTables: 1 },
    only: [...PAGES, 'sg_alloc_table_from_pages', 'sg_copy', 'sg_free_table'],
    values: {
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [64] },
      sg_copy: { skip: [0, 16], bytes: [0, 16, 128], tag: [1] },
    },
    few: 2,
    depth: 5,
  },
};
