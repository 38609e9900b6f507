/**
 * Memory as Linux describes it: the text of `/proc/buddyinfo`, `/proc/pagetypeinfo` and `/proc/zoneinfo`, one
 * after the other in any order. Zones are told apart while reading and summed at the end. Formats: proc(5),
 * and Linux 6.12, `mm/vmstat.c`.
 */
import { UsageError } from './exit.ts';

/** What is read of a kernel's memory, over all zones. Counts are pages unless the name says otherwise. */
export interface ProcMemory {
  /** Zones that the page allocator manages pages of, such as `DMA32`. */
  readonly zones: readonly string[];
  /** Free blocks by order. */
  readonly freeBlocks: readonly number[];
  readonly managed: number;
  /** The `min` watermarks, and how much of them is a boost that passes. */
  readonly min: number;
  readonly boost: number;
  /** On the lists of reclaim: what compaction is able to move. Undefined: a kernel before 4.8. */
  readonly onLists: number | undefined;
  /** Of `/proc/pagetypeinfo`, which often root alone may read. */
  readonly mobility: Mobility | undefined;
}

export interface Mobility {
  /** Page blocks by what they are for; they are the unit in which the kernel keeps the two apart. */
  readonly movableBlocks: number;
  readonly otherBlocks: number;
  readonly blockPages: number;
  /** Free pages in movable page blocks: compaction moves pages nowhere else. */
  readonly freeMovable: number;
}

const MOVABLE_TYPES: ReadonlySet<string> = new Set(['Movable', 'CMA']);
/** Orders of a line at the most: 11 are usual, some architectures have a few more. */
const ORDERS_MAX = 32;
const LINE_MAX = 4_096;
const QUOTED_MAX = 60;

const ZONE = /^Node\s+(\d+), zone\s+(\S+)$/;
const COUNTS = /^Node\s+(\d+), zone\s+(\S+)((?:\s+\d+)+)$/;
const TYPED = /^Node\s+(\d+), zone\s+(\S+), type\s+(\S+)((?:\s+>?\d+)+)$/;
/** Rows of the indices in debugfs, which some put beside: not read. */
const INDICES = /^Node\s+\d+, zone\s+\S+(?:\s+-?\d+\.\d+)+$/;
const BLOCK_TYPES = /^Number of (\w+ )?blocks(?: type)?((?:\s+[A-Z]\w*)+)$/;
const BLOCK_PAGES = /^Pages per block:\s+(\d+)$/;
const FIELD = /^\s+(boost|min|present|managed|nr_zone_\w+)\s+(\S+)$/;
const LISTS = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable'];

interface Typed {
  readonly type: string;
  readonly counts: readonly number[];
}

/**
 * Reads the text.
 *
 * @param name - where it comes from, for messages
 * @throws {UsageError} with one line that says what was seen and what was expected
 */
export function readProcMemory(text: string, name: string): ProcMemory {
  const reader = new Reader(name);
  let from = 0;
  while (from <= text.length) {
    const end = text.indexOf('\n', from);
    reader.line(text.slice(from, end < 0 ? text.length : end).trimEnd());
    from = end < 0 ? text.length + 1 : end + 1;
  }
  return reader.sum();
}

