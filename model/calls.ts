/**
 * The table of calls: the one place that says which calls there are, what they take, give and consume, who makes
 * them, and to which layer they belong. Checking of references, dependency closure, reading of files, the wire
 * protocol, generation and `ionclad calls` all follow from it, and a rule, an adapter or a generator that misses a
 * call does not compile.
 */
import type { CallShape, Kind } from './spec.ts';

export const KINDS = {
  block: { main: 'pfn', address: { field: 'pfn', unit: 'pageBytes' } },
  memory: { main: 'memory' },
  table: { main: 'table' },
  domain: { main: 'domain' },
  mapping: { main: 'table', address: { field: 'dma' } },
  client: { main: 'client', user: true },
  handle: { main: 'handle', user: true },
  context: { main: 'context', user: true },
  binding: { main: 'address', address: { field: 'address' }, user: true },
  job: { main: 'job' },
} as const;

KINDS satisfies Readonly<Record<string, Kind>>;

export const CALLS = {
  alloc_pages: {
    layer: 'pages',
    by: 'kernel',
    text: 'take 2^order contiguous pages',
    sites: ['page'],
    args: { order: { is: 'number', from: 0, to: 'orderMax', odd: [-1, 60] } },
    gives: { kind: 'block', fields: { pfn: 'pfn' } },
  },
  free_pages: {
    layer: 'pages',
    by: 'kernel',
    text: 'give a block back, whole',
    args: { block: { is: 'ref', of: ['block'], consumes: true } },
  },
  kvmalloc: {
    layer: 'metadata',
    by: 'kernel',
    text: 'memory for metadata: contiguous, or above a page out of single pages',
    sites: ['kmalloc', 'kmalloc_large', 'vmalloc', 'page'],
    args: {
      bytes: {
        is: 'number',
        from: 1,
        to: 12,
        unit: 'pageBytes',
        ragged: true,
        odd: [0, 2_147_483_648, '0xffffffffffffffff'],
      },
    },
    gives: { kind: 'memory', fields: { memory: 'number' } },
  },
  kvfree: {
    layer: 'metadata',
    by: 'kernel',
    text: 'give memory from kvmalloc back',
    args: { memory: { is: 'ref', of: ['memory'], consumes: true } },
  },
  sg_alloc_table_from_pages: {
    layer: 'sg',
    by: 'kernel',
    text: 'list blocks of pages as segments, neighbours merged',
    sites: ['kmalloc', 'id'],
    args: {
      pages: { is: 'refs', of: ['block'], most: 4 },
      maxSegment: { is: 'number', from: 1, to: 8, unit: 'pageBytes', ragged: true, odd: [0, 1] },
    },
    gives: { kind: 'table', fields: { table: 'number', segments: 'number' } },
  },
  sg_free_table: {
    layer: 'sg',
    by: 'kernel',
    text: 'give a scatter-gather table back',
    args: { table: { is: 'ref', of: ['table'], consumes: true } },
  },
  iommu_domain_alloc: {
    layer: 'iommu',
    by: 'kernel',
    text: 'make an address space whose user maps into it, or one for the DMA API',
    sites: ['table', 'id'],
    args: { type: { is: 'word', of: ['unmanaged', 'dma'] } },
    gives: { kind: 'domain', fields: { domain: 'number' } },
  },
  iommu_domain_free: {
    layer: 'iommu',
    by: 'kernel',
    text: 'give an address space back, with whatever is mapped in it',
    args: { domain: { is: 'ref', of: ['domain'], consumes: true } },
  },
  iommu_map: {
    layer: 'iommu',
    by: 'kernel',
    text: 'make pages reachable at a device address',
    sites: ['table'],
    args: {
      domain: { is: 'ref', of: ['domain'] },
      iova: { is: 'number', from: 0, to: 'ioPages', unit: 'pageBytes', odd: [8, '0xfffffffffffff000'] },
      phys: { is: 'address', of: ['block'], step: 'pageBytes', to: 'blockPages' },
      bytes: { is: 'number', from: 1, to: 4, unit: 'pageBytes', odd: [0, 8] },
      prot: { is: 'word', of: ['both', 'read', 'write', 'none'] },
    },
  },
  iommu_unmap: {
    layer: 'iommu',
    by: 'kernel',
    text: 'end reachability; after it returns no access lands',
    args: {
      domain: { is: 'ref', of: ['domain'] },
      iova: { is: 'number', from: 0, to: 'ioPages', unit: 'pageBytes', odd: [8, '0xfffffffffffff000'] },
      bytes: { is: 'number', from: 1, to: 4, unit: 'pageBytes', odd: [0, 8] },
    },
    gives: { fields: { bytes: 'number' } },
  },
  dma_map_sg: {
    layer: 'dma',
    by: 'kernel',
    text: 'map a scatter-gather table for a device, at addresses of the implementation’s choice',
    sites: ['iova', 'table'],
    args: {
      domain: { is: 'ref', of: ['domain'] },
      table: { is: 'ref', of: ['table'] },
      direction: { is: 'word', of: ['bidirectional', 'to_device', 'from_device'] },
    },
    gives: { kind: 'mapping', fields: { table: 'number', dma: 'number', segments: 'numbers' } },
  },
  dma_unmap_sg: {
    layer: 'dma',
    by: 'kernel',
    text: 'end a mapping of dma_map_sg',
    args: { mapping: { is: 'ref', of: ['mapping'], consumes: true } },
  },
  ion_client_create: {
    layer: 'ion',
    by: 'user',
    text: 'an application opens the memory manager',
    sites: ['id'],
    args: {},
    gives: { kind: 'client', fields: { client: 'number' } },
  },
  ion_client_destroy: {
    layer: 'ion',
    by: 'user',
    text: 'an application ends: its GPU contexts and handles go',
    args: { client: { is: 'ref', of: ['client'], consumes: true } },
  },
  ion_alloc: {
    layer: 'ion',
    by: 'user',
    text: 'a zeroed buffer, as a handle of the client',
    sites: ['page', 'kmalloc', 'kmalloc_large', 'vmalloc', 'id'],
    args: {
      client: { is: 'ref', of: ['client'] },
      bytes: {
        is: 'number',
        from: 1,
        to: 'bufferPages',
        unit: 'pageBytes',
        ragged: true,
        odd: [0, -1, '0xffffffffffffffff', '0x8000000000000000'],
      },
      heaps: { is: 'words', of: ['iommu'] },
    },
    gives: { kind: 'handle', fields: { handle: 'number', pages: 'pfns' } },
  },
  ion_free: {
    layer: 'ion',
    by: 'user',
    text: 'drop a handle',
    args: { client: { is: 'ref', of: ['client'] }, handle: { is: 'ref', of: ['handle'], consumes: true } },
  },
  gpu_context_create: {
    layer: 'gpu',
    by: 'user',
    text: 'an address space for the jobs of one client',
    sites: ['table', 'id'],
    args: { client: { is: 'ref', of: ['client'] } },
    gives: { kind: 'context', fields: { context: 'number' } },
  },
  gpu_context_destroy: {
    layer: 'gpu',
    by: 'user',
    text: 'end a context: jobs die, bindings go',
    args: { context: { is: 'ref', of: ['context'], consumes: true } },
  },
  gpu_bind: {
    layer: 'gpu',
    by: 'user',
    text: 'map a buffer of the context’s client into the context',
    sites: ['iova', 'table'],
    args: {
      context: { is: 'ref', of: ['context'] },
      handle: { is: 'ref', of: ['handle'] },
      access: { is: 'word', of: ['both', 'read'] },
    },
    gives: { kind: 'binding', fields: { address: 'number' } },
  },
  gpu_unbind: {
    layer: 'gpu',
    by: 'user',
    text: 'unmap a buffer from the context',
    args: {
      context: { is: 'ref', of: ['context'] },
      binding: { is: 'ref', of: ['binding'], consumes: true },
    },
  },
  gpu_submit: {
    layer: 'gpu',
    by: 'user',
    text: 'queue a job that reads or writes at an address the user chose',
    sites: ['id'],
    args: {
      context: { is: 'ref', of: ['context'] },
      at: { is: 'address', of: ['binding'], step: 'lineBytes', to: 'accessLines', wild: 'addressEnd' },
      bytes: { is: 'number', from: 1, to: 4, unit: 'lineBytes', odd: [0] },
      access: { is: 'word', of: ['write', 'read'] },
      tag: { is: 'number', from: 1, to: 255 },
    },
    gives: { kind: 'job', fields: { job: 'number' } },
  },
  tick_engine: {
    layer: 'device',
    by: 'device',
    text: 'a job does its next line',
    args: { job: { is: 'ref', of: ['job'] } },
    gives: { fields: { data: 'numbers', left: 'number', fault: 'number' } },
  },
  device_write: {
    layer: 'device',
    by: 'device',
    text: 'a device writes lines through a context or domain',
    args: {
      context: { is: 'ref', of: ['context', 'domain'] },
      at: {
        is: 'address',
        of: ['binding', 'mapping'],
        step: 'lineBytes',
        to: 'accessLines',
        wild: 'addressEnd',
      },
      bytes: { is: 'number', from: 1, to: 4, unit: 'lineBytes', odd: [0] },
      tag: { is: 'number', from: 1, to: 255 },
    },
    gives: { fields: { lines: 'number' } },
  },
  device_read: {
    layer: 'device',
    by: 'device',
    text: 'a device reads lines through a context or domain',
    args: {
      context: { is: 'ref', of: ['context', 'domain'] },
      at: {
        is: 'address',
        of: ['binding', 'mapping'],
        step: 'lineBytes',
        to: 'accessLines',
        wild: 'addressEnd',
      },
      bytes: { is: 'number', from: 1, to: 4, unit: 'lineBytes', odd: [0] },
    },
    gives: { fields: { data: 'numbers' } },
  },
} as const;

