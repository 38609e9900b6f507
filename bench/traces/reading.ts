/** What corruptions need to know of a trace: its lines with their events, and mappings that nothing else can be. */
import type { EventOf, TraceEvent } from '../../traces/event.ts';
import { TraceParser } from '../../traces/read/parse.ts';

export const PAGE = 4096;

/** A mapping whose addresses nobody else had meanwhile, so whatever reads the trace must see it as it was. */
export interface Life {
  /** Indexes of lines: a list is mapped piece by piece and unmapped at once. */
  readonly maps: readonly number[];
  readonly unmap: number;
  readonly iova: number;
  readonly size: number;
  readonly pfns: ReadonlySet<number>;
}

export interface Reading {
  readonly lines: readonly string[];
  /** By index of the line. */
  readonly events: readonly (TraceEvent | undefined)[];
  readonly lives: readonly Life[];
}

export function readingOf(lines: readonly string[]): Reading {
  const parser = new TraceParser();
  const events = lines.map((line) => parser.parse(line));
  return { lines, events, lives: livesOf(events) };
}

/** Numbers of the pages of a range, of memory or of I/O addresses. */
export function pagesIn(address: number, size: number): readonly number[] {
  const first = Math.floor(address / PAGE);
  return Array.from({ length: Math.ceil((address + size) / PAGE) - first }, (_, each) => first + each);
}

function livesOf(events: readonly (TraceEvent | undefined)[]): readonly Life[] {
  const owners = new Map<number, number>();
  const doubtful = new Set<number>();
  const lives: Life[] = [];
  for (const [at, event] of events.entries()) {
    if (event?.kind === 'map')
      for (const page of pagesIn(event.iova, event.size)) {
        const other = owners.get(page);
        if (other !== undefined) doubtful.add(other).add(at);
        owners.set(page, at);
      }
    if (event?.kind !== 'unmap') continue;
    const pages = pagesIn(event.iova, event.size);
    const maps = [...new Set(pages.map((page) => owners.get(page) ?? -1))];
    if (!maps.includes(-1) && !maps.some((map) => doubtful.has(map))) {
      const life = lifeOf(events, maps, at);
      if (life !== undefined && life.size === event.unmapped) lives.push(life);
    }
    for (const page of pages) owners.delete(page);
  }
  return lives;
}

function lifeOf(
  events: readonly (TraceEvent | undefined)[],
  maps: readonly number[],
  unmap: number,
): Life | undefined {
  const mapped = maps.map((map) => events[map]).filter((event) => event?.kind === 'map');
  const [iova, end] = [
    Math.min(...mapped.map((map) => map.iova)),
    Math.max(...mapped.map((map) => map.iova + map.size)),
  ];
  const pfns = new Set(mapped.flatMap(({ paddr, size }) => pagesIn(paddr, size)));
  return { maps, unmap, iova, size: end - iova, pfns };
}

/** Mappings of which a driver's call tells all pages: not coherent memory, and no lists with entries of many pages. */
export function toldByDrivers({ events, lives }: Reading): readonly Life[] {
  const told = events.map((event) =>
    event?.kind === 'dma-map' || event?.kind === 'dma-map-sg' ? event : undefined,
  );
  return lives.filter(({ iova, size, maps, unmap, pfns }) => {
    const within = told.slice(maps[0], unmap).flatMap((event) => {
      if (event?.kind === 'dma-map' && event.dma >= iova && event.dma < iova + size)
        return pagesIn(event.phys, event.size);
      const [first = -1] = event?.kind === 'dma-map-sg' ? event.dmas : [];
      return event?.kind === 'dma-map-sg' && first >= iova && first < iova + size
        ? event.physes.map((phys) => Math.floor(phys / PAGE))
        : [];
    });
    return [...pfns].every((pfn) => within.includes(pfn));
  });
}

/** The first line after its death from which the addresses may be another's; the number of lines where none is. */
export function endOf({ events }: Reading, { unmap, iova, size }: Life): number {
  for (let at = unmap + 1; at < events.length; at++) {
    const event = events[at];
    if (event?.kind !== 'map' && event?.kind !== 'unmap') continue;
    if (event.iova < iova + size && iova < event.iova + event.size) return at;
  }
  return events.length;
}

/** The first free of a page of a mapping after it died, before `end`; undefined: none, or it changes hands before. */
export function freeOf({ events }: Reading, { unmap, pfns }: Life, end: number): number | undefined {
  for (let at = unmap + 1; at < end; at++) {
    const event = events[at];
    if (event?.kind === 'page-alloc' && covers(event, pfns)) return undefined;
    if (event?.kind === 'page-free' && covers(event, pfns)) return at;
  }
  return undefined;
}

function covers({ pfn, order }: EventOf<'page-alloc' | 'page-free'>, pfns: ReadonlySet<number>): boolean {
  return pagesIn(pfn * PAGE, PAGE << order).some((each) => pfns.has(each));
}

const TIME = /(\d+)\.(\d{6}): /;

/** The line as it would be at another time, in microseconds. */
export const retimed = (line: string, micros: number): string =>
  line.replace(TIME, () => {
    const seconds = String(Math.floor(micros / 1e6));
    return `${seconds}.${String(micros % 1e6).padStart(6, '0')}: `;
  });

export function microsOf(line: string): number {
  const [, seconds, fraction] = TIME.exec(line) ?? [];
  return Number(seconds) * 1e6 + Number(fraction);
}
