/**
 * What the trace said last of each page: who freed it. 16 bytes for each page near one that is named; chunks are small,
 * for pages that are scattered.
 */
import type { PageFreeEvent } from '../event.ts';

const CHUNK = 16;

/** Pages that there is room for at first. */
const ROOM = 16_384;

/** Tasks that are told apart; those that come later have no name. */
const TASKS_MAX = 65_535;

export class PageLog {
  /** By number of the chunk, its place in the columns. */
  readonly #places = new Map<number, number>();
  readonly #tasks: { readonly task: string; readonly pid: number }[] = [{ task: '?', pid: 0 }];
  readonly #numbers = new Map<number, number>();
  /** Columns. The line that freed a page is 0 where it was not freed, or was handed out since. */
  #line = new Uint32Array(ROOM);
  #time = new Float64Array(ROOM);
  #cpu = new Uint16Array(ROOM);
  /** Number of the task. */
  #task = new Uint16Array(ROOM);

  /** The pages of a block, up to `end`. */
  freed(event: PageFreeEvent, end: number): void {
    const task = this.#numberOf(event);
    for (let page = event.pfn; page < end; ) {
      const next = Math.min(end, page - (page % CHUNK) + CHUNK);
      const first = this.#made(page);
      for (let at = first; at < first + next - page; at += 1) this.#freedAt(at, event, task);
      page = next;
    }
  }

  allocated(pfn: number, end: number): void {
    for (let page = pfn; page < end; ) {
      const next = Math.min(end, page - (page % CHUNK) + CHUNK);
      const first = this.#at(page);
      if (first !== undefined) this.#line.fill(0, first, first + next - page);
      page = next;
    }
  }

  /** The first page of a range that was freed, while nothing was heard of it since; the end if there is none. */
  nextFree(first: number, end: number): number {
    for (let pfn = first; pfn < end; ) {
      const next = Math.min(end, pfn - (pfn % CHUNK) + CHUNK);
      const at = this.#at(pfn);
      if (at !== undefined)
        for (let page = pfn; page < next; page += 1) if (this.#line[at + page - pfn] !== 0) return page;
      pfn = next;
    }
    return end;
  }

  /** The event of a page that was freed. */
  freeOf(pfn: number): PageFreeEvent {
    const at = this.#made(pfn);
    const { task, pid } = this.#tasks[this.#task[at] ?? 0] ?? { task: '?', pid: 0 };
    const stamp = {
      ...{ line: this.#line[at] ?? 0, time: this.#time[at] ?? 0, cpu: this.#cpu[at] ?? 0 },
      ...{ task, pid },
    };
    return { kind: 'page-free', ...stamp, pfn, order: 0, batched: false };
  }

  /** The same free is written twice where pages are freed in batches; the first was when it happened. */
  #freedAt(at: number, event: PageFreeEvent, task: number): void {
    if (this.#line[at] !== 0) return;
    this.#line[at] = event.line;
    this.#time[at] = event.time;
    this.#cpu[at] = event.cpu;
    this.#task[at] = task;
  }

  /** Where a page is in the columns, if it is. */
  #at(pfn: number): number | undefined {
    const place = this.#places.get(Math.floor(pfn / CHUNK));
    return place === undefined ? undefined : place * CHUNK + (pfn % CHUNK);
  }

  #made(pfn: number): number {
    const known = this.#at(pfn);
    if (known !== undefined) return known;
    const place = this.#places.size;
    this.#places.set(Math.floor(pfn / CHUNK), place);
    if (this.#places.size * CHUNK > this.#line.length) this.#grow();
    return place * CHUNK + (pfn % CHUNK);
  }

  #grow(): void {
    const room = this.#line.length * 2;
    const [line, time] = [new Uint32Array(room), new Float64Array(room)];
    const [cpu, task] = [new Uint16Array(room), new Uint16Array(room)];
    line.set(this.#line);
    time.set(this.#time);
    cpu.set(this.#cpu);
    task.set(this.#task);
    [this.#line, this.#time, this.#cpu, this.#task] = [line, time, cpu, task];
  }

  #numberOf({ task, pid }: PageFreeEvent): number {
    const known = this.#numbers.get(pid);
    if (known !== undefined) return known;
    if (this.#tasks.length > TASKS_MAX) return 0;
    this.#numbers.set(pid, this.#tasks.length);
    this.#tasks.push({ task, pid });
    return this.#tasks.length - 1;
  }
}
