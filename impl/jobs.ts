import { by, holds } from './about.ts';
import type { Column } from './column.ts';
import type { Config } from './config.ts';
import type { Engine } from './engine.ts';
import { EBUSY } from './errno.ts';
import { type FaultPoints, SITE_ID } from './faults.ts';
import { SEEN_JOB, SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/** Returned by a tick that wrote: tags are 0 to 255. */
export const NO_DATA = 256;
/** In the page of a job whose address is none. */
const NOWHERE = -1;

/** Queued work of the engines: a job does one line a tick, in the context it was submitted for. */
export class Jobs {
  /** Tells the driver that a job of a context has come to its end, or to a fault. */
  completed: (context: number) => void = () => {};
  /** Lines that a job has yet to do; 0 where there is no job. */
  readonly left: Column;
  /** Context + 1 of each job, or 0. */
  private readonly context: Column;
  /** I/O page and line of its next access: together they may need more than 32 bits. */
  readonly ioPage: Column;
  readonly line: Column;
  /** What it writes, or 0 when it reads. */
  private readonly tag: Column;
  private readonly engine: Engine;
  private readonly faults: FaultPoints;
  private readonly pageBytes: number;
  private readonly lineBytes: number;
  readonly linesPerPage: number;

  constructor(store: Store, config: Config, engine: Engine, faults: FaultPoints) {
    this.engine = engine;
    this.faults = faults;
    this.pageBytes = config.pageBytes;
    this.lineBytes = config.lineBytes;
    this.linesPerPage = config.pageBytes / config.lineBytes;
    this.left = store.column(config.jobs, SEEN_JOB, by('job'));
    this.context = store.column(config.jobs, SEEN_NOWHERE, { ...by('job'), ...holds('context') });
    this.ioPage = store.column(config.jobs, SEEN_NOWHERE, by('job'));
    this.line = store.column(config.jobs, SEEN_NOWHERE, by('job'));
    this.tag = store.column(config.jobs, SEEN_NOWHERE, by('job'));
  }

  /** Queues a job; `tag` 0 reads. The address is not looked at. Returns its id, or -EBUSY. */
  submit(context: number, at: number, bytes: number, tag: number): number {
    const job = this.newId();
    if (job < 0) return job;
    this.left.set(job, this.engine.linesOf(at, bytes));
    this.context.set(job, context + 1);
    this.tag.set(job, tag);
    this.place(job, this.engine.isAddress(at) ? at : NOWHERE);
    return job;
  }

  /**
   * A job does its next line. Returns the tag it read, {@link NO_DATA}, or -EFAULT; the last and a fault end
   * it.
   */
  tick(job: number): number {
    const result = this.access(job);
    if (result < 0 || this.left.get(job) === 1) this.complete(job);
    else this.advance(job);
    return result;
  }

  /** Ends the jobs of a context. */
  kill(context: number): void {
    for (let job = 0; job < this.left.count; job++) {
      if (this.left.get(job) !== 0 && this.context.get(job) === context + 1) this.end(job);
    }
  }

  /** The lowest id that is not in use, or -EBUSY. */
  newId(): number {
    if (this.faults.ask(SITE_ID)) return -EBUSY;
    for (let id = 0; id < this.left.count; id++) if (this.left.get(id) === 0) return id;
    return -EBUSY;
  }

  end(job: number): void {
    this.left.set(job, 0);
    this.context.set(job, 0);
    this.ioPage.set(job, 0);
    this.line.set(job, 0);
    this.tag.set(job, 0);
  }

  private complete(job: number): void {
    const context = this.context.get(job) - 1;
    this.end(job);
    this.completed(context);
  }

  private access(job: number): number {
    const context = this.context.get(job) - 1;
    const ioLine = this.ioPage.get(job) * this.linesPerPage + this.line.get(job);
    const tag = this.tag.get(job);
    if (tag === 0) return this.engine.readLine(context, ioLine);
    const result = this.engine.writeLine(context, ioLine, tag);
    return result < 0 ? result : NO_DATA;
  }

  private place(job: number, at: number): void {
    const ioPage = Math.floor(at / this.pageBytes);
    this.ioPage.set(job, ioPage);
    this.line.set(job, Math.floor((at - ioPage * this.pageBytes) / this.lineBytes));
  }

  advance(job: number): void {
    this.left.add(job, -1);
    if (this.line.add(job, 1) < this.linesPerPage) return;
    this.line.set(job, 0);
    this.ioPage.add(job, 1);
  }
}