CALLS satisfies Readonly<Record<string, CallShape>>;

export type Op = keyof typeof CALLS;
export type KindName = keyof typeof KINDS;

type ArgOf<Shape> = Shape extends { is: 'refs' }
  ? readonly number[]
  : Shape extends { is: 'word'; of: readonly (infer Word)[] }
    ? Word
    : Shape extends { is: 'words'; of: readonly (infer Word)[] }
      ? readonly Word[]
      : number;

type FieldOf<Type> = Type extends 'numbers' | 'pfns' ? readonly number[] : number;

/** The resolved arguments of a call, typed from the table. */
export type ArgsOf<Name extends Op> = {
  readonly [Arg in keyof (typeof CALLS)[Name]['args']]: ArgOf<(typeof CALLS)[Name]['args'][Arg]>;
};

/** The value of a successful call, typed from the table. */
export type ValueOf<Name extends Op> = (typeof CALLS)[Name] extends { gives: { fields: infer Fields } }
  ? { readonly [Field in keyof Fields]: FieldOf<Fields[Field]> }
  : Readonly<Record<never, never>>;

/**
 * Fault sites with the errnos each may cause. `kmalloc_large`, a contiguous allocation above a page, causes
 * none: whoever asks must fall back.
 */
export const SITES = {
  page: ['ENOMEM'],
  kmalloc: ['ENOMEM'],
  kmalloc_large: [],
  vmalloc: ['ENOMEM'],
  table: ['ENOMEM'],
  iova: ['ENOMEM', 'ENOSPC'],
  id: ['EMFILE', 'ENOSPC', 'ENOMEM', 'EBUSY'],
} as const;
