/** The names of the steps that can be made to fail, in the order of their numbers. */
export const FAULT_SITES = ['page', 'kmalloc', 'kmalloc_large', 'vmalloc', 'table', 'iova', 'id'] as const;

/** Any page of the page allocator except those of the next two. */
export const SITE_PAGE = 0;
/** Metadata of at most a page. */
export const SITE_KMALLOC = 1;
/** Physically contiguous metadata above a page: recovered by vmalloc. */
export const SITE_KMALLOC_LARGE = 2;
/** Kernel address space. */
export const SITE_VMALLOC = 3;
/** The page of an I/O page table. */
export const SITE_TABLE = 4;
/** A range of device addresses. */
export const SITE_IOVA = 5;
/** An id of any kind: client, handle, context, sg table, job. */
export const SITE_ID = 6;

/** What is armed for one call, while another runs. */
export interface ArmedFaults {
  readonly fired: number;
  readonly countdown: Int32Array;
}

/** Fault injection, after the kernel's fail_page_alloc and failslab: each fallible step asks by name. */
export class FaultPoints {
  /** Bit s is set when a fault of site s has fired since {@link disarm}. */
  fired = 0;
  private armed = false;
  private readonly countdown = new Int32Array(FAULT_SITES.length);

  /** Makes the n-th question about a site fail, counted from now; n from 1. */
  arm(site: number, n: number): void {
    this.armed = true;
    this.countdown[site] = n;
  }

  /** Forgets what was armed and what fired: between calls. */
  disarm(): void {
    this.fired = 0;
    if (!this.armed) return;
    this.armed = false;
    this.countdown.fill(0);
  }

  /** Takes what is armed aside, when a call is interrupted. */
  save(): ArmedFaults {
    return { fired: this.fired, countdown: this.countdown.slice() };
  }

  /** Brings back what was armed, when the call goes on. */
  load(faults: ArmedFaults): void {
    this.armed = true;
    this.fired = faults.fired;
    this.countdown.set(faults.countdown);
  }

  /** Whether the step that asks must fail. */
  ask(site: number): boolean {
    return this.armed && this.count(site);
  }

  private count(site: number): boolean {
    const left = this.countdown[site] ?? 0;
    this.countdown[site] = left - 1;
    if (left !== 1) return false;
    this.fired |= 1 << site;
    return true;
  }
}