/** Takes line after line. A zone is named by its node and its own name, such as `0 DMA32`. */
class Reader {
  readonly #name: string;
  readonly #buddy = new Map<string, readonly number[]>();
  readonly #typed = new Map<string, Typed[]>();
  readonly #blocks = new Map<string, readonly number[]>();
  readonly #zones = new Map<string, Map<string, number>>();
  #number = 0;
  #blockPages = 0;
  /** Columns of the table of page blocks, and whether its rows are those that count. */
  #types: readonly string[] = [];
  #isBlockTable = false;
  /** Columns of the rows under way, 0: none. */
  #columns = 0;
  #fields: Map<string, number> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  line(text: string): void {
    this.#number++;
    if (text.length > LINE_MAX) return;
    const field = this.#fields === undefined ? null : FIELD.exec(text);
    if (field !== null) this.#fields?.set(field[1] ?? '', this.#count(field[2] ?? '', text));
    else if (text.startsWith('Node')) this.#row(text);
    else if (!text.startsWith(' ')) this.#header(text);
  }

  #header(text: string): void {
    this.#fields = undefined;
    const types = BLOCK_TYPES.exec(text);
    this.#isBlockTable = types !== null && types[1] === undefined;
    const words = types?.[2]?.trim().split(/\s+/) ?? [];
    this.#columns = words.length;
    if (this.#isBlockTable) this.#types = words;
    const pages = BLOCK_PAGES.exec(text);
    if (pages !== null) this.#blockPages = this.#count(pages[1] ?? '', text);
  }

  #row(text: string): void {
    this.#fields = undefined;
    const zone = ZONE.exec(text);
    const counts = COUNTS.exec(text);
    const typed = TYPED.exec(text);
    if (zone !== null) this.#fields = this.#enter(this.#zones, key(zone), new Map<string, number>(), text);
    else if (counts !== null) this.#countsRow(key(counts), this.#counts(counts[3] ?? '', text), text);
    else if (typed !== null) this.#typedRow(typed, text);
    else if (!INDICES.test(text)) throw this.#unexpected(text);
  }

  /** Free blocks by order, or page blocks by type: the table's header says how many of those there are. */
  #countsRow(zone: string, counts: readonly number[], text: string): void {
    if (counts.length !== this.#columns) this.#enter(this.#buddy, zone, counts, text);
    else if (this.#isBlockTable) this.#enter(this.#blocks, zone, counts, text);
  }

  #typedRow([, node, zone, type = '', counts = '']: readonly string[], text: string): void {
    const rows = this.#typed.get(`${node} ${zone}`) ?? [];
    if (rows.some((row) => row.type === type)) throw this.#twice(text);
    rows.push({ type, counts: this.#counts(counts.replaceAll('>', ''), text) });
    this.#typed.set(`${node} ${zone}`, rows);
  }

  #enter<T>(table: Map<string, T>, zone: string, value: T, text: string): T {
    if (table.has(zone)) throw this.#twice(text);
    table.set(zone, value);
    return value;
  }

  #counts(words: string, text: string): number[] {
    const counts = words
      .trim()
      .split(/\s+/)
      .map((word) => this.#count(word, text));
    if (counts.length > ORDERS_MAX)
      throw this.#problem(
        `line ${this.#number}: ${counts.length} orders; at most ${ORDERS_MAX} are expected`,
      );
    return counts;
  }

  #count(word: string, text: string): number {
    const value = /^\d+$/.test(word) ? Number(word) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw this.#problem(`line ${this.#number}: expected a number, got ${quoted(word)} in ${quoted(text)}`);
  }

  /** All zones together. */
  sum(): ProcMemory {
    const zones = [...this.#zones].filter(([, fields]) => managedOf(fields) > 0);
    if (zones.length === 0 || this.#buddy.size === 0) throw this.#incomplete();
    const freeBlocks = this.#freeBlocks(zones.map(([zone]) => zone));
    const total = (field: string): number => sumOf(zones.map(([, fields]) => fields.get(field) ?? 0));
    for (const [zone, fields] of zones) {
      if (!fields.has('min'))
        throw this.#problem(`zone ${shown(zone)} of /proc/zoneinfo has no min watermark`);
    }
    const managed = sumOf(zones.map(([, fields]) => managedOf(fields)));
    const free = pagesOf(freeBlocks);
    if (free > managed) throw this.#problem(`${free} pages are free, of ${managed} that are managed`);
    const lists = LISTS.map((list) => `nr_zone_${list}`);
    const knows = zones.every(([, fields]) => lists.some((list) => fields.has(list)));
    return {
      zones: zones.map(([zone]) => shown(zone)),
      freeBlocks,
      managed,
      min: total('min'),
      boost: total('boost'),
      onLists: knows ? sumOf(lists.map(total)) : undefined,
      mobility: this.#mobility(zones.map(([zone]) => zone)),
    };
  }

  #freeBlocks(zones: readonly string[]): number[] {
    const [first = []] = this.#buddy.values();
    for (const [zone, counts] of this.#buddy) {
      if (counts.length !== first.length)
        throw this.#problem(
          `zone ${shown(zone)} has ${counts.length} orders where another has ${first.length}: is it cut off?`,
        );
      if (!this.#zones.has(zone)) throw this.#missing(zone, '/proc/buddyinfo', '/proc/zoneinfo');
    }
    for (const zone of zones) {
      if (!this.#buddy.has(zone)) throw this.#missing(zone, '/proc/zoneinfo', '/proc/buddyinfo');
    }
    return first.map((_count, order) => sumOf([...this.#buddy.values()].map((counts) => counts[order] ?? 0)));
  }

  #mobility(zones: readonly string[]): Mobility | undefined {
    if (this.#typed.size === 0 && this.#blocks.size === 0) return undefined;
    let movableBlocks = 0;
    let otherBlocks = 0;
    let freeMovable = 0;
    for (const zone of zones) {
      const blocks = this.#blocks.get(zone);
      const typed = this.#typed.get(zone);
      if (blocks === undefined || typed === undefined || this.#blockPages === 0)
        throw this.#problem(
          `/proc/pagetypeinfo is not whole: zone ${shown(zone)} is missing in a part of it`,
        );
      for (const [at, count] of blocks.entries()) {
        if (MOVABLE_TYPES.has(this.#types[at] ?? '')) movableBlocks += count;
        else otherBlocks += count;
      }
      const movable = typed.filter(({ type }) => MOVABLE_TYPES.has(type));
      freeMovable += sumOf(movable.map(({ counts }) => pagesOf(counts)));
    }
    return { movableBlocks, otherBlocks, blockPages: this.#blockPages, freeMovable };
  }

  #unexpected(text: string): UsageError {
    return this.#problem(
      `line ${this.#number}: ${quoted(text)} is no row of /proc/buddyinfo, pagetypeinfo or zoneinfo`,
    );
  }

  #twice(text: string): UsageError {
    return this.#problem(
      `line ${this.#number}: ${quoted(text)} is there a second time; expected the files of one moment`,
    );
  }

  #missing(zone: string, there: string, absent: string): UsageError {
    return this.#problem(`zone ${shown(zone)} stands in ${there} and not in ${absent}: is it cut off?`);
  }

  #incomplete(): UsageError {
    const seen = [
      `${this.#buddy.size} of /proc/buddyinfo`,
      `${this.#typed.size} of /proc/pagetypeinfo`,
      `${[...this.#zones.values()].filter((fields) => managedOf(fields) > 0).length} of /proc/zoneinfo`,
    ];
    return this.#problem(
      `it shows zones with memory: ${seen.join(', ')}; expected the text of ` +
        '/proc/buddyinfo and /proc/zoneinfo, and of /proc/pagetypeinfo where it can be read',
    );
  }

  #problem(text: string): UsageError {
    return new UsageError(`${this.#name}: ${text}`);
  }
}

/** Pages in so many blocks of each order. */
export const pagesOf = (blocks: readonly number[]): number =>
  blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0);

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const key = ([, node, zone]: readonly string[]): string => `${node} ${zone}`;

/** Node 0 is the only one of most machines. */
const shown = (zone: string): string => {
  const name = zone.startsWith('0 ') ? zone.slice(2) : zone.replace(' ', '/');
  return printable(name);
};

/** Kernels before 3.9 do not tell pages that are there from pages that are managed. */
const managedOf = (fields: ReadonlyMap<string, number>): number =>
  fields.get('managed') ?? fields.get('present') ?? 0;

/** Nothing of a file reaches a terminal as it is. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, QUOTED_MAX);

const quoted = (text: string): string => `"${printable(text.trim().replace(/\s+/g, ' '))}"`;
