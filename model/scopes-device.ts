/** Scopes, second part: IOMMU, DMA API, devices, CPUs. */
import type { NamedScope } from './spec.ts';

/** One of everything, small. */
const SMALL = {
  pages: 8,
  orderMax: 2,
  vmallocPages: 4,
  ioBits: 9,
  iotlbEntries: 1,
  contexts: 1,
  sgTables: 1,
  devices: 1,
  parked: 0,
  flushEntries: 1,
};

const LAZY = { invalidation: 'lazy' } as const;

const DOMAINS = ['iommu_domain_alloc', 'iommu_domain_free', 'iommu_attach_device', 'iommu_detach_device'];
/** Without the ends, which every script has at its end. */
const ATTACH = ['iommu_domain_alloc', 'iommu_attach_device'];
const SYNCS = ['dma_sync_sg_for_device', 'dma_sync_sg_for_cpu'];
const ACCESSES = ['cpu_write', 'cpu_read', 'device_write', 'device_read'];

const UNMANAGED = { iommu_domain_alloc: { type: ['unmanaged'] } };
const FOR_DMA = { iommu_domain_alloc: { type: ['dma'] }, iommu_attach_device: { device: [0] } };
const ONE_PAGE = {
  alloc_pages: { order: [0] },
  sg_alloc_table_from_pages: { pages: [1], maxSegment: [64] },
};
/** The first line of whatever has addresses. */
const FIRST_LINE = {
  cpu_write: { at: [{ offset: 0 }], bytes: [16], tag: [1] },
  cpu_read: { at: [{ offset: 0 }], bytes: [16] },
  device_write: { at: [{ offset: 0 }], bytes: [16], tag: [2] },
  device_read: { at: [{ offset: 0 }], bytes: [16] },
};

