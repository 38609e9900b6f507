/** What is pointed at or was picked, in words. */
import type { VNode } from 'preact';
import { PAGE } from '../traces/mapping.ts';
import type { Bar, PageBar, TraceReport } from '../traces/report.ts';
import { hex, size as sizeText } from '../traces/say.ts';
import { Clock } from './clock.ts';
import type { Box } from './scene.ts';
import { count, many } from './text.ts';

interface Props {
  readonly report: TraceReport;
  readonly box: Box | undefined;
}

export function Details({ report, box }: Props): VNode {
  const { bars, pages } = report.timeline;
  const clock = new Clock(report.source);
  const bar = box?.bar === undefined ? undefined : bars[box.bar];
  const page = box?.page === undefined ? undefined : pages[box.page];
  return (
    <div class="details" aria-live="polite">
      {box?.style === 'free-while-mapped' && (
        <p>
          <span class="tag certain">free while mapped</span> for {clock.lasting(box.end - box.begin)}, as far
          as the events shown tell
        </p>
      )}
      {bar !== undefined && <MappingDetails bar={bar} clock={clock} last={report.source.last ?? bar.from} />}
      {page !== undefined && <PageDetails page={page} clock={clock} />}
      {bar === undefined && page === undefined && (
        <p>Point at a bar, or press ] to go through the mappings.</p>
      )}
    </div>
  );
}

interface MappingProps {
  readonly bar: Bar;
  readonly clock: Clock;
  /** Time of the trace's last event. */
  readonly last: number;
}

function MappingDetails({ bar, clock, last }: MappingProps): VNode {
  const { iova, paddr, size, space, from, to, line, endLine, task, pid } = bar;
  return (
    <p>
      <strong>
        {hex(iova)}–{hex(iova + size - 1)}
      </strong>{' '}
      {space !== undefined && `of ${space} `}→{' '}
      {paddr === undefined ? 'memory that is not told' : `physical ${hex(paddr)}`}, {sizeText(size)}; mapped
      by {task}-{pid} at {clock.moment(from)}
      {inLine(line)},{' '}
      {to === undefined
        ? `not unmapped in the ${clock.lasting(last - from)} until the end`
        : `unmapped after ${clock.lasting(to - from)} at ${clock.moment(to)}${inLine(endLine)}`}
    </p>
  );
}

function PageDetails({ page, clock }: { readonly page: PageBar; readonly clock: Clock }): VNode {
  const { pfn, count: pages, from, to, line, endLine } = page;
  const at = (time: number | undefined, where: number | undefined): string =>
    time === undefined ? 'not seen' : `at ${clock.moment(time)}${inLine(where)}`;
  return (
    <p>
      <strong>frame {hex(pfn)}</strong> {many(pages, 'page')} from physical {hex(pfn * PAGE)}; allocated{' '}
      {at(from, line)}; freed {at(to, endLine)}
      {from !== undefined && to !== undefined && `; lived ${clock.lasting(to - from)}`}
    </p>
  );
}

const inLine = (line: number | undefined): string => (line === undefined ? '' : `, line ${count(line)}`);
