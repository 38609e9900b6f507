/** The page: what the trace can show, the timeline, and what was found. */
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { TraceReport } from '../traces/report.ts';
import { Clock } from './clock.ts';
import { Distribution } from './distribution.tsx';
import { FindingList } from './finding-list.tsx';
import { Head } from './head.tsx';
import { markedBy } from './marks.ts';
import { sceneOf } from './scene.ts';
import { TimelineView } from './timeline-view.tsx';

export function App({ reports }: { readonly reports: readonly TraceReport[] }): VNode {
  const [at, setAt] = useState(0);
  const report = reports[at];
  return (
    <>
      {reports.length > 1 && (
        <label class="files">
          Trace{' '}
          <select onChange={(event) => setAt(event.currentTarget.selectedIndex)}>
            {reports.map(({ source }) => (
              <option>{source.file}</option>
            ))}
          </select>
        </label>
      )}
      {report === undefined ? <p>No trace.</p> : <Report key={at} report={report} />}
    </>
  );
}

function Report({ report }: { readonly report: TraceReport }): VNode {
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
      <Head report={report} />
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
        </aside>
      </main>
    </>
  );
}
