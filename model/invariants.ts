/**
 * What holds between calls, on the view of the target and on that of the specification. Broken on the first, the
 * code under test is wrong; broken on the second, the specification is.
 */
import { isDirty } from './contents.ts';
import type { Machine } from './machine.ts';
import { miscounted, wrongCounter } from './recounts.ts';
import type { Invariant } from './spec.ts';
import { contentsToKeep, isMovedWhole, mayMove, mustEmpty, notEmptied } from './steps.ts';
import type { View } from './target.ts';
import { pageOf } from './units.ts';
import { at, COUNTER, changedFrom, changedTo, column, hasChanged, KIND, setOf, VIEW } from './view.ts';
import { CONTEXT } from './world.ts';

/** Translates an index of a column by I/O page into words. */
function place(index: number, { ioBits, pageBytes }: Machine): string {
  const ioPages = 2 ** ioBits / pageBytes;
  const address = (index % ioPages) * pageBytes;
  return `context ${Math.floor(index / ioPages)} at 0x${address.toString(16)}`;
}

const NONE_STALE = new Int32Array(0);
const TRANSLATIONS = setOf(VIEW.iotlb, VIEW.reach, VIEW.stale);

function staleIotlb(view: View, machine: Machine): string | undefined {
  const reach = column(view, VIEW.reach);
  const iotlb = column(view, VIEW.iotlb);
  const stale = column(view, VIEW.stale);
  const to = Math.min(changedTo(view, TRANSLATIONS), iotlb.length);
  for (let index = changedFrom(view, TRANSLATIONS); index < to; index++) {
    const entry = at(iotlb, index);
    if (entry === 0 || entry === at(reach, index) || entry === at(stale, index)) continue;
    return `${place(index, machine)}: the IOTLB still translates to page ${pageOf(entry)}`;
  }
  return undefined;
}

/** Where nothing waits for a flush, a target need not show that. */
const staleWithoutQueue = (view: View, machine: Machine): string | undefined =>
  machine.policies['invalidation'] === 'lazy' || (view.shown & setOf(VIEW.stale)) !== 0
    ? undefined
    : staleIotlb({ ...view, columns: view.columns.with(VIEW.stale, NONE_STALE) }, machine);

const REACH = setOf(VIEW.reach);

/**
 * Index of the first translation, in a context that exists, that is not right; -1: all are. What is right follows from
 * the other columns: while they are the same, only translations that changed are looked at.
 */
function firstWrong(
  view: View,
  machine: Machine,
  others: number,
  isRight: (view: View, index: number, page: number, type: number) => boolean,
): number {
  const reach = column(view, VIEW.reach);
  const context = column(view, VIEW.context);
  const ioPages = 2 ** machine.ioBits / machine.pageBytes;
  const all = hasChanged(view, others);
  const from = all ? 0 : changedFrom(view, REACH);
  const to = all ? reach.length : changedTo(view, REACH);
  for (let id = 0; id < context.length; id++) {
    const type = at(context, id);
    if (type === CONTEXT.NONE) continue;
    const end = Math.min((id + 1) * ioPages, to);
    for (let index = Math.max(id * ioPages, from); index < end; index++) {
      const entry = at(reach, index);
      if (entry !== 0 && !isRight(view, index, pageOf(entry), type)) return index;
    }
  }
  return -1;
}

const OWNERS = setOf(VIEW.kind, VIEW.context);

function isOwned(view: View, _index: number, page: number): boolean {
  const owner = at(column(view, VIEW.kind), page);
  return owner === KIND.BLOCK || owner === KIND.BUFFER || owner === KIND.COHERENT;
}

function reachableUnowned(view: View, machine: Machine): string | undefined {
  const index = firstWrong(view, machine, OWNERS, isOwned);
  if (index < 0) return undefined;
  const page = pageOf(at(column(view, VIEW.reach), index));
  return `${place(index, machine)} reaches page ${page}, which no user of memory holds`;
}

const KINDS = setOf(VIEW.kind);
const MAPPED = setOf(VIEW.mapped);

