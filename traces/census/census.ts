/** Counts what a report tells beside findings: coverage, distributions, use of addresses, the timeline. */
import type { EventKind, TraceEvent } from '../event.ts';
import type { TraceFinding } from '../finding.ts';
import type { Life, LifeListener, Watch } from '../mapping.ts';
import type { Coverage, Distributions, Timeline } from '../report.ts';
import { HistogramCounter } from './histogram.ts';
import { PageLives } from './page-lives.ts';
import { SeriesRecorder } from './series.ts';
import { SpaceTally } from './space-tally.ts';
import { TimelineSample } from './timeline-sample.ts';

export class Census implements Watch, LifeListener {
  readonly #kinds = new Map<EventKind, { count: number }>();
  readonly #sizes = new HistogramCounter('bytes');
  readonly #lifetimes = new HistogramCounter('ns');
  readonly #live = new SeriesRecorder();
  readonly #liveBytes = new SeriesRecorder();
  readonly #spaces = new SpaceTally();
  readonly #sample = new TimelineSample();
  readonly #pages = new PageLives();
  readonly #alive = new Set<Life>();
  #bytes = 0;
  /** Alive at the end of earlier recordings in the trace. */
  #left = 0;
  #born = 0;
  #byDrivers = 0;
  #died = 0;
  #named = 0;
  #first: number | undefined;
  #firstBirth: number | undefined;
  #unknownDeaths = 0;
  #last = 0;

  /** How often each kind of event came. */
  get kinds(): ReadonlyMap<EventKind, number> {
    return new Map([...this.#kinds].map(([kind, { count }]) => [kind, count]));
  }

  /** Nanoseconds between the first event and the first birth. */
  get untilBirth(): number | undefined {
    return this.#firstBirth === undefined ? undefined : this.#firstBirth - (this.#first ?? this.#firstBirth);
  }

  /** Comes after the births and deaths that the event brought. */
  on(event: TraceEvent): void {
    const { kind, time } = event;
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { count: 1 });
    else known.count += 1;
    if (kind === 'lost') {
      if (event.cause === 'restart') this.#restart();
      return;
    }
    this.#first ??= time;
    if (time > this.#last) this.#last = time;
    if (kind !== 'page-alloc' && kind !== 'page-free') return;
    this.#sample.on(event);
    if (kind === 'page-alloc') this.#pages.allocated(event);
    else this.#pages.freed(event);
  }

  born(life: Life): void {
    this.#born += 1;
    if (life.born.kind !== 'map') this.#byDrivers += 1;
    this.#firstBirth ??= life.born.time;
    this.#alive.add(life);
    this.#sizes.add(life.size);
    this.#spaces.born(life);
    this.#sample.born(life);
    this.#change(life.born.time, life.size);
  }

  named(life: Life): void {
    this.#spaces.named(life);
  }

  died(life: Life): void {
    const { died = life.born, born } = life;
    this.#died += 1;
    this.#alive.delete(life);
    if (life.space !== undefined) this.#named += 1;
    this.#lifetimes.add(Math.max(died.time - born.time, 0));
    this.#spaces.died(life);
    this.#change(died.time, -life.size);
  }

  unknownDeath(): void {
    this.#unknownDeaths += 1;
  }

  end(): void {
    for (const life of this.#alive) if (life.space !== undefined) this.#named += 1;
  }

  /** Another recording follows: what was alive in the one before is not heard of any more. */
  #restart(): void {
    this.end();
    this.#spaces.restart(this.#alive);
    this.#left += this.#alive.size;
    this.#alive.clear();
    this.#change(this.#last, -this.#bytes);
  }

  get coverage(): Coverage {
    return {
      ...{
        born: this.#born,
        byDrivers: this.#byDrivers,
        died: this.#died,
        alive: this.#left + this.#alive.size,
      },
      ...{ unknownDeaths: this.#unknownDeaths, named: this.#named },
      ...{ pagesWhole: this.#pages.whole, pagesPart: this.#pages.part },
    };
  }

  get distributions(): Distributions {
    return {
      sizes: this.#sizes.result,
      lifetimes: this.#lifetimes.result,
      live: this.#live.result(this.#last),
      liveBytes: this.#liveBytes.result(this.#last),
      spaces: this.#spaces.result(this.#alive),
    };
  }

  timeline(findings: readonly TraceFinding[]): Timeline {
    return this.#sample.timeline(findings, this.#pages.whole + this.#pages.part);
  }

  #change(time: number, bytes: number): void {
    this.#bytes += bytes;
    this.#live.set(time, this.#alive.size);
    this.#liveBytes.set(time, this.#bytes);
  }
}
