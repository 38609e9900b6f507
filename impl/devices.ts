import { by, holds } from './about.ts';
import { isIndex } from './check.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { EBUSY, ENODEV } from './errno.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_DEVICE } from './seen.ts';
import type { Store } from './store.ts';

/**
 * Devices beside the GPU, each in one domain or in none, where it reaches nothing. Whoever makes accesses is
 * an *initiator*: ids below `contexts` are contexts themselves, those from there on are devices.
 */
export class Devices {
  /** Domain + 1 of each device, or 0. */
  readonly domain: Column;
  private readonly iommu: Iommu;
  private readonly contexts: number;

  constructor(store: Store, config: Config, iommu: Iommu) {
    this.iommu = iommu;
    this.contexts = config.contexts;
    this.domain = store.column(config.devices, SEEN_DEVICE, { ...by('device'), ...holds('context') });
  }

  /** `iommu_attach_device()`. Returns the initiator; -ENODEV no such device, -EBUSY attached already. */
  attach(domain: number, device: number): number {
    if (!isIndex(device, this.domain.count)) return -ENODEV;
    if (this.isAttached(device)) return -EBUSY;
    this.domain.set(device, domain + 1);
    return this.contexts + device;
  }

  /** `iommu_detach_device()`: whatever is mapped in the domain, this device does not reach it any more. */
  detach(initiator: number): void {
    this.domain.set(initiator - this.contexts, 0);
  }

  isAttached(device: number): boolean {
    return this.domain.get(device) !== 0;
  }

  /** Whether a number that a user sent is a context that exists, or a device. */
  isInitiator(initiator: number): boolean {
    if (!isIndex(initiator, this.contexts + this.domain.count)) return false;
    return initiator >= this.contexts || this.iommu.type.get(initiator) !== 0;
  }

  /** The context that an initiator's accesses go through, or -1 for none. */
  contextOf(initiator: number): number {
    return initiator < this.contexts ? initiator : this.domain.get(initiator - this.contexts) - 1;
  }
}
