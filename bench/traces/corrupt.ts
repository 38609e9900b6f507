/**
 * Traces with something wrong in them, made from good ones. Some are what a faulty driver would have left behind: the
 * checker must find it. Others are what tools and disks do to a trace: nothing may be found that is not so.
 */
import type { Choices } from '../../properties/choices.ts';
import type { Direction, EventKind, TraceEvent } from '../../traces/event.ts';
import { endOf, freeOf, type Life, microsOf, PAGE, pagesIn, type Reading, retimed } from './reading.ts';

export interface Corrupted {
  readonly lines: readonly string[];
  /** What it is about: a finding that is expected speaks of one of these pages, or of one of these lines. */
  readonly iovas: ReadonlySet<number>;
  readonly pfns: ReadonlySet<number>;
}

/** Undefined where the trace has no place for it. */
export type Corruption = (trace: Reading, choices: Choices) => Corrupted | undefined;

/** What `make` makes of the first of `from` that it can be made of, from a random one on, once around. */
function anyOf<T, R>(choices: Choices, from: readonly T[], make: (each: T) => R | undefined): R | undefined {
  const start = choices.below(from.length);
  for (const each of [...from.slice(start), ...from.slice(0, start)]) {
    const made = make(each);
    if (made !== undefined) return made;
  }
  return undefined;
}

const about = ({ iova, size, pfns }: Life): Omit<Corrupted, 'lines'> => ({
  iovas: new Set(pagesIn(iova, size)),
  pfns,
});

const NOTHING: Omit<Corrupted, 'lines'> = { iovas: new Set(), pfns: new Set() };

/** For comparison. */
export const nothing: Corruption = ({ lines }) => ({ ...NOTHING, lines });

const atLine = ({ lines }: Reading, at: number): string => lines[at] ?? '';

/** Lines of one CPU around an unmap that belong to it: the request before, flush and answer after. */
function unmapBlock({ events }: Reading, { unmap, iova }: Life): readonly number[] {
  const cpu = events[unmap]?.cpu;
  const next = (from: number, step: number): number => {
    let at = from + step;
    while (at > 0 && at < events.length && events[at]?.cpu !== cpu) at += step;
    return at;
  };
  const before = events[next(unmap, -1)];
  const asked = before?.kind === 'dma-unmap-sg' || (before?.kind === 'dma-free' && before.dma === iova);
  const block = asked ? [next(unmap, -1), unmap] : [unmap];
  for (let at = next(unmap, 1); at < events.length; at = next(at, 1)) {
    const kind = events[at]?.kind;
    if (kind !== 'flush' && kind !== 'dma-unmap') break;
    block.push(at);
    if (kind === 'dma-unmap') break;
  }
  return block;
}

/** More lines, each at its own time; after those of the same time. */
function withLines(lines: readonly string[], more: readonly string[]): readonly string[] {
  const [first = ''] = more;
  const at = lines.findIndex((line) => microsOf(line) > microsOf(first));
  return lines.toSpliced(at < 0 ? lines.length : at, 0, ...more);
}

const without = (lines: readonly string[], gone: readonly number[]): readonly string[] =>
  lines.filter((_, at) => !gone.includes(at));

/** An unmap that comes `gap` microseconds after a page of the mapping was freed. */
export const delayUnmap =
  (gap: number): Corruption =>
  (trace, choices) =>
    anyOf(choices, trace.lives, (life) => {
      const end = endOf(trace, life);
      const free = freeOf(trace, life, end);
      if (free === undefined) return undefined;
      const micros = microsOf(atLine(trace, free)) + gap;
      if (end < trace.lines.length && microsOf(atLine(trace, end)) <= micros) return undefined;
      const block = unmapBlock(trace, life);
      const moved = block.map((at) => retimed(atLine(trace, at), micros));
      return { lines: withLines(without(trace.lines, block), moved), ...about(life) };
    });

/** A driver that forgets to unmap before it frees. */
export const dropUnmap: Corruption = (trace, choices) =>
  anyOf(choices, trace.lives, (life) => {
    if (freeOf(trace, life, endOf(trace, life)) === undefined) return undefined;
    return { lines: without(trace.lines, unmapBlock(trace, life)), ...about(life) };
  });

