/** What the C program does, on our own implementation. */
import { CONTEXT_UNMANAGED } from '../../impl/iommu.ts';
import type { IovaSpace } from '../../impl/iova.ts';
import { boot, type Kernel } from '../../impl/kernel.ts';
import type { PageAllocator } from '../../impl/pages.ts';
import { ALLOC, KIND_BITS, MAP, PAGES, TABLES, type Trace, UNMAP, WORDS } from './trace.ts';

/** The best round of a trace, and what was answered. Both sides print this. */
export interface Played {
  /** For each operation that is timed. */
  readonly nanoseconds: number;
  /** Of all answers, and of what was left. */
  readonly checksum: number;
}

const fold = (sum: number, value: number): number => (Math.imul(sum, 31) + value) | 0;

/** One machine and one trace. */
export class Player {
  readonly kernel: Kernel;
  private readonly trace: Trace;
  /** What was answered when a slot was filled, which may be an error. */
  private readonly slots: Int32Array;

  constructor(trace: Trace) {
    const { pages, orderMax, reserve, parked, pageShift, ioPages, tableBits, reservedIoPages } =
      trace.machine;
    this.trace = trace;
    this.slots = new Int32Array(trace.slots);
    this.kernel = boot(
      {
        ...{ pages, orderMax, reserve, parked, tableBits, reservedIoPages },
        pageBytes: 8 << pageShift,
        ioBits: 3 + pageShift + 31 - Math.clz32(ioPages),
        contexts: 1,
      },
      { coherent: 'yes' },
    );
  }

  /** Plays the trace so often. @throws Error when two rounds differ */
  play(rounds: number): Played {
    let best = Number.POSITIVE_INFINITY;
    let checksum: number | undefined;
    for (let round = 0; round < rounds; round++) {
      const warm = this.warm();
      const before = process.cpuUsage();
      const answers = this.operate(this.trace.warm, this.trace.operations.length / WORDS, warm);
      const { user, system } = process.cpuUsage(before);
      const sum = this.digest(answers) >>> 0;
      if (checksum !== undefined && sum !== checksum) throw new Error('two rounds differ');
      checksum = sum;
      best = Math.min(best, user + system);
    }
    const timed = this.trace.operations.length / WORDS - this.trace.warm;
    return { nanoseconds: (best * 1000) / timed, checksum: checksum ?? 0 };
  }

  private warm(): number {
    this.kernel.reset();
    if (this.trace.layer === TABLES) this.kernel.iommu.create(CONTEXT_UNMANAGED);
    return this.operate(0, this.trace.warm, 0);
  }

  private operate(from: number, to: number, sum: number): number {
    const { operations, layer } = this.trace;
    const part = operations.subarray(from * WORDS, to * WORDS);
    if (layer === PAGES) return playPages(this.kernel.pages, part, this.slots, sum);
    return layer === TABLES
      ? playTables(this.kernel, part, sum)
      : playIova(this.kernel.iommu.iova, part, this.slots, sum);
  }

  private digest(sum: number): number {
    const { layer, machine } = this.trace;
    if (layer === PAGES) return digestPages(this.kernel.pages, sum);
    return layer === TABLES
      ? digestTables(this.kernel, machine.ioPages, sum)
      : digestIova(this.kernel.iommu.iova, sum);
  }
}

function playPages(pages: PageAllocator, operations: Int32Array, slots: Int32Array, sum: number): number {
  let folded = sum;
  for (let at = 0; at < operations.length; at += WORDS) {
    const slot = operations[at + 1] as number;
    const held = slots[slot] as number;
    if (operations[at] === ALLOC) {
      const page = pages.allocateBlock(operations[at + 2] as number);
      slots[slot] = page;
      folded = fold(folded, page);
    } else if (held >= 0) pages.freeBlock(held);
  }
  return folded;
}

function playTables(kernel: Kernel, operations: Int32Array, sum: number): number {
  const { iommu, tables } = kernel;
  const root = iommu.rootOf(0);
  let folded = sum;
  for (let at = 0; at < operations.length; at += WORDS) {
    const kind = operations[at] as number;
    const ioPage = operations[at + 1] as number;
    const second = operations[at + 2] as number;
    if ((kind & ((1 << KIND_BITS) - 1)) === MAP) {
      tables.begin();
      const error = iommu.mapRange(0, ioPage, second, operations[at + 3] as number, kind >> KIND_BITS);
      if (error < 0) tables.dropCreated();
      folded = fold(folded, error);
    } else if (kind === UNMAP) folded = fold(folded, iommu.clearEntries(0, ioPage, second));
    else folded = fold(folded, tables.walk(root, ioPage));
  }
  return folded;
}

function playIova(iova: IovaSpace, operations: Int32Array, slots: Int32Array, sum: number): number {
  let folded = sum;
  for (let at = 0; at < operations.length; at += WORDS) {
    const slot = operations[at + 1] as number;
    const held = slots[slot] as number;
    const count = operations[at + 2] as number;
    if (operations[at] === ALLOC) {
      const first = iova.allocate(0, count);
      slots[slot] = first;
      folded = fold(folded, first);
    } else if (held >= 0) iova.free(0, held, count);
  }
  return folded;
}

function digestPages(
  { pages, freeOrder, owner, block, freeCount, parked }: PageAllocator,
  sum: number,
): number {
  let folded = fold(fold(sum, freeCount.get(0)), parked.count.get(0));
  for (let page = 0; page < pages; page++) {
    const state = (freeOrder.get(page) << 8) | (owner.get(page) << 1) | parked.isParked.get(page);
    folded = fold(fold(folded, state), block.get(page));
  }
  return folded;
}

function digestTables({ iommu, tables, pages }: Kernel, ioPages: number, sum: number): number {
  const root = iommu.rootOf(0);
  let folded = sum;
  for (let ioPage = 0; ioPage < ioPages; ioPage++) folded = fold(folded, tables.walk(root, ioPage));
  return digestPages(pages, folded);
}

function digestIova(iova: IovaSpace, sum: number): number {
  let folded = sum;
  for (let at = iova.nextUsed(0, 0); at >= 0; at = iova.nextUsed(0, at + 1)) folded = fold(folded, at);
  return folded;
}
