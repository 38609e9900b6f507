import { EINVAL } from '../impl/errno.ts';
import { CONTEXT_DMA, CONTEXT_UNMANAGED } from '../impl/iommu.ts';
import { HEAP_IOMMU } from '../impl/ion.ts';
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

const rightsOf = (word: string): number => RIGHTS[word] ?? 0;

/** A call without a result: nothing, or its error. */
const done = (result: number): number | typeof DONE => (result < 0 ? result : DONE);

/** The adapter, one line a call. A call that is missing here does not compile. */
export const BUILTIN_CALLS: BuiltinCalls = {
  alloc_pages({ pages }, { order }) {
    const pfn = pages.allocateBlock(order);
    return pfn < 0 ? pfn : { pfn };
  },
  free_pages({ pages }, { block }) {
    pages.freeBlock(block);
    return DONE;
  },
  kvmalloc({ metadata }, { bytes }) {
    const memory = metadata.kvmalloc(bytes);
    return memory < 0 ? memory : { memory };
  },
  kvfree({ metadata }, { memory }) {
    metadata.kvfree(memory);
    return DONE;
  },
  sg_alloc_table_from_pages({ sg }, { pages, maxSegment }) {
    const table = sg.allocateFromPages(pages, maxSegment);
    return table < 0 ? table : { table, segments: sg.segments.get(table) };
  },
  sg_free_table({ sg }, { table }) {
    sg.free(table);
    return DONE;
  },
  iommu_domain_alloc({ iommu }, { type }) {
    const domain = iommu.create(type === 'dma' ? CONTEXT_DMA : CONTEXT_UNMANAGED);
    return domain < 0 ? domain : { domain };
  },
  iommu_domain_free({ dma }, { domain }) {
    dma.freeDomain(domain);
    return DONE;
  },
  iommu_map({ iommu }, { domain, iova, phys, bytes, prot }) {
    return done(iommu.map(domain, iova, phys, bytes, rightsOf(prot)));
  },
  iommu_unmap({ iommu }, { domain, iova, bytes }) {
    return { bytes: iommu.unmap(domain, iova, bytes) };
  },
  dma_map_sg(kernel, { domain, table, direction }) {
    const address = kernel.dma.map(domain, table, rightsOf(direction));
    return address < 0 ? address : { table, dma: address, segments: dmaSegments(kernel, table, address) };
  },
  dma_unmap_sg({ dma }, { mapping }) {
    dma.unmap(mapping);
    return DONE;
  },
  ion_client_create({ ion }) {
    const client = ion.createClient();
    return client < 0 ? client : { client };
  },
  ion_client_destroy({ gpu }, { client }) {
    return done(gpu.destroyClient(client));
  },
  ion_alloc(kernel, { client, bytes, heaps }) {
    const handle = kernel.ion.allocate(client, bytes, heaps.includes('iommu') ? HEAP_IOMMU : 0);
    return handle < 0 ? handle : { handle, pages: bufferPages(kernel, client, handle) };
  },
  ion_free({ ion }, { client, handle }) {
    return done(ion.free(client, handle));
  },
  gpu_context_create({ gpu }, { client }) {
    const context = gpu.createContext(client);
    return context < 0 ? context : { context };
  },
  gpu_context_destroy({ gpu }, { context }) {
    return done(gpu.destroyContext(context));
  },
  gpu_bind({ gpu }, { context, handle, access }) {
    const address = gpu.bind(context, handle, rightsOf(access));
    return address < 0 ? address : { address };
  },
  gpu_unbind({ gpu }, { context, binding }) {
    return done(gpu.unbind(context, binding));
  },
  gpu_submit({ gpu }, { context, at, bytes, access, tag }) {
    const job = gpu.submit(context, at, bytes, access === 'write' ? tag : 0);
    return job < 0 ? job : { job };
  },
  tick_engine({ jobs }, { job }) {
    const result = jobs.tick(job);
    const data = result >= 0 && result < NO_DATA ? [result] : [];
    return { data, left: jobs.left.get(job), fault: result < 0 ? 1 : 0 };
  },
  device_write({ engine }, { context, at, bytes, tag }) {
    const lines = engine.write(context, at, bytes, tag);
    return lines < 0 ? lines : { lines };
  },
  device_read({ engine }, { context, at, bytes }) {
    const lines = engine.read(context, at, bytes);
    return lines < 0 ? lines : { data: Array.from(engine.data.subarray(0, lines)) };
  },
};

/** The result of {@link BUILTIN_CALLS} for a call that was interrupted. */
export const boundAt = (address: number): number | { address: number } =>
  address < 0 ? address : { address };

/** Rights of a bind, for a call that is interrupted. */
export const bindRights = (access: string): number => rightsOf(access);

/** Pairs of address and bytes, one pair a segment. */
function dmaSegments({ sg, reader, memory }: Kernel, table: number, address: number): number[] {
  const pageBytes = memory.wordBytes << memory.pageShift;
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
