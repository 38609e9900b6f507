/** What comes first: what the trace can show and what not, and how much of it was seen. */
import type { VNode } from 'preact';
import { CONFIDENCES } from '../traces/finding.ts';
import type { Lost, Sight, TraceReport } from '../traces/report.ts';
import { Clock } from './clock.ts';
import { count, many, percent } from './text.ts';

export function Head({ report }: { readonly report: TraceReport }): VNode {
  const { source, sight, totals, tolerances } = report;
  return (
    <header>
      <h1>
        {source.file} <small>ionclad check-trace</small>
      </h1>
      <p>
        {CONFIDENCES.map((confidence) => (
          <span key={confidence} class={totals[confidence] > 0 ? `tag ${confidence}` : 'tag none'}>
            {count(totals[confidence])} {confidence}
          </span>
        ))}{' '}
        {sight.verdict}
      </p>
      <p>{[...sizeOf(report), ...sight.start, ...lossOf(sight.lost)].join('; ')}</p>
      <p>{coverageOf(report).join('; ')}</p>
      {source.early !== undefined && <p>The end was not reached: {source.early}</p>}
      {sight.blind.length > 0 && <Blind sight={sight} />}
      <details>
        <summary>
          {many(sight.seen.length, 'kind')} of events known, {count(sight.unknown.length)} unknown,{' '}
          {count(tolerances.reduce((sum, tolerance) => sum + tolerance.count, 0))} times something was put up
          with
        </summary>
        <p>{sight.seen.map(([name, some]) => `${name} ${count(some)}`).join(', ')}</p>
        {sight.unknown.length > 0 && (
          <p>Unknown: {sight.unknown.map(([name, some]) => `${name} ${count(some)}`).join(', ')}</p>
        )}
        <ul>
          {tolerances.map((tolerance) => (
            <li key={tolerance.name}>
              {count(tolerance.count)} × {tolerance.text}, first in line {count(tolerance.firstLine)}
            </li>
          ))}
        </ul>
      </details>
    </header>
  );
}

function Blind({ sight }: { readonly sight: Sight }): VNode {
  return (
    <details open>
      <summary>What this trace cannot show</summary>
      <ul>
        {sight.blind.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p>
        To see that: <code>trace-cmd record{sight.enable.map((event) => ` -e ${event}`)}</code>
      </p>
    </details>
  );
}

function sizeOf({ source, sight }: TraceReport): string[] {
  const { first, last, format, lines, events, cpus, ticks } = source;
  const clock = new Clock(source);
  const long = first === undefined || last === undefined ? '' : ` in ${clock.lasting(last - first)}`;
  const mode = sight.mode === 'unknown' ? 'strict or lazy is unknown' : sight.mode;
  return [
    `${format}, ${many(lines, 'line')}, ${many(events, 'event')}${long} on ${many(cpus, 'CPU')}`,
    `${mode} (${sight.modeReason})`,
    ...(ticks ? ['its clock counts no seconds'] : []),
  ];
}

function lossOf({ events, places, uncounted }: Lost): string[] {
  if (places === 0) return ['the tool says of no event that it was lost'];
  const more = uncounted === 0 ? '' : `, of ${count(uncounted)} it is not said how many`;
  return [`${many(events, 'event')} lost in ${many(places, 'place')}${more}`];
}

function coverageOf({ coverage }: TraceReport): string[] {
  const { born, died, alive, unknownDeaths, named, pagesWhole, pagesPart } = coverage;
  return [
    `${count(died)} of ${many(born, 'mapping')} seen from birth to death (${percent(died, born)})`,
    `${count(alive)} alive at the end`,
    `${many(unknownDeaths, 'unmap')} of what was mapped unseen`,
    `a device is named for ${count(named)}`,
    `of pages ${count(pagesWhole)} lives are known from allocation to free, ${count(pagesPart)} in part`,
  ];
}
