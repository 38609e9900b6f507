/**
 * What a gate need not see, each with the reason. An excuse that is not needed any more is itself a gate missed: it
 * would hide the next one.
 */
export interface Excuse {
  /** As the gates name it. */
  readonly what: readonly string[];
  readonly why: string;
}

const OTHER_KERNELS = 'the answer of other kernels: no script on this implementation shows it';

export const EXCUSED: readonly Excuse[] = [
  { what: ['late-reference'], why: 'it takes calls that overlap, which run does not make' },
  {
    what: ['I6: a device is in the domain that it was attached to, or reaches nothing'],
    why: 'a device is left in a domain that is gone only after the views have differed in its domain',
  },
  {
    what: ['I7: nothing is mapped at reserved addresses'],
    why: 'no bug of the zoo maps a reserved address without giving it, which a row sees first',
  },
  {
    what: ['H3: no line of a page with an uncached mapping is dirty in a cache'],
    why: 'no bug of the zoo leaves such a line where nothing is known of it; else the views differ first',
  },
  {
    what: ['P1: allocations leave the reserve alone; only occupants take of it'],
    why: 'no bug of the zoo takes of the reserve without a reply that gives it away first',
  },
  { what: ['iommu_attach_device: may ENOMEM', 'iommu_attach_device: ENOMEM'], why: OTHER_KERNELS },
  { what: ['iommu_map: may EADDRINUSE', 'iommu_map: EADDRINUSE'], why: OTHER_KERNELS },
  { what: ['iommu_map_sg: may EADDRINUSE', 'iommu_map_sg: EADDRINUSE'], why: OTHER_KERNELS },
  { what: ['ion_share: may ENOMEM', 'ion_share: ENOMEM'], why: OTHER_KERNELS },
  { what: ['ion_mmap: may EOVERFLOW', 'ion_mmap: EOVERFLOW'], why: OTHER_KERNELS },
  {
    what: ['dma_map_sg: accept no reserved address', 'dma_alloc_coherent: accept no reserved address'],
    why: 'reserved addresses are not unused ones either; the row says that it is I7 that is broken',
  },
  {
    what: ['ion_import', 'ion_mmap', 'ion_sync', 'fd_close', 'fd_dup', 'fd_send'].map(
      (op) => `${op}: refuse EBADF`,
    ),
    why: 'who is no client has no descriptor either; the row says that it is the client that is missing',
  },
];
