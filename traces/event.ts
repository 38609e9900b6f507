/**
 * What a line of a recorded trace says, whichever tool wrote the line. Addresses are bytes as doubles: exact below
 * 2^53, and for whole pages of 4 KiB always. Sizes are bytes, page frame numbers count pages of the machine.
 */

/** Where and when: what every event has. */
export interface Stamp {
  /** Number of the line in its file, from 1. */
  readonly line: number;
  /** Nanoseconds since some moment of the trace's clock; ticks where the clock counts no seconds. */
  readonly time: number;
  readonly cpu: number;
  /** Name of the task that ran, such as `kworker/1:1H` or `<idle>`. */
  readonly task: string;
  readonly pid: number;
}

/** The direction of a transfer, as the kernel prints it without `DMA_`. */
export type Direction = 'BIDIRECTIONAL' | 'TO_DEVICE' | 'FROM_DEVICE' | 'NONE';

/** `iommu:map`: I/O addresses lead to physical ones from here on. The event names neither domain nor device. */
export interface MapEvent extends Stamp {
  readonly kind: 'map';
  readonly iova: number;
  readonly paddr: number;
  readonly size: number;
  /** Named by some vendors' kernels only. */
  readonly device?: string;
}

/** `iommu:unmap`, written after the tables have changed and before caches are told. */
export interface UnmapEvent extends Stamp {
  readonly kind: 'unmap';
  readonly iova: number;
  readonly size: number;
  /** What the tables say was there: their own answer. Equals `size` where the kernel does not print it. */
  readonly unmapped: number;
  readonly device?: string;
}

/** A device comes to a domain, leaves it, or joins or leaves an isolation group. */
export interface DeviceEvent extends Stamp {
  readonly kind: 'attach' | 'detach' | 'group-add' | 'group-remove';
  readonly device: string;
  readonly group?: number;
}

/** `iommu:io_page_fault`: a device asked for an address that does not translate, or without the right to. */
export interface FaultEvent extends Stamp {
  readonly kind: 'fault';
  readonly device: string;
  readonly driver: string;
  readonly iova: number;
  readonly flags: number;
}

/** Pages leave the page allocator. */
export interface PageAllocEvent extends Stamp {
  readonly kind: 'page-alloc';
  readonly pfn: number;
  readonly order: number;
  /** As printed, `GFP_KERNEL|__GFP_ZERO`; empty where it is not. */
  readonly gfp: string;
}

/** Pages go back. The kernel writes both events for a page that is freed in a batch: once singly, once `batched`. */
export interface PageFreeEvent extends Stamp {
  readonly kind: 'page-free';
  readonly pfn: number;
  readonly order: number;
  readonly batched: boolean;
}

/** `dma_map_page`, `dma_map_phys`, `dma_map_resource` and their `unmap`: one range of one device. */
export interface DmaMapEvent extends Stamp {
  readonly kind: 'dma-map';
  readonly device: string;
  readonly dma: number;
  readonly size: number;
  readonly phys: number;
  readonly direction: Direction;
  /** Of the call, without prefix: `page`, `phys`, `resource`. */
  readonly api: string;
  /** As printed, `NO_WARN|SKIP_CPU_SYNC`. */
  readonly attrs: string;
}

export interface DmaUnmapEvent extends Stamp {
  readonly kind: 'dma-unmap';
  readonly device: string;
  readonly dma: number;
  readonly size: number;
  readonly direction: Direction;
  readonly api: string;
}

/** `dma_map_sg`, written after the mapping; the lists are cut at 128 entries by the kernel (`truncated`). */
export interface DmaMapSgEvent extends Stamp {
  readonly kind: 'dma-map-sg';
  readonly device: string;
  readonly direction: Direction;
  /** Entries of the list and segments that the device sees; more than the arrays hold where it was cut. */
  readonly entries: number;
  readonly segments: number;
  readonly truncated: boolean;
  readonly dmas: readonly number[];
  readonly sizes: readonly number[];
  readonly physes: readonly number[];
  readonly attrs: string;
}

/** `dma_unmap_sg`, written before the unmapping; the list's physical addresses are all it says. */
export interface DmaUnmapSgEvent extends Stamp {
  readonly kind: 'dma-unmap-sg';
  readonly device: string;
  readonly direction: Direction;
  readonly physes: readonly number[];
}

