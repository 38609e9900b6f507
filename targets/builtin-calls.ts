import { EINVAL } from '../impl/errno.ts';
import { HEAP_IOMMU, HEAP_SYSTEM, HEAP_SYSTEM_CONTIG } from '../impl/heaps.ts';
import { CONTEXT_DMA, CONTEXT_UNMANAGED } from '../impl/iommu.ts';
import { FLAG_CACHED } from '../impl/ion.ts';
import { NO_DATA } from '../impl/jobs.ts';
import type { Kernel } from '../impl/kernel.ts';
import { READ, WRITE } from '../impl/tables.ts';
import type { ArgsOf, Op, ValueOf } from '../model/calls.ts';

/** What each call does to a kernel: its value, or an errno code with its sign changed. */
export type BuiltinCalls = {
  readonly [Name in Op]: (kernel: Kernel, args: ArgsOf<Name>) => ValueOf<Name> | number;
};

const RIGHTS: Readonly<Record<string, number>> = {
  none: 0,
  read: READ,
  write: WRITE,
  both: READ | WRITE,
  to_device: READ,
  from_device: WRITE,
  bidirectional: READ | WRITE,
};

const DONE = {} as const;

export const rightsOf = (word: string): number => RIGHTS[word] ?? 0;

/** A mapping at the address that was asked for, or its error. */
const iovaOf = (iova: number, result: number): number | { readonly iova: number } =>
  result < 0 ? result : { iova };

/** A call without a result: nothing, or its error. */
export const done = (result: number): number | typeof DONE => (result < 0 ? result : DONE);

const HEAP_BITS: Readonly<Record<string, number>> = {
  iommu: HEAP_IOMMU,
  system: HEAP_SYSTEM,
  'system-contig': HEAP_SYSTEM_CONTIG,
};

/** A mask of heaps by their names. */
export const heapsOf = (names: readonly string[]): number =>
  names.reduce((mask, name) => mask | (HEAP_BITS[name] ?? 0), 0);

/** Flags of an allocation by their name. */
export const flagsOf = (flags: string): number => (flags === 'cached' ? FLAG_CACHED : 0);

/** A result by its one field, or its error. */
export const field = <Name extends string>(
  name: Name,
  result: number,
): number | { readonly [Key in Name]: number } =>
  result < 0 ? result : ({ [name]: result } as { readonly [Key in Name]: number });

