/** The page: what the trace can show, the timeline, and what was found. */
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ToldReport } from '../traces/told.ts';
import { Clock } from './clock.ts';
import { Distribution } from './distribution.tsx';
import { FindingList } from './finding-list.tsx';
import { Head } from './head.tsx';
import { markedBy } from './marks.ts';
import { sceneOf } from './scene.ts';
import { SpaceTable } from './space-table.tsx';
import { TimelineView } from './timeline-view.tsx';

export function App({ reports }: { readonly reports: readonly ToldReport[] }): VNode {
  const [at, setAt] = useState(0);
  const told = reports[at];
  return (
    <>
      {reports.length > 1 && (
        <label class="files">
          Trace{' '}
          <select onChange={(event) => setAt(event.currentTarget.selectedIndex)}>
            {reports.map(({ report }) => (
              <option>{report.source.file}</option>
            ))}
          </select>
        </label>
      )}
      {told === undefined ? <p>No trace.</p> : <Report key={at} told={told} />}
    </>
  );
}

function Report({ told }: { readonly told: ToldReport }): VNode {
  const { report } = told;
  const clock = new Clock(report.source);
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const scene = useMemo(() => {
    const { first = 0, last = first } = report.source;
    return sceneOf(report.timeline, first, last, report.sight.lost.gaps);
  }, [report]);
  const finding = chosen === undefined ? undefined : report.findings[chosen];
  const marked = useMemo(
    () => (finding === undefined ? undefined : markedBy(finding, report, scene)),
    [finding, report, scene],
  );
  const step = (by: number): void => {
    const last = report.findings.length - 1;
    if (last >= 0) setChosen(chosen === undefined ? 0 : Math.min(Math.max(chosen + by, 0), last));
  };
  return (
    <>
      <Head told={told} />
      <main>
        <TimelineView
          report={report}
          scene={scene}
          marked={marked}
          onStep={step}
          onClear={() => setChosen(undefined)}
        />
        <aside aria-label="Findings and figures">
          <FindingList report={report} chosen={chosen} onChoose={setChosen} />
          <Distribution title="Sizes of mappings" histogram={report.distributions.sizes} clock={clock} />
          <Distribution
            title="Lifetimes of mappings"
            histogram={report.distributions.lifetimes}
            clock={clock}
          />
          <SpaceTable spaces={told.spaces} />
        </aside>
      </main>
    </>
  );
}
