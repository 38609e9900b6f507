/**
 * Everything the specification knows, as columns. Memory is known by its owners: a page that no owner of the
 * specification holds may be free, or hold the implementation's own tables and metadata.
 */
import { type Column, State } from './column.ts';
import { NOTHING } from './contents.ts';
import type { Machine } from './machine.ts';
import { KIND, VIEW, VIEW_COLUMNS } from './view.ts';

/** Blocks that one scatter-gather table lists at the most: the table of calls allows no more. */
export const SG_BLOCKS_MAX = 4;

export interface World {
  readonly state: State;
  readonly machine: Machine;
  /** False for a target that names no pages: then a page number here is only a name. */
  readonly pageNumbers: boolean;
  /** Names for pages: the machine's pages, or more of them when they are only names. */
  readonly frames: number;
  readonly ioPages: number;
  readonly linesPerPage: number;
  /** Pages that one scatter-gather table lists at the most. */
  readonly sgPagesMax: number;

  // The columns that make up the view, in the order of `view.ts`.
  readonly kind: Column;
  readonly head: Column;
  readonly index: Column;
  readonly refs: Column;
  readonly line: Column;
  readonly reach: Column;
  readonly client: Column;
  readonly context: Column;
  readonly handle: Column;
  readonly bound: Column;
  readonly job: Column;
  readonly device: Column;
  readonly fd: Column;
  readonly mapped: Column;
  readonly stale: Column;
  readonly handleCount: Column;
  readonly kernelMaps: Column;
  readonly userMap: Column;

  // Beyond the view.
  /** Pages of the block, buffer or coherent memory that starts at a page, or 0. */
  readonly size: Column;
  /** The object's page after this one, plus 1; 0 at its last. */
  readonly next: Column;
  /** One number: pages that a known owner holds, without movable ones. */
  readonly held: Column;
  /** One number: pages of movable occupants, whichever they are. */
  readonly movable: Column;
  /** Pages + 1 of the split that starts at a page, or 0. */
  readonly split: Column;
  /** First page + 1 of an unmovable occupant, -1 of a movable one; 0: there is none. */
  readonly occupant: Column;
  readonly occupantPages: Column;
  /** Bytes + 1 of the metadata that starts at an 8-byte word of kernel address space, or 0. */
  readonly memory: Column;
  /** Which call such memory came from, at every word that is inside it: see `metadata.ts`. */
  readonly covered: Column;
  /** Words of a page (linear, then vmalloc) that such memory covers. */
  readonly coveredWords: Column;
  /** At the first page of an explicit mapping of CPU addresses: its pages. By page as the view's `mapped`. */
  readonly area: Column;
  /** Kernel page + 1 where a buffer is mapped for the kernel, at its page 0. */
  readonly kernelMap: Column;
  /** 1 at page 0 of a buffer without cached mappings. */
  readonly uncached: Column;
  /** Pages + 1 of a scatter-gather table, or 0. */
  readonly sgPages: Column;
  /** The pages + 1 that it lists, or 0: table * sgPagesMax + position. */
  readonly sgPage: Column;
  /** The I/O page each is mapped at. */
  readonly sgIoPage: Column;
  /** Domain + 1 it is mapped in by the DMA API, or 0; the device + 1 that it is mapped for; its rights. */
  readonly sgDomain: Column;
  readonly sgDevice: Column;
  readonly sgRights: Column;
  /** At page 0 of coherent memory: kernel page + 1, I/O page, device + 1. */
  readonly coherentCpu: Column;
  readonly coherentIoPage: Column;
  readonly coherentDevice: Column;
  /** One number: flushes of the queue that have finished. */
  readonly flushes: Column;
  /** Client + 1 that made a GPU context. */
  readonly owner: Column;
  /** Context + 1 of a job, or 0. */
  readonly jobContext: Column;
  /** I/O page of a job's next line, or -1 where the address is none; and the line in it. */
  readonly jobIoPage: Column;
  readonly jobLine: Column;
  /** What a job writes; 0: it reads. */
  readonly jobTag: Column;
}

