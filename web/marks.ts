/** Where the events of a finding are on the timeline. */
import type { TraceEvent } from '../traces/event.ts';
import type { TraceFinding } from '../traces/finding.ts';
import type { TraceReport } from '../traces/report.ts';
import type { Stripe } from './rows.ts';
import { frameSpan, ioSpan, type Scene } from './scene.ts';

/** An event of the finding that is looked at; numbered as in its list. */
export interface Mark {
  readonly number: number;
  /** Nanoseconds from the first event. */
  readonly time: number;
}

/** What of the timeline belongs to a finding. */
export interface Marked {
  readonly marks: readonly Mark[];
  /** Bars whose own events are among those of the finding, by index. */
  readonly bars: ReadonlySet<number>;
  /** Rows of the panels that it is about. */
  readonly mappings: readonly Stripe[];
  readonly pages: readonly Stripe[];
}

export function markedBy({ evidence, subject }: TraceFinding, report: TraceReport, scene: Scene): Marked {
  const { bars } = report.timeline;
  const lines = new Set(evidence.map(({ event }) => event.line));
  const own = new Set(
    bars.flatMap((bar, at) => (lines.has(bar.line) || lines.has(bar.endLine ?? 0) ? [at] : [])),
  );
  const { iova, size = 1, pfn } = subject;
  const all = new Set(bars.map(({ space = '' }) => space));
  const named = subject.space ?? subject.device ?? '';
  const spaces = all.has(named) ? [named] : all;
  const about = iova === undefined ? [] : [...spaces].map((space) => ({ space, iova, size }));
  const ranges = own.size > 0 ? bars.filter((_, at) => own.has(at)) : about;
  const frames = pfn === undefined ? evidence.flatMap(({ event }) => framesOf(event)) : [pfn];
  return {
    marks: evidence.map(({ event }, at) => ({
      number: at + 1,
      time: event.time - (report.source.first ?? 0),
    })),
    bars: own,
    mappings: ranges.flatMap((range) => scene.mappings.rows.stripes(ioSpan(range))),
    pages: frames.flatMap((frame) => scene.pages.rows.stripes(frameSpan(frame, 1))),
  };
}

const framesOf = (event: TraceEvent): number[] =>
  event.kind === 'page-alloc' || event.kind === 'page-free' ? [event.pfn] : [];
