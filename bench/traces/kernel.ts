/**
 * A small kernel that makes no mistakes and writes down what it does, as Linux 6.12 with Intel's IOMMU would. What it
 * does is done in steps: a generator that yields is where another CPU may come in between.
 */
import type { Choices } from '../../properties/choices.ts';
import type { Direction } from '../../traces/event.ts';
import type { Mode } from '../../traces/report.ts';
import { Addresses, Pages } from './memory.ts';

export const PAGE = 4096;
const FIRST_PFN = 0x1000;
const PAGES = 1 << 17;
/** Of a flush queue: entries, and microseconds until its timer goes off. */
const QUEUE_MAX = 256;
const QUEUE_MICROSECONDS = 10_000;

/** Which events are on. */
export interface Events {
  /** `kmem:mm_page_alloc`, `mm_page_free`, `mm_page_free_batched`. */
  readonly kmem: boolean;
  /** `dma:*`, from Linux 6.12 on. */
  readonly dma: boolean;
  /** `intel_iommu:*`: when the IOTLB is told to forget. */
  readonly flushes: boolean;
  /** Probes on the functions of dma-buf. */
  readonly buffers: boolean;
}

/** Steps of something that takes time; ends with what it is about. */
export type Steps<T = void> = Generator<undefined, T, undefined>;

/** Who runs: the head of a line as far as the time. */
export type Context = string;

export const contextOf = (task: string, pid: number, cpu: number, flags: string): Context =>
  `${task.padStart(16)}-${String(pid).padEnd(7)} [${String(cpu).padStart(3, '0')}] ${flags} `;

/** A device with a domain of its own. */
export interface Device {
  readonly name: string;
  readonly domain: number;
  readonly addresses: Addresses;
  /** Unmapped addresses that wait for a flush, and when the timer goes off. */
  readonly queue: { readonly page: number; readonly order: number }[];
  due: number;
}

/** Pages in a row. */
export interface Run {
  readonly pfn: number;
  readonly order: number;
}

/** What a driver shares with its device for long: a ring of descriptors. */
export interface Coherent extends Run {
  readonly iova: number;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const wide = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
/** Printed in place of a pointer; the kernel hashes those too. */
const hashed = (value: number): string => (Math.imul(value, 0x9e3779b1) >>> 0).toString(16).padStart(16, '0');
const orderOf = (pages: number): number => Math.ceil(Math.log2(pages));

export class Kernel {
  /** Lines that nobody took yet. */
  lines: string[] = [];
  /** Microseconds. */
  now = 1_000_000;
  readonly devices: Device[] = [];
  readonly #pages = new Pages(FIRST_PFN, PAGES);
  readonly #choices: Choices;
  readonly #mode: Mode;
  readonly #events: Events;

  constructor(choices: Choices, mode: Mode, events: Events) {
    this.#choices = choices;
    this.#mode = mode;
    this.#events = events;
  }

