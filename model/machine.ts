import type { SpecField, SpecPolicy } from './spec.ts';

/**
 * The small computer of one run. Everything about it is data: it is generated, shrunk, stored and printed with
 * the script. Small constants make rare things frequent, so the defaults are tiny; each range reaches a real one.
 */
export interface Machine {
  readonly pages: number;
  readonly pageBytes: number;
  readonly lineBytes: number;
  readonly orderMax: number;
  readonly reserve: number;
  readonly vmallocPages: number;
  readonly pageArrayEntryBytes: number;
  readonly ioBits: number;
  readonly tableBits: number;
  readonly iotlbEntries: number;
  readonly contexts: number;
  readonly clients: number;
  readonly handles: number;
  readonly sgTables: number;
  readonly jobs: number;
  readonly devices: number;
  readonly fds: number;
  readonly userPages: number;
  readonly parked: number;
  readonly flushEntries: number;
  readonly reservedIoPages: number;
  readonly occupants: number;
  /** Choices by name: see {@link POLICIES}. */
  readonly policies: Readonly<Record<string, string>>;
  /** Runs of pages that somebody else holds from boot on: first page and count. */
  readonly occupied: readonly (readonly [first: number, count: number])[];
  /** The same, but compaction may move them. */
  readonly movable: readonly (readonly [first: number, count: number])[];
}

/** The numbers of the machine, in the order in which they are printed. */
export const FIELDS = {
  pages: {
    from: 1,
    to: 4_194_304,
    default: 64,
    drawn: [4, 8, 16, 32, 64, 64, 64, 64, 64, 64, 64, 64],
    text: 'physical pages',
  },
  pageBytes: {
    from: 64,
    to: 65_536,
    default: 64,
    drawn: [64, 64, 64, 64, 64, 64, 64, 128],
    powerOfTwo: true,
    text: 'bytes in a page',
  },
  lineBytes: {
    from: 8,
    to: 65_536,
    default: 16,
    powerOfTwo: true,
    text: 'bytes in a line, the unit of contents',
  },
  orderMax: { from: 0, to: 10, default: 3, drawn: [2, 3, 3, 4], text: 'largest block: 2^orderMax pages' },
  reserve: {
    from: 0,
    to: 4_194_304,
    default: 0,
    drawn: [0, 0, 0, 0, 0, 2],
    text: 'pages that allocations leave free (the min watermark)',
  },
  vmallocPages: {
    from: 2,
    to: 4_194_304,
    default: 64,
    drawn: [8, 64, 64],
    text: 'pages of kernel address space for vmalloc',
  },
  pageArrayEntryBytes: {
    from: 4,
    to: 64,
    default: 8,
    powerOfTwo: true,
    text: 'bytes of one entry of a page array',
  },
  ioBits: {
    from: 7,
    to: 36,
    default: 12,
    drawn: [9, 10, 12, 12, 12, 14],
    text: 'width of a device address in bits',
  },
  tableBits: { from: 1, to: 10, default: 2, text: 'base-2 logarithm of the entries in an I/O page table' },
  iotlbEntries: {
    from: 1,
    to: 1024,
    default: 4,
    drawn: [1, 2, 4],
    text: 'translations that the IOTLB holds',
  },
  contexts: {
    from: 1,
    to: 64,
    default: 4,
    drawn: [2, 4, 4],
    text: 'GPU contexts and kernel domains alive at once',
  },
  clients: { from: 1, to: 64, default: 4, drawn: [2, 4], text: 'ION clients alive at once' },
  handles: { from: 1, to: 1024, default: 8, drawn: [2, 8, 8], text: 'handles of one client, ids from 1' },
  sgTables: { from: 1, to: 1024, default: 4, drawn: [2, 4], text: 'scatter-gather tables alive at once' },
  jobs: { from: 1, to: 64, default: 2, text: 'jobs queued in all engines' },
  devices: { from: 1, to: 64, default: 2, drawn: [1, 2], text: 'devices beside the GPU' },
  fds: {
    from: 1,
    to: 1024,
    default: 8,
    drawn: [2, 8, 8],
    text: 'file descriptors of one client, ids from 0',
  },
  userPages: {
    from: 1,
    to: 65_536,
    default: 16,
    drawn: [2, 16, 16],
    text: 'pages of address space of one client',
  },
  parked: {
    from: 0,
    to: 1024,
    default: 2,
    drawn: [0, 2, 4],
    text: 'freed pages that are kept apart and not merged, as per-CPU lists do',
  },
  flushEntries: {
    from: 1,
    to: 1024,
    default: 2,
    drawn: [1, 2, 4],
    text: 'unmapped ranges that may wait for one flush of the IOTLB',
  },
  reservedIoPages: {
    from: 0,
    to: 1024,
    default: 1,
    text: 'last I/O pages of every address space, where nothing may be mapped',
  },
  occupants: {
    from: 1,
    to: 1024,
    default: 8,
    drawn: [1, 8],
    text: 'runs of pages that others take during a run',
  },
} as const;