/** `dma_alloc`, `dma_alloc_pages`, `dma_alloc_sgt`, and what frees again. */
export interface DmaAllocEvent extends Stamp {
  readonly kind: 'dma-alloc' | 'dma-free';
  readonly device: string;
  readonly dma: number;
  readonly size: number;
  readonly direction: Direction;
  /** `coherent`, `pages` or `sgt`. */
  readonly api: string;
  /** As printed; hashed by the kernel, so it only serves to tell allocations apart. */
  readonly virt: string;
  /** Of `sgt`: where the pages are. */
  readonly physes: readonly number[];
}

/** What a driver's call maps. */
export type DmaBirth = DmaMapEvent | DmaMapSgEvent | DmaAllocEvent;

/** `dma_sync_single_for_*`, `dma_sync_sg_for_*`: parallel arrays of ranges. */
export interface DmaSyncEvent extends Stamp {
  readonly kind: 'dma-sync';
  readonly device: string;
  readonly direction: Direction;
  readonly toward: 'cpu' | 'device';
  readonly dmas: readonly number[];
  readonly sizes: readonly number[];
}

/** `dma_map_sg_err`, `dma_alloc_sgt_err`, `dma_alloc` without an address: nothing was mapped. */
export interface DmaFailedEvent extends Stamp {
  readonly kind: 'dma-failed';
  readonly device: string;
}

/**
 * An IOTLB is told to forget: `cache_tag_flush_range`, `cache_tag_flush_all`, `qi_submit: iotlb_inv` of Intel's
 * driver. Without a range: all of a domain, or everything.
 */
export interface FlushEvent extends Stamp {
  readonly kind: 'flush';
  /** Name of the IOMMU, such as `dmar0`. */
  readonly unit: string;
  /** Number of the domain in that IOMMU, where the event says it. */
  readonly domain?: number;
  readonly iova?: number;
  readonly size?: number;
  /** Whether it is the driver's plan (`cache_tag_*`) or the descriptor that went to the hardware (`qi_submit`). */
  readonly step: 'planned' | 'submitted';
}

/** A buffer that is shared between drivers: `dma_buf` events, probes on its functions, `ion` and `dma_heap` events. */
export interface BufferEvent extends Stamp {
  readonly kind: 'buffer';
  readonly action:
    | 'create'
    | 'destroy'
    | 'attach'
    | 'attached'
    | 'detach'
    | 'map'
    | 'mapped'
    | 'unmap'
    | 'export'
    | 'fd'
    | 'stat';
  /** Pointer or number of the buffer, as printed; empty where only the attachment is named. */
  readonly buffer: string;
  readonly attachment: string;
  readonly device: string;
  /** Bytes; negative in a `stat` of a buffer that goes. */
  readonly size?: number;
}

/** What a program wrote into the trace. */
export interface MarkEvent extends Stamp {
  readonly kind: 'mark';
  readonly text: string;
}

/**
 * Events are missing here. `overrun`: the tool says so; of this CPU. `unreadable`: a line was damaged or cut.
 * `restart`: the clock went back for good; what follows is another recording, and nothing is known to live on.
 */
export interface LostEvent extends Stamp {
  readonly kind: 'lost';
  readonly cause: 'overrun' | 'unreadable' | 'restart';
  /** How many; undefined where it does not say. */
  readonly count?: number;
}

/** An event that is known, but changes nothing that is checked, such as `mm_page_pcpu_drain`. */
export interface OtherEvent extends Stamp {
  readonly kind: 'other';
  readonly name: string;
}

export type TraceEvent =
  | MapEvent
  | UnmapEvent
  | DeviceEvent
  | FaultEvent
  | PageAllocEvent
  | PageFreeEvent
  | DmaMapEvent
  | DmaUnmapEvent
  | DmaMapSgEvent
  | DmaUnmapSgEvent
  | DmaAllocEvent
  | DmaSyncEvent
  | DmaFailedEvent
  | FlushEvent
  | BufferEvent
  | MarkEvent
  | LostEvent
  | OtherEvent;

export type EventKind = TraceEvent['kind'];

/** The event of one kind. */
export type EventOf<K extends EventKind> = Extract<TraceEvent, { readonly kind: K }>;