/** As in a kernel whose tables take a second map of what is mapped; with what names the device of it, or without. */
export const mapTwice =
  (named: boolean): Corruption =>
  (trace, choices) =>
    anyOf(choices, trace.lives, (life) => {
      const [first = 0] = life.maps;
      const names = namesOf(trace, life) ?? -1;
      if (named && names < 0) return undefined;
      const micros = microsOf(atLine(trace, named ? names : first)) + 1;
      if (micros + 1 >= microsOf(atLine(trace, life.unmap))) return undefined;
      const block = (named ? [first, names] : [first]).map((at) => retimed(atLine(trace, at), micros));
      const elsewhere = block.map((line) => line.replace(/(paddr=0x0{8}|phys_addr=)([0-9a-f]+)/, shifted));
      return { lines: withLines(trace.lines, elsewhere), ...about(life) };
    });

/** Memory that is nobody's yet, at the same offset in its page. */
const shifted = (_: string, name: string, digits: string): string =>
  `${name}${(Number.parseInt(digits, 16) + 0x4000_0000).toString(16).padStart(name === 'phys_addr=' ? 0 : 8, '0')}`;

/** The line that says for which device a single page was mapped; not the first such line of a trace. */
function namesOf({ events }: Reading, { maps, iova, pfns }: Life): number | undefined {
  const [first = 0, ...rest] = maps;
  if (rest.length > 0 || events.findIndex((event) => event?.kind === 'dma-map') > first) return undefined;
  const at = events.findIndex(
    (event, index) => index > first && event?.kind === 'dma-map' && event.dma === iova && event.size === PAGE,
  );
  const event = events[at];
  return event?.kind === 'dma-map' && pfns.has(event.phys / PAGE) ? at : undefined;
}

/** An unmap of what was unmapped a millisecond before: the tables have nothing. */
export const unmapTwice: Corruption = (trace, choices) =>
  anyOf(choices, trace.lives, (life) => {
    const line = atLine(trace, life.unmap);
    const again = retimed(line, microsOf(line) + 1000).replace(/unmapped_size=\d+/, 'unmapped_size=0');
    const end = endOf(trace, life);
    if (end < trace.lines.length && microsOf(atLine(trace, end)) <= microsOf(again)) return undefined;
    return { lines: withLines(trace.lines, [again]), ...about(life) };
  });

/** The tables answer an unmap with another size than it asked for. */
export const unmappedSize =
  (change: (size: number) => number): Corruption =>
  (trace, choices) =>
    anyOf(choices, trace.lives, (life) => {
      const line = atLine(trace, life.unmap);
      const other = line.replace(/unmapped_size=(\d+)/, (_, size) => `unmapped_size=${change(Number(size))}`);
      return { lines: trace.lines.with(life.unmap, other), ...about(life) };
    });

/** Two mappings of one page lead to the memory of each other. */
export const swapPhysical: Corruption = (trace, choices) => {
  const single = trace.lives.filter((life) => namesOf(trace, life) !== undefined);
  return anyOf(choices, single, (life) => {
    const [one = 0, other] = [life.maps[0], single.find(({ maps }) => (maps[0] ?? 0) > (life.maps[0] ?? 0))];
    const two = other?.maps[0];
    if (other === undefined || two === undefined) return undefined;
    const paddr = (at: number): string => /paddr=\w+/.exec(atLine(trace, at))?.[0] ?? '';
    if (paddr(one) === paddr(two)) return undefined;
    const lines = trace.lines
      .with(one, atLine(trace, one).replace(paddr(one), paddr(two)))
      .with(two, atLine(trace, two).replace(paddr(two), paddr(one)));
    const [a, b] = [about(life), about(other)];
    return { lines, iovas: new Set([...a.iovas, ...b.iovas]), pfns: new Set([...a.pfns, ...b.pfns]) };
  });
};

/** Indexes of events of a kind. */
const ofKind = ({ events }: Reading, kind: EventKind): readonly number[] =>
  [...events.keys()].filter((at) => events[at]?.kind === kind);