/** The adapter, one entry a call. A call that is missing here does not compile. */
export const BUILTIN_CALLS: BuiltinCalls = {
  alloc_pages: ({ pages }, { order }) => field('pfn', pages.allocateBlock(order)),
  free_pages({ pages }, { block }) {
    pages.freeBlock(block);
    return DONE;
  },
  split_page: ({ pages }, { block }) => ({ pfn: block, count: pages.splitBlock(block) }),
  free_pages_exact({ pages }, { split }) {
    pages.freeExact(split);
    return DONE;
  },
  occupy({ pages, cache }, { pfn, count, mobility, tag }) {
    const occupant = pages.occupy(pfn, count, mobility === 'movable');
    for (let page = pfn; occupant >= 0 && page < pfn + count; page++) cache.fillPage(page, tag);
    return field('occupant', occupant);
  },
  release({ pages }, { occupant }) {
    pages.release(occupant);
    return DONE;
  },
  compact({ pages }) {
    pages.compact();
    return DONE;
  },
  drain({ pages }) {
    pages.drain();
    return DONE;
  },
  shrink({ buffers }) {
    buffers.shrink();
    return DONE;
  },
  kmalloc: ({ metadata }, { bytes }) => field('memory', metadata.kmalloc(bytes)),
  kfree({ metadata }, { memory }) {
    metadata.kfree(memory);
    return DONE;
  },
  vmalloc: ({ metadata }, { bytes }) => field('memory', metadata.vmalloc(bytes)),
  vfree({ metadata }, { memory }) {
    metadata.vfree(memory);
    return DONE;
  },
  kvmalloc: ({ metadata }, { bytes }) => field('memory', metadata.kvmalloc(bytes)),
  kvfree({ metadata }, { memory }) {
    metadata.kvfree(memory);
    return DONE;
  },
  vmap: ({ metadata }, { pages }) => field('address', metadata.vmap(pages)),
  vunmap({ metadata }, { address }) {
    metadata.vunmap(address);
    return DONE;
  },
  sg_alloc_table_from_pages({ sg }, { pages, maxSegment }) {
    const table = sg.allocateFromPages(pages, maxSegment);
    return table < 0 ? table : { table, segments: sg.segments.get(table) };
  },
  sg_copy: ({ sgCopy }, { table, skip, bytes, tag }) => field('copied', sgCopy.fill(table, skip, bytes, tag)),
  sg_free_table({ sg }, { table }) {
    sg.free(table);
    return DONE;
  },
  iommu_domain_alloc: ({ iommu }, { type }) =>
    field('domain', iommu.create(type === 'dma' ? CONTEXT_DMA : CONTEXT_UNMANAGED)),
  iommu_domain_free({ dma }, { domain }) {
    dma.freeDomain(domain);
    return DONE;
  },
  iommu_attach_device: ({ devices }, { domain, device }) => field('device', devices.attach(domain, device)),
  iommu_detach_device({ devices }, { device }) {
    devices.detach(device);
    return DONE;
  },
  iommu_map: ({ iommu }, { domain, iova, phys, bytes, prot }) =>
    iovaOf(iova, iommu.map(domain, iova, phys, bytes, rightsOf(prot))),
  iommu_map_sg: ({ dma }, { domain, iova, table, prot }) =>
    field('bytes', dma.mapAt(domain, iova, table, rightsOf(prot))),
  iommu_unmap: ({ iommu }, { domain, iova, bytes }) => ({ bytes: iommu.unmap(domain, iova, bytes) }),
  iommu_iova_to_phys: ({ iommu }, { domain, iova }) => ({ phys: iommu.iovaToPhys(domain, iova) }),
  dma_map_sg(kernel, { device, table, direction }) {
    const address = kernel.dma.map(device, table, rightsOf(direction));
    return address < 0 ? address : { table, dma: address, segments: dmaSegments(kernel, table, address) };
  },
  dma_unmap_sg: ({ dma }, { mapping }) => ({ flushes: dma.unmap(mapping) }),
  dma_sync_sg_for_device({ dma }, { mapping }) {
    dma.syncForDevice(mapping);
    return DONE;
  },
  dma_sync_sg_for_cpu({ dma }, { mapping }) {
    dma.syncForCpu(mapping);
    return DONE;
  },
  dma_alloc_coherent({ coherent, memory }, { device, bytes }) {
    const page = coherent.allocate(device, bytes);
    if (page < 0) return page;
    return { cpu: page * pageBytesOf(memory), dma: coherent.addressOf(page), pages: coherent.framesOf(page) };
  },
  dma_free_coherent: ({ coherent, memory }, { coherent: at }) => ({
    flushes: coherent.free(at / pageBytesOf(memory)),
  }),
  device_write: ({ engine }, { through, at, bytes, tag }) =>
    field('lines', engine.write(through, at, bytes, tag)),
  device_read({ engine }, { through, at, bytes }) {
    const lines = engine.read(through, at, bytes);
    return lines < 0 ? lines : { data: Array.from(engine.data.subarray(0, lines)) };
  },
  device_probe({ engine }, { through }) {
    const result = engine.probe(through);
    return result < 0 ? result : { data: Array.from(engine.probed) };
  },
  cpu_write: ({ cpu }, { at, bytes, tag }) => field('lines', cpu.write(at, bytes, tag)),
  cpu_read({ cpu }, { at, bytes }) {
    const lines = cpu.read(at, bytes);
    return lines < 0 ? lines : { data: Array.from(cpu.data.subarray(0, lines)) };
  },
  tick_engine({ jobs }, { job }) {
    const result = jobs.tick(job);
    const data = result >= 0 && result < NO_DATA ? [result] : [];
    return { data, left: jobs.left.get(job), fault: result < 0 ? 1 : 0 };
  },
  tick_cache({ cache }, { entry }) {
    cache.evict(entry);
    return DONE;
  },
  tick_iotlb({ iotlb }, { entry }) {
    iotlb.evict(entry);
    return DONE;
  },
  tick_flush: ({ flushQueue }) => ({ flushes: flushQueue.flush() }),
  tick_worker({ buffers }) {
    buffers.work();
    return DONE;
  },
  ion_client_create: ({ ion }) => field('client', ion.createClient()),
  ion_client_destroy: ({ gpu }, { client }) => done(gpu.destroyClient(client)),
  ion_alloc: (kernel, { client, bytes, heaps, flags }) =>
    allocated(kernel, client, kernel.ion.allocate(client, bytes, heapsOf(heaps), flagsOf(flags))),
  ion_free: ({ ion }, { client, handle }) => done(ion.free(client, handle)),
  ion_share: ({ sharing }, { client, handle }) => field('fd', sharing.share(client, handle)),
  ion_import: ({ sharing }, { client, fd }) => field('handle', sharing.import(client, fd)),
  ion_sg_table({ ion, reader }, { client, handle }) {
    const result = ion.openSgTable(client, handle, reader);
    if (result < 0) return result;
    const segments: number[] = [];
    while (reader.next()) segments.push(reader.page, reader.length);
    return { segments };
  },
  ion_map_kernel: ({ ion }, { client, handle }) => mappedForKernel(handle, ion.mapKernel(client, handle)),
  ion_unmap_kernel({ ion }, { client, map }) {
    ion.unmapKernel(client, map);
    return DONE;
  },
  ion_mmap: ({ sharing }, { client, fd, offset, bytes }) =>
    field('address', sharing.mmap(client, fd, offset, bytes)),
  ion_munmap: ({ sharing }, { client, map }) => done(sharing.munmap(client, map)),
  ion_sync: ({ sharing }, { client, fd }) => done(sharing.sync(client, fd)),
  ion_query: ({ ion }, { client }) => field('heaps', ion.query(client)),
  fd_close: ({ sharing }, { client, fd }) => done(sharing.close(client, fd)),
  fd_dup: ({ sharing }, { client, fd }) => field('fd', sharing.dup(client, fd)),
  fd_send: ({ sharing }, { client, fd, to }) => field('fd', sharing.send(client, fd, to)),
  gpu_context_create: ({ gpu }, { client }) => field('context', gpu.createContext(client)),
  gpu_context_destroy: ({ gpu }, { context }) => done(gpu.destroyContext(context)),
  gpu_bind: ({ gpu }, { context, handle, access }) =>
    field('address', gpu.bind(context, handle, rightsOf(access))),
  gpu_unbind: ({ gpu }, { context, binding }) => done(gpu.unbind(context, binding)),
  gpu_submit: ({ gpu }, { context, at, bytes, access, tag }) =>
    field('job', gpu.submit(context, at, bytes, access === 'write' ? tag : 0)),
};

