/**
 * Layer 4, how buffers get from one client to another, and into address spaces of CPUs. After the ION core of about
 * Linux 3.18 and drivers/dma-buf/dma-buf.c: a descriptor, a mapping, a handle each keep the buffer alive.
 */
import {
  bufferOf,
  bufferOfFd,
  closeFd,
  endKernelMap,
  endUserMap,
  freeHandle,
  handleAt,
  handleFor,
  isClient,
  isFreeHandle,
  NO_CLIENT,
  NO_HANDLE,
  type OfClient,
  type OfHandle,
  openHandle,
  takeReference,
} from './buffers.ts';
import type { ArgsOf, ValueOf } from './calls.ts';
import {
  hasKernelRoom,
  hasUserHole,
  isKernelHole,
  isUserHole,
  mapForCpu,
  mappedPageOf,
  userStart,
} from './mappings.ts';
import { cleanPages, pagesOf } from './memory.ts';
import { showsPages } from './sg.ts';
import type { Refusal, Rule } from './spec.ts';
import { pagesFor } from './units.ts';
import type { World } from './world.ts';

interface OfFd extends OfClient {
  readonly fd: number;
}

const NO_FD: Refusal<World, OfFd> = [
  'EBADF',
  (s, { client, fd }) => bufferOfFd(s, client, fd) === undefined,
  'C5',
  'the client has no such descriptor',
];
const NO_FD_LEFT: Refusal<World, OfClient> = [
  'EMFILE',
  (s, { client }) => isClient(s, client) && freeFd(s, client) === undefined,
  'P1',
  'no descriptor is left',
];

/** `ION_IOC_SHARE`: a descriptor holds the buffer, not the handle. `dma_buf_export()` allocates. */
export const ionShare: Rule<World, ArgsOf<'ion_share'>, ValueOf<'ion_share'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_HANDLE, NO_FD_LEFT],
  may: [['ENOMEM', (s, _args, seen) => !showsPages(s, 1, seen)]],
  accept: [['a descriptor that is not in use', (s, { client }, { fd }) => isFreeFd(s, client, fd), 'C5']],
  effect: (s, { client, handle }, { fd }) => openFd(s, client, fd, bufferOf(s, client, handle) ?? 0),
  owes: () => 'P1',
};

/** `ION_IOC_IMPORT`: at most one handle a client and buffer; another import counts that one up. */
export const ionImport: Rule<World, ArgsOf<'ion_import'>, ValueOf<'ion_import'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    NO_FD,
    [
      'ENOSPC',
      (s, args) =>
        isClient(s, args.client) &&
        heldHandle(s, args) === undefined &&
        freeHandle(s, args.client) === undefined,
      'P1',
      'no handle id is left',
    ],
  ],
  may: [],
  accept: [
    [
      'the handle that the client has, or a new one',
      (s, args, { handle }) => isHandleToGive(s, args, handle),
      'C5',
    ],
  ],
  effect(s, args, { handle }) {
    const at = handleAt(s, args.client, handle);
    if (heldHandle(s, args) === undefined)
      openHandle(s, args.client, handle, bufferOfFd(s, args.client, args.fd) ?? 0);
    else s.handleCount.set(at, s.handleCount.get(at) + 1);
  },
  owes: () => 'P1',
};

/** `close(fd)`. */
export const fdClose: Rule<World, ArgsOf<'fd_close'>, ValueOf<'fd_close'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_FD],
  may: [],
  accept: [],
  effect: (s, { client, fd }) => closeFd(s, client, fd),
  owes: () => 'P1',
};

/** `dup(fd)`. */
export const fdDup: Rule<World, ArgsOf<'fd_dup'>, ValueOf<'fd_dup'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_FD, NO_FD_LEFT],
  may: [],
  accept: [['a descriptor that is not in use', (s, { client }, { fd }) => isFreeFd(s, client, fd), 'C5']],
  effect: (s, args, { fd }) => openFd(s, args.client, fd, bufferOfFd(s, args.client, args.fd) ?? 0),
  owes: () => 'P1',
};