/** One line of a kind, in other words. */
function reword(kind: EventKind, words: (line: string, event: TraceEvent) => string): Corruption {
  return (trace, choices) =>
    anyOf(choices, ofKind(trace, kind), (at) => {
      const [line, event] = [atLine(trace, at), trace.events[at]];
      const other = event === undefined ? line : words(line, event);
      if (other === line) return undefined;
      const iovas = new Set(event !== undefined && 'dma' in event ? [Math.floor(event.dma / PAGE)] : []);
      return { lines: trace.lines.with(at, other), ...NOTHING, iovas };
    });
}

const OTHERS: Readonly<Record<Direction, Direction>> = {
  BIDIRECTIONAL: 'TO_DEVICE',
  TO_DEVICE: 'FROM_DEVICE',
  FROM_DEVICE: 'TO_DEVICE',
  NONE: 'TO_DEVICE',
};

/** A driver unmaps with another direction than it mapped. */
export const unmapDirection = reword('dma-unmap', (line, event) =>
  'direction' in event ? line.replace(`dir=${event.direction}`, `dir=${OTHERS[event.direction]}`) : line,
);

/** A driver unmaps another size than it mapped, within the same page. */
export const unmapSize = reword('dma-unmap', (line) =>
  line.replace(/ size=(\d+)/, (_, size) => ` size=${Math.ceil(Number(size) / 2)}`),
);

/** A page is freed again a millisecond later: no mapping is concerned. */
export const freeTwice: Corruption = (trace, choices) =>
  anyOf(choices, ofKind(trace, 'page-free'), (at) => {
    const line = atLine(trace, at);
    return { lines: withLines(trace.lines, [retimed(line, microsOf(line) + 1)]), ...NOTHING };
  });

/** Only the lines from a random one on. */
export const truncateStart: Corruption = ({ lines }, choices) => ({
  ...NOTHING,
  lines: lines.slice(choices.below(lines.length)),
});

/** Only the lines up to a random one. A last line without an end never reaches the checker: its reader drops it. */
export const truncateEnd: Corruption = ({ lines }, choices) => ({
  ...NOTHING,
  lines: lines.slice(0, choices.below(lines.length)),
});

/** Some lines are there two or three times, one after the other. */
export const duplicateLines: Corruption = ({ lines }, choices) => ({
  ...NOTHING,
  lines: lines.flatMap((line) =>
    isEvent(line) && choices.below(20) === 0 ? Array<string>(2 + choices.below(2)).fill(line) : [line],
  ),
});

/** Each line up to `far` lines away from where it was, with its time. */
export const reorderLines =
  (far: number): Corruption =>
  ({ lines }, choices) => ({
    ...NOTHING,
    lines: [...lines.entries()]
      .map(([at, line]) => ({ line, place: isEvent(line) ? at + choices.below(far + 1) : at }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ line }) => line),
  });

/** Random bytes over a random part of some lines, and lines of random bytes between others. */
export const garbage: Corruption = ({ lines }, choices) => {
  const noise = (length: number): string =>
    Array.from({ length }, () => String.fromCharCode(choices.below(256)))
      .join('')
      .replaceAll('\n', ' ');
  return {
    ...NOTHING,
    lines: lines.flatMap((line) => {
      if (!isEvent(line) || choices.below(30) > 0) return [line];
      if (choices.below(2) === 0) return [line, noise(choices.below(200))];
      const at = choices.below(line.length);
      return [line.slice(0, at) + noise(1 + choices.below(20)) + line.slice(at + choices.below(20))];
    }),
  };
};

/** Up to `most` events of one CPU are missing; where it is `said`, its next event has a line before it that tells. */
export const loseEvents =
  (most: number, said: boolean): Corruption =>
  (trace, choices) =>
    anyOf(choices, [...trace.lines.keys()], (first) => {
      const { lines, events } = trace;
      const cpu = events[first]?.cpu;
      const own = [...lines.keys()].filter((at) => at >= first && events[at]?.cpu === cpu);
      const lost = own.slice(0, 1 + choices.below(most));
      const next = own[lost.length];
      if (cpu === undefined || next === undefined) return undefined;
      const notice = `CPU:${cpu} [LOST ${lost.length} EVENTS]`;
      const marked = said ? lines.with(next, `${notice}\n${lines[next] ?? ''}`) : lines;
      return { ...NOTHING, lines: without(marked, lost).flatMap((line) => line.split('\n')) };
    });

const isEvent = (line: string): boolean => line !== '' && !line.startsWith('#');