function mappedUnowned(view: View): string | undefined {
  const mapped = column(view, VIEW.mapped);
  const all = hasChanged(view, KINDS);
  const to = all ? mapped.length : Math.min(changedTo(view, MAPPED), mapped.length);
  for (let index = all ? 0 : changedFrom(view, MAPPED); index < to; index++) {
    const entry = at(mapped, index);
    if (entry === 0 || isOwned(view, index, (entry >>> 1) - 1)) continue;
    return `CPUs reach page ${(entry >>> 1) - 1}, which no user of memory holds`;
  }
  return undefined;
}

const CONTEXTS = setOf(VIEW.context);

function reachableReserved(view: View, machine: Machine): string | undefined {
  const ioPages = 2 ** machine.ioBits / machine.pageBytes;
  const isRight = (_view: View, at: number): boolean => at % ioPages < ioPages - machine.reservedIoPages;
  const index = firstWrong(view, machine, CONTEXTS, isRight);
  return index < 0 ? undefined : `${place(index, machine)} is reserved and translates`;
}

/** A device is attached to a domain that exists, or reaches nothing. */
function attachedNowhere(view: View): string | undefined {
  const context = column(view, VIEW.context);
  const device = column(view, VIEW.device).findIndex((domain) => {
    const type = at(context, domain - 1);
    return domain !== 0 && type !== CONTEXT.UNMANAGED && type !== CONTEXT.DMA;
  });
  return device < 0 ? undefined : `device ${device} is attached to a domain that does not exist`;
}

/** No line of a page with an uncached mapping is dirty in a cache: it would overwrite what others write. */
function dirtyAlias(view: View, machine: Machine): string | undefined {
  const line = column(view, VIEW.line);
  const linesPerPage = machine.pageBytes / machine.lineBytes;
  const mapped = column(view, VIEW.mapped);
  for (let index = 0; index < mapped.length; index++) {
    const entry = at(mapped, index);
    if (entry === 0 || (entry & 1) !== 0) continue;
    const first = ((entry >>> 1) - 1) * linesPerPage;
    const dirty = line.subarray(first, first + linesPerPage).findIndex(isDirty);
    if (dirty >= 0) return `page ${(entry >>> 1) - 1} has uncached mappings, and its line ${dirty} is dirty`;
  }
  return undefined;
}

/** Each page that a GPU context reaches belongs to a buffer bound in it, at the place where the binding says. */
function reachableUnbound(view: View, machine: Machine): string | undefined {
  const index = firstWrong(view, machine, BINDINGS, isBound);
  if (index < 0) return undefined;
  const page = pageOf(at(column(view, VIEW.reach), index));
  const head = at(column(view, VIEW.head), page) - 1;
  return `${place(index, machine)} reaches page ${page} of the buffer at page ${head}, which it did not bind`;
}

const BINDINGS = setOf(VIEW.bound, VIEW.head, VIEW.index, VIEW.context);

function isBound(view: View, index: number, page: number, type: number): boolean {
  if (type !== CONTEXT.GPU) return true;
  const bound = column(view, VIEW.bound);
  const ioPages = bound.length / column(view, VIEW.context).length;
  const head = at(column(view, VIEW.head), page);
  const position = at(column(view, VIEW.index), page);
  return head !== 0 && position <= index % ioPages && at(bound, index - position) === head;
}

function strayPage(view: View): string | undefined {
  const kind = column(view, VIEW.kind);
  const to = Math.min(changedTo(view, KINDS), kind.length);
  for (let page = changedFrom(view, KINDS); page < to; page++) {
    if (at(kind, page) === KIND.LOST) return `page ${page} is neither free nor owned by anybody`;
    if (at(kind, page) === KIND.BOTH) return `page ${page} is free and has an owner`;
  }
  return undefined;
}

const FREE_BLOCKS = setOf(VIEW.freeOrder, VIEW.kind);

/**
 * Free blocks are aligned, made of free pages, apart, and merged with their buddies. A largest block and what is beside
 * it have nothing to do with each other.
 */
