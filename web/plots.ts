/** The panels above one another, with one time for all of them: what is seen, and what is pointed at. */
import uPlot from 'uplot';
import { hex, size } from '../traces/say.ts';
import type { Clock } from './clock.ts';
import { NAME_WIDTH, Painter } from './draw.ts';
import type { Marked } from './marks.ts';
import type { Stripe } from './rows.ts';
import { type Box, boxAt, type Panel, type Scene, sameIn } from './scene.ts';
import { count } from './text.ts';
import { type Theme, themeOf } from './theme.ts';
import { around, moved, type View, zoomed } from './view.ts';

const LANES = ['mappings', 'pages'] as const;
export type LanesName = (typeof LANES)[number];
export type PlotName = LanesName | 'live';

export interface PlotListener {
  /** What is under the pointer now. */
  hover(box: Box | undefined): void;
  pick(box: Box | undefined): void;
}

/** Nearest that one can look: a hundred nanoseconds, four rows. */
const TIME_LEAST = 100;
const ROWS_LEAST = 4;
/** Fewer rows than this do not fill a panel. */
const ROWS_WHOLE = 12;
const LABEL_HEIGHT = 18;
const AXIS_WIDTH = 104;
const SIDE_WIDTH = NAME_WIDTH + 14;
const LEGEND_HEIGHT = 26;
/** Steps of axes of time and of mappings, and of one of bytes. */
const COUNTS = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((each) => each * 10 ** power)).flat();
const POWERS = Array.from({ length: 53 }, (_, power) => 2 ** power);
/** Page pixels from a box that still hit it. */
const NEAR = 6;

const wholeRows = ({ rows }: Panel): View => ({ min: -0.5, max: Math.max(rows.height + 1.5, ROWS_WHOLE) });

export class Plots {
  readonly #scene: Scene;
  readonly #columns: readonly number[][];
  readonly #clock: Clock;
  readonly #listener: PlotListener;
  readonly #plots = new Map<PlotName, uPlot>();
  readonly #whole: View;
  #palette: Theme = themeOf();
  #marked: Marked | undefined;
  #picked: Box | undefined;
  /** The panel whose rows the keys move. */
  #active: LanesName = 'mappings';

  constructor(
    places: ReadonlyMap<PlotName, HTMLElement>,
    scene: Scene,
    columns: readonly number[][],
    clock: Clock,
    listener: PlotListener,
  ) {
    this.#scene = scene;
    this.#columns = columns;
    this.#clock = clock;
    this.#listener = listener;
    const margin = scene.end * 0.01;
    this.#whole = { min: -margin, max: scene.end + margin };
    for (const [name, place] of places) this.#add(name, place);
  }

  destroy(): void {
    for (const plot of this.#plots.values()) plot.destroy();
  }

  /** After a panel has got more or less room. */
  resize(name: PlotName, place: HTMLElement): void {
    this.#plots.get(name)?.setSize(sizeOf(name, place));
  }

  /** After the colours of the page have changed. */
  recolour(): void {
    this.#palette = themeOf();
    for (const plot of this.#plots.values()) plot.redraw(false, true);
  }

  /** Shows what belongs to a finding, and nothing of the finding before. */
  mark(marked: Marked | undefined): void {
    this.#marked = marked;
    if (marked !== undefined) {
      const times = marked.marks.map(({ time }) => time);
      if (times.length > 0) this.#see(around(times, this.#whole, this.#scene.end / 1000));
      for (const name of LANES) this.#showRows(name, marked[name]);
    }
    this.#redraw();
  }

  pick(box: Box | undefined): void {
    this.#picked = box;
    if (box !== undefined) this.#reveal(box);
    this.#redraw();
  }

  /** As near as what was picked fills half of the time that is seen. */
  toPicked(): void {
    const box = this.#picked;
    if (box === undefined) return;
    this.#see(around([box.begin, box.end], this.#whole, 2 * Math.max(box.end - box.begin, TIME_LEAST)));
    for (const name of LANES) this.#showRows(name, sameIn(this.#scene[name], box));
  }

  zoom(factor: number, at?: number): void {
    const time = this.#time;
    this.#see(zoomed(time, this.#whole, factor, at ?? (time.min + time.max) / 2, TIME_LEAST));
  }

  move(share: number): void {
    this.#see(moved(this.#time, this.#whole, share));
  }

  zoomRows(factor: number, name: LanesName = this.#active, at?: number): void {
    const rows = this.#rows(name);
    const whole = wholeRows(this.#scene[name]);
    this.#setRows(name, zoomed(rows, whole, factor, at ?? (rows.min + rows.max) / 2, ROWS_LEAST));
  }

  moveRows(share: number): void {
    this.#setRows(this.#active, moved(this.#rows(this.#active), wholeRows(this.#scene[this.#active]), share));
  }

  whole(): void {
    this.#see(this.#whole);
    for (const name of LANES) this.#setRows(name, wholeRows(this.#scene[name]));
  }

  get #time(): View {
    const [plot] = this.#plots.values();
    return viewOf(plot, 'x') ?? this.#whole;
  }

  #rows(name: LanesName): View {
    return viewOf(this.#plots.get(name), 'y') ?? wholeRows(this.#scene[name]);
  }

  #see({ min, max }: View): void {
    for (const plot of this.#plots.values()) plot.setScale('x', { min, max });
  }

  #showRows(name: LanesName, stripes: readonly Stripe[]): void {
    const rows = stripes.flatMap(({ from, to }) => [from, to]);
    if (rows.length > 0) this.#setRows(name, around(rows, wholeRows(this.#scene[name]), 2 * ROWS_WHOLE));
  }

  #setRows(name: LanesName, { min, max }: View): void {
    this.#plots.get(name)?.setScale('y', { min, max });
  }