FIELDS satisfies Readonly<Record<string, SpecField>>;

/**
 * Choices. Those marked `free` are legal differences between kernels: scripts are generated with all values, and the
 * specification may read them. The others are disputed and read by the code under test alone: a specification
 * that knew them would excuse the loser. Their first value is what the review of 2012 ended with.
 */
export const POLICIES = {
  contexts: {
    values: ['per-client', 'shared'],
    text: 'T1: an IOMMU context for each GPU user, or one for all',
  },
  mapping: {
    values: ['driver', 'heap'],
    text: 'T2: drivers map buffers for their device, or the heap maps them into one domain',
  },
  backing: {
    values: ['pages', 'dma-alloc', 'dma-alloc-no-kernel-mapping'],
    text: 'T3: buffers out of single pages, or out of the DMA allocator',
  },
  pageArray: {
    values: ['kvmalloc', 'kmalloc', 'vmalloc'],
    text: 'T4: what the list of a buffer’s pages is allocated with',
  },
  aliasing: {
    values: ['clean', 'ignore'],
    text: 'T5: lines that zeroing left dirty are cleaned before an uncached mapping, or left to luck',
  },
  sync: { values: ['always', 'never'], text: 'T6: drivers sync before hardware sees memory, or not' },
  layout: { values: ['scattered', 'contiguous'], text: 'T7: buffers out of single pages, or of one block' },
  zeroing: {
    values: ['on-alloc', 'on-free', 'none'],
    text: 'buffers are zeroed when they are made, when they go, or not at all',
  },
  placement: { values: ['lowest', 'lifo'], free: true, text: 'which free block is taken' },
  coherent: { values: ['no', 'yes'], free: true, text: 'whether devices look into CPU caches' },
  invalidation: {
    values: ['strict', 'lazy'],
    free: true,
    text: 'when a DMA domain’s unmapped addresses leave the IOTLB: at once, or with a flush',
  },
} as const;

POLICIES satisfies Readonly<Record<string, SpecPolicy>>;

/** What is wrong with a machine whose numbers are each in range, in words, or undefined. */
export function machineProblem(machine: Machine): string | undefined {
  const { pages, vmallocPages, pageBytes, lineBytes, ioBits, tableBits } = machine;
  const ioPages = 2 ** ioBits / pageBytes;
  const words = ((pages + vmallocPages) * pageBytes) / 8;
  if (2 * machine.pageArrayEntryBytes > pageBytes) {
    return `${machine.pageArrayEntryBytes} bytes an entry: a page array is no smaller than its pages of ${pageBytes}`;
  }
  if (lineBytes > pageBytes) return `lineBytes ${lineBytes} is more than pageBytes ${pageBytes}`;
  if (2 ** tableBits > pageBytes / 8)
    return `a table of 2^${tableBits} entries does not fit a page of ${pageBytes} bytes`;
  if (ioPages < 2) return `ioBits ${ioBits} leaves fewer than 2 I/O pages of ${pageBytes} bytes`;
  if (ioPages < machine.reservedIoPages + 2)
    return `${machine.reservedIoPages} reserved I/O pages leave none of ${ioPages} to map`;
  if (machine.contexts * ioPages > 2 ** 24)
    return `${machine.contexts} contexts of ${ioPages} I/O pages; at most 2^24 in all are supported`;
  if (ioPages > 2 ** 20) return `ioBits ${ioBits} makes ${ioPages} I/O pages; at most 2^20 are supported`;
  if (words > 2 ** 26)
    return `${pages} pages and ${vmallocPages} of vmalloc are ${words} words of 8 bytes; at most 2^26 are supported`;
  return occupiedProblem(machine);
}

function occupiedProblem({ occupied, movable, pages }: Machine): string | undefined {
  const runs = [
    ...occupied.map(([first, count]) => ({ first, count, list: 'occupied' })),
    ...movable.map(([first, count]) => ({ first, count, list: 'movable' })),
  ];
  let end = 0;
  for (const { first, count, list } of runs.sort((a, b) => a.first - b.first)) {
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count))
      return `${list}: [${first}, ${count}] are no pages`;
    if (first < 0) return `${list}: page ${first} is negative`;
    if (first < end) return `${list}: page ${first} is listed twice, in occupied and movable together`;
    if (count < 1) return `${list}: the run at page ${first} has ${count} pages`;
    end = first + count;
    if (end > pages) return `${list}: page ${end - 1} is outside the machine's ${pages} pages`;
  }
  return undefined;
}
