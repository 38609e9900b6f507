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
