/** Operations on one layer, drawn from a seed: written to a file that the C program and ours both read. */

/** Numbers of the layers; the C program counts them in the same order. */
export const PAGES = 0;
export const TABLES = 1;
export const IOVA = 2;

/** Kinds of operations on pages and ranges: slot, and order or I/O pages. */
export const ALLOC = 0;
export const FREE = 1;

/** Kinds of operations on tables: I/O page, page, I/O pages. The rights of a mapping stand above its kind. */
export const MAP = 0;
export const UNMAP = 1;
export const WALK = 2;
export const KIND_BITS = 2;

/** Words of one operation: its kind and three numbers. */
export const WORDS = 4;

/** How the machine is built. The order of the fields is that of the file. */
export interface NativeMachine {
  readonly pages: number;
  readonly orderMax: number;
  readonly reserve: number;
  readonly parked: number;
  /** Words of a page of RAM as a power of two; a word stands for 8 bytes. */
  readonly pageShift: number;
  readonly ioPages: number;
  readonly tableBits: number;
  readonly reservedIoPages: number;
}

export interface Trace {
  readonly layer: number;
  readonly slots: number;
  /** Operations at the start that are not timed. */
  readonly warm: number;
  readonly machine: NativeMachine;
  readonly operations: Int32Array;
}

const SMALL: NativeMachine = {
  pages: 64,
  orderMax: 3,
  reserve: 0,
  parked: 2,
  pageShift: 3,
  ioPages: 64,
  tableBits: 2,
  reservedIoPages: 1,
};

/** A small machine, with some fields of it otherwise. */
export const nativeMachine = (fields: Partial<NativeMachine> = {}): NativeMachine => ({
  ...SMALL,
  ...fields,
});

/** The file of a trace: what describes it, then its operations. */
export function encode({ layer, slots, warm, machine, operations }: Trace): Int32Array {
  const { pages, orderMax, reserve, parked, pageShift, ioPages, tableBits, reservedIoPages } = machine;
  const built = [pages, orderMax, reserve, parked, pageShift, ioPages, tableBits, reservedIoPages];
  return Int32Array.from([layer, slots, warm, operations.length / WORDS, ...built, ...operations]);
}

/** What {@link encode} made a file of. */
export function decode(words: Int32Array): Trace {
  const [layer = 0, slots = 0, warm = 0, _count, ...rest] = words.subarray(0, 12);
  const [pages = 0, orderMax = 0, reserve = 0, parked = 0] = rest;
  const [pageShift = 0, ioPages = 0, tableBits = 0, reservedIoPages = 0] = rest.slice(4);
  const machine = { pages, orderMax, reserve, parked, pageShift, ioPages, tableBits, reservedIoPages };
  return { layer, slots, warm, machine, operations: words.slice(12) };
}

/** Numbers below a bound, the same ones for a seed: mulberry32. */
type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / (2 ** 32 / below));
  };
}

/** What a trace is like, beside its machine. */
export interface Load {
  readonly machine: NativeMachine;
  readonly count: number;
  readonly seed: number;
  readonly slots: number;
  /** The largest order, or number of I/O pages. */
  readonly largest: number;
}

/** Slots are filled and emptied as chance will have it: half of them are full in the end. */
export function drawSlots(layer: number, { machine, count, seed, slots, largest }: Load): Trace {
  const random = randomOf(seed);
  const full = new Int32Array(slots).fill(-1);
  const warm = 4 * slots;
  const operations = new Int32Array(WORDS * (warm + count));
  for (let at = 0; at < operations.length; at += WORDS) {
    const slot = random(slots);
    const old = full[slot] ?? -1;
    const size = layer === PAGES ? random(largest + 1) : 1 + random(largest);
    operations.set([old < 0 ? ALLOC : FREE, slot, old < 0 ? size : old], at);
    full[slot] = old < 0 ? size : -1;
  }
  return { layer, slots, warm, machine, operations };
}

/** Single I/O pages, as many as there are slots, are mapped and unmapped; or then looked up, when `walks`. */
export function drawChurn({ machine, count, seed, slots }: Load, walks: boolean): Trace {
  const random = randomOf(seed);
  const places = Array.from({ length: slots }, () => random(machine.ioPages));
  const mapped = new Set<number>();
  const warm = 4 * slots;
  const operations = new Int32Array(WORDS * (warm + count));
  for (let at = 0; at < operations.length; at += WORDS) {
    const ioPage = places[random(slots)] ?? 0;
    if (walks && at >= WORDS * warm) operations.set([WALK, ioPage], at);
    else if (mapped.delete(ioPage)) operations.set([UNMAP, ioPage, 1], at);
    else {
      operations.set([MAP | (3 << KIND_BITS), ioPage, random(machine.pages), 1], at);
      mapped.add(ioPage);
    }
  }
  return { layer: TABLES, slots, warm, machine, operations };
}

/** Runs and blocks anywhere: onto each other, over holes, in parts, aligned or not. */
export function drawRuns({ machine, count, seed, largest }: Load): Trace {
  const random = randomOf(seed);
  const orders = 32 - Math.clz32(largest);
  const operations = new Int32Array(WORDS * count);
  for (let at = 0; at < operations.length; at += WORDS) {
    const size = 1 << random(orders);
    const length = random(2) === 0 ? size : 1 + random(size);
    const align = random(4) === 0 ? 1 : size;
    const ioPage = align * random(Math.floor((machine.ioPages - length) / align) + 1);
    const page = align * random(Math.floor((machine.pages - length) / align) + 1);
    const rights = 1 + random(3);
    const kind = random(3);
    if (kind === MAP) operations.set([MAP | (rights << KIND_BITS), ioPage, page, length], at);
    else operations.set([kind, ioPage, length], at);
  }
  return { layer: TABLES, slots: 1, warm: 0, machine, operations };
}
