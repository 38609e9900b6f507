/** The panels of the timeline with their keys and buttons, and what is pointed at in words. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceReport } from '../traces/report.ts';
import { Clock } from './clock.ts';
import { Details } from './details.tsx';
import { type Command, commandOf } from './keys.ts';
import type { Marked } from './marks.ts';
import { type PlotName, Plots } from './plots.ts';
import { type Box, neighbour, type Scene } from './scene.ts';
import { columnsOf } from './series.ts';
import { count, many } from './text.ts';
import { Finder, Legend, Tools } from './tools.tsx';

interface Props {
  readonly report: TraceReport;
  readonly scene: Scene;
  readonly marked: Marked | undefined;
  /** The finding that comes so many after the one that is looked at. */
  readonly onStep: (by: number) => void;
  readonly onClear: () => void;
}

const PLOTS: readonly { readonly name: PlotName; readonly label: string }[] = [
  { name: 'mappings', label: 'Mappings by I/O address' },
  { name: 'pages', label: 'Pages by frame number' },
  { name: 'live', label: 'Live mappings and bytes' },
];

export function TimelineView({ report, scene, marked, onStep, onClear }: Props): VNode {
  const places = useRef(new Map<PlotName, HTMLElement>());
  const plots = useRef<Plots | undefined>(undefined);
  const [hovered, setHovered] = useState<Box | undefined>(undefined);
  const [picked, setPicked] = useState<Box | undefined>(undefined);
  const shown = PLOTS.filter(({ name }) => name === 'live' || scene[name].boxes.length > 0);

  useEffect(() => {
    const clock = new Clock(report.source);
    const { live, liveBytes } = report.distributions;
    const columns = columnsOf([live, liveBytes], clock.first, scene.end);
    const made = new Plots(places.current, scene, columns, clock, { hover: setHovered, pick: setPicked });
    plots.current = made;
    const stop = watchPage(places.current, made);
    return () => {
      stop();
      made.destroy();
    };
  }, [report, scene]);
  useEffect(() => plots.current?.mark(marked), [marked]);
  useEffect(() => plots.current?.pick(picked), [picked]);

  const act = (command: Command): void => {
    if (command === 'next-finding') onStep(1);
    else if (command === 'previous-finding') onStep(-1);
    else if (command === 'next-mapping') setPicked(neighbour(scene, picked, 1));
    else if (command === 'previous-mapping') setPicked(neighbour(scene, picked, -1));
    else if (command === 'clear') {
      setPicked(undefined);
      onClear();
    } else if (plots.current !== undefined) MOVES[command](plots.current);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const command = commandOf(event);
      if (command === undefined) return;
      event.preventDefault();
      act(command);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });

  const { bars, barsSeen } = report.timeline;
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="tools">
        <Tools act={act} />
        <Finder
          bars={report.timeline.bars}
          onPick={(at) => setPicked(scene.mappings.boxes.find(({ bar }) => bar === at))}
        />
        <Legend isLossy={scene.gaps.length > 0} />
        {bars.length < barsSeen && (
          <span>
            {count(bars.length)} of {many(barsSeen, 'mapping')} shown
          </span>
        )}
      </div>
      {shown.map(({ name, label }) => (
        <figure key={name} class={name}>
          <figcaption>{label}</figcaption>
          <div
            ref={(place) => {
              if (place !== null) places.current.set(name, place);
            }}
          />
        </figure>
      ))}
      <Details report={report} box={hovered ?? picked} />
    </section>
  );
}

const MOVES: Readonly<
  Record<
    'in' | 'out' | 'earlier' | 'later' | 'up' | 'down' | 'rows-in' | 'rows-out' | 'whole' | 'to-picked',
    (plots: Plots) => void
  >
> = {
  in: (plots) => plots.zoom(1 / 1.5),
  out: (plots) => plots.zoom(1.5),
  earlier: (plots) => plots.move(-0.2),
  later: (plots) => plots.move(0.2),
  up: (plots) => plots.moveRows(0.2),
  down: (plots) => plots.moveRows(-0.2),
  'rows-in': (plots) => plots.zoomRows(1 / 1.5),
  'rows-out': (plots) => plots.zoomRows(1.5),
  whole: (plots) => plots.whole(),
  'to-picked': (plots) => plots.toPicked(),
};

/** Follows the size of the page, its colours, and paper. */
function watchPage(places: ReadonlyMap<PlotName, HTMLElement>, plots: Plots): () => void {
  const refit = (): void => {
    for (const [name, place] of places) plots.resize(name, place);
  };
  const sizes = new ResizeObserver(refit);
  for (const place of places.values()) sizes.observe(place);
  const onColours = (): void => {
    plots.recolour();
    refit();
  };
  const media = ['(prefers-color-scheme: dark)', 'print'].map((query) => matchMedia(query));
  for (const query of media) query.addEventListener('change', onColours);
  return () => {
    sizes.disconnect();
    for (const query of media) query.removeEventListener('change', onColours);
  };
}
