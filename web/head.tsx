/** What comes first: what the trace can show and what not, and how much of it was seen. */
import type { VNode } from 'preact';
import type { TraceReport } from '../traces/report.ts';
import { Clock } from './clock.ts';
import { count, many, percent } from './text.ts';

export function Head({ report }: { readonly report: TraceReport }): VNode {
  const { source, sight, totals, coverage } = report;
  const { first, last, file, format, lines, events, cpus } = source;
  return (
    <header>
      <h1>
        {file} <small>ionclad check-trace</small>
      </h1>
      <p class="verdict">
        {(['certain', 'likely', 'possible'] as const).map((confidence) => (
          <span key={confidence} class={totals[confidence] > 0 ? `tag ${confidence}` : 'tag none'}>
            {count(totals[confidence])} {confidence}
          </span>
        ))}{' '}
        {format}, {many(lines, 'line')}, {many(events, 'event')}
        {first !== undefined && last !== undefined && `, ${new Clock(source).lasting(last - first)}`} on{' '}
        {many(cpus, 'CPU')}; {sight.mode === 'unknown' ? 'strict or lazy is unknown' : sight.mode} (
        {sight.modeReason})
      </p>
      <p>
        {count(coverage.died)} of {many(coverage.born, 'mapping')} seen from birth to death (
        {percent(coverage.died, coverage.born)}), {count(coverage.alive)} alive at the end,{' '}
        {many(coverage.unknownDeaths, 'unmap')} of what was mapped before
      </p>
      {sight.blind.length > 0 && (
        <details open>
          <summary>What this trace cannot show</summary>
          <ul>
            {sight.blind.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>
          {many(sight.seen.length, 'kind')} of events seen, {count(sight.unknown.length)} unknown
        </summary>
        <p>{[...sight.seen, ...sight.unknown].map(([name, some]) => `${name} ${count(some)}`).join(', ')}</p>
        {report.tolerances.length > 0 && (
          <ul>
            {report.tolerances.map((tolerance) => (
              <li key={tolerance.name}>
                {count(tolerance.count)} × {tolerance.text}, first in line {count(tolerance.firstLine)}
              </li>
            ))}
          </ul>
        )}
      </details>
    </header>
  );
}
