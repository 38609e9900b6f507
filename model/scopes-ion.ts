/** Scopes, third part: the memory manager, its file descriptors, and a GPU driver. */
import type { NamedScope } from './spec.ts';

/** One of everything, small. */
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
  parked: 0,
};

const BUFFERS = ['ion_client_create', 'ion_client_destroy', 'ion_alloc', 'ion_free'];
/** Without the end of the client, which every script has at its end. */
const MAKE = ['ion_client_create', 'ion_alloc', 'ion_free'];
const KERNEL = ['ion_map_kernel', 'ion_unmap_kernel'];
const CONTEXTS = ['gpu_context_create', 'gpu_context_destroy', 'gpu_bind', 'gpu_unbind'];

const UNCACHED = { flags: ['uncached'], heaps: [['iommu']] };
const ONE_PAGE = { ion_alloc: { ...UNCACHED, bytes: [64] } };
const BOTH = { gpu_bind: { access: ['both'] } };
/** The first line of whatever has addresses. */
const FIRST_LINE = {
  cpu_write: { at: [{ offset: 0 }], bytes: [16], tag: [1] },
  cpu_read: { at: [{ offset: 0 }], bytes: [16] },
};

export const ION_SCOPES: Readonly<Record<string, NamedScope>> = {
  ion: {
    text: 'buffers from every heap, of sizes that exist and of others',
    machine: { ...SMALL, pages: 6, handles: 2 },
    only: [...BUFFERS, 'ion_query', 'ion_sg_table', 'tick_worker', 'shrink'],
    values: {
      ion_alloc: { bytes: [0, 64, 128, 256, '0xffffffffffffffff', '0x8000000000000000'] },
      tick_cache: { entry: [0] },
    },
    depth: 4,
  },
  'ion-large': {
    text: 'buffers larger than the largest block, with lists larger than a page',
    machine: { ...SMALL, pages: 24, vmallocPages: 64 },
    only: BUFFERS,
    values: { ion_alloc: { bytes: [64, 320, 576], flags: ['uncached'] } },
    depth: 6,
  },
  'ion-scattered': {
    text: 'no two pages are neighbours',
    machine: { ...SMALL, pages: 20, orderMax: 0, vmallocPages: 64 },
    only: BUFFERS,
    values: { ion_alloc: { bytes: [64, 128, 576], flags: ['uncached'] } },
    depth: 6,
  },
  'ion-short': {
    text: 'buffers until there is no page left, in pools, parked, or deferred',
    machine: { ...SMALL, pages: 5, handles: 2, orderMax: 1 },
    only: [...BUFFERS, 'tick_worker', 'shrink'],
    values: {
      ion_alloc: {
        bytes: [64, 128],
        heaps: [['iommu'], ['system'], ['system', 'iommu']],
        flags: ['uncached'],
      },
    },
    depth: 7,
  },
  'ion-reserve': {
    text: 'four pages, of which one is for emergencies',
    machine: { ...SMALL, pages: 4, reserve: 1 },
    only: BUFFERS,
    values: { ion_alloc: { bytes: [64, 128], flags: ['uncached'] } },
    depth: 100,
  },
  'ion-two-pages': {
    text: 'a machine of two pages',
    machine: { ...SMALL, pages: 2 },
    only: BUFFERS,
    values: { ion_alloc: { bytes: [64, 128] } },
    depth: 100,
  },
  'ion-one-page': {
    text: 'a machine of one page',
    machine: { ...SMALL, pages: 1 },
    only: BUFFERS,
    values: { ion_alloc: { bytes: [64] } },
    depth: 100,
  },
  'ion-pool': {
    text: 'pages that go through a pool from one buffer to the next',
    machine: { ...SMALL, pages: 5 },
    only: [...BUFFERS, ...KERNEL, 'cpu_write', 'tick_worker'],
    values: { ...FIRST_LINE, ion_alloc: { bytes: [64], heaps: [['system']], flags: ['uncached'] } },
    depth: 9,
  },
  'ion-kernel': {
    text: 'kernel addresses of buffers, beside those of others',
    machine: { ...SMALL, pages: 6 },
    only: [...BUFFERS, ...KERNEL, 'vmalloc', 'vfree', 'cpu_write', 'cpu_read', 'tick_cache'],
    values: {
      ...FIRST_LINE,
      ion_alloc: { bytes: [64], heaps: [['iommu']] },
      vmalloc: { bytes: [64] },
      tick_cache: { entry: [0] },
    },
    depth: 6,
  },
  'ion-faults': {
    text: 'one fault while a buffer is made, shared or bound',
    machine: SMALL,
    only: [...BUFFERS, 'ion_share', 'gpu_context_create', 'gpu_bind'],
    values: {
      ...BOTH,
      ion_alloc: { bytes: [64, 128], heaps: [['iommu'], ['system-contig']], flags: ['uncached'] },
    },
    depth: 5,
    faults: 1,
  },
  'ion-races': {
    text: 'another actor’s call while a handle or a descriptor is made, mapped or given up',
    machine: { ...SMALL, pages: 4, handles: 2, fds: 2 },
    only: [...MAKE, 'ion_share', 'ion_map_kernel', 'fd_dup', 'fd_close'],
    values: ONE_PAGE,
    depth: 7,
    overlaps: 1,
  },
  descriptors: {
    text: 'two clients, one buffer, and every way to hold it by handle and descriptors',
    machine: {
      vmallocPages: 2,
      parked: 0,
      pages: 3,
      orderMax: 0,
      ioBits: 8,
      clients: 2,
      handles: 1,
      fds: 2,
      policies: { coherent: 'yes', zeroing: 'on-free' },
    },
    only: [...BUFFERS, 'ion_share', 'fd_close', 'fd_dup', 'fd_send'],
    depth: 100,
  },
  'descriptors-imported': {
    text: 'one client that imports what it shared',
    machine: { ...SMALL, pages: 3, handles: 2, fds: 2 },
    only: [...BUFFERS, 'ion_share', 'ion_import', 'ion_sync', 'fd_close', 'fd_dup'],
    values: { ion_alloc: { bytes: [64], heaps: [['iommu']] } },
    depth: 7,
  },
  'descriptors-faults': {
    text: 'one fault while a descriptor is made, sent or imported',
    machine: { ...SMALL, pages: 3, clients: 2 },
    only: [...MAKE, 'ion_share', 'ion_import', 'fd_send'],
    values: ONE_PAGE,
    depth: 6,
    faults: 1,
  },
  'descriptors-races': {
    text: 'another actor’s call while a descriptor is sent or imported',
    machine: { ...SMALL, pages: 3, clients: 2, handles: 2 },
    only: [...MAKE, 'ion_share', 'ion_import', 'fd_send'],
    values: ONE_PAGE,
    depth: 7,
    overlaps: 1,
  },
  clients: {
    text: 'two clients that share a buffer and map it for the kernel',
    machine: { ...SMALL, pages: 5, clients: 2 },
    only: [...BUFFERS, 'ion_share', 'ion_import', 'ion_sync', 'fd_send', ...KERNEL],
    values: ONE_PAGE,
    depth: 9,
  },
  'user-maps': {
    text: 'parts of a buffer in the address space of a client, and addresses where nothing is',
    machine: { ...SMALL, pages: 4, userPages: 4 },
    only: [...BUFFERS, 'ion_share', 'ion_mmap', 'ion_munmap', 'fd_close'],
    values: {
      ion_alloc: { ...UNCACHED, bytes: [64, 128] },
      ion_mmap: { offset: [0, 64], bytes: [0, 64, 128] },
      ion_munmap: { map: [448] },
    },
    depth: 7,
  },
  'user-maps-two': {
    text: 'one buffer in the address spaces of two clients',
    machine: { ...SMALL, pages: 4, clients: 2 },
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'fd_send', 'ion_mmap', 'ion_munmap', 'cpu_read'],
    values: {
      ion_alloc: { ...UNCACHED, bytes: [128] },
      ion_mmap: { offset: [0], bytes: [64, 128] },
      cpu_read: { at: [{ offset: 0 }, { offset: 112 }], bytes: [32] },
    },
    depth: 100,
  },
  gpu: {
    text: 'a client, its two contexts, an IOTLB of one entry, and what the device reaches',
    machine: {
      vmallocPages: 2,
      parked: 0,
      pages: 8,
      orderMax: 2,
      ioBits: 8,
      iotlbEntries: 1,
      contexts: 2,
      clients: 1,
      handles: 1,
      jobs: 1,
    },
    only: [...MAKE, ...CONTEXTS, 'device_read', 'device_write'],
    depth: 5,
  },
  'gpu-tags': {
    text: 'two contexts, and addresses that the other one has',
    machine: { ...SMALL, contexts: 2 },
    only: ['ion_client_create', 'ion_alloc', ...CONTEXTS, 'device_read'],
    values: { ...ONE_PAGE, ...BOTH, device_read: { at: [{ offset: 0 }], bytes: [16] } },
    depth: 7,
  },
  'gpu-short': {
    text: 'contexts where pages run out',
    machine: { ...SMALL, pages: 4, vmallocPages: 64 },
    only: [...BUFFERS, ...CONTEXTS],
    values: ONE_PAGE,
    depth: 100,
  },
  'gpu-three-pages': {
    text: 'the same with a page fewer',
    machine: { ...SMALL, pages: 3, vmallocPages: 64 },
    only: [...BUFFERS, ...CONTEXTS],
    values: ONE_PAGE,
    depth: 100,
  },
  'gpu-races': {
    text: 'another actor’s call while a buffer is bound or unbound, or a context ends',
    machine: SMALL,
    only: [...MAKE, ...CONTEXTS],
    values: { ...ONE_PAGE, ...BOTH },
    depth: 7,
    overlaps: 1,
  },
  'small-spaces': {
    text: 'buffers of one, two and four pages in a device address space of six',
    machine: { ...SMALL, pages: 14, handles: 3 },
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    values: { ...BOTH, ion_alloc: { ...UNCACHED, bytes: [64, 128, 256] } },
    depth: 8,
  },
  'small-spaces-short': {
    text: 'the same where there is no page for the tables of the address space',
    machine: { ...SMALL, pages: 5 },
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    values: { ...BOTH, ion_alloc: { ...UNCACHED, bytes: [64, 128] } },
    depth: 100,
  },
  'small-spaces-scattered': {
    text: 'two buffers in a device address space of six pages, and as many of memory',
    machine: { ...SMALL, pages: 9, orderMax: 0, vmallocPages: 2, handles: 2 },
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    values: {
      ...BOTH,
      ion_alloc: { bytes: [64, 128], heaps: [['iommu'], ['system']], flags: ['uncached'] },
    },
    depth: 8,
  },
  'large-buffer': {
    text: 'a buffer that leaves the device address space two pieces',
    machine: { ...SMALL, pages: 44, ioBits: 12, vmallocPages: 64, handles: 2 },
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
    values: { ...BOTH, ion_alloc: { ...UNCACHED, bytes: [128, 1856] } },
    depth: 8,
  },
  'smallest-space': {
    text: 'buffers of one and two pages in a device address space of two',
    machine: { ...SMALL, ioBits: 8, handles: 2 },
    only: ['ion_client_create', 'ion_alloc', ...CONTEXTS],
    values: { ...BOTH, ion_alloc: { ...UNCACHED, bytes: [64, 128] } },
    depth: 100,
  },
  jobs: {
    text: 'jobs that read and write a buffer, and end with their context',
    machine: SMALL,
    only: [
      'ion_client_create',
      'ion_alloc',
      ...CONTEXTS,
      'gpu_submit',
      'tick_engine',
      'ion_map_kernel',
      'cpu_write',
    ],
    values: {
      ...BOTH,
      ...FIRST_LINE,
      ion_alloc: { bytes: [64], heaps: [['iommu']] },
      gpu_submit: { at: [0, { offset: 0 }], bytes: [16], tag: [1] },
    },
    depth: 7,
  },
  'jobs-lines': {
    text: 'jobs of several lines, over the end of a page',
    machine: SMALL,
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_submit', 'tick_engine'],
    values: {
      ...BOTH,
      ion_alloc: { ...UNCACHED, bytes: [128] },
      gpu_submit: { at: [{ offset: 0 }, { offset: 48 }], bytes: [16, 48], tag: [1] },
    },
    depth: 9,
  },
};