function malformedBuddy(view: View, { orderMax }: Machine): string | undefined {
  const freeOrder = column(view, VIEW.freeOrder);
  const kind = column(view, VIEW.kind);
  const largest = 1 << orderMax;
  const from = changedFrom(view, FREE_BLOCKS) & -largest;
  const to = Math.min(Math.ceil(changedTo(view, FREE_BLOCKS) / largest) * largest, kind.length);
  let end = from;
  for (let page = from; page < to; page++) {
    const order = at(freeOrder, page) - 1;
    const free = at(kind, page) === KIND.FREE || at(kind, page) === KIND.BOTH;
    if (order < 0 && free && page >= end) return `free page ${page} is in no free block`;
    if (!free && (order >= 0 || page < end)) return `page ${page} is in a free block and not free`;
    if (order < 0) continue;
    const problem = blockProblem(freeOrder, page, order, end, orderMax);
    if (problem !== undefined) return problem;
    end = page + (1 << order);
  }
  return undefined;
}

function blockProblem(
  freeOrder: Int32Array,
  page: number,
  order: number,
  end: number,
  orderMax: number,
): string | undefined {
  const size = 1 << order;
  if ((page & (size - 1)) !== 0) return `the free block at page ${page} is not aligned to its order ${order}`;
  if (page < end) return `the free block at page ${page} lies inside another`;
  if (order > orderMax || page + size > freeOrder.length)
    return `the free block at page ${page} is too large: its order is ${order}`;
  const merges = order < orderMax && (page & size) === 0 && at(freeOrder, page + size) === order + 1;
  return merges
    ? `the free blocks at pages ${page} and ${page + size} are buddies and not merged`
    : undefined;
}

/** Pages that are free, or that the implementation keeps and gives up when asked. */
function givenBack(view: View): number {
  const counter = column(view, VIEW.counter);
  const free = at(counter, COUNTER.free) + at(counter, COUNTER.parked);
  return free + at(counter, COUNTER.pooled) + at(counter, COUNTER.deferred);
}

/** By the counts alone, which a target that shows no pages has too; that they are true, C6 sees to. */
function missingAtEnd(view: View, { pages, occupied, movable }: Machine): string | undefined {
  const owed = [...occupied, ...movable].reduce((left, [, count]) => left - count, pages);
  const free = givenBack(view);
  const addresses = at(column(view, VIEW.counter), COUNTER.vmallocUsed);
  if (addresses !== 0)
    return `${addresses} pages of kernel addresses are in use although everything was given back`;
  if (free === owed) return undefined;
  return `${free} pages are counted free although everything was given back; ${owed} were at the start`;
}

/** Invariants that rows of rules and comparisons of views serve: their sentence is here, their check is there. */
const CLAUSES = {
  I4: 'a device has no more rights than were asked for',
  I5: 'a mapping makes nothing reachable but what was asked for',
  I8: 'memory handed to a client holds nothing of its former owner',
  C5: 'an id that does not exist never succeeds, and a new one is not in use',
  M1: 'single pages: an allocation succeeds whenever enough pages are free for it and its overhead',
  M2a: 'metadata of at most a page succeeds whenever a page can be had',
  M2b: 'metadata above a page succeeds out of single pages, given pages and kernel addresses',
  M3: 'addresses: a mapping succeeds when an aligned hole of the rounded size exists',
  S2: 'a scatter-gather table lists its pages in the fewest segments',
  S3: 'address ranges are aligned, unused, never page 0, and inside the address space',
  S4: 'tables translate exactly what was mapped',
  S5: 'segments add up to the table they map',
  H1: 'a read returns what was last written',
  H2: 'what was not written is unchanged',
  P1: 'the right errno, and the answer that was asked for',
  P2: 'a size that wraps, or is larger than memory, is refused',
  P3: 'CPUs reach exactly the part of a buffer that was mapped for them',
} as const;

const clauses: readonly Invariant<Machine>[] = Object.entries(CLAUSES).map(([id, text]) => ({
  id,
  text,
  form: 'clause',
  reads: [],
}));

