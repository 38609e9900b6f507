/** The table of calls, third part: the memory manager, its file descriptors, and a GPU driver. */
import type { CallShape } from './spec.ts';

export const ION_CALLS = {
  ion_client_create: {
    layer: 'ion',
    by: 'user',
    text: 'an application opens the memory manager',
    sites: ['id'],
    args: {},
    gives: { kind: 'client', fields: { client: { is: 'number', below: 'clients', chosen: true } } },
  },
  ion_client_destroy: {
    layer: 'ion',
    by: 'user',
    text: 'an application ends: its GPU contexts, mappings, handles and descriptors go',
    args: { client: { is: 'ref', of: ['client'], consumes: true } },
  },
  ion_alloc: {
    layer: 'ion',
    by: 'user',
    text: 'a zeroed buffer, as a handle of the client',
    sites: ['page', 'kmalloc', 'kmalloc_large', 'vmalloc', 'table', 'id'],
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
      heaps: { is: 'words', of: ['iommu', 'system', 'system-contig'] },
      flags: { is: 'word', of: ['uncached', 'cached'] },
    },
    gives: {
      kind: 'handle',
      fields: {
        handle: { is: 'number', from: 1, to: 'handles', chosen: true },
        pages: { is: 'pfns', of: [{ below: 'pages' }], most: 'pages', chosen: true },
      },
    },
  },
  ion_free: {
    layer: 'ion',
    by: 'user',
    text: 'drop one reference of a handle',
    args: { client: { is: 'ref', of: ['client'] }, handle: { is: 'ref', of: ['handle'], consumes: true } },
  },
  ion_share: {
    layer: 'ion',
    by: 'user',
    text: 'a file descriptor for the buffer behind a handle',
    sites: ['id'],
    args: { client: { is: 'ref', of: ['client'] }, handle: { is: 'ref', of: ['handle'] } },
    gives: { kind: 'fd', fields: { fd: { is: 'number', below: 'fds', chosen: true } } },
  },
  ion_import: {
    layer: 'ion',
    by: 'user',
    text: 'a handle for the buffer behind a file descriptor; one a client and buffer',
    sites: ['id'],
    args: { client: { is: 'ref', of: ['client'] }, fd: { is: 'ref', of: ['fd'] } },
    gives: { kind: 'handle', fields: { handle: { is: 'number', from: 1, to: 'handles', chosen: true } } },
  },
  ion_sg_table: {
    layer: 'ion',
    by: 'user',
    text: 'the pages of a buffer as segments of first page and count',
    args: { client: { is: 'ref', of: ['client'] }, handle: { is: 'ref', of: ['handle'] } },
    gives: {
      fields: {
        segments: {
          is: 'numbers',
          of: [{ below: 'pages' }, { from: 1, to: 'pages' }],
          most: 'pages',
          chosen: true,
        },
      },
    },
  },
  ion_map_kernel: {
    layer: 'ion',
    by: 'user',
    text: 'kernel addresses for a buffer; the same for all who ask',
    sites: ['vmalloc', 'table'],
    args: { client: { is: 'ref', of: ['client'] }, handle: { is: 'ref', of: ['handle'] } },
    gives: {
      kind: 'kernel_map',
      fields: {
        handle: { is: 'number', from: 1, to: 'handles' },
        address: { is: 'number', below: 'kernelPages', unit: 'pageBytes', chosen: true },
      },
    },
  },
  ion_unmap_kernel: {
    layer: 'ion',
    by: 'kernel',
    text: 'drop one kernel mapping of a handle',
    args: { client: { is: 'ref', of: ['client'] }, map: { is: 'ref', of: ['kernel_map'], consumes: true } },
  },
  ion_mmap: {
    layer: 'ion',
    by: 'user',
    text: 'map part of a buffer into the client’s address space',
    sites: ['vmalloc'],
    args: {
      client: { is: 'ref', of: ['client'] },
      fd: { is: 'ref', of: ['fd'] },
      offset: { is: 'number', from: 0, to: 1, unit: 'pageBytes', odd: [8, -64, '0xfffffffffffff000'] },
      bytes: {
        is: 'number',
        from: 1,
        to: 2,
        unit: 'pageBytes',
        ragged: true,
        odd: [0, '0xffffffffffffffff'],
      },
    },
    gives: {
      kind: 'user_map',
      fields: { address: { is: 'number', below: 'cpuPages', unit: 'pageBytes', chosen: true } },
    },
  },
  ion_munmap: {
    layer: 'ion',
    by: 'user',
    text: 'end a mapping of the client',
    args: { client: { is: 'ref', of: ['client'] }, map: { is: 'ref', of: ['user_map'], consumes: true } },
  },
  ion_sync: {
    layer: 'ion',
    by: 'user',
    text: 'what CPUs wrote to a buffer is visible to devices',
    args: { client: { is: 'ref', of: ['client'] }, fd: { is: 'ref', of: ['fd'] } },
  },
  ion_query: {
    layer: 'ion',
    by: 'user',
    text: 'how many heaps there are',
    args: { client: { is: 'ref', of: ['client'] } },
    gives: { fields: { heaps: { is: 'number', to: 8 } } },
  },
  fd_close: {
    layer: 'fd',
    by: 'user',
    text: 'close a file descriptor',
    args: { client: { is: 'ref', of: ['client'] }, fd: { is: 'ref', of: ['fd'], consumes: true } },
  },
  fd_dup: {
    layer: 'fd',
    by: 'user',
    text: 'another descriptor for the same buffer',
    sites: ['id'],
    args: { client: { is: 'ref', of: ['client'] }, fd: { is: 'ref', of: ['fd'] } },
    gives: { kind: 'fd', fields: { fd: { is: 'number', below: 'fds', chosen: true } } },
  },
  fd_send: {
    layer: 'fd',
    by: 'user',
    text: 'another client gets a descriptor for the same buffer',
    sites: ['id'],
    args: {
      client: { is: 'ref', of: ['client'] },
      fd: { is: 'ref', of: ['fd'] },
      to: { is: 'ref', of: ['client'] },
    },
    gives: { kind: 'fd', fields: { fd: { is: 'number', below: 'fds', chosen: true } } },
  },
  gpu_context_create: {
    layer: 'gpu',
    by: 'user',
    text: 'an address space for the jobs of one client',
    sites: ['table', 'id'],
    args: { client: { is: 'ref', of: ['client'] } },
    gives: { kind: 'context', fields: { context: { is: 'number', below: 'contexts', chosen: true } } },
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
    gives: {
      kind: 'binding',
      fields: { address: { is: 'number', below: 'ioPages', unit: 'pageBytes', chosen: true } },
    },
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
      bytes: { is: 'number', from: 1, to: 4, unit: 'lineBytes', odd: [0, 5, 1_000_000] },
      access: { is: 'word', of: ['write', 'read'] },
      tag: { is: 'number', from: 1, to: 255, opaque: true },
    },
    gives: { kind: 'job', fields: { job: { is: 'number', below: 'jobs', chosen: true } } },
  },
} as const;

ION_CALLS satisfies Readonly<Record<string, CallShape>>;
