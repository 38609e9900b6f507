import { holds } from './about.ts';
import type { CpuCache } from './cache.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { frameOf } from './cpu-mapping.ts';
import type { Devices } from './devices.ts';
import { ENOMEM } from './errno.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { Iommu } from './iommu.ts';
import { OWNER_COHERENT } from './owners.ts';
import type { PageAllocator } from './pages.ts';
import { SEEN_NOWHERE, SEEN_PLACE } from './seen.ts';
import type { Store } from './store.ts';
import { READ, WRITE } from './tables.ts';
import type { Vmalloc } from './vmalloc.ts';

/**
 * Memory that a CPU and a device see alike: single pages, at consecutive addresses of either, past the cache.
 * After Linux 6.1 drivers/iommu/dma-iommu.c, iommu_dma_alloc_remap(). Named by the first kernel page of its
 * mapping.
 */
export class CoherentMemory {
  /** Pages of the memory mapped from each page of vmalloc space on, else 0. */
  readonly count: Column;
  /** First I/O page of it. */
  private readonly ioPage: Column;
  /** Domain + 1 that it is mapped in. */
  private readonly domain: Column;
  private readonly pages: PageAllocator;
  private readonly vmalloc: Vmalloc;
  private readonly cache: CpuCache;
  private readonly iommu: Iommu;
  private readonly devices: Devices;
  private readonly queue: FlushQueue;
  private readonly pageBytes: number;
  private readonly base: number;

  constructor(
    store: Store,
    config: Config,
    pages: PageAllocator,
    vmalloc: Vmalloc,
    cache: CpuCache,
    iommu: Iommu,
    devices: Devices,
    queue: FlushQueue,
  ) {
    this.pages = pages;
    this.vmalloc = vmalloc;
    this.cache = cache;
    this.iommu = iommu;
    this.devices = devices;
    this.queue = queue;
    this.pageBytes = config.pageBytes;
    this.base = config.pages;
    this.count = store.column(config.vmallocPages, SEEN_PLACE);
    this.ioPage = store.column(config.vmallocPages, SEEN_NOWHERE);
    this.domain = store.column(config.vmallocPages, SEEN_NOWHERE, holds('context'));
  }

  /**
   * `dma_alloc_coherent()`.
   *
   * @param device - an initiator that is attached to a domain of type DMA
   * @param bytes - any number; rounded up to pages
   * @returns the first kernel page, or -ENOMEM with nothing left behind
   */
  allocate(device: number, bytes: number): number {
    if (!(bytes > 0 && bytes <= this.base * this.pageBytes)) return -ENOMEM;
    const count = Math.ceil(bytes / this.pageBytes);
    const frames = this.takePages(count);
    if (frames.length < count) {
      this.freePages(frames);
      return -ENOMEM;
    }
    const kernelPage = this.mapForCpu(frames);
    if (kernelPage < 0) {
      this.freePages(frames);
      return -ENOMEM;
    }
    const domain = this.devices.contextOf(device);
    const ioPage = this.mapForDevice(domain, frames);
    if (ioPage < 0) {
      this.unmapForCpu(kernelPage);
      this.freePages(frames);
      return -ENOMEM;
    }
    this.record(kernelPage, count, ioPage, domain + 1);
    return kernelPage;
  }

  /** `dma_free_coherent()`: unreachable first, then free. Returns the flushes since boot. */
  free(kernelPage: number): number {
    const at = kernelPage - this.base;
    const frames = this.framesOf(kernelPage);
    this.queue.release(this.domain.get(at) - 1, this.ioPage.get(at), frames.length);
    this.record(kernelPage, 0, 0, 0);
    this.unmapForCpu(kernelPage);
    this.freePages(frames);
    return this.queue.flushes.get(0);
  }

  /** Device address of memory, in bytes. */
  addressOf(kernelPage: number): number {
    return this.ioPage.get(kernelPage - this.base) * this.pageBytes;
  }

  /** The page frames of memory, in order. */
  framesOf(kernelPage: number): number[] {
    const at = kernelPage - this.base;
    return Array.from({ length: this.count.get(at) }, (_, index) =>
      frameOf(this.vmalloc.mapped.get(at + index)),
    );
  }

  /** Nothing of a page stays in the cache: its mappings go past it. */
  settle(page: number): void {
    this.cache.cleanPage(page);
    this.cache.invalidatePage(page);
  }

  /** Zeroed single pages, as many of `count` as can be had. */
  private takePages(count: number): number[] {
    const frames: number[] = [];
    while (frames.length < count) {
      const page = this.pages.allocate(0);
      if (page < 0) return frames;
      this.pages.own(page, 1, OWNER_COHERENT);
      this.cache.zeroPage(page);
      this.settle(page);
      frames.push(page);
    }
    return frames;
  }

  private freePages(frames: readonly number[]): void {
    for (const page of frames) {
      this.pages.disown(page, 1);
      this.pages.free(page, 0);
    }
  }

  private mapForCpu(frames: readonly number[]): number {
    return this.vmalloc.mapPages(frames.length, (index) => frames[index] ?? -1, false);
  }

  private unmapForCpu(kernelPage: number): void {
    this.vmalloc.unmapPages(kernelPage);
  }

  /** Returns the first I/O page, or an error with nothing left behind. */
  private mapForDevice(domain: number, frames: readonly number[]): number {
    const space = this.iommu.spaceOf(domain);
    const ioPage = this.iommu.iova.allocate(space, frames.length);
    if (ioPage < 0) return ioPage;
    const result = this.iommu.mapFrames(domain, ioPage, frames, READ | WRITE);
    if (result === 0) return ioPage;
    this.iommu.iova.free(space, ioPage, frames.length);
    return result;
  }

  private record(kernelPage: number, count: number, ioPage: number, domain: number): void {
    const at = kernelPage - this.base;
    this.count.set(at, count);
    this.ioPage.set(at, ioPage);
    this.domain.set(at, domain);
  }
}