/** In the order in which they are asked: the sharpest first. */
export const INVARIANTS: readonly Invariant<Machine>[] = [
  {
    id: 'I2',
    form: 'state',
    text: 'no device reaches a page that is free, or holds tables or metadata',
    reads: [VIEW.reach, VIEW.kind, VIEW.context],
    broken: reachableUnowned,
  },
  {
    id: 'I2',
    form: 'state',
    text: 'no mapping of CPU addresses leads to such a page',
    reads: [VIEW.mapped, VIEW.kind],
    broken: mappedUnowned,
  },
  {
    id: 'I3',
    form: 'state',
    text: 'a GPU context reaches exactly what its own client bound into it',
    reads: [VIEW.reach, VIEW.bound, VIEW.head, VIEW.index, VIEW.context],
    broken: reachableUnbound,
  },
  {
    id: 'I1',
    form: 'state',
    text: 'the IOTLB translates nothing but what the tables do, or what waits for a flush',
    reads: [VIEW.iotlb, VIEW.reach, VIEW.stale],
    broken: staleIotlb,
  },
  {
    id: 'I1',
    form: 'state',
    text: 'the same where there is no flush to wait for',
    reads: [VIEW.iotlb, VIEW.reach],
    broken: staleWithoutQueue,
  },
  {
    id: 'I6',
    form: 'state',
    text: 'a device is in the domain that it was attached to, or reaches nothing',
    reads: [VIEW.device, VIEW.context],
    broken: attachedNowhere,
  },
  {
    id: 'I7',
    form: 'state',
    text: 'nothing is mapped at reserved addresses',
    reads: [VIEW.reach, VIEW.context],
    broken: reachableReserved,
  },
  {
    id: 'H3',
    form: 'state',
    text: 'no line of a page with an uncached mapping is dirty in a cache',
    reads: [VIEW.mapped, VIEW.line],
    broken: dirtyAlias,
  },
  {
    id: 'C1',
    form: 'state',
    text: 'every page is free or has exactly one owner',
    reads: [VIEW.kind],
    broken: strayPage,
  },
  {
    id: 'C2',
    form: 'state',
    text: 'every reference count is the number of holders',
    reads: [VIEW.refs, VIEW.handle, VIEW.fd, VIEW.userMap, VIEW.bound, VIEW.context],
    broken: miscounted,
  },
  {
    id: 'C6',
    form: 'state',
    text: 'counters equal a recount',
    reads: [VIEW.counter, VIEW.kind],
    broken: wrongCounter,
  },
  {
    id: 'S1',
    form: 'state',
    text: 'free blocks are aligned, apart, and merged with their buddies',
    reads: [VIEW.freeOrder, VIEW.kind],
    broken: malformedBuddy,
  },
  {
    id: 'C4',
    form: 'step',
    text: 'a failed call leaves nothing behind; tables may stay',
    reads: [VIEW.counter],
    before: (view) => givenBack(view) + at(column(view, VIEW.counter), COUNTER.table),
    concerns: (_before, _call, reply) => 'errno' in reply,
    broken(before, view, _call, reply) {
      const after = givenBack(view) + at(column(view, VIEW.counter), COUNTER.table);
      if (!('errno' in reply) || after >= before) return undefined;
      return `the call failed and left ${before - after} pages behind that are neither free nor tables`;
    },
  },
  {
    id: 'P1',
    form: 'step',
    text: 'allocations leave the reserve alone; only occupants take of it',
    reads: [VIEW.counter],
    before: givenBack,
    concerns: (before, { op }, _reply, { reserve }) => op !== 'occupy' && Math.min(before, reserve) > 0,
    broken(before, view, { op }, _reply, { reserve }) {
      const after = givenBack(view);
      if (op === 'occupy' || after >= Math.min(before, reserve)) return undefined;
      return `${after} pages are left, and allocations leave ${reserve}`;
    },
  },
  {
    id: 'L1',
    form: 'step',
    text: 'a drain leaves nothing parked, a shrink nothing pooled or deferred; the free worker frees',
    reads: [VIEW.counter],
    before: (view) => at(column(view, VIEW.counter), COUNTER.deferred),
    concerns: (_before, { op }) => mustEmpty(op),
    broken: (before, view, { op }) => notEmptied(before, view, op),
  },
  {
    id: 'H2',
    form: 'step',
    text: 'pages that are moved keep what they hold',
    reads: [VIEW.kind, VIEW.line, VIEW.counter],
    before: contentsToKeep,
    concerns: (before, { op }) => before !== 0 && mayMove(op),
    broken: (before, view, { op }) =>
      isMovedWhole(before, view, op)
        ? undefined
        : 'movable pages hold other data than before they were moved',
  },
  {
    id: 'C3',
    form: 'end',
    text: 'when everything was given back, everything is free',
    reads: [VIEW.counter],
    broken: missingAtEnd,
  },
  ...clauses,
];
