/**
 * Events as the lines of an ftrace `trace` file, in the form of Linux 6.12, so that other tools can read them. Fields
 * that events do not keep are written as the kernel does when nothing is known of them: pointers are 0, flags are off.
 * Where a trace is cited these are left out, since it said something else.
 */
import type {
  BufferEvent,
  DeviceEvent,
  DmaAllocEvent,
  EventKind,
  EventOf,
  FlushEvent,
  TraceEvent,
} from './event.ts';

/** Names of the columns, as they stand above the first event. */
export const HEAD_OF_COLUMNS: readonly string[] = [
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

/** The lines before the first event of a file with so many events, all of which were kept. */
export const writeHead = (events: number, cpus: number): readonly string[] => [
  '# tracer: nop',
  '#',
  `# entries-in-buffer/entries-written: ${events}/${events}   #P:${cpus}`,
  '#',
  ...HEAD_OF_COLUMNS,
];

/** A whole file, without the end of its last line. */
export function writeTrace(events: readonly TraceEvent[]): string {
  const cpus = events.reduce((most, { cpu }) => Math.max(most, cpu + 1), 1);
  return [...writeHead(events.length, cpus), ...events.map(writeEvent)].join('\n');
}

/** One line, without its end. */
export function writeEvent(event: TraceEvent): string {
  if (event.kind === 'lost') {
    const count = event.count === undefined ? '' : `${event.count} `;
    return `CPU:${event.cpu} [LOST ${count}EVENTS]`;
  }
  const task = `${event.task.padStart(16)}-${String(event.pid).padEnd(7)}`;
  const cpu = `[${String(event.cpu).padStart(3, '0')}]`;
  return `${task} ${cpu} ..... ${writeTime(event.time)}: ${writeBody(event)}`;
}

/** Seconds, five places at least: in microseconds as the kernel does, in nanoseconds where that would round. */
export function writeTime(time: number): string {
  const digits = String(time).padStart(10, '0');
  const [seconds, fraction] = [digits.slice(0, -9), digits.slice(-9)];
  return `${seconds.padStart(5)}.${fraction.endsWith('000') ? fraction.slice(0, 6) : fraction}`;
}

/** Name and fields, such as `unmap: IOMMU: iova=…`. */
export const writeBody = (event: TraceEvent): string => bodyOf(event, event.kind, (text) => text);

/** What events say and no more: what stands for fields that they do not keep is left out. */
export const keptBody = (event: TraceEvent): string => bodyOf(event, event.kind, () => '');

/** Given what no event keeps: what is written of it. */
type Filler = (madeUp: string) => string;

const bodyOf = <K extends EventKind>(event: TraceEvent, kind: K, fill: Filler): string =>
  BODIES[kind](event as EventOf<K>, fill);

const DEVICE_EVENTS = {
  attach: 'attach_device_to_domain',
  detach: 'detach_device_from_domain',
  'group-add': 'add_device_to_group',
  'group-remove': 'remove_device_from_group',
} as const;

type Bodies = { readonly [K in EventKind]: (event: EventOf<K>, fill: Filler) => string };

/** The pages of `kmem` events are hashed pointers, so none is made up. */
const PAGE = 'page=0000000000000000 ';

function deviceEvent({ kind, device, group }: DeviceEvent): string {
  const groupId = group === undefined ? '' : `groupID=${group} `;
  return `${DEVICE_EVENTS[kind]}: IOMMU: ${groupId}device=${device}`;
}

const BODIES: Bodies = {
  map: ({ iova, paddr, size, device }) =>
    `map: IOMMU:${vendorOf(device)} ${writeRange(iova, size)} paddr=${wide(paddr)} size=${size}`,
  unmap: ({ iova, size, unmapped, device }) =>
    `unmap: IOMMU:${vendorOf(device)} ${writeRange(iova, size)} size=${size} unmapped_size=${unmapped}`,
  attach: deviceEvent,
  detach: deviceEvent,
  'group-add': deviceEvent,
  'group-remove': deviceEvent,
  fault: ({ driver, device, iova, flags }) =>
    `io_page_fault: IOMMU:${driver} ${device} iova=${wide(iova)} flags=${hex(flags, 4)}`,
  'page-alloc': ({ pfn, order, gfp }, fill) =>
    `mm_page_alloc: ${fill(PAGE)}pfn=${hex(pfn)} order=${order}${fill(' migratetype=0')}` +
    said(' gfp_flags=', gfp, fill),
  'page-free': ({ pfn, order, batched }, fill) =>
    `mm_page_free${batched ? '_batched' : ''}: ${fill(PAGE)}pfn=${hex(pfn)} order=${order}`,
  'dma-map': ({ api, device, direction, dma, size, phys, attrs }, fill) =>
    `dma_map_${api}: ${device} dir=${direction} dma_addr=${bare(dma)} size=${size} phys_addr=${bare(phys)}` +
    said(' attrs=', attrs, fill),
  'dma-unmap': ({ api, device, direction, dma, size }, fill) =>
    `dma_unmap_${api}: ${device} dir=${direction} dma_addr=${bare(dma)} size=${size}${fill(' attrs=')}`,
  'dma-map-sg': (event, fill) => {
    const { device, direction, dmas, sizes, physes, attrs } = event;
    const counts = ` nents=${physes.length}/${event.entries} ents=${dmas.length}/${event.segments}`;
    const entries = event.truncated ? `${counts} [TRUNCATED]` : fill(counts);
    return (
      `dma_map_sg: ${device} dir=${direction}${entries}` +
      ` dma_addrs=${list(dmas)} sizes=${list(sizes)} phys_addrs=${list(physes)}` +
      said(' attrs=', attrs, fill)
    );
  },
  'dma-unmap-sg': ({ device, direction, physes }, fill) =>
    `dma_unmap_sg: ${device} dir=${direction} phys_addrs=${list(physes)}${fill(' attrs=')}`,
  'dma-alloc': dmaAlloc,
  'dma-free': dmaAlloc,
  'dma-sync': ({ toward, device, direction, dmas, sizes }) =>
    dmas.length === 1
      ? `dma_sync_single_for_${toward}: ${device} dir=${direction} dma_addr=${bare(dmas[0] ?? 0)}` +
        ` size=${sizes[0]}`
      : `dma_sync_sg_for_${toward}: ${device} dir=${direction} dma_addrs=${list(dmas)} sizes=${list(sizes)}`,
  'dma-failed': ({ device }) => `dma_map_sg_err: ${device} dir=NONE dma_addrs={} err=-12 attrs=`,
  flush,
  buffer: (event) => BUFFERS[event.action](event),
  mark: ({ text }) => `tracing_mark_write: ${text}`,
  lost: () => '',
  other: ({ name }, fill) => `${name}:${fill(` ${FIELDS[name] ?? ''}`)}`,
};

/** A field that is empty where it was not printed. */
const said = (key: string, value: string, fill: Filler): string =>
  value === '' ? fill(key) : `${key}${value}`;

/** What stands after the names of events whose form is part of what they say: here, that no IOTLB forgets. */
const FIELDS: Readonly<Record<string, string>> = {
  'intel_iommu:qi_submit': 'inv_wait dmar0: 0x5 0x0 0x0 0x0',
  'intel_iommu:cache_tag_flush_all': 'dmar0/dmar0 type devtlb did 0 pasid 0 ref 1',
};

function dmaAlloc(event: DmaAllocEvent, fill: Filler): string {
  const { kind, api, device, direction, dma, size, virt, physes } = event;
  const name = api === 'coherent' ? '' : `_${api}`;
  // Of coherent memory not all kernels print one.
  const dir = api === 'coherent' ? fill(` dir=${direction}`) : ` dir=${direction}`;
  const where = api === 'sgt' ? `phys_addrs=${list(physes)}` : `virt_addr=${virt}`;
  const flags = kind === 'dma-alloc' ? ' flags= attrs=' : api === 'sgt' ? '' : ' attrs=';
  return (
    `${kind === 'dma-alloc' ? 'dma_alloc' : 'dma_free'}${name}: ${device}${dir}` +
    ` dma_addr=${bare(dma)} size=${size} ${where}${fill(flags)}`
  );
}

/**
 * Descriptors are those of Intel's VT-d for the IOTLB: type in bits 0 to 3, granularity (all, domain, pages) in 4 and
 * 5, domain from bit 16; the second word has the address, and how many pages as a power of two.
 */
function flush({ unit, domain, iova, size, step }: FlushEvent): string {
  if (step === 'submitted') {
    const granularity = domain === undefined ? 1 : iova === undefined ? 2 : 3;
    const first = 2 + granularity * 16 + (domain ?? 0) * 0x1_0000;
    const second = (iova ?? 0) + orderOf(size);
    return `qi_submit: iotlb_inv ${unit}: ${hex(first)} ${hex(second)} 0x0 0x0`;
  }
  const tag = `type iotlb did ${domain ?? 0}`;
  if (iova === undefined || size === undefined)
    return `cache_tag_flush_all: ${unit}/${unit} ${tag} pasid 0 ref 1`;
  const pages = `pages ${hex(2 ** orderOf(size))} mask ${hex(orderOf(size))}`;
  const range = `[${hex(iova)}-${hex(iova + size - 1)}]`;
  return `cache_tag_flush_range: ${unit} ${unit}[0] ${tag} ${range} addr ${hex(iova)} ${pages}`;
}

/** The least power of two of pages of 4 KiB that holds so many bytes. */
const orderOf = (size = 0): number => Math.ceil(Math.log2(Math.max(1, size / 4096)));

type Action = BufferEvent['action'];

/** Tracepoints where the kernel has them; else probes on the functions of dma-buf, with the names of their fields. */
const BUFFERS: Readonly<Record<Action, (event: BufferEvent) => string>> = {
  create: ({ buffer, size }) => `ion_buffer_create: addr=${buffer}, len=${size ?? 0}`,
  destroy: ({ buffer, size }) => `ion_buffer_destroy: addr=${buffer}, len=${size ?? 0}`,
  attach: ({ buffer, device }) => `attach: (dma_buf_dynamic_attach+0x4/0x260) dmabuf=${buffer} dev=${device}`,
  attached: ({ attachment }) => `attach_ret: (0x0 <- dma_buf_dynamic_attach) ret=${attachment}`,
  detach: ({ buffer, attachment }) =>
    `detach: (dma_buf_detach+0x4/0xd0) dmabuf=${buffer} attach=${attachment}`,
  map: ({ attachment }) => `map_attachment: (dma_buf_map_attachment+0x4/0xe0) attach=${attachment} dir=0`,
  mapped: () => 'map_attachment_ret: (0x0 <- dma_buf_map_attachment) ret=0x1',
  unmap: ({ attachment }) =>
    `unmap_attachment: (dma_buf_unmap_attachment+0x4/0x90) attach=${attachment} sgt=0x0 dir=0`,
  export: ({ buffer }) => `export: (0x0 <- dma_buf_export) ret=${buffer}`,
  fd: ({ buffer, size }) => `dma_buf_fd: exp_name= size=${size ?? 0} ino=${buffer} fd=0`,
  stat: ({ buffer, size }) => `dma_heap_stat: inode=${buffer} len=${size ?? 0}B total_allocated=0B`,
};

const vendorOf = (device: string | undefined): string => (device === undefined ? '' : ` device=${device}`);

const writeRange = (iova: number, size: number): string => `iova=${wide(iova)} - ${wide(iova + size)}`;

const bare = (value: number): string => value.toString(16);

const hex = (value: number, digits = 1): string => `0x${bare(value).padStart(digits, '0')}`;

const wide = (value: number): string => hex(value, 16);

const list = (values: readonly number[]): string => `{${values.map((value) => hex(value)).join(',')}}`;
