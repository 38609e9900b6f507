/**
 * Scopes: machines so small, and calls so few, that every script up to a length can be tried. Each is about one layer,
 * or about what layers do together. The values that arguments take are the first ones of their ranges, or named here.
 */
import type { NamedScope } from './spec.ts';

/** Kernel memory just large enough for what is searched, and nothing beside it. */
const TINY = { vmallocPages: 2, parked: 0 } as const;

export const SCOPES: Readonly<Record<string, NamedScope>> = {
  pages: {
    text: 'the buddy allocator: every way of splitting and merging four pages',
    machine: { ...TINY, pages: 4, orderMax: 2 },
    only: ['alloc_pages', 'free_pages'],
    few: 3,
    depth: 100,
  },
  'pages-parked': {
    text: 'the same with up to two freed pages kept apart, which are not merged before they are drained',
    machine: { ...TINY, pages: 4, orderMax: 2, parked: 2 },
    only: ['alloc_pages', 'free_pages', 'drain'],
    few: 3,
    depth: 100,
  },
  metadata: {
    text: 'memory for metadata, in one piece and out of single pages',
    machine: { pages: 6, orderMax: 1, vmallocPages: 5 },
    only: ['alloc_pages', 'free_pages', 'kvmalloc', 'kvfree'],
    few: 3,
    depth: 4,
  },
  devices: {
    text: 'two domains and two devices, attached in every way',
    machine: { ...TINY, pages: 4, ioBits: 8, contexts: 2, devices: 2 },
    only: ['iommu_domain_alloc', 'iommu_domain_free', 'iommu_attach_device', 'iommu_detach_device'],
    few: 2,
    depth: 100,
  },
  descriptors: {
    text: 'two clients, one buffer, and every way to hold it by handle and descriptors',
    machine: {
      ...TINY,
      pages: 3,
      orderMax: 0,
      ioBits: 8,
      clients: 2,
      handles: 1,
      fds: 2,
      policies: { coherent: 'yes', zeroing: 'on-free' },
    },
    only: [
      'ion_client_create',
      'ion_client_destroy',
      'ion_alloc',
      'ion_free',
      'ion_share',
      'fd_close',
      'fd_dup',
      'fd_send',
    ],
    depth: 100,
  },
  gpu: {
    text: 'a client, its two contexts, an IOTLB of one entry, and what the device reaches',
    machine: {
      ...TINY,
      pages: 8,
      orderMax: 2,
      ioBits: 8,
      iotlbEntries: 1,
      contexts: 2,
      clients: 1,
      handles: 1,
      jobs: 1,
    },
    only: [
      'ion_client_create',
      'ion_alloc',
      'ion_free',
      'gpu_context_create',
      'gpu_context_destroy',
      'gpu_bind',
      'gpu_unbind',
      'device_read',
      'device_write',
    ],
    depth: 5,
  },
};