/** `SCM_RIGHTS`: the receiver gets a descriptor of its own; the sender's stays. */
export const fdSend: Rule<World, ArgsOf<'fd_send'>, ValueOf<'fd_send'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    NO_FD,
    ['EBADF', (s, { to }) => !isClient(s, to), 'C5', 'there is no such receiver'],
    [
      'EMFILE',
      (s, { to }) => isClient(s, to) && freeFd(s, to) === undefined,
      'P1',
      'the receiver has no descriptor left',
    ],
  ],
  may: [],
  accept: [['a descriptor that is not in use', (s, { to }, { fd }) => isFreeFd(s, to, fd), 'C5']],
  effect: (s, args, { fd }) => openFd(s, args.to, fd, bufferOfFd(s, args.client, args.fd) ?? 0),
  owes: () => 'P1',
};

/** `ion_map_kernel(client, handle)`: counted by handle; the first maps the buffer, the others get the same address. */
export const ionMapKernel: Rule<World, ArgsOf<'ion_map_kernel'>, ValueOf<'ion_map_kernel'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_HANDLE],
  may: [
    ['ENOMEM', (s, args, seen) => kernelMapOf(s, args) === 0 && !hasKernelRoom(s, sizeOf(s, args), seen)],
  ],
  accept: [
    ['the handle that was asked for', (_s, args, { handle }) => handle === args.handle, 'P1'],
    [
      'the address of the mapping there is, or unused ones',
      (s, args, { address }) => isAddressToGive(s, args, address),
      'P3',
    ],
  ],
  effect(s, args, { address }) {
    const head = bufferOf(s, args.client, args.handle) ?? 0;
    const at = handleAt(s, args.client, args.handle);
    s.kernelMaps.set(at, s.kernelMaps.get(at) + 1);
    if (kernelMapOf(s, args) !== 0) return;
    mapForCpu(s, address, pagesOf(s, head), s.uncached.get(head) === 0);
    s.kernelMap.set(head, address / s.machine.pageBytes + 1);
  },
  owes: () => 'M2b',
};

/** `ion_unmap_kernel(client, handle)`: the last of all handles ends the mapping. */
export const ionUnmapKernel: Rule<World, ArgsOf<'ion_unmap_kernel'>, ValueOf<'ion_unmap_kernel'>> = {
  require: [
    ['the client has the handle', (s, { client, map }) => bufferOf(s, client, map) !== undefined],
    [
      'the handle counts a kernel mapping',
      (s, { client, map }) => s.kernelMaps.get(handleAt(s, client, map)) > 0,
    ],
  ],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { client, map }) {
    const at = handleAt(s, client, map);
    s.kernelMaps.set(at, s.kernelMaps.get(at) - 1);
    endKernelMap(s, s.handle.get(at) - 1);
  },
  owes: () => 'P1',
};

/**
 * `mmap(fd, offset, bytes)`: the mapping holds the buffer, whatever becomes of descriptor and handle. Offset and size
 * are unsigned: a sum that wraps is EINVAL or EOVERFLOW, after `dma_buf_mmap()`.
 */
export const ionMmap: Rule<World, ArgsOf<'ion_mmap'>, ValueOf<'ion_mmap'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    NO_FD,
    ['EINVAL', (s, args) => !isWithinBuffer(s, args), 'P3', 'the range is not whole pages of the buffer'],
    [
      'ENOMEM',
      (s, { client, bytes }) => isClient(s, client) && !hasUserHole(s, client, pagesFor(s.machine, bytes)),
      'S3',
      'no hole in the client’s address space has room',
    ],
  ],
  may: [['EOVERFLOW', (_s, { offset, bytes }) => offset < 0 || offset + bytes >= 2 ** 64]],
  accept: [
    [
      'addresses of the client that are unused',
      (s, args, { address }) => isUserHole(s, args.client, address, pagesFor(s.machine, args.bytes)),
      'P3',
    ],
  ],
  effect(s, { client, fd, offset, bytes }, { address }) {
    const head = bufferOfFd(s, client, fd) ?? 0;
    const from = offset / s.machine.pageBytes;
    const pages = pagesOf(s, head).slice(from, from + pagesFor(s.machine, bytes));
    mapForCpu(s, address, pages, s.uncached.get(head) === 0);
    s.userMap.set(mappedPageOf(s, address) - s.machine.vmallocPages, head + 1);
    takeReference(s, head);
  },
  owes: () => 'S3',
};