export const DEVICE_SCOPES: Readonly<Record<string, NamedScope>> = {
  devices: {
    text: 'two domains and two devices, attached in every way',
    machine: { vmallocPages: 2, parked: 0, pages: 4, ioBits: 8, contexts: 2, devices: 2 },
    only: DOMAINS,
    few: 2,
    depth: 100,
  },
  iommu: {
    text: 'an address space, mapped and unmapped by hand, with sizes and addresses that do not exist',
    machine: SMALL,
    only: [...ATTACH, 'alloc_pages', 'iommu_map', 'iommu_unmap', 'iommu_iova_to_phys', 'device_read'],
    values: {
      ...UNMANAGED,
      alloc_pages: { order: [0, 1] },
      iommu_attach_device: { device: [0, 99] },
      iommu_map: { iova: [0, 64, 512], bytes: [0, 8, 64, 128] },
      iommu_unmap: { iova: [0, 64], bytes: [0, 64, 128] },
      iommu_iova_to_phys: { iova: [0, 64] },
      device_read: { at: [0, 64], bytes: [16] },
    },
    depth: 4,
  },
  'iommu-leaves': {
    text: 'large leaves: mapped over tables, under them, and unmapped in part',
    machine: { ...SMALL, pages: 10, ioBits: 12 },
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap', 'iommu_iova_to_phys'],
    values: {
      ...UNMANAGED,
      alloc_pages: { order: [0, 2] },
      iommu_map: { iova: [0, 64], bytes: [64, 256], prot: ['both'] },
      iommu_unmap: { iova: [0, 64], bytes: [64, 256] },
      iommu_iova_to_phys: { iova: [0, 64] },
    },
    depth: 6,
  },
  'iommu-leaves-short': {
    text: 'large leaves where a table more is one too many',
    machine: { ...SMALL, pages: 6, ioBits: 12 },
    only: ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap'],
    values: {
      ...UNMANAGED,
      alloc_pages: { order: [0, 2] },
      iommu_map: { iova: [0], bytes: [64, 256], prot: ['both'] },
      iommu_unmap: { iova: [0], bytes: [64, 256] },
    },
    depth: 100,
  },
  'iommu-tags': {
    text: 'two address spaces with and without devices, and an IOTLB for both',
    machine: { ...SMALL, pages: 6, contexts: 2, devices: 2, iotlbEntries: 2 },
    only: [...DOMAINS, 'alloc_pages', 'iommu_map', 'iommu_unmap', 'device_read'],
    values: {
      ...UNMANAGED,
      alloc_pages: { order: [0] },
      iommu_attach_device: { device: [0, 1] },
      iommu_map: { iova: [0], bytes: [64], prot: ['both'] },
      iommu_unmap: { iova: [0], bytes: [64] },
      device_read: { through: [0, 1], at: [0], bytes: [16] },
    },
    depth: 7,
  },
  'iommu-lists': {
    text: 'tables mapped by hand, also where not all of it can be',
    machine: { ...SMALL, pages: 5, orderMax: 0 },
    only: [
      'alloc_pages',
      'iommu_domain_alloc',
      'sg_alloc_table_from_pages',
      'sg_free_table',
      'iommu_map_sg',
      'iommu_unmap',
    ],
    values: {
      ...UNMANAGED,
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [64] },
      iommu_map_sg: { iova: [0, 192, 448], prot: ['both', 'read'] },
      iommu_unmap: { iova: [0, 192], bytes: [64, 128] },
    },
    depth: 5,
  },
  'iommu-lists-short': {
    text: 'tables mapped by hand, and no page for the tables of the address space',
    machine: { ...SMALL, pages: 4, orderMax: 0 },
    only: ['alloc_pages', 'iommu_domain_alloc', 'sg_alloc_table_from_pages', 'iommu_map_sg'],
    values: {
      ...UNMANAGED,
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [64] },
      iommu_map_sg: { iova: [0, 192], prot: ['both'] },
    },
    depth: 100,
  },
  'iommu-faults': {
    text: 'one fault while large and small leaves are mapped and unmapped',
    machine: { ...SMALL, ioBits: 12 },
    only: ['alloc_pages', ...ATTACH, 'iommu_map', 'iommu_unmap'],
    values: {
      ...UNMANAGED,
      alloc_pages: { order: [0, 2] },
      iommu_attach_device: { device: [0] },
      iommu_map: { iova: [0], bytes: [64, 256], prot: ['both'] },
      iommu_unmap: { iova: [0], bytes: [64, 256] },
    },
    depth: 100,
    faults: 1,
  },
  dma: {
    text: 'tables mapped for a device in each direction, at addresses of the implementation’s choice',
    machine: { ...SMALL, pages: 10, ioBits: 10 },
    only: [
      'alloc_pages',
      ...DOMAINS,
      'sg_alloc_table_from_pages',
      'sg_free_table',
      'dma_map_sg',
      'dma_unmap_sg',
    ],
    values: {
      ...FOR_DMA,
      alloc_pages: { order: [0, 1] },
      sg_alloc_table_from_pages: { pages: [1, 2, 3], maxSegment: [64, 128] },
    },
    depth: 5,
  },
  'dma-contents': {
    text: 'what CPUs and a device write into a mapped page, with and without syncs',
    machine: { ...SMALL, pages: 5, orderMax: 1 },
    only: [
      'alloc_pages',
      ...ATTACH,
      'sg_alloc_table_from_pages',
      'dma_map_sg',
      'dma_unmap_sg',
      ...SYNCS,
      'sg_copy',
      ...ACCESSES,
    ],
    values: { ...FOR_DMA, ...ONE_PAGE, ...FIRST_LINE, sg_copy: { skip: [0], bytes: [16], tag: [3] } },
    depth: 7,
  },
  'dma-lazy': {
    text: 'unmapped addresses that wait for a flush',
    machine: { ...SMALL, pages: 9, vmallocPages: 5, policies: LAZY },
    only: [...DOMAINS, 'dma_alloc_coherent', 'dma_free_coherent', 'device_read', 'tick_flush', 'tick_iotlb'],
    values: {
      ...FOR_DMA,
      dma_alloc_coherent: { bytes: [64, 128] },
      device_read: { at: [{ offset: 0 }, { offset: 16 }, { offset: 64 }, 0], bytes: [16, 64] },
      tick_iotlb: { entry: [0] },
    },
    depth: 8,
  },
  'dma-faults': {
    text: 'one fault while coherent memory is made',
    machine: SMALL,
    only: [...DOMAINS, 'dma_alloc_coherent', 'dma_free_coherent'],
    values: { ...FOR_DMA, dma_alloc_coherent: { bytes: [64, 128] } },
    depth: 100,
    faults: 1,
  },
  'dma-lists-faults': {
    text: 'one fault while a list is made and mapped for a device',
    machine: { ...SMALL, pages: 14, orderMax: 3, ioBits: 12, vmallocPages: 2 },
    only: ['alloc_pages', ...ATTACH, 'sg_alloc_table_from_pages', 'dma_map_sg', 'iommu_map_sg'],
    values: {
      iommu_attach_device: { device: [0] },
      alloc_pages: { order: [0, 3] },
      sg_alloc_table_from_pages: { pages: [1, 2], maxSegment: [64] },
      dma_map_sg: { direction: ['bidirectional'] },
      iommu_map_sg: { iova: [0], prot: ['both'] },
    },
    depth: 5,
    faults: 1,
  },
  'dma-races': {
    text: 'another actor’s call while a list is unmapped from a strict domain',
    machine: { ...SMALL, orderMax: 1 },
    only: [
      'alloc_pages',
      ...ATTACH,
      'sg_alloc_table_from_pages',
      'dma_map_sg',
      'dma_unmap_sg',
      'device_write',
      'device_probe',
    ],
    values: {
      ...FOR_DMA,
      ...ONE_PAGE,
      alloc_pages: { order: [1] },
      dma_map_sg: { direction: ['bidirectional'] },
      device_write: { at: [{ offset: 0 }], bytes: [16], tag: [1] },
    },
    depth: 100,
    overlaps: 1,
  },
  'flush-races': {
    text: 'another actor’s call while a flush is under way, or a list is unmapped from a lazy domain',
    machine: { ...SMALL, pages: 6, policies: LAZY },
    only: ['alloc_pages', ...ATTACH, 'sg_alloc_table_from_pages', 'dma_map_sg', 'dma_unmap_sg', 'tick_flush'],
    values: { ...FOR_DMA, ...ONE_PAGE, dma_map_sg: { direction: ['bidirectional'] } },
    depth: 7,
    overlaps: 1,
  },
  coherent: {
    text: 'coherent memory of a device, written by both sides',
    machine: SMALL,
    only: [...DOMAINS, 'dma_alloc_coherent', 'dma_free_coherent', ...ACCESSES, 'tick_cache'],
    values: {
      ...FOR_DMA,
      ...FIRST_LINE,
      dma_alloc_coherent: { bytes: [0, 64, 128] },
      device_read: { at: [{ offset: 0 }], bytes: [16, 32] },
      tick_cache: { entry: [0] },
    },
    depth: 100,
  },
  'coherent-short': {
    text: 'coherent memory where pages run out',
    machine: { ...SMALL, pages: 5, vmallocPages: 64 },
    only: [...DOMAINS, 'dma_alloc_coherent', 'dma_free_coherent'],
    values: { ...FOR_DMA, dma_alloc_coherent: { bytes: [64, 128, 192] } },
    depth: 100,
  },
  'coherent-high': {
    text: 'the only free pages have numbers above 31',
    machine: { ...SMALL, pages: 40, orderMax: 1, occupied: [[0, 32]] },
    only: [...ATTACH, 'dma_alloc_coherent', 'dma_free_coherent'],
    values: { ...FOR_DMA, dma_alloc_coherent: { bytes: [64, 128] } },
    depth: 100,
  },
  'small-space': {
    text: 'a device address space of three pages, and memory for more',
    machine: { ...SMALL, ioBits: 8 },
    only: [...DOMAINS, 'dma_alloc_coherent', 'dma_free_coherent', 'tick_flush'],
    values: { ...FOR_DMA, dma_alloc_coherent: { bytes: [64, 128, 192] } },
    depth: 100,
  },
  caches: {
    text: 'lines that a CPU writes, reads and evicts',
    machine: { pages: 2, vmallocPages: 2, parked: 0, policies: { coherent: 'yes' } },
    only: ['alloc_pages', 'free_pages', 'cpu_write', 'cpu_read', 'tick_cache'],
    values: {
      alloc_pages: { order: [0] },
      cpu_write: { at: [{ offset: 0 }, { offset: 16 }], bytes: [0, 16, 32], tag: [1, 2] },
      cpu_read: { at: [{ offset: 0 }], bytes: [0, 16, 32] },
      tick_cache: { entry: [0, 1] },
    },
    depth: 5,
  },
};
