/** What is checked of a trace. Each row names the invariant of the specification that it is an instance of. */

export interface Check {
  /** Of the specification: see `ionclad invariants`. */
  readonly invariant: string;
  /** `violation`: the kernel or a driver did wrong. `risk`: it may do so, and readers want to know. */
  readonly level: 'violation' | 'risk';
  /** What must hold. */
  readonly text: string;
  /** Where the rule comes from. */
  readonly source: string;
}

export const CHECKS = {
  overlap: {
    invariant: 'S4',
    level: 'violation',
    text: 'an I/O page is mapped at most once in a domain',
    source: 'io-pgtable: mapping over a leaf is EEXIST, with a warning',
  },
  'unmap-short': {
    invariant: 'S4',
    level: 'violation',
    text: 'an unmap removes all that it was asked to',
    source: 'iommu_unmap returns what was unmapped; dma-iommu warns when it is less',
  },
  'unmap-more': {
    invariant: 'I5',
    level: 'risk',
    text: 'an unmap removes no more than it was asked to, unless its caller goes on after what it removed',
    source: 'iommu_unmap may return more: a large page goes as a whole',
  },
  'unmap-unknown': {
    invariant: 'S4',
    level: 'violation',
    text: 'what is unmapped was mapped',
    source: 'iommu_unmap stops at the first page that is not mapped',
  },
  'freed-while-mapped': {
    invariant: 'I2',
    level: 'violation',
    text: 'a page is not freed while a device reaches it',
    source: 'DMA-API: memory belongs to the mapping until it is unmapped',
  },
  'allocated-while-mapped': {
    invariant: 'I2',
    level: 'violation',
    text: 'a page is not handed out while a device reaches it for somebody else',
    source: 'DMA-API: memory belongs to the mapping until it is unmapped',
  },
  'mapped-while-free': {
    invariant: 'I2',
    level: 'violation',
    text: 'a page that is free is not mapped for a device',
    source: 'DMA-API: only memory that one owns is mapped',
  },
  'freed-before-flush': {
    invariant: 'I1',
    level: 'violation',
    text: 'in a strict domain a page is freed only after the IOTLB forgot it',
    source: 'dma-iommu: strict domains flush before unmap returns',
  },
  'freed-in-lazy-window': {
    invariant: 'I1',
    level: 'risk',
    text: 'a page is freed only after the IOTLB forgot it; a lazy domain takes the risk that it is not',
    source: 'dma-iommu: a flush queue waits up to 10 ms, 1 s in guests',
  },
  'reused-before-flush': {
    invariant: 'S3',
    level: 'violation',
    text: 'an I/O address is handed out again only after the flush that covers its unmap',
    source: 'dma-iommu: a flush queue frees addresses after the flush',
  },
  'two-devices': {
    invariant: 'I3',
    level: 'risk',
    text: 'a page is reachable by one device, or was shared on purpose',
    source: 'isolation between users of devices',
  },
  leak: {
    invariant: 'C3',
    level: 'risk',
    text: 'what was mapped is unmapped in the end',
    source: 'dma-debug: mappings of a device that has gone',
  },
  alignment: {
    invariant: 'P1',
    level: 'violation',
    text: 'addresses and sizes of a mapping are whole pages, and a DMA address has the offset of its memory',
    source: 'iommu_map: EINVAL where address or size are not whole pages',
  },
  wraps: {
    invariant: 'P2',
    level: 'violation',
    text: 'a range ends inside the address space',
    source: 'io-pgtable: ERANGE beyond the input address bits',
  },
  'dma-overlap': {
    invariant: 'S3',
    level: 'violation',
    text: 'ranges that one device was given by dma-mapping do not overlap',
    source: 'dma-debug: overlapping mappings of one device',
  },
  'dma-unmap-unknown': {
    invariant: 'C5',
    level: 'violation',
    text: 'what a driver unmaps it has mapped, and once',
    source: 'dma-debug: driver tries to free DMA memory it has not allocated',
  },
  'dma-unmap-size': {
    invariant: 'C5',
    level: 'violation',
    text: 'a driver unmaps with the size that it mapped',
    source: 'dma-debug: frees DMA memory with different size',
  },
  'dma-unmap-direction': {
    invariant: 'I4',
    level: 'violation',
    text: 'a driver unmaps with the direction that it mapped',
    source: 'dma-debug: frees DMA memory with different direction',
  },
  'dma-unmap-kind': {
    invariant: 'C5',
    level: 'violation',
    text: 'what was mapped by one function is unmapped by its counterpart',
    source: 'dma-debug: frees DMA memory with wrong function',
  },
  'dma-sync-unknown': {
    invariant: 'H1',
    level: 'violation',
    text: 'a driver syncs what is mapped, inside of its range',
    source: 'dma-debug: syncs DMA memory it has not allocated, or outside allocated range',
  },
  'dma-sync-direction': {
    invariant: 'H1',
    level: 'violation',
    text: 'a sync has the direction of its mapping',
    source: 'dma-debug: syncs with different direction',
  },
  'dma-not-backed': {
    invariant: 'S4',
    level: 'violation',
    text: 'the tables lead a DMA address to the memory that it was made for',
    source: 'dma-iommu: one iommu_map for each run of pages of a mapping',
  },
  'permission-change': {
    invariant: 'I4',
    level: 'risk',
    text: 'memory that a device may only read is not mapped for it to be written at the same time',
    source: 'dma-debug: overlapping mappings are not supported where one of them is written',
  },
  fault: {
    invariant: 'I1',
    level: 'violation',
    text: 'a device asks only for what is mapped for it',
    source: 'iommu: io_page_fault',
  },
  'gone-while-mapped': {
    invariant: 'I6',
    level: 'violation',
    text: 'a device that leaves its domain or group has nothing mapped',
    source: 'dma-debug: device driver has pending DMA allocations while released',
  },
  'buffer-unbalanced': {
    invariant: 'C2',
    level: 'violation',
    text: 'an attachment of a shared buffer is unmapped before it is detached, and detached before the buffer goes',
    source: 'dma-buf: detach and release warn of attachments that remain',
  },
} as const;

CHECKS satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

/** What a finding may have to take for granted. Each says what would excuse it. */
export const ASSUMPTIONS = {
  'nothing-lost': 'no event is missing; the tool says that some are, or the trace cannot show that none is',
  'seen-from-start': 'nothing was mapped before the trace began that the events do not show',
  'large-page':
    'the caller does not go on after what was unmapped, as VFIO does where an unmap takes a whole large page',
  'order-kept':
    'the two events happened in the order of their lines; they are closer than the clocks of two CPUs',
  lazy: 'the domain is lazy: addresses wait in a queue for a flush, at most 10 ms or 256 of them for each CPU',
  'not-shared': 'nobody means the memory to be shared; drivers may share it without a dma-buf',
  'ran-to-end': 'the trace ends when the driver was done; a mapping may still be in use',
} as const;

ASSUMPTIONS satisfies Readonly<Record<string, string>>;

export type AssumptionName = keyof typeof ASSUMPTIONS;
