/** What is pointed at or was picked, in words. */
import type { VNode } from 'preact';
import { PAGE } from '../traces/mapping.ts';
import type { Bar, PageBar, TraceReport } from '../traces/report.ts';
import type { Box } from './scene.ts';
import { bytes, count, duration, hex, many, moment } from './text.ts';

interface Props {
  readonly report: TraceReport;
  readonly box: Box | undefined;
}

export function Details({ report, box }: Props): VNode {
  const { bars, pages } = report.timeline;
  const { first = 0 } = report.source;
  const bar = box?.bar === undefined ? undefined : bars[box.bar];
  const page = box?.page === undefined ? undefined : pages[box.page];
  return (
    <div class="details" aria-live="polite">
      {box?.style === 'free-while-mapped' && (
        <p>
          <span class="tag certain">free while mapped</span> for {duration(box.end - box.begin)}, as far as
          the events shown tell
        </p>
      )}
      {bar !== undefined && <MappingDetails bar={bar} report={report} />}
      {page !== undefined && <PageDetails page={page} first={first} />}
      {bar === undefined && page === undefined && (
        <p>Point at a bar, or press ] to go through the mappings.</p>
      )}
    </div>
  );
}

function MappingDetails({ bar, report }: { readonly bar: Bar; readonly report: TraceReport }): VNode {
  const { iova, paddr, size, space, from, to, line, endLine, task, pid } = bar;
  const { first = 0, last = from } = report.source;
  return (
    <p>
      <strong>
        {hex(iova)}–{hex(iova + size - 1)}
      </strong>{' '}
      {space !== undefined && `of ${space} `}→ physical {hex(paddr)}, {bytes(size)}; mapped by {task}-{pid} at{' '}
      {moment(from, first)}
      {inLine(line)},{' '}
      {to === undefined
        ? `not unmapped in the ${duration(last - from)} until the end`
        : `unmapped after ${duration(to - from)} at ${moment(to, first)}${inLine(endLine)}`}
    </p>
  );
}

function PageDetails({ page, first }: { readonly page: PageBar; readonly first: number }): VNode {
  const { pfn, count: pages, from, to, line, endLine } = page;
  const at = (time: number | undefined, where: number | undefined): string =>
    time === undefined ? 'not seen' : `at ${moment(time, first)}${inLine(where)}`;
  return (
    <p>
      <strong>frame {hex(pfn)}</strong> {many(pages, 'page')} from physical {hex(pfn * PAGE)}; allocated{' '}
      {at(from, line)}; freed {at(to, endLine)}
      {from !== undefined && to !== undefined && `; lived ${duration(to - from)}`}
    </p>
  );
}

const inLine = (line: number | undefined): string => (line === undefined ? '' : `, line ${count(line)}`);
