/**
 * Layer 2, scatter-gather tables. After Linux 6.1, lib/scatterlist.c: `sg_alloc_table_from_pages_segment()`.
 */
import type { ArgsOf, ValueOf } from './calls.ts';
import type { Machine } from './machine.ts';
import { writeByCpu } from './memory.ts';
import { blockPages, isBlock, run } from './pages.ts';
import type { Rule, Seen } from './spec.ts';
import { availablePages } from './view.ts';
import type { World } from './world.ts';

/** Bytes of one entry of a table; a chunk is one page of them. */
const ENTRY_BYTES = 16;

/**
 * `sg_alloc_table_from_pages(pages, maxSegment)`: lists blocks, each with all its pages, in order. Physically
 * adjacent pages must merge, as far as `maxSegment` (rounded down to pages) allows: the count is owed.
 */
export const sgAllocTable: Rule<
  World,
  ArgsOf<'sg_alloc_table_from_pages'>,
  ValueOf<'sg_alloc_table_from_pages'>
> = {
  require: [
    ['there is a page to list', (_s, { pages }) => pages.length > 0],
    ['every block is allocated', (s, { pages }) => pages.every((block) => isBlock(s, block))],
    ['a table lists so many pages', (s, args) => listed(s, args).length <= s.sgPagesMax],
  ],
  refuse: [
    ['EINVAL', (s, { maxSegment }) => maxSegment < s.machine.pageBytes, 'P1', 'a segment is at least a page'],
    ['ENOMEM', (s) => freeTable(s) === undefined, 'P1', 'no table is left'],
  ],
  may: [['ENOMEM', (s, args, seen) => !showsPages(s, chunksFor(s.machine, entriesMax(s, args)), seen)]],
  accept: [
    ['a table that is not in use', (s, _args, { table }) => s.sgPages.peek(table) === 0, 'C5'],
    ['segments that list every page', (s, args, { segments }) => isSegmentCount(s, args, segments), 'S2'],
    [
      'the fewest segments',
      (s, args, { segments }) => segments === countSegments(s, args),
      'S2',
      'page-numbers',
    ],
  ],
  effect(s, args, { table }) {
    const pages = listed(s, args);
    s.sgPages.set(table, pages.length + 1);
    for (const [at, page] of pages.entries()) s.sgPage.set(table * s.sgPagesMax + at, page + 1);
  },
  owes: () => 'M1',
};

/**
 * `sg_copy(table, skip, bytes, tag)`: a CPU writes the table's bytes from `skip` on, through its cache, and
 * stops at the end of the list. Like `sg_copy_from_buffer()`, with one tag for what is copied.
 */
export const sgCopy: Rule<World, ArgsOf<'sg_copy'>, ValueOf<'sg_copy'>> = {
  require: [
    ['the table is allocated', (s, { table }) => isTable(s, table)],
    ['whole lines are written', (s, { skip, bytes }) => [skip, bytes].every((part) => isWholeLines(s, part))],
    ['the tag is a byte', (_s, { tag }) => Number.isInteger(tag) && tag >= 0 && tag <= 255],
  ],
  refuse: [],
  may: [],
  accept: [
    [
      'the bytes up to the end of the list',
      (s, args, { copied }) => copied === linesOf(s, args).length * s.machine.lineBytes,
      'P1',
    ],
  ],
  effect(s, args) {
    for (const line of linesOf(s, args)) writeByCpu(s, line, args.tag);
  },
  owes: () => 'P1',
};

/** `sg_free_table(table)`. A table that is mapped is not freed. */
export const sgFreeTable: Rule<World, ArgsOf<'sg_free_table'>, ValueOf<'sg_free_table'>> = {
  require: [
    ['the table is allocated', (s, { table }) => isTable(s, table)],
    ['the table is not mapped', (s, { table }) => s.sgDomain.get(table) === 0],
  ],
  refuse: [],
  may: [],
  accept: [],
  effect(s, { table }) {
    for (const at of tablePages(s, table).keys()) s.sgPage.set(table * s.sgPagesMax + at, 0);
    s.sgPages.set(table, 0);
  },
  owes: () => 'P1',
};

/**
 * Pages of the chunks that hold so many entries: when more follow, a chunk's last entry links to the next.
 */
export function chunksFor(machine: Machine, entries: number): number {
  const room = machine.pageBytes / ENTRY_BYTES;
  return entries <= room ? 1 : Math.ceil((entries - 1) / (room - 1));
}

/** The target shows so many pages above the reserve that are free, or that it gives up before it fails. */
export const showsPages = ({ machine }: World, pages: number, seen: Seen): boolean =>
  (availablePages(seen, machine) ?? -1) >= pages;

/** The pages of a table, in order. */
export function tablePages(s: World, table: number): number[] {
  const count = Math.max(s.sgPages.get(table) - 1, 0);
  return Array.from({ length: count }, (_, at) => s.sgPage.get(table * s.sgPagesMax + at) - 1);
}

/** The table exists. */
export const isTable = (s: World, table: number): boolean => (s.sgPages.peek(table) ?? 0) !== 0;

const isWholeLines = ({ machine }: World, bytes: number): boolean =>
  bytes >= 0 && bytes % machine.lineBytes === 0;

/**
 * Lines of memory, in the order of a table: those of `bytes` bytes after the first `skip`, or as many as
 * there are.
 */
function linesOf(s: World, { table, skip, bytes }: ArgsOf<'sg_copy'>): number[] {
  const lines = tablePages(s, table).flatMap((page) => run(page * s.linesPerPage, s.linesPerPage));
  return lines.slice(skip / s.machine.lineBytes, (skip + bytes) / s.machine.lineBytes);
}

/** Entries that a table may need: its segments, or where pages are only names as many as there are pages. */
const entriesMax = (s: World, args: ArgsOf<'sg_alloc_table_from_pages'>): number =>
  s.pageNumbers ? countSegments(s, args) : listed(s, args).length;

const listed = (s: World, { pages }: { readonly pages: readonly number[] }): number[] =>
  pages.flatMap((block) => blockPages(s, block));

function freeTable(s: World): number | undefined {
  for (let table = 0; table < s.machine.sgTables; table++) if (s.sgPages.get(table) === 0) return table;
  return undefined;
}

/** As many as pages at the most, and enough of the length that is allowed. */
function isSegmentCount(s: World, args: ArgsOf<'sg_alloc_table_from_pages'>, segments: number): boolean {
  const pages = listed(s, args).length;
  return segments * Math.floor(args.maxSegment / s.machine.pageBytes) >= pages && segments <= pages;
}

function countSegments(s: World, args: ArgsOf<'sg_alloc_table_from_pages'>): number {
  const limit = Math.floor(args.maxSegment / s.machine.pageBytes);
  let segments = 0;
  let length = limit;
  let last = -2;
  for (const page of listed(s, args)) {
    const starts = page !== last + 1 || length === limit;
    if (starts) segments++;
    length = starts ? 1 : length + 1;
    last = page;
  }
  return segments;
}
