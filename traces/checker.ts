/** One trace, line by line, held against the specification. */
import { Census } from './census/census.ts';
import { DmaWatch } from './dma/dma-watch.ts';
import type { LostEvent, TraceEvent } from './event.ts';
import { Findings } from './findings.ts';
import { IommuWatch } from './iommu/iommu-watch.ts';
import { Losses } from './losses.ts';
import { type Disorder, Reorder } from './order.ts';
import { TraceParser } from './read/parse.ts';
import type { Mode, Sight, Source, TraceReport } from './report.ts';
import { sightOf } from './sight.ts';

export interface TraceOptions {
  /** As it is told in the report. */
  readonly file: string;
  /** Undefined: inferred from what the trace shows. */
  readonly mode?: Mode;
}

type Named = readonly [name: string, text: string];

/** Names and words for what was put up with. */
const DISORDER: Readonly<Record<Disorder, Named>> = {
  moved: ['moved', 'events that stood after a later one, and were put into the order of time'],
  late: ['late', 'events that stood so far after later ones that these had been judged already'],
  restart: ['restart', 'places where the clock went back: what follows is taken as another recording'],
  duplicate: ['duplicate', 'events that stood there twice, of which one was left out'],
};

const MISSING: Readonly<Record<LostEvent['cause'], Named>> = {
  overrun: ['lost-events', 'places where the tool says that events are missing'],
  unreadable: ['unreadable', 'lines that cannot be read, damaged or cut: each may have been an event'],
  restart: DISORDER.restart,
};

/** Memory grows with what is live at once and with the pages that the trace names, not with its length. */
export class TraceChecker {
  readonly #options: TraceOptions;
  readonly #parser = new TraceParser();
  readonly #findings = new Findings();
  readonly #census = new Census();
  readonly #losses = new Losses();
  readonly #iommu: IommuWatch;
  readonly #dma: DmaWatch;
  readonly #order = new Reorder(
    (event) => this.#take(event),
    (what, line) => this.#findings.tolerate(...DISORDER[what], line),
  );
  #events = 0;
  /** Times of events. */
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #cpus = 0;

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#iommu = new IommuWatch(this.#findings, [this.#census], options.mode);
    this.#dma = new DmaWatch(this.#findings, this.#iommu, [this.#census]);
  }

  /** Lines and events so far, for progress. */
  get done(): { readonly lines: number; readonly events: number } {
    return { lines: this.#parser.heard.lines, events: this.#events };
  }

  /** The next line, which ends before `to`; the byte there is an end of a line. */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.#read(this.#parser.read(bytes, from, to));
  }

  /** The same of a line that is a text. */
  line(text: string): void {
    this.#read(this.#parser.parse(text));
  }

  #read(event: TraceEvent | undefined): void {
    if (event === undefined) return;
    if (event.kind === 'lost') this.#findings.tolerate(...MISSING[event.cause], event.line);
    this.#order.push(event);
  }

  /**
   * What was found up to here; lines that come later are not looked at any more.
   *
   * @param early - why the end of the trace was not reached, if it was not
   */
  end(early?: string): TraceReport {
    this.#order.end();
    this.#iommu.end();
    this.#dma.end();
    this.#census.end();
    const findings = this.#findings.list;
    return {
      source: this.#source(early),
      sight: this.#sight,
      coverage: this.#census.coverage,
      findings,
      totals: this.#findings.totals,
      risks: this.#findings.risks,
      tolerances: this.#findings.tolerances,
      distributions: this.#census.distributions,
      timeline: this.#census.timeline(findings),
    };
  }

  #source(early: string | undefined): Source {
    const { format, lines, ticks } = this.#parser.heard;
    return {
      ...{ file: this.#options.file, format, lines, events: this.#events },
      ...(this.#events === 0 ? {} : { first: this.#first, last: this.#last }),
      ...{ cpus: this.#cpus, ticks },
      ...(early === undefined ? {} : { early }),
    };
  }

  get #sight(): Sight {
    const { heard } = this.#parser;
    const { coverage, kinds, untilBirth } = this.#census;
    const { mode, reason } = this.#iommu.mode;
    return sightOf({
      ...{ heard, kinds, coverage, untilBirth, lost: this.#losses.result(heard) },
      ...{ mode, modeReason: reason },
    });
  }

  #take(event: TraceEvent): void {
    // What is missing has no time of its own.
    if (event.kind === 'lost') this.#losses.lost(event);
    else {
      const { time, cpu } = event;
      this.#events += 1;
      if (time < this.#first) this.#first = time;
      if (time > this.#last) this.#last = time;
      if (cpu >= this.#cpus) this.#cpus = cpu + 1;
      this.#losses.heard(cpu, time);
    }
    this.#iommu.on(event);
    this.#dma.on(event);
    this.#census.on(event);
  }
}