  probe(at: Context, name: string): Device {
    const domain = this.devices.length + 3;
    this.#write(at, `add_device_to_group: IOMMU: groupID=${domain} device=${name}`);
    if (this.#events.flushes)
      this.#write(at, `cache_tag_assign: dmar0/dmar0 type iotlb did ${domain} pasid 0 ref 1`);
    this.#write(at, `attach_device_to_domain: IOMMU: device=${name}`);
    const device = { name, domain, addresses: new Addresses(), queue: [], due: 0 };
    this.devices.push(device);
    return device;
  }

  allocPages(at: Context, order: number, gfp: string): number {
    const pfn = this.#pages.take(order);
    if (this.#events.kmem)
      this.#write(at, `mm_page_alloc: ${page(pfn)} order=${order} migratetype=0 gfp_flags=${gfp}`);
    return pfn;
  }

  freePages(at: Context, pfn: number, order: number): void {
    if (this.#events.kmem) this.#write(at, `mm_page_free: ${page(pfn)} order=${order}`);
    this.#pages.give(pfn, order);
  }

  /** As a list: the kernel first tells that each is free, then each again as it goes. */
  freeBatch(at: Context, pfns: readonly number[]): void {
    if (this.#events.kmem) {
      for (const pfn of pfns) this.#write(at, `mm_page_free: ${page(pfn)} order=0`);
      for (const pfn of pfns) this.#write(at, `mm_page_free_batched: ${page(pfn)} order=0`);
    }
    for (const pfn of pfns) this.#pages.give(pfn, 0);
  }

  *mapPage(at: Context, device: Device, phys: number, size: number, dir: Direction): Steps<number> {
    const [first, offset] = [Math.floor(phys / PAGE), phys % PAGE];
    const pages = Math.ceil((offset + size) / PAGE);
    const iova = device.addresses.take(orderOf(pages)) * PAGE;
    this.#map(at, iova, first, pages);
    yield;
    if (this.#events.dma) {
      const where = `dma_addr=${(iova + offset).toString(16)} size=${size} phys_addr=${phys.toString(16)}`;
      this.#write(at, `dma_map_page: ${device.name} dir=${dir} ${where} attrs=`);
    }
    return iova + offset;
  }

  *unmapPage(at: Context, device: Device, dma: number, size: number, dir: Direction): Steps {
    const first = Math.floor(dma / PAGE);
    yield* this.#unmap(at, device, first, Math.ceil(((dma % PAGE) + size) / PAGE));
    if (this.#events.dma)
      this.#write(
        at,
        `dma_unmap_page: ${device.name} dir=${dir} dma_addr=${dma.toString(16)} size=${size} attrs=`,
      );
  }

  /** One range of addresses for all of a list; runs that follow one another in memory are mapped at once. */
  *mapSg(at: Context, device: Device, list: readonly Run[], dir: Direction): Steps<number> {
    const pages = pagesOf(list);
    const iova = device.addresses.take(orderOf(pages)) * PAGE;
    let mapped = 0;
    for (const { pfn, pages: count } of merged(list)) {
      this.#map(at, iova + mapped * PAGE, pfn, count);
      mapped += count;
      yield;
    }
    if (this.#events.dma) {
      const counts = `nents=${list.length}/${list.length} ents=1/1`;
      const where = `dma_addrs={${hex(iova)}} sizes={${hex(pages * PAGE)}} ${physes(list)}`;
      this.#write(at, `dma_map_sg: ${device.name} dir=${dir} ${counts} ${where} attrs=`);
    }
    return iova;
  }

  *unmapSg(at: Context, device: Device, iova: number, list: readonly Run[], dir: Direction): Steps {
    if (this.#events.dma) this.#write(at, `dma_unmap_sg: ${device.name} dir=${dir} ${physes(list)} attrs=`);
    yield;
    yield* this.#unmap(at, device, iova / PAGE, pagesOf(list));
  }

  /** Coherent memory: a block that is split, mapped in one go and freed page by page. */
  *allocCoherent(at: Context, device: Device, order: number): Steps<Coherent> {
    const pfn = this.allocPages(at, order, 'GFP_KERNEL|__GFP_ZERO');
    yield;
    const iova = device.addresses.take(order) * PAGE;
    this.#map(at, iova, pfn, 1 << order);
    yield;
    const memory = { pfn, iova, order };
    if (this.#events.dma)
      this.#write(at, `dma_alloc: ${device.name} ${coherent(memory)} flags=GFP_KERNEL attrs=`);
    return memory;
  }

  *freeCoherent(at: Context, device: Device, memory: Coherent): Steps {
    if (this.#events.dma) this.#write(at, `dma_free: ${device.name} ${coherent(memory)} attrs=`);
    yield;
    yield* this.#unmap(at, device, memory.iova / PAGE, 1 << memory.order);
    for (let each = 0; each < 1 << memory.order; each++) {
      yield;
      this.freePages(at, memory.pfn + each, 0);
    }
  }

  /** The timers of flush queues that are due go off. */
  tick(at: Context): void {
    for (const device of this.devices)
      if (device.queue.length > 0 && device.due <= this.now) this.#flushAll(at, device);
  }

  /** As a probe on a function of dma-buf writes it. */
  probed(at: Context, text: string): void {
    if (this.#events.buffers) this.#write(at, text);
  }

  #map(at: Context, iova: number, pfn: number, pages: number): void {
    const size = pages * PAGE;
    const range = `iova=${wide(iova)} - ${wide(iova + size)} paddr=${wide(pfn * PAGE)}`;
    this.#write(at, `map: IOMMU: ${range} size=${size}`);
  }

  /** Strict: nobody is given the addresses before the IOTLB forgot them. Lazy: they wait until it did. */
  *#unmap(at: Context, device: Device, first: number, pages: number): Steps {
    const [iova, size, order] = [first * PAGE, pages * PAGE, orderOf(pages)];
    this.#write(
      at,
      `unmap: IOMMU: iova=${wide(iova)} - ${wide(iova + size)} size=${size} unmapped_size=${size}`,
    );
    yield;
    if (this.#mode === 'lazy') {
      if (device.queue.length === 0) device.due = this.now + QUEUE_MICROSECONDS;
      device.queue.push({ page: first, order });
      if (device.queue.length >= QUEUE_MAX) this.#flushAll(at, device);
      return;
    }
    this.#flushRange(at, device, iova, pages, order);
    yield;
    device.addresses.give(first, order);
  }

  #flushRange(at: Context, { domain }: Device, iova: number, pages: number, order: number): void {
    if (!this.#events.flushes) return;
    const range = `[${hex(iova)}-${hex(iova + pages * PAGE - 1)}]`;
    const asked = `addr ${hex(iova)} pages ${hex(1 << order)} mask ${hex(order)}`;
    this.#write(at, `cache_tag_flush_range: dmar0 dmar0[0] type iotlb did ${domain} ${range} ${asked}`);
    this.#write(at, `qi_submit: iotlb_inv dmar0: ${hex(domain)}00f2 ${hex(iova + 64 + order)} 0x0 0x0`);
  }

  #flushAll(at: Context, device: Device): void {
    if (this.#events.flushes) {
      this.#write(at, `cache_tag_flush_all: dmar0/dmar0 type iotlb did ${device.domain} pasid 0 ref 1`);
      this.#write(at, `qi_submit: iotlb_inv dmar0: ${hex(device.domain)}00e2 0x0 0x0 0x0`);
    }
    for (const { page: first, order } of device.queue.splice(0)) device.addresses.give(first, order);
  }

  #write(at: Context, text: string): void {
    this.now += 1 + this.#choices.below(8);
    const seconds = String(Math.floor(this.now / 1e6)).padStart(5);
    this.lines.push(`${at}${seconds}.${String(this.now % 1e6).padStart(6, '0')}: ${text}`);
  }
}

const page = (pfn: number): string => `page=${hashed(pfn)} pfn=${hex(pfn)}`;

const coherent = ({ pfn, iova, order }: Coherent): string =>
  `dir=BIDIRECTIONAL dma_addr=${iova.toString(16)} size=${PAGE << order} virt_addr=${hashed(pfn)}`;

const physes = (list: readonly Run[]): string =>
  `phys_addrs={${list.map(({ pfn }) => hex(pfn * PAGE)).join()}}`;

const pagesOf = (list: readonly Run[]): number => list.reduce((sum, { order }) => sum + (1 << order), 0);

function merged(list: readonly Run[]): readonly { readonly pfn: number; readonly pages: number }[] {
  const runs: { pfn: number; pages: number }[] = [];
  for (const { pfn, order } of list) {
    const last = runs.at(-1);
    if (last !== undefined && last.pfn + last.pages === pfn) last.pages += 1 << order;
    else runs.push({ pfn, pages: 1 << order });
  }
  return runs;
}
