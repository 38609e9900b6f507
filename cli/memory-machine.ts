/** From a kernel's memory to a machine, at full size or scaled, and what to say about it. */
import { FIELDS } from '../model/index.ts';
import type { ScriptMachine } from '../properties/index.ts';
import { UsageError } from './exit.ts';
import { type Blocks, inOrders, joinCrowded, obtainable, pagesFor, scaleBlocks } from './memory-blocks.ts';
import { layOut } from './memory-layout.ts';
import { type ProcMemory, pagesOf } from './proc-memory.ts';
import { count, many } from './table.ts';

/** A machine with the memory of another. Counts are pages unless the name says otherwise. */
export interface MemoryMachine {
  /** The fields of a machine that follow from its memory. */
  readonly machine: ScriptMachine;
  readonly facts: MemoryFacts;
}

/** How the machine came to be: plain data, told by {@link memoryLines}. */
export interface MemoryFacts {
  /** The file, or `live`. */
  readonly source: string;
  readonly zones: readonly string[];
  /** As the kernel has it. */
  readonly real: Figures;
  readonly boost: number;
  /** Why no more of the pages in use are movable. */
  readonly movableBound: MovableBound;
  readonly movableBlocks: number;
  readonly allBlocks: number;
  /** As the machine has it. */
  readonly laid: Figures;
  /** Blocks by order that the proportion asks for, before rounding. */
  readonly exact: readonly number[];
  /** Pages beyond those that the kernel manages, without which blocks would have merged. */
  readonly added: number;
}

export interface Figures {
  readonly pages: number;
  readonly freeBlocks: Blocks;
  readonly reserve: number;
  readonly movable: number;
}

/** What limits the movable pages: see {@link movableOf}. */
export type MovableBound = 'unknown' | 'page blocks' | 'lists' | 'targets';

/** Pages of a page block, and how many of those a small machine has at least. */
const BLOCK_PAGES = 512;
const PAGE_BLOCKS_MIN = 8;
/** A 64-bit kernel has more address space than memory; buffers and their lists need no more than this. */
const VMALLOC_PAGES_MAX = 65_536;

/**
 * @param source - where the memory was read, for messages
 * @param wanted - pages of the machine; undefined: as many as there are
 * @throws {UsageError} when a machine cannot have so many
 */
export function memoryMachine(memory: ProcMemory, source: string, wanted?: number): MemoryMachine {
  const { managed, min: reserve, mobility } = memory;
  const blocks = inOrders(memory.freeBlocks, Math.min(memory.freeBlocks.length - 1, FIELDS.orderMax.to));
  const whole = pagesFor(blocks, managed);
  const pages = wanted ?? whole;
  if (pages > FIELDS.pages.to)
    throw new UsageError(
      `--memory: ${source} has ${count(pages)} pages; a machine has at most ${count(FIELDS.pages.to)}: ` +
        'scale it with --pages',
    );
  const { pages: movable, bound } = movableOf(memory, managed - pagesOf(blocks));
  const real = { pages: managed, freeBlocks: memory.freeBlocks, reserve, movable };
  const { laid, exact } =
    pages === whole ? fullSize(real, blocks, pages) : scaled(real, blocks, whole, pages);
  const { occupied, movable: moved } = layOut(pages, laid.freeBlocks, laid.movable, blockPages(pages));
  return {
    machine: {
      pages,
      orderMax: laid.freeBlocks.length - 1,
      reserve: Math.min(laid.reserve, pages),
      vmallocPages: Math.min(Math.max(pages, FIELDS.vmallocPages.from), VMALLOC_PAGES_MAX),
      occupied,
      movable: moved,
    },
    facts: {
      source,
      zones: memory.zones,
      real,
      boost: memory.boost,
      movableBound: bound,
      movableBlocks: mobility?.movableBlocks ?? 0,
      allBlocks: (mobility?.movableBlocks ?? 0) + (mobility?.otherBlocks ?? 0),
      laid,
      exact,
      added: whole - managed,
    },
  };
}

/**
 * Pages in use that compaction may move: their share is that of movable page blocks. No more than are on the
 * lists of reclaim, since others cannot be moved, and than there are free pages in movable page blocks, since
 * the kernel moves none to elsewhere.
 */
function movableOf({ mobility, onLists }: ProcMemory, used: number): { pages: number; bound: MovableBound } {
  if (mobility === undefined) return { pages: 0, bound: 'unknown' };
  const { movableBlocks, otherBlocks, freeMovable } = mobility;
  const share = movableBlocks / Math.max(1, movableBlocks + otherBlocks);
  const bounds: readonly [MovableBound, number][] = [
    ['page blocks', Math.round(used * share)],
    ['lists', onLists ?? used],
    ['targets', freeMovable],
  ];
  const [bound, pages] = bounds.reduce((least, each) => (each[1] < least[1] ? each : least));
  return { pages, bound };
}

interface Laid {
  readonly laid: Figures;
  readonly exact: Blocks;
}

const fullSize = (real: Figures, blocks: Blocks, pages: number): Laid => ({
  laid: { ...real, pages, freeBlocks: blocks },
  exact: blocks,
});

