/** What was found, the surest first. The chosen one shows its events, numbered as on the timeline. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ASSUMPTIONS, CHECKS } from '../traces/checks.ts';
import type { TraceFinding } from '../traces/finding.ts';
import type { TraceReport } from '../traces/report.ts';
import { writeBody } from '../traces/write.ts';
import { Clock } from './clock.ts';
import { count, many } from './text.ts';

interface Props {
  readonly report: TraceReport;
  readonly chosen: number | undefined;
  readonly onChoose: (at: number | undefined) => void;
}

export function FindingList({ report, chosen, onChoose }: Props): VNode {
  const { findings, totals } = report;
  const clock = new Clock(report.source);
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">
        Findings <small>{count(totals.certain + totals.likely + totals.possible)}</small>
      </h2>
      {findings.length === 0 && <p>Nothing was found. Above is what that is worth.</p>}
      <ol class="findings">
        {findings.map((finding, at) => (
          <Item
            key={at}
            finding={finding}
            clock={clock}
            isChosen={at === chosen}
            onChoose={() => onChoose(at === chosen ? undefined : at)}
          />
        ))}
      </ol>
    </section>
  );
}

interface ItemProps {
  readonly finding: TraceFinding;
  readonly clock: Clock;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function Item({ finding, clock, isChosen, onChoose }: ItemProps): VNode {
  const { check, confidence, text, more } = finding;
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) place.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  return (
    <li ref={place} class={isChosen ? 'chosen' : ''}>
      <button type="button" aria-expanded={isChosen} onClick={onChoose}>
        <span class={`tag ${confidence}`}>{confidence}</span> <strong>{check}</strong>
        {more > 0 && <small> and {count(more)} more</small>}
        <span class="what">{text}</span>
      </button>
      <div class={isChosen ? 'more' : 'more folded'}>
        <Reasons finding={finding} clock={clock} />
      </div>
    </li>
  );
}

function Reasons({ finding, clock }: { readonly finding: TraceFinding; readonly clock: Clock }): VNode {
  const { check, assumptions, evidence } = finding;
  const { invariant, text, source } = CHECKS[check];
  return (
    <>
      <ol class="events">
        {evidence.map(({ role, event }) => (
          <li key={`${event.line} ${role}`}>
            <span>{role}</span> at {clock.moment(event.time)}, line {count(event.line)}, CPU {event.cpu},{' '}
            {event.task}-{event.pid}
            <code>{writeBody(event)}</code>
          </li>
        ))}
      </ol>
      <p>
        What must hold ({invariant}): {text}. <small>{source}.</small>
      </p>
      {assumptions.length > 0 && (
        <>
          <p>Takes for granted {many(assumptions.length, 'thing')}:</p>
          <ul>
            {assumptions.map((name) => (
              <li key={name}>{ASSUMPTIONS[name]}</li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