  #redraw(): void {
    for (const plot of this.#plots.values()) plot.redraw(false, false);
  }

  /** Moves, without zooming, to where a box is. */
  #reveal(box: Box): void {
    const time = this.#time;
    const name = this.#panelOf(box);
    if (box.end < time.min || box.begin > time.max)
      this.#see(around([box.begin], this.#whole, time.max - time.min));
    const rows = this.#rows(name);
    if (box.to < rows.min || box.from > rows.max)
      this.#setRows(name, around([box.from], wholeRows(this.#scene[name]), rows.max - rows.min));
  }

  #panelOf(box: Box): LanesName {
    return this.#scene.mappings.boxes.includes(box) ? 'mappings' : 'pages';
  }

  #add(name: PlotName, place: HTMLElement): void {
    const isLanes = name !== 'live';
    const options: uPlot.Options = {
      ...sizeOf(name, place),
      legend: { show: !isLanes, live: true },
      padding: [8, isLanes ? SIDE_WIDTH : 0, 0, 0],
      cursor: {
        drag: { x: true, y: isLanes, uni: isLanes ? 30 : 1 },
        sync: { key: 'time', filters: { pub: (type) => type !== 'mousedown' && type !== 'mouseup' } },
        points: { show: !isLanes },
        y: isLanes,
        bind: { dblclick: () => () => this.#reset() },
      },
      ...(isLanes ? this.#lanes(name) : this.#figures()),
    };
    const data = isLanes ? this.#corners(name) : this.#columns;
    const plot = new uPlot(options, data as uPlot.AlignedData, place);
    this.#plots.set(name, plot);
    plot.over.addEventListener('wheel', (event) => this.#wheel(name, plot, event), { passive: false });
    plot.over.addEventListener('pointerdown', () => {
      if (isLanes) this.#active = name;
    });
    if (isLanes) plot.over.addEventListener('click', () => this.#listener.pick(this.#under(name, plot)));
  }

  /** What uPlot takes the whole from; boxes are drawn, not plotted. */
  #corners(name: LanesName): number[][] {
    const rows = wholeRows(this.#scene[name]);
    return [
      [0, this.#scene.end],
      [rows.min, rows.max],
    ];
  }

  /** A double click shows the whole again. */
  #reset(): null {
    this.whole();
    return null;
  }

  #lanes(name: LanesName): Partial<uPlot.Options> & Pick<uPlot.Options, 'series'> {
    const panel = this.#scene[name];
    const whole = wholeRows(panel);
    const labels = (row: number): string => {
      const span = panel.rows.at(row);
      return span === undefined ? '' : hex(span.start);
    };
    return {
      scales: { x: this.#timeScale(), y: { range: (_, min, max) => keep(whole, min, max) } },
      axes: [
        this.#timeAxis(name === 'mappings'),
        {
          ...this.#axis(),
          size: AXIS_WIDTH,
          grid: { show: false },
          splits: (plot, _, min, max) =>
            panel.rows.labelled({ from: min, to: max }, plot.bbox.height / uPlot.pxRatio / LABEL_HEIGHT),
          values: (_, splits) => splits.map(labels),
        },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [(plot) => this.#draw(name, plot)],
        setScale: [(plot, key) => this.#follow(plot, key)],
        setCursor: [(plot) => this.#hover(name, plot)],
      },
    };
  }

  /** Mappings and bytes that were live. */
  #figures(): Partial<uPlot.Options> & Pick<uPlot.Options, 'series'> {
    const paths = uPlot.paths.stepped?.({ align: 1 });
    const line = (label: string, colour: keyof Theme, scale: string, dash: number[]): uPlot.Series => ({
      ...{ label, scale, stroke: () => this.#palette[colour], width: 1.5, dash, points: { show: false } },
      ...(paths === undefined ? {} : { paths }),
      value: (_, value) => (value === null ? '' : scale === 'bytes' ? size(value) : count(value)),
    });
    return {
      scales: { x: this.#timeScale(), y: fromZero, bytes: fromZero },
      axes: [
        this.#timeAxis(true),
        { ...this.#axis(), size: AXIS_WIDTH, incrs: COUNTS, values: (_, splits) => splits.map(count) },
        {
          ...this.#axis(),
          ...{ scale: 'bytes', side: 1, size: SIDE_WIDTH, grid: { show: false }, incrs: POWERS },
          values: (_, splits) => splits.map(size),
        },
      ],
      series: [
        { label: 'time', value: (_, value) => (value === null ? '' : this.#clock.after(value)) },
        line('mappings live', 'count', 'y', []),
        line('bytes live', 'bytes', 'bytes', [6, 3]),
      ],
      hooks: {
        drawClear: [(plot) => this.#painter(plot, { min: 0, max: 1 }).gaps(this.#scene.gaps)],
        draw: [
          (plot) =>
            kept(plot, () => this.#painter(plot, { min: 0, max: 1 }).marks(this.#marked?.marks ?? [])),
        ],
        setScale: [(plot, key) => this.#follow(plot, key)],
      },
    };
  }

  #timeScale(): uPlot.Scale {
    return { time: false, range: (_, min, max) => keep(this.#whole, min, max) };
  }

  #timeAxis(isLabelled: boolean): uPlot.Axis {
    return {
      ...this.#axis(),
      space: 96,
      incrs: COUNTS,
      size: isLabelled ? 26 : 8,
      values: (_, splits, _axis, _space, step) =>
        splits.map((ns) => (isLabelled ? this.#clock.tick(ns, step) : '')),
    };
  }

  #axis(): uPlot.Axis {
    return {
      stroke: () => this.#palette.text,
      grid: { stroke: () => this.#palette.grid, width: 1 },
      ticks: { stroke: () => this.#palette.grid, width: 1, size: 5 },
      font: '11px system-ui, sans-serif',
    };
  }

  #painter(plot: uPlot, rows: View): Painter {
    const frame = { ...plot.bbox, ratio: uPlot.pxRatio };
    return new Painter(plot.ctx, frame, viewOf(plot, 'x') ?? this.#whole, rows, this.#palette);
  }

  #draw(name: LanesName, plot: uPlot): void {
    const { left, top, width, height } = plot.bbox;
    const { marks = [], bars = new Set<number>() } = this.#marked ?? {};
    const painter = this.#painter(plot, this.#rows(name));
    kept(plot, () => {
      plot.ctx.beginPath();
      plot.ctx.rect(left, top, width, height);
      plot.ctx.clip();
      painter.gaps(this.#scene.gaps);
      const stripes = this.#marked?.[name] ?? [];
      painter.panel(this.#scene[name], { marks, stripes, bars, picked: this.#picked });
      painter.marks(marks);
    });
    if (name === 'mappings') kept(plot, () => painter.names(this.#scene.mappings.rows.bands));
  }

  /** One panel was zoomed by dragging: the others show the same time. */
  #follow(plot: uPlot, key: string): void {
    if (key !== 'x') return;
    const view = viewOf(plot, 'x');
    for (const other of this.#plots.values()) {
      const its = viewOf(other, 'x');
      if (view !== undefined && (its?.min !== view.min || its.max !== view.max))
        other.setScale('x', { min: view.min, max: view.max });
    }
  }

  #hover(name: LanesName, plot: uPlot): void {
    // The cursors of the other panels follow in time only.
    if (plot.cursor.event !== undefined && plot.over.matches(':hover'))
      this.#listener.hover(this.#under(name, plot));
  }

  #under(name: LanesName, plot: uPlot): Box | undefined {
    const { left = -1, top = -1 } = plot.cursor;
    if (left < 0) return undefined;
    const near = plot.posToVal(NEAR, 'x') - plot.posToVal(0, 'x');
    return boxAt(this.#scene[name], plot.posToVal(left, 'x'), plot.posToVal(top, 'y'), near);
  }

  /** Time under the pointer stays there; with shift it moves, with alt the rows are zoomed. */
  #wheel(name: PlotName, plot: uPlot, event: WheelEvent): void {
    event.preventDefault();
    const { left = 0, top = 0 } = plot.cursor;
    const by = Math.sign(event.deltaY !== 0 ? event.deltaY : event.deltaX);
    if (event.shiftKey || event.deltaY === 0) this.move(0.15 * by);
    else if (event.altKey && name !== 'live') this.zoomRows(1.3 ** by, name, plot.posToVal(top, 'y'));
    else this.zoom(1.3 ** by, plot.posToVal(left, 'x'));
  }
}

const sizeOf = (name: PlotName, place: HTMLElement): Pick<uPlot.Options, 'width' | 'height'> => ({
  width: Math.max(place.clientWidth, 200),
  height: Math.max(place.clientHeight - (name === 'live' ? LEGEND_HEIGHT : 0), 80),
});

/** uPlot goes on with the pen as it was. */
function kept(plot: uPlot, draw: () => void): void {
  plot.ctx.save();
  draw();
  plot.ctx.restore();
}

function viewOf(plot: uPlot | undefined, key: string): View | undefined {
  const { min, max } = plot?.scales[key] ?? {};
  return min === undefined || max === undefined || min === null ? undefined : { min, max };
}

const keep = (whole: View, min: number | null, max: number | null): uPlot.Range.MinMax =>
  min === null || max === null || min >= max ? [whole.min, whole.max] : [min, max];

const fromZero: uPlot.Scale = { range: (_, _min, max) => [0, Math.max((max ?? 0) * 1.1, 1)] };
