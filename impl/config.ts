import { assert, ceilLog2 } from './check.ts';

/**
 * How the machine is built. Sizes in bytes unless the name says otherwise; nothing here changes after boot.
 */
export interface Config {
  /** Page frames of RAM, 1 to 2^22. */
  readonly pages: number;
  /** A power of two, 64 to 65536. */
  readonly pageBytes: number;
  /** Bytes a device moves at once: a power of two, 8 to `pageBytes`. */
  readonly lineBytes: number;
  /** Largest order of the page allocator, 0 to 10. */
  readonly orderMax: number;
  /** Pages that every allocation must leave free. */
  readonly reserve: number;
  /** Kernel address space for vmalloc, in pages. */
  readonly vmallocPages: number;
  /** What one page takes in a page array: a power of two, 4 to 64. */
  readonly pageArrayEntryBytes: number;
  /** Width of a device address in bits; at most 2^20 I/O pages. */
  readonly ioBits: number;
  /** Entries of one I/O page table as a power of two; a table fits a page. */
  readonly tableBits: number;
  readonly iotlbEntries: number;
  /** Translation contexts alive at once, of the kernel and of the GPU together. */
  readonly contexts: number;
  readonly clients: number;
  /** Handles of one client; their ids start at 1. */
  readonly handles: number;
  readonly sgTables: number;
  /** Jobs of the engines alive at once. */
  readonly jobs: number;
  /** Devices beside the GPU: initiators `contexts` and up. */
  readonly devices: number;
  /** File descriptors of one client, ids from 0. */
  readonly fds: number;
  /** User address space of one client, in pages. */
  readonly userPages: number;
  /** Pages that the parked list holds at the most, as a per-CPU list does; 0: none. */
  readonly parked: number;
  /** Entries of the flush queue, at least 1. */
  readonly flushEntries: number;
  /** The last I/O pages of every address space: doorbells, never handed out nor mapped. */
  readonly reservedIoPages: number;
  /** Runs of pages that {@link occupied} and {@link movable} do not count, held at once. */
  readonly occupants: number;
  readonly policies: {
    /** One translation for each GPU context, or one for all of them. */
    readonly contexts: 'per-client' | 'shared';
    /** Buffers out of single pages, or out of one block. */
    readonly layout: 'scattered' | 'contiguous';
    /** Drivers map buffers, or the heap maps them into one address space for all GPU contexts. */
    readonly mapping: 'driver' | 'heap';
    /** Pages one by one, or out of the DMA allocator, with or without a kernel mapping for each buffer. */
    readonly backing: 'pages' | 'dma-alloc' | 'dma-alloc-no-kernel-mapping';
    /** Where the array that lists the pages of a buffer comes from. */
    readonly pageArray: 'kvmalloc' | 'kmalloc' | 'vmalloc';
    /** Whether lines that zeroing left dirty are cleaned before a buffer gets uncached mappings. */
    readonly aliasing: 'clean' | 'ignore';
    /** Whether the GPU driver syncs caches. */
    readonly sync: 'always' | 'never';
    readonly zeroing: 'on-alloc' | 'on-free' | 'none';
    /** Whether devices look into CPU caches. */
    readonly coherent: 'no' | 'yes';
    /** When the IOTLB forgets what a DMA domain unmapped: at once, or when a queue is flushed. */
    readonly invalidation: 'strict' | 'lazy';
    /** Which free block of the right order is taken: the lowest, or the one freed last. */
    readonly placement: 'lowest' | 'lifo';
  };
  /** Runs [first page, count] that somebody else holds from boot. */
  readonly occupied: readonly (readonly [number, number])[];
  /** As {@link occupied}, but compaction may move them. */
  readonly movable: readonly (readonly [number, number])[];
}

/** Bytes of a pointer and of a table entry; an sg entry is two of them. */
export const ENTRY_BYTES = 8;

/** I/O pages that a device address can name, 1 to 2^20. */
export const ioPagesOf = (config: Config): number => 2 ** config.ioBits / config.pageBytes;

const isPowerOfTwo = (value: number): boolean => 1 << ceilLog2(value) === value;

/** @throws Error when a size is outside what {@link Config} says about it */
export function checkConfig(config: Config): void {
  const { pages, pageBytes, lineBytes, orderMax, tableBits, pageArrayEntryBytes: arrayEntry } = config;
  assert(pages >= 1 && pages <= 1 << 22, 'pages: 1 to 2^22');
  assert(isPowerOfTwo(pageBytes) && pageBytes >= 64 && pageBytes <= 65536, 'pageBytes: 64 to 65536');
  assert(isPowerOfTwo(lineBytes) && lineBytes >= 8 && lineBytes <= pageBytes, 'lineBytes: 8 to pageBytes');
  assert(orderMax >= 0 && orderMax <= 10, 'orderMax: 0 to 10');
  assert(isPowerOfTwo(arrayEntry) && arrayEntry >= 4 && arrayEntry <= 64, 'pageArrayEntryBytes: 4 to 64');
  assert(isPowerOfTwo(ioPagesOf(config)) && ioPagesOf(config) <= 1 << 20, 'ioBits: 1 to 2^20 I/O pages');
  assert(tableBits >= 1 && 1 << tableBits <= pageBytes / ENTRY_BYTES, 'tableBits: a table fits a page');
}

/** A machine in which rare things are frequent, with some fields otherwise. */
export function smallConfig(
  fields: Partial<Config> = {},
  policies: Partial<Config['policies']> = {},
): Config {
  return {
    pages: 64,
    pageBytes: 64,
    lineBytes: 16,
    orderMax: 3,
    reserve: 0,
    vmallocPages: 64,
    pageArrayEntryBytes: 8,
    ioBits: 12,
    tableBits: 2,
    iotlbEntries: 4,
    contexts: 4,
    clients: 4,
    handles: 8,
    sgTables: 4,
    jobs: 2,
    devices: 2,
    fds: 8,
    userPages: 16,
    parked: 2,
    flushEntries: 2,
    reservedIoPages: 1,
    occupants: 8,
    occupied: [],
    movable: [],
    ...fields,
    policies: {
      contexts: 'per-client',
      layout: 'scattered',
      placement: 'lowest',
      mapping: 'driver',
      backing: 'pages',
      pageArray: 'kvmalloc',
      aliasing: 'clean',
      sync: 'always',
      zeroing: 'on-alloc',
      coherent: 'no',
      invalidation: 'strict',
      ...policies,
    },
  };
}