/** `munmap()` of a whole mapping. */
export const ionMunmap: Rule<World, ArgsOf<'ion_munmap'>, ValueOf<'ion_munmap'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    ['EINVAL', (s, args) => userMapAt(s, args) === undefined, 'C5', 'no mapping of the client starts there'],
  ],
  may: [],
  accept: [],
  effect: (s, args) => endUserMap(s, userMapAt(s, args) ?? 0),
  owes: () => 'P1',
};

/** `ION_IOC_SYNC`: caches are written back for the whole buffer. */
export const ionSync: Rule<World, ArgsOf<'ion_sync'>, ValueOf<'ion_sync'>> = {
  require: [],
  refuse: [NO_CLIENT, NO_FD],
  may: [],
  accept: [],
  effect: (s, { client, fd }) => cleanPages(s, pagesOf(s, bufferOfFd(s, client, fd) ?? 0)),
  owes: () => 'P1',
};

const isFreeFd = (s: World, client: number, fd: number): boolean =>
  Number.isSafeInteger(fd) && fd >= 0 && fd < s.machine.fds && s.fd.get(client * s.machine.fds + fd) === 0;

function freeFd(s: World, client: number): number | undefined {
  for (let fd = 0; fd < s.machine.fds; fd++) if (isFreeFd(s, client, fd)) return fd;
  return undefined;
}

function openFd(s: World, client: number, fd: number, head: number): void {
  s.fd.set(client * s.machine.fds + fd, head + 1);
  takeReference(s, head);
}

function heldHandle(s: World, { client, fd }: OfFd): number | undefined {
  const head = bufferOfFd(s, client, fd);
  return head === undefined ? undefined : handleFor(s, client, head);
}

function isHandleToGive(s: World, args: OfFd, handle: number): boolean {
  const held = heldHandle(s, args);
  return held === undefined ? isFreeHandle(s, args.client, handle) : handle === held;
}

const sizeOf = (s: World, { client, handle }: OfHandle): number =>
  s.size.peek(bufferOf(s, client, handle) ?? -1) ?? 0;

/** Kernel page + 1 where the buffer is mapped already, or 0. */
const kernelMapOf = (s: World, { client, handle }: OfHandle): number =>
  s.kernelMap.peek(bufferOf(s, client, handle) ?? -1) ?? 0;

function isAddressToGive(s: World, args: OfHandle, address: number): boolean {
  const mapped = kernelMapOf(s, args);
  return mapped === 0
    ? isKernelHole(s, address, sizeOf(s, args))
    : address === (mapped - 1) * s.machine.pageBytes;
}

function isWithinBuffer(s: World, { client, fd, offset, bytes }: ArgsOf<'ion_mmap'>): boolean {
  const { pageBytes } = s.machine;
  const size = s.size.peek(bufferOfFd(s, client, fd) ?? -1) ?? 0;
  return (
    bytes > 0 &&
    offset >= 0 &&
    offset % pageBytes === 0 &&
    offset / pageBytes + pagesFor(s.machine, bytes) <= size
  );
}

function userMapAt(s: World, { client, map }: ArgsOf<'ion_munmap'>): number | undefined {
  const page = mappedPageOf(s, map);
  const start = isClient(s, client) ? userStart(s, client) : Number.NaN;
  const isStart = map % s.machine.pageBytes === 0 && page >= start && page < start + s.machine.userPages;
  return isStart && s.area.get(page) !== 0 ? page : undefined;
}