function scaled({ reserve, movable }: Figures, blocks: Blocks, whole: number, pages: number): Laid {
  const orderMax = Math.min(blocks.length - 1, Math.floor(Math.log2(pages)));
  const fitting = inOrders(blocks, orderMax);
  const freeBlocks = joinCrowded(scaleBlocks(fitting, whole, pages), pages);
  const part = (value: number): number => Math.round((value * pages) / whole);
  return {
    laid: {
      pages,
      freeBlocks,
      reserve: part(reserve),
      movable: Math.min(part(movable), pages - pagesOf(freeBlocks)),
    },
    exact: fitting.map((blocksOfOrder) => (blocksOfOrder * pages) / whole),
  };
}

const blockPages = (pages: number): number =>
  Math.min(BLOCK_PAGES, 2 ** Math.max(0, Math.floor(Math.log2(pages / PAGE_BLOCKS_MIN))));

/** What is to be said about a memory: where it is from, what was rounded, and what still succeeds. */
export function memoryLines(facts: MemoryFacts): string[] {
  const { source, zones, real, laid, boost, added } = facts;
  const boosted = boost === 0 ? '' : `; ${count(boost)} of it are a boost that passes`;
  const lines = [
    `${source}: ${many(zones.length, 'zone')} (${zones.join(' ')}), ${figuresText(real)}`,
    `reserve ${count(real.reserve)}, the min watermarks${boosted}`,
    movableText(facts),
  ];
  if (added > 0)
    lines.push(`${many(added, 'page')} in use added, or free blocks would be neighbours and merge`);
  if (laid.pages === real.pages + added) lines.push('at full size, nothing is rounded');
  else lines.push(...scaledLines(facts));
  return [...lines, ...successLines(laid)];
}

function figuresText({ pages, freeBlocks }: Figures): string {
  const free = `${count(pagesOf(freeBlocks))} of ${many(pages, 'page')} free`;
  const listed = listText(freeBlocks);
  return listed === '' ? free : `${free}, in blocks from order 0 up: ${listed}`;
}

/** Numbers by order, as `/proc/buddyinfo` has them, to the last that is not 0. */
const listText = (blocks: Blocks): string =>
  blocks
    .slice(0, blocks.findLastIndex((each) => each > 0) + 1)
    .map(count)
    .join(' ');

function movableText({ real, movableBound, movableBlocks, allBlocks }: MemoryFacts): string {
  const used = real.pages - pagesOf(real.freeBlocks);
  const few = `movable: ${count(real.movable)} of ${many(used, 'page')} in use`;
  const blocks = `${count(movableBlocks)} of ${many(allBlocks, 'page block')} are movable`;
  switch (movableBound) {
    case 'unknown':
      return `${few}: without /proc/pagetypeinfo, which root may read, none is taken to be movable`;
    case 'page blocks':
      return `${few}: ${blocks}`;
    case 'lists':
      return `${few}: ${blocks}, but no more pages are on the lists of reclaim`;
    case 'targets':
      return `${few}: ${blocks}, but no more pages are free in them to move to`;
  }
}

function scaledLines({ real, added, laid, exact }: MemoryFacts): string[] {
  const whole = real.pages + added;
  const lines = [
    `scaled from ${count(whole)} to ${count(laid.pages)} pages: ${figuresText(laid)}`,
    `reserve ${count(laid.reserve)}, movable ${count(laid.movable)}`,
  ];
  const shares: readonly (readonly [string, number, number])[] = [
    ...laid.freeBlocks.map((blocks, order) => [`order ${order}`, exact[order] ?? 0, blocks] as const),
    ['reserve', (real.reserve * laid.pages) / whole, laid.reserve],
    ['movable', (real.movable * laid.pages) / whole, laid.movable],
  ];
  const rounded = shares
    .filter(([, from, to]) => Math.abs(from - to) > 1e-9)
    .map(([what, from, to]) => `${what} ${decimal(from)} to ${to === 0 ? 'none' : count(to)}`);
  if (rounded.length > 0) lines.push(`rounded: ${rounded.join(', ')}`);
  return [...lines, ...foldedLines(real, laid)];
}

function foldedLines(real: Figures, laid: Figures): string[] {
  const orderMax = laid.freeBlocks.length - 1;
  const largest = real.freeBlocks.findLastIndex((blocks) => blocks > 0);
  if (largest <= orderMax) return [];
  return [`order ${orderMax} is the largest that fits: larger blocks are counted as several of it`];
}

/** Two digits; a share that would show as 0 shows as what it is less than. */
function decimal(value: number): string {
  if (value > 0 && value < 0.01) return 'less than 0.01';
  const [whole = '', part = ''] = value.toFixed(2).split('.');
  return `${count(Number(whole))}.${part}`;
}

/** What the page allocator can still give at boot. */
function successLines({ freeBlocks, reserve }: Figures): string[] {
  const had = freeBlocks.map((_blocks, order) => obtainable(freeBlocks, order, reserve));
  const [single = 0] = had;
  if (single === 0) return ['nothing succeeds at boot: no page is free above the reserve'];
  const largest = had.findLastIndex((times) => times > 0);
  const blocks = largest === 0 ? '' : `, or blocks from order 1 up: ${listText(had.slice(1))}`;
  const none =
    largest === freeBlocks.length - 1 ? '' : `; none of order ${largest + 1} or more without moving pages`;
  return [`what succeeds at boot: ${many(single, 'single page')}${blocks}${none}`];
}
