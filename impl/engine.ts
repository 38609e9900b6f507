import { isIndex } from './check.ts';
import type { Config } from './config.ts';
import { EFAULT, EINVAL, ENOENT } from './errno.ts';
import type { Iommu } from './iommu.ts';
import type { Memory } from './memory.ts';
import { READ, WRITE } from './tables.ts';

/** An access is at most so many pages long. */
const ACCESS_PAGES_MAX = 8;

/**
 * What a device does: it moves whole lines at device addresses, and stops at the first that it may not reach.
 */
export class Engine {
  /** Tags that the last {@link read} got, as many as it returned. */
  readonly data: Int32Array;
  private readonly iommu: Iommu;
  private readonly memory: Memory;
  private readonly pageBytes: number;
  private readonly lineBytes: number;
  private readonly ioPages: number;
  /** Lines of the whole device address space. */
  private readonly lineEnd: number;

  constructor(config: Config, iommu: Iommu, memory: Memory) {
    this.iommu = iommu;
    this.memory = memory;
    this.pageBytes = config.pageBytes;
    this.lineBytes = config.lineBytes;
    this.ioPages = iommu.ioPages;
    this.lineEnd = iommu.ioPages * memory.linesPerPage;
    this.data = new Int32Array(ACCESS_PAGES_MAX * memory.linesPerPage + 1);
  }

  /**
   * Writes `tag` to every line of [at, at + bytes), whole lines, in order.
   *
   * @returns lines written before the first fault; -ENOENT no such context, -EINVAL a size that is none
   */
  write(context: number, at: number, bytes: number, tag: number): number {
    const error = this.check(context, bytes);
    if (error < 0) return error;
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    let done = 0;
    while (done < count && this.writeLine(context, first + done, tag) === 0) done++;
    return done;
  }

  /**
   * Reads as {@link write} writes, to {@link data}. Returns lines read before the first fault, or an error.
   */
  read(context: number, at: number, bytes: number): number {
    const error = this.check(context, bytes);
    if (error < 0) return error;
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    for (let done = 0; done < count; done++) {
      const tag = this.readLine(context, first + done);
      if (tag < 0) return done;
      this.data[done] = tag;
    }
    return count;
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
  writeLine(context: number, ioLine: number, tag: number): number {
    const page = this.reach(context, ioLine, WRITE);
    if (page < 0) return page;
    this.memory.writeLine(page, this.lineInPage(ioLine), tag);
    return 0;
  }

  /** Reads one line. Returns its tag, or -EFAULT. */
  readLine(context: number, ioLine: number): number {
    const page = this.reach(context, ioLine, READ);
    return page < 0 ? page : this.memory.readLine(page, this.lineInPage(ioLine));
  }

  /** The page behind a line if the context has the right to it, or -EFAULT. */
  reach(context: number, ioLine: number, right: number): number {
    if (!(ioLine >= 0 && ioLine < this.lineEnd)) return -EFAULT;
    const entry = this.iommu.translate(context, Math.floor(ioLine / this.memory.linesPerPage));
    return this.mayAccess(entry, right) ? (entry >>> 2) - 1 : -EFAULT;
  }

  mayAccess(entry: number, right: number): boolean {
    return (entry & right) !== 0;
  }

  private lineInPage(ioLine: number): number {
    return ioLine & (this.memory.linesPerPage - 1);
  }

  private check(context: number, bytes: number): number {
    const { type } = this.iommu;
    if (!isIndex(context, type.count) || type.get(context) === 0) return -ENOENT;
    return this.isSize(bytes) ? 0 : -EINVAL;
  }
}