/** A new handle with the pages behind it, or its error. */
export function allocated(kernel: Kernel, client: number, handle: number): ValueOf<'ion_alloc'> | number {
  return handle < 0 ? handle : { handle, pages: bufferPages(kernel, client, handle) };
}

/** The address of a handle's kernel mapping, or its error. */
export const mappedForKernel = (handle: number, address: number): ValueOf<'ion_map_kernel'> | number =>
  address < 0 ? address : { handle, address };

export const pageBytesOf = ({ wordBytes, pageShift }: Kernel['memory']): number => wordBytes << pageShift;

/** Pairs of address and bytes, one pair a segment. */
function dmaSegments({ sg, reader, memory }: Kernel, table: number, address: number): number[] {
  const pageBytes = pageBytesOf(memory);
  const segments: number[] = [];
  let at = address;
  sg.open(table, reader);
  while (reader.next()) {
    segments.push(at, reader.length * pageBytes);
    at += reader.length * pageBytes;
  }
  return segments;
}

function bufferPages({ ion, buffers }: Kernel, client: number, handle: number): number[] {
  const buffer = ion.lookUp(client, handle);
  const count = buffer === -EINVAL ? 0 : buffers.count.get(buffer);
  return Array.from({ length: count }, (_, index) => buffers.pageAt(buffer, index));
}
