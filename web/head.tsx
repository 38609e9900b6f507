/** What comes first: what the trace can show and what not, and how much of it was seen. */
import type { VNode } from 'preact';
import { CONFIDENCES } from '../traces/finding.ts';
import type { Fact, ToldReport } from '../traces/told.ts';
import { count } from './text.ts';

/** Long, and not what one looks for first. */
const FOLDED: ReadonlySet<string> = new Set(['events', 'not read', 'tolerated']);

export function Head({ told }: { readonly told: ToldReport }): VNode {
  const { report, source, sight, coverage } = told;
  return (
    <header>
      <h1>
        {report.source.file} <small>ionclad check-trace</small>
      </h1>
      <p>
        {CONFIDENCES.map((confidence) => (
          <span key={confidence} class={report.totals[confidence] > 0 ? `tag ${confidence}` : 'tag none'}>
            {count(report.totals[confidence])} {confidence}
          </span>
        ))}{' '}
        {source}
      </p>
      <Facts facts={[...sight.filter(([name]) => !FOLDED.has(name)), ...coverage]} />
      <details>
        <summary>Events that were read, and what was put up with</summary>
        <Facts facts={sight.filter(([name]) => FOLDED.has(name))} />
      </details>
    </header>
  );
}

function Facts({ facts }: { readonly facts: readonly Fact[] }): VNode {
  return (
    <dl>
      {facts.map(([name, ...sentences]) => (
        <>
          <dt>{name}</dt>
          <dd>{sentences.join('; ')}</dd>
        </>
      ))}
    </dl>
  );
}
