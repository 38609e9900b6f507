/** Bugs of how buffers get around: descriptors, imports, mappings of the kernel and of clients. */
import { EINVAL } from '../../impl/errno.ts';
import { pageBytesOf } from '../builtin-calls.ts';
import type { Bug } from './bug.ts';

export const SHARING_BUGS: readonly Bug[] = [
  {
    name: 'descriptors-of-others',
    origin: 'invented',
    layer: 'dma-buf',
    catches: 'C5',
    text: 'a number that is no descriptor of the client is looked up among those of the others',
    needs: [],
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
    layer: 'dma-buf',
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
    layer: 'dma-buf',
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
    layer: 'dma-buf',
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
    layer: 'dma-buf',
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
    layer: 'dma-buf',
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
    origin: 'invented',
    layer: 'dma-buf',
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
    origin: 'invented',
    layer: 'dma-buf',
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
    layer: 'dma-buf',
    catches: 'C1',
    text: 'descriptors of an application that has ended keep their buffers',
    needs: [],
    only: ['ion_client_create', 'ion_client_destroy', 'ion_alloc', 'ion_share'],
    patch({ ion }) {
      ion.fds.closeAll = () => {};
    },
  },
  {
    name: 'mmap-without-reference',
    origin: 'ION-29',
    layer: 'dma-buf',
    catches: 'C2',
    text: 'a mapping of a client does not keep its buffer',
    needs: [],
    patch({ ion }) {
      ion.userMaps.takeReference = () => {};
    },
  },
  {
    name: 'offset-not-counted',
    origin: 'DB-12',
    layer: 'dma-buf',
    catches: 'P3',
    text: 'a mapping may be as long as the buffer, wherever in the buffer it starts',
    needs: [],
    patch({ sharing }) {
      const isInside = sharing.isInside.bind(sharing);
      sharing.isInside = (buffer, first, count) => isInside(buffer, first, 1) && isInside(buffer, 0, count);
    },
  },
  {
    name: 'length-wraps-to-nothing',
    origin: 'UF-04',
    layer: 'dma-buf',
    catches: 'P3',
    text: 'offset and length of a mapping are added in 64 bits: a length near 2^64 seems to end in the buffer',
    needs: [],
    patch({ sharing, ion, memory }) {
      const pagesEnd = 2 ** 64 / pageBytesOf(memory);
      const isInside = sharing.isInside.bind(sharing);
      sharing.isInside = (buffer, first, count) =>
        isInside(buffer, first, 1) && (first + count) % pagesEnd <= ion.buffers.count.get(buffer);
    },
  },
  {
    name: 'munmap-of-the-next',
    origin: 'DB-16',
    layer: 'dma-buf',
    catches: 'C5',
    text: 'an address that no mapping of the client starts at stands for the next mapping behind it',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'ion_mmap', 'ion_munmap'],
    patch({ sharing, ion: { userMaps }, memory }) {
      const unmap = sharing.munmap.bind(sharing);
      const pageBytes = pageBytesOf(memory);
      sharing.munmap = (client, address) => {
        let result = unmap(client, address);
        for (let page = 1; result === -EINVAL && page < userMaps.userPages; page++)
          result = unmap(client, address + page * pageBytes);
        return result;
      };
    },
  },
  {
    name: 'closed-and-still-there',
    origin: 'DB-19',
    layer: 'dma-buf',
    catches: 'C2',
    text: 'a descriptor that is closed drops its reference and keeps its buffer: closing it again drops another',
    needs: [],
    patch({ ion: { fds } }) {
      fds.close = (client, fd) => fds.dropReference(fds.lookUp(client, fd));
    },
  },
  {
    name: 'failed-export-drops',
    origin: 'DB-06',
    layer: 'dma-buf',
    catches: 'C2',
    text: 'a descriptor that cannot be opened drops the reference that it never took',
    needs: ['fault'],
    patch({ ion: { fds } }) {
      const open = fds.open.bind(fds);
      fds.open = (client, buffer) => {
        const fd = open(client, buffer);
        if (fd < 0) fds.dropReference(buffer);
        return fd;
      };
    },
  },
  {
    name: 'failed-import-drops-twice',
    origin: 'DB-13',
    layer: 'dma-buf',
    catches: 'C2',
    text: 'an import that cannot have a handle drops its reference twice',
    needs: ['fault'],
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'fd_send', 'ion_import'],
    patch({ ion, sharing }) {
      const importNew = sharing.importNew.bind(sharing);
      sharing.importNew = (client, buffer) => {
        const handle = importNew(client, buffer);
        if (handle < 0) ion.dropReference(buffer);
        return handle;
      };
    },
  },
  {
    name: 'unmap-without-map',
    origin: 'ION-16',
    layer: 'ion',
    catches: 'P3',
    text: 'a handle that was never mapped for the kernel ends the mapping that another client has of its buffer',
    needs: [],
    patch({ ion }) {
      const undo = ion.undoKernelMaps.bind(ion);
      const isMapped = (buffer: number): boolean =>
        ion.handle.values.some((held, at) => held === buffer + 1 && ion.kernelMapCount.get(at) > 0);
      ion.undoKernelMaps = (place, buffer) => {
        if (ion.kernelMapCount.get(place) === 0 && isMapped(buffer)) ion.kernelMaps.put(buffer, 1);
        else undo(place, buffer);
      };
    },
  },
];
