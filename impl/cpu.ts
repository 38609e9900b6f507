import type { CpuCache } from './cache.ts';
import type { Config } from './config.ts';
import { frameOf, isCached } from './cpu-mapping.ts';
import { ACCESS_PAGES_MAX } from './engine.ts';
import { EFAULT, EINVAL } from './errno.ts';
import type { Memory } from './memory.ts';
import type { UserSpaces } from './user-space.ts';
import type { Vmalloc } from './vmalloc.ts';

/**
 * What a CPU does: it reads and writes whole lines at its addresses, in the cache or past it as the mapping
 * says, and stops at the first that is not mapped. Pages of the address space are numbered: the linear map
 * first, then vmalloc space, then the user pages of each client.
 */
export class Cpu {
  /** Tags that the last {@link read} got, as many as it returned. */
  readonly data: Int32Array;
  private readonly memory: Memory;
  private readonly cache: CpuCache;
  private readonly vmalloc: Vmalloc;
  private readonly users: UserSpaces;
  private readonly pageBytes: number;
  private readonly lineBytes: number;
  private readonly linesPerPage: number;
  private readonly userPages: number;
  /** First page of the first client, and the end of the last client's. */
  private readonly userStart: number;
  private readonly end: number;
  /** End of the address space that the present access is made in: the kernel's or a client's. */
  private spaceEnd = 0;

  constructor(config: Config, memory: Memory, cache: CpuCache, vmalloc: Vmalloc, users: UserSpaces) {
    this.memory = memory;
    this.cache = cache;
    this.vmalloc = vmalloc;
    this.users = users;
    this.pageBytes = config.pageBytes;
    this.lineBytes = config.lineBytes;
    this.linesPerPage = memory.linesPerPage;
    this.userPages = config.userPages;
    this.userStart = config.pages + config.vmallocPages;
    this.end = this.userStart + config.clients * config.userPages;
    this.data = new Int32Array(ACCESS_PAGES_MAX * memory.linesPerPage + 1);
  }

  /**
   * Writes `tag` to every line of [at, at + bytes), whole lines, in order.
   *
   * @returns lines written before the first that is not mapped; -EINVAL a size that is none
   */
  write(at: number, bytes: number, tag: number): number {
    if (!this.isSize(bytes)) return -EINVAL;
    this.enter(at);
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    let done = 0;
    while (done < count && this.writeLine(first + done, tag) === 0) done++;
    return done;
  }

  /** Reads as {@link write} writes, to {@link data}. Returns lines read, or -EINVAL. */
  read(at: number, bytes: number): number {
    if (!this.isSize(bytes)) return -EINVAL;
    this.enter(at);
    const first = Math.floor(at / this.lineBytes);
    const count = this.linesOf(at, bytes);
    let done = 0;
    for (; done < count; done++) {
      const tag = this.readLine(first + done);
      if (tag < 0) break;
      this.data[done] = tag;
    }
    return done;
  }

  /** Writes one line, counted from address 0. Returns 0, or -EFAULT. */
  writeLine(line: number, tag: number): number {
    const mapping = this.translate(Math.floor(line / this.linesPerPage));
    if (mapping === 0) return -EFAULT;
    if (isCached(mapping)) this.cache.write(frameOf(mapping), line % this.linesPerPage, tag);
    else this.memory.writeLine(frameOf(mapping), line % this.linesPerPage, tag);
    return 0;
  }

  /** Reads one line. Returns its tag, or -EFAULT. */
  readLine(line: number): number {
    const mapping = this.translate(Math.floor(line / this.linesPerPage));
    if (mapping === 0) return -EFAULT;
    if (isCached(mapping)) return this.cache.read(frameOf(mapping), line % this.linesPerPage);
    return this.memory.readLine(frameOf(mapping), line % this.linesPerPage);
  }

  /** What a page of the address space translates to: (page frame + 1) << 1 | cached, or 0. */
  translate(page: number): number {
    if (!(page >= 0 && page < this.spaceEnd)) return 0;
    if (page < this.userStart) return this.vmalloc.translate(page);
    const userPage = page - this.userStart;
    return this.users.translate(Math.floor(userPage / this.userPages), userPage % this.userPages);
  }

  /** An access stays in the address space where it starts. */
  enter(at: number): void {
    const userPage = Math.floor(at / this.pageBytes) - this.userStart;
    const clients = Math.floor(userPage / this.userPages) + 1;
    this.spaceEnd =
      userPage < 0 ? this.userStart : Math.min(this.userStart + clients * this.userPages, this.end);
  }

  private isSize(bytes: number): boolean {
    return bytes > 0 && bytes <= ACCESS_PAGES_MAX * this.pageBytes;
  }

  /** Lines that an access touches; it does not matter how many where there is no such address. */
  private linesOf(at: number, bytes: number): number {
    return Math.ceil((at + bytes) / this.lineBytes) - Math.floor(at / this.lineBytes);
  }
}
