/** Bugs of how buffers get around: descriptors, imports, mappings of the kernel and of clients. */
import type { Bug } from './bug.ts';

export const SHARING_BUGS: readonly Bug[] = [
  {
    name: 'descriptors-of-others',
    origin: 'invented',
    layer: 'fd',
    catches: 'C5',
    text: 'a number that is no descriptor of the client is looked up among those of the others',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'ion_import', 'ion_sync', 'fd_dup'],
    patch({ ion, sharing }) {
      const lookUp = sharing.lookUp.bind(sharing);
      sharing.lookUp = (own, fd) => {
        let buffer = lookUp(own, fd);
        for (let client = 0; client < ion.client.count && buffer < 0 && ion.isClient(own); client++)
          buffer = lookUp(client, fd);
        return buffer;
      };
    },
  },
  {
    name: 'sent-to-oneself',
    origin: 'invented',
    layer: 'fd',
    catches: 'C5',
    text: 'the descriptor that is sent is opened in the table of the sender',
    needs: [],
    patch({ ion, sharing }) {
      const send = sharing.send.bind(sharing);
      sharing.send = (client, fd, to) => send(client, fd, ion.isClient(to) ? client : to);
    },
  },
  {
    name: 'dup-without-reference',
    origin: 'ION-10',
    layer: 'fd',
    catches: 'C2',
    text: 'a descriptor does not keep its buffer',
    needs: [],
    patch({ ion }) {
      ion.fds.takeReference = () => {};
    },
  },
  {
    name: 'import-without-reference',
    origin: 'DB-07',
    layer: 'ion',
    catches: 'C2',
    text: 'a handle that was imported does not keep its buffer',
    needs: [],
    patch({ ion, sharing }) {
      sharing.importNew = (client, buffer) => {
        const handle = ion.newHandle(client);
        if (handle > 0) ion.openHandle(client, handle, buffer);
        return handle;
      };
    },
  },
  {
    name: 'second-handle',
    origin: 'DB-10',
    layer: 'ion',
    catches: 'C5',
    text: 'a client that imports its own buffer gets another handle for it',
    needs: [],
    patch({ ion }) {
      ion.findHandle = () => 0;
    },
  },
  {
    name: 'first-free-ends-the-handle',
    origin: 'invented',
    layer: 'ion',
    catches: 'C2',
    text: 'a handle that was imported twice goes with the first free',
    needs: [],
    patch({ ion }) {
      ion.putHandle = (client, handle) => ion.closeHandle(client, handle);
    },
  },
  {
    name: 'kernel-map-outlives-its-handle',
    origin: 'ION-14',
    layer: 'ion',
    catches: 'I2',
    text: 'a handle that goes leaves its kernel mapping behind, of pages that are free',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'ion_map_kernel'],
    patch({ ion }) {
      ion.undoKernelMaps = () => {};
    },
  },
  {
    name: 'kernel-map-never-ends',
    origin: 'invented',
    layer: 'ion',
    catches: 'P3',
    text: 'the last unmap of a buffer for the kernel leaves its addresses mapped',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_map_kernel', 'ion_unmap_kernel'],
    patch({ ion }) {
      const unmap = ion.unmapKernel.bind(ion);
      const end = ion.kernelMaps.unmap.bind(ion.kernelMaps);
      ion.unmapKernel = (client, handle) => {
        ion.kernelMaps.unmap = () => {};
        unmap(client, handle);
        ion.kernelMaps.unmap = end;
      };
    },
  },
  {
    name: 'mmap-one-page-too-long',
    origin: 'DB-01',
    layer: 'ion',
    catches: 'P3',
    text: 'a mapping may end one page behind the end of the buffer',
    needs: [],
    patch({ sharing }) {
      const isInside = sharing.isInside.bind(sharing);
      sharing.isInside = (buffer, first, count) =>
        isInside(buffer, first, Math.max(count - 1, Math.min(count, 1)));
    },
  },
  {
    name: 'mmap-from-the-start',
    origin: 'DB-12',
    layer: 'ion',
    catches: 'P3',
    text: 'a mapping with an offset begins with the first page of the buffer',
    needs: [],
    patch({ ion }) {
      const map = ion.userMaps.map.bind(ion.userMaps);
      ion.userMaps.map = (client, buffer, _first, count) => map(client, buffer, 0, count);
    },
  },
  {
    name: 'munmap-keeps-its-reference',
    origin: 'DB-07',
    layer: 'ion',
    catches: 'C2',
    text: 'the reference of a mapping of a client is never dropped',
    needs: [],
    patch({ ion }) {
      ion.userMaps.dropReference = () => {};
    },
  },
  {
    name: 'exit-leaves-descriptors',
    origin: 'invented',
    layer: 'ion',
    catches: 'C1',
    text: 'descriptors of an application that has ended keep their buffers',
    needs: [],
    only: ['ion_client_create', 'ion_client_destroy', 'ion_alloc', 'ion_share'],
    patch({ ion }) {
      ion.fds.closeAll = () => {};
    },
  },
];
