/** What the timeline shows: everything in a short trace, of a long one a sample, and always what findings name. */
import type { EventOf, TraceEvent } from '../event.ts';
import type { TraceFinding } from '../finding.ts';
import type { Life } from '../mapping.ts';
import type { Bar, PageBar, Timeline } from '../report.ts';
import { PageSample } from './page-sample.ts';

export const BARS_MAX = 20_000;

export class TimelineSample {
  readonly #pages = new PageSample();
  #lives: Life[] = [];
  /** Mappings whose number is a multiple of it are shown. */
  #step = 1;
  #seen = 0;
  /** Some are ranges of drivers, which no event of an IOMMU shows. */
  #ofDrivers = false;

  on(event: TraceEvent): void {
    if (event.kind === 'page-alloc') this.#pages.allocated(event);
    else if (event.kind === 'page-free') this.#pages.freed(event);
  }

  born(life: Life): void {
    this.#pages.mapped(life);
    if (this.#seen % this.#step === 0) this.#lives.push(life);
    this.#seen += 1;
    if (life.born.kind !== 'map') this.#ofDrivers = true;
    if (this.#lives.length <= BARS_MAX) return;
    this.#step *= 2;
    this.#lives = this.#lives.filter((_, at) => at % 2 === 0);
  }

  /** @param pagesSeen - lives of pages in the trace */
  timeline(findings: readonly TraceFinding[], pagesSeen: number): Timeline {
    const bars = this.#lives.map(barOf);
    const pages = [...this.#pages.bars];
    const shown = new Set(bars.map(({ line }) => line));
    const ends = new Set(pages.flatMap(({ line, endLine }) => [line, endLine]));
    for (const { evidence } of findings) {
      const events = evidence.map(({ event }) => event);
      for (const bar of [...namedBars(events), ...(this.#ofDrivers ? driverBars(events) : [])]) {
        if (!shown.has(bar.line)) bars.push(bar);
        shown.add(bar.line);
      }
      for (const { event } of evidence) {
        const page = pageOf(event);
        if (page === undefined || ends.has(event.line)) continue;
        ends.add(event.line);
        pages.push(page);
      }
    }
    const byLine = linesOf(findings);
    return {
      bars: bars.map((bar) => marked(bar, byLine)),
      pages: pages.map((page) => marked(page, byLine)),
      ...{ barsSeen: this.#seen, pagesSeen },
    };
  }
}

function barOf({ iova, paddr, size, space, born, died }: Life): Bar {
  const { time: from, line, task, pid } = born;
  const bar: { -readonly [K in keyof Bar]: Bar[K] } = {
    iova,
    ...(paddr === undefined ? {} : { paddr }),
    ...{ size, from, line, task, pid },
  };
  if (space !== undefined) bar.space = space;
  if (died !== undefined) {
    bar.to = died.time;
    bar.endLine = died.line;
  }
  return bar;
}

/** The mappings that are told by evidence alone: each lives until its unmap, as far as that is evidence too. */
function namedBars(events: readonly TraceEvent[]): readonly Bar[] {
  const maps = events.filter((event): event is EventOf<'map'> => event.kind === 'map');
  return maps.map((born) => {
    const died = events.find(
      ({ kind, line, ...rest }) =>
        kind === 'unmap' && line > born.line && 'iova' in rest && rest.iova === born.iova,
    );
    const { iova, paddr, size, device: space } = born;
    return barOf({ iova, paddr, size, space, born, died });
  });
}

/** The same of drivers' calls that map one range. */
function driverBars(events: readonly TraceEvent[]): readonly Bar[] {
  const maps = events.filter((event): event is EventOf<'dma-map'> => event.kind === 'dma-map');
  return maps.map((born) => {
    const died = events.find(({ kind, line }) => kind === 'dma-unmap' && line > born.line);
    const { dma: iova, phys: paddr, size, device: space } = born;
    return barOf({ iova, paddr, size, space, born, died });
  });
}

function pageOf(event: TraceEvent): PageBar | undefined {
  if (event.kind !== 'page-alloc' && event.kind !== 'page-free') return undefined;
  const { pfn, order, time, line } = event;
  const ends = event.kind === 'page-alloc' ? { from: time, line } : { to: time, endLine: line };
  return { pfn, count: 2 ** order, ...ends, alone: true };
}

/** Findings by the lines of their evidence. */
function linesOf(findings: readonly TraceFinding[]): ReadonlyMap<number, readonly number[]> {
  const byLine = new Map<number, number[]>();
  for (const [at, { evidence }] of findings.entries())
    for (const { event } of evidence) byLine.set(event.line, [...(byLine.get(event.line) ?? []), at]);
  return byLine;
}

interface Ends {
  readonly line?: number;
  readonly endLine?: number;
}

function marked<B extends Ends>(bar: B, byLine: ReadonlyMap<number, readonly number[]>): B {
  const { line = 0, endLine = 0 } = bar;
  const findings = [...new Set([...(byLine.get(line) ?? []), ...(byLine.get(endLine) ?? [])])];
  return findings.length === 0 ? bar : { ...bar, findings: findings.toSorted((a, b) => a - b) };
}
