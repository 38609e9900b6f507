/**
 * Scopes, fourth part: on which the arguments of the review are decided. Their policies are those of the machine; where
 * somebody else holds pages, these may be movable instead.
 */
import type { NamedScope } from './spec.ts';

const SMALL = {
  pages: 8,
  orderMax: 2,
  vmallocPages: 4,
  ioBits: 9,
  iotlbEntries: 1,
  contexts: 1,
  clients: 1,
  handles: 1,
  jobs: 1,
  fds: 1,
  userPages: 2,
  devices: 1,
  parked: 0,
} as const;

const BUFFERS = ['ion_client_create', 'ion_client_destroy', 'ion_alloc', 'ion_free'];
const CONTEXTS = ['gpu_context_create', 'gpu_context_destroy', 'gpu_bind', 'gpu_unbind'];
const KERNEL = ['ion_map_kernel', 'ion_unmap_kernel'];
const UNCACHED = { flags: ['uncached'], heaps: [['iommu']] };
const EITHER = { ion_alloc: { bytes: [64], heaps: [['iommu']] } };
const FIRST_LINE = {
  cpu_write: { at: [{ offset: 0 }], bytes: [16], tag: [1] },
  cpu_read: { at: [{ offset: 0 }], bytes: [16] },
  device_write: { at: [{ offset: 0 }], bytes: [16], tag: [2] },
  device_read: { at: [{ offset: 0 }], bytes: [16] },
};

/** Every second page, of which no two are neighbours. */
const EVERY_SECOND = Array.from({ length: 20 }, (_, at): [number, number] => [2 * at + 1, 1]);

export const VERDICT_SCOPES: Readonly<Record<string, NamedScope>> = {
  't1-contexts': {
    text: 'T1: two clients with contexts',
    machine: { ...SMALL, clients: 2, contexts: 4 },
    only: ['ion_client_create', 'ion_alloc', 'ion_free', ...CONTEXTS, 'device_read'],
    values: { ...FIRST_LINE, ion_alloc: { ...UNCACHED, bytes: [64] }, gpu_bind: { access: ['both'] } },
    depth: 7,
  },
  't2-mapping': {
    text: 'T2: one client, its buffers and contexts',
    machine: { ...SMALL, contexts: 3 },
    only: [...BUFFERS, ...CONTEXTS, 'device_read'],
    values: {
      ion_alloc: { ...UNCACHED, bytes: [64] },
      device_read: { at: [{ offset: 0 }, 0], bytes: [16] },
    },
    depth: 8,
  },
  't3-backing': {
    text: 'T3: buffers, and two pages of kernel addresses',
    machine: { ...SMALL, pages: 12, vmallocPages: 2, handles: 3 },
    only: [...BUFFERS, 'alloc_pages', 'free_pages'],
    values: { ion_alloc: { ...UNCACHED, bytes: [64, 128, 192] }, alloc_pages: { order: [0, 1] } },
    depth: 6,
  },
  't4-page-array': {
    text: 'T4: buffers whose lists outgrow a page, where every second page is taken',
    machine: { ...SMALL, pages: 40, orderMax: 3, vmallocPages: 64, handles: 2, occupied: EVERY_SECOND },
    only: [...BUFFERS, 'alloc_pages', 'free_pages'],
    values: { ion_alloc: { ...UNCACHED, bytes: [64, 576] }, alloc_pages: { order: [0, 1, 2] } },
    depth: 6,
  },
  't4-page-array-short': {
    text: 'T4: buffers on a machine of three pages',
    machine: { ...SMALL, pages: 3, orderMax: 1, vmallocPages: 64, handles: 2 },
    only: [...BUFFERS, 'alloc_pages', 'free_pages'],
    values: { ion_alloc: { ...UNCACHED, bytes: [64, 128] }, alloc_pages: { order: [0, 1] } },
    depth: 8,
  },
  't5-aliasing': {
    text: 'T5: buffers, and what CPUs write to and read from them',
    machine: SMALL,
    only: [
      ...BUFFERS,
      ...KERNEL,
      'ion_share',
      'ion_mmap',
      'ion_munmap',
      'cpu_write',
      'cpu_read',
      'tick_cache',
    ],
    values: {
      ...FIRST_LINE,
      ...EITHER,
      ion_mmap: { offset: [0], bytes: [64] },
      tick_cache: { entry: [0] },
    },
    depth: 8,
  },
  't6-sync': {
    text: 'T6: a buffer that CPUs, a device and jobs read and write',
    machine: SMALL,
    only: [
      'ion_client_create',
      'ion_alloc',
      'gpu_context_create',
      'gpu_bind',
      'gpu_unbind',
      'ion_map_kernel',
      'cpu_write',
      'cpu_read',
      'gpu_submit',
      'tick_engine',
      'device_read',
      'device_write',
    ],
    values: {
      ...FIRST_LINE,
      ...EITHER,
      gpu_bind: { access: ['both'] },
      gpu_submit: { at: [{ offset: 0 }], bytes: [16], tag: [3] },
    },
    depth: 7,
  },
  't7-layout': {
    text: 'T7: buffers where others hold three of twelve pages',
    machine: {
      ...SMALL,
      pages: 12,
      orderMax: 3,
      vmallocPages: 16,
      handles: 2,
      occupied: [
        [2, 1],
        [5, 1],
        [9, 1],
      ],
    },
    only: [...BUFFERS, 'alloc_pages', 'free_pages', 'compact'],
    values: { ion_alloc: { ...UNCACHED, bytes: [64, 192, 320] }, alloc_pages: { order: [0, 1] } },
    depth: 6,
  },
  zeroing: {
    text: 'buffers that are written, given back, and handed out again',
    machine: { ...SMALL, handles: 2 },
    only: [...BUFFERS, ...KERNEL, 'cpu_write', 'tick_worker'],
    values: { ...FIRST_LINE, ion_alloc: { bytes: [64, 128] } },
    depth: 5,
  },
  strict: {
    text: 'what a device reaches of the DMA mappings that have ended',
    machine: { ...SMALL, sgTables: 2, flushEntries: 2 },
    only: [
      'iommu_domain_alloc',
      'iommu_attach_device',
      'alloc_pages',
      'sg_alloc_table_from_pages',
      'dma_map_sg',
      'dma_unmap_sg',
      'dma_alloc_coherent',
      'dma_free_coherent',
      'device_read',
      'tick_flush',
    ],
    values: {
      ...FIRST_LINE,
      iommu_domain_alloc: { type: ['dma'] },
      alloc_pages: { order: [0] },
      sg_alloc_table_from_pages: { pages: [1], maxSegment: [64] },
      dma_map_sg: { direction: ['bidirectional'] },
      dma_alloc_coherent: { bytes: [64] },
    },
    depth: 7,
  },
};
