import type { Config } from './config.ts';
import type { Devices } from './devices.ts';
import { EFAULT, EINVAL, ENOENT } from './errno.ts';
import type { Iommu } from './iommu.ts';
import type { Memory } from './memory.ts';
import { READ, WRITE } from './tables.ts';

/** An access of a device or a CPU is at most so many pages long. */
export const ACCESS_PAGES_MAX = 8;

/**
 * What a device does: it moves whole lines at device addresses, and stops at the first that it may not reach.
 * Who moves them is an initiator: a context, or a device in whatever domain it is attached to.
 */
export class Engine {
  /** Tags that the last {@link read} got, as many as it returned. */
  readonly data: Int32Array;
  /** What the last {@link probe} got, one number for each I/O page. */
  readonly probed: Int32Array;
  private readonly iommu: Iommu;
  private readonly devices: Devices;
  private readonly memory: Memory;
  private readonly pageBytes: number;
  private readonly lineBytes: number;
  private readonly ioPages: number;
  /** Lines of the whole device address space. */
  private readonly lineEnd: number;

  constructor(config: Config, iommu: Iommu, devices: Devices, memory: Memory) {
    this.iommu = iommu;
    this.devices = devices;
    this.memory = memory;
    this.pageBytes = config.pageBytes;
    this.lineBytes = config.lineBytes;
    this.ioPages = iommu.ioPages;
    this.lineEnd = iommu.ioPages * memory.linesPerPage;
    this.data = new Int32Array(ACCESS_PAGES_MAX * memory.linesPerPage + 1);
    this.probed = new Int32Array(iommu.ioPages);
  }

  /**
   * Writes `tag` to every line of [at, at + bytes), whole lines, in order.
   *
   * @returns lines written before the first fault; -ENOENT no such initiator, -EINVAL a size that is none
   */
  write(initiator: number, at: number, bytes: number, tag: number): number {
    const error = this.check(initiator, bytes);
    if (error < 0) return error;
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    let done = 0;
    while (done < count && this.writeLine(initiator, first + done, tag) === 0) done++;
    return done;
  }

  /**
   * Reads as {@link write} writes, to {@link data}. Returns lines read before the first fault, or an error.
   */
  read(initiator: number, at: number, bytes: number): number {
    const error = this.check(initiator, bytes);
    if (error < 0) return error;
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    for (let done = 0; done < count; done++) {
      const tag = this.readLine(initiator, first + done);
      if (tag < 0) return done;
      this.data[done] = tag;
    }
    return count;
  }

  /**
   * Reads the first line of every I/O page, to {@link probed}: its tag, or -1 where a read faults. The IOTLB
   * stays as it is. Returns 0, or -ENOENT no such initiator.
   */
  probe(initiator: number): number {
    if (!this.devices.isInitiator(initiator)) return -ENOENT;
    const context = this.devices.contextOf(initiator);
    if (context < 0) this.probed.fill(0);
    else this.iommu.translateAll(context, this.probed);
    for (let ioPage = 0; ioPage < this.iommu.ioPages; ioPage++) {
      const entry = this.probed[ioPage] ?? 0;
      this.probed[ioPage] = this.mayAccess(entry, READ) ? this.memory.readLine((entry >>> 2) - 1, 0) : -1;
    }
    return 0;
  }

  /** Whether a number of bytes can be accessed at once. */
  isSize(bytes: number): boolean {
    return bytes > 0 && bytes <= ACCESS_PAGES_MAX * this.pageBytes;
  }

  /** Lines that an access touches; where there is no such address, those of the size alone. */
  linesOf(at: number, bytes: number): number {
    const offset = this.isAddress(at) ? at - Math.floor(at / this.lineBytes) * this.lineBytes : 0;
    return Math.ceil((offset + bytes) / this.lineBytes);
  }

  /** Whether a device can name this address at all. */
  isAddress(at: number): boolean {
    return at >= 0 && at < this.ioPages * this.pageBytes;
  }

  /** Writes one line, counted from address 0. Returns 0, or -EFAULT. */
  writeLine(initiator: number, ioLine: number, tag: number): number {
    const page = this.reach(initiator, ioLine, WRITE);
    if (page < 0) return page;
    this.memory.writeLine(page, this.lineInPage(ioLine), tag);
    return 0;
  }

  /** Reads one line. Returns its tag, or -EFAULT. */
  readLine(initiator: number, ioLine: number): number {
    const page = this.reach(initiator, ioLine, READ);
    return page < 0 ? page : this.memory.readLine(page, this.lineInPage(ioLine));
  }

  /** The page behind a line if the initiator has the right to it, or -EFAULT. */
  reach(initiator: number, ioLine: number, right: number): number {
    const context = this.devices.contextOf(initiator);
    if (context < 0 || !(ioLine >= 0 && ioLine < this.lineEnd)) return -EFAULT;
    const entry = this.iommu.translate(context, Math.floor(ioLine / this.memory.linesPerPage));
    return this.mayAccess(entry, right) ? (entry >>> 2) - 1 : -EFAULT;
  }

  mayAccess(entry: number, right: number): boolean {
    return (entry & right) !== 0;
  }

  private lineInPage(ioLine: number): number {
    return ioLine & (this.memory.linesPerPage - 1);
  }

  private check(initiator: number, bytes: number): number {
    if (!this.devices.isInitiator(initiator)) return -ENOENT;
    return this.isSize(bytes) ? 0 : -EINVAL;
  }
}