/** A machine that has just been switched on. */
export function bootWorld(machine: Machine, pageNumbers: boolean): World {
  const state = new State();
  const frames = pageNumbers ? machine.pages : machine.pages * (machine.orderMax + 1);
  const named = { ...machine, pages: frames };
  const view = VIEW_COLUMNS.map(({ own, length }) => state.column(own ? length(named) : 0));
  const column = (number: number): Column => view[number] ?? state.column(0);
  const words = ((machine.pages + machine.vmallocPages) * machine.pageBytes) / 8;
  const cpuPages = machine.vmallocPages + machine.clients * machine.userPages;
  const sgPagesMax = SG_BLOCKS_MAX * 2 ** machine.orderMax;
  const world: World = {
    state,
    machine,
    pageNumbers,
    frames,
    ioPages: 2 ** machine.ioBits / machine.pageBytes,
    linesPerPage: machine.pageBytes / machine.lineBytes,
    sgPagesMax,
    kind: column(VIEW.kind),
    head: column(VIEW.head),
    index: column(VIEW.index),
    refs: column(VIEW.refs),
    line: column(VIEW.line),
    reach: column(VIEW.reach),
    client: column(VIEW.client),
    context: column(VIEW.context),
    handle: column(VIEW.handle),
    bound: column(VIEW.bound),
    job: column(VIEW.job),
    device: column(VIEW.device),
    fd: column(VIEW.fd),
    mapped: column(VIEW.mapped),
    stale: column(VIEW.stale),
    handleCount: column(VIEW.handleCount),
    kernelMaps: column(VIEW.kernelMaps),
    userMap: column(VIEW.userMap),
    size: state.column(frames),
    next: state.column(frames),
    held: state.column(1),
    movable: state.column(1),
    split: state.column(frames),
    occupant: state.column(machine.occupants),
    occupantPages: state.column(machine.occupants),
    memory: state.column(words),
    covered: state.column(words),
    coveredWords: state.column(machine.pages + machine.vmallocPages),
    area: state.column(cpuPages),
    kernelMap: state.column(frames),
    uncached: state.column(frames),
    sgPages: state.column(machine.sgTables),
    sgPage: state.column(machine.sgTables * sgPagesMax),
    sgIoPage: state.column(machine.sgTables * sgPagesMax),
    sgDomain: state.column(machine.sgTables),
    sgDevice: state.column(machine.sgTables),
    sgRights: state.column(machine.sgTables),
    coherentCpu: state.column(frames),
    coherentIoPage: state.column(frames),
    coherentDevice: state.column(frames),
    flushes: state.column(1),
    owner: state.column(machine.contexts),
    jobContext: state.column(machine.jobs),
    jobIoPage: state.column(machine.jobs),
    jobLine: state.column(machine.jobs),
    jobTag: state.column(machine.jobs),
  };
  state.seal();
  world.line.fill(NOTHING);
  occupy(world);
  return world;
}

function occupy({ machine, kind, held, movable }: World): void {
  const total = (runs: Machine['occupied']): number => runs.reduce((sum, [, count]) => sum + count, 0);
  for (const [first, count] of machine.occupied) {
    for (let page = first; page < first + count; page++) kind.set(page, KIND.OCCUPIED);
  }
  held.set(0, total(machine.occupied));
  movable.set(0, total(machine.movable));
}

/** Type of a translation context, as the view codes it. */
export const CONTEXT = { NONE: 0, UNMANAGED: 1, DMA: 2, GPU: 3 } as const;

/** The type of a context by its id, which may be made up. */
export const contextType = ({ context }: World, id: number): number => context.peek(id) ?? CONTEXT.NONE;

/** An id that a new context may get. */
export const isFreeContext = ({ context }: World, id: number): boolean => context.peek(id) === CONTEXT.NONE;

/** Devices do not look into CPU caches. */
export const hasStaleCopies = ({ machine }: World): boolean => machine.policies['coherent'] !== 'yes';
