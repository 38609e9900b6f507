/**
 * What the trace said last of each page: who freed it. About 16 bytes for each page that is named, in chunks of 512.
 */
import type { PageFreeEvent } from '../event.ts';

const CHUNK = 512;

interface Chunk {
  /** When the page was freed; NaN where it was not, or was handed out since. */
  readonly time: Float64Array;
  readonly line: Uint32Array;
  readonly cpu: Uint16Array;
  /** Number of the task. */
  readonly task: Uint16Array;
}

/** Tasks that are told apart; those that come later have no name. */
const TASKS_MAX = 65_535;

export class PageLog {
  readonly #chunks = new Map<number, Chunk>();
  readonly #tasks: { readonly task: string; readonly pid: number }[] = [{ task: '?', pid: 0 }];
  readonly #numbers = new Map<number, number>();

  freed(event: PageFreeEvent): void {
    const task = this.#numberOf(event);
    const end = event.pfn + 2 ** event.order;
    let chunk = this.#chunkOf(event.pfn);
    for (let page = event.pfn; page < end; page += 1) {
      const at = page % CHUNK;
      if (at === 0) chunk = this.#chunkOf(page);
      // The same free is written twice where pages are freed in batches; the first was when it happened.
      if (!Number.isNaN(chunk.time[at] ?? 0)) continue;
      chunk.time[at] = event.time;
      chunk.line[at] = event.line;
      chunk.cpu[at] = event.cpu;
      chunk.task[at] = task;
    }
  }

  allocated(pfn: number, order: number): void {
    const end = pfn + 2 ** order;
    for (let page = pfn; page < end; ) {
      const chunk = this.#chunks.get(Math.floor(page / CHUNK));
      const at = page % CHUNK;
      const last = Math.min(CHUNK, at + end - page);
      chunk?.time.fill(Number.NaN, at, last);
      page += last - at;
    }
  }

  /** Tells the pages of a range that were freed, and nothing was heard of them since. */
  eachFree(first: number, count: number, tell: (pfn: number, event: PageFreeEvent) => void): void {
    const end = first + count;
    for (let pfn = first; pfn < end; ) {
      const chunk = this.#chunks.get(Math.floor(pfn / CHUNK));
      const next = (Math.floor(pfn / CHUNK) + 1) * CHUNK;
      if (chunk !== undefined)
        for (let page = pfn; page < Math.min(next, end); page += 1)
          if (!Number.isNaN(chunk.time[page % CHUNK] ?? 0)) tell(page, this.#eventOf(chunk, page));
      pfn = next;
    }
  }

  #eventOf(chunk: Chunk, pfn: number): PageFreeEvent {
    const at = pfn % CHUNK;
    const { task, pid } = this.#tasks[chunk.task[at] ?? 0] ?? { task: '?', pid: 0 };
    const stamp = {
      line: chunk.line[at] ?? 0,
      time: chunk.time[at] ?? 0,
      cpu: chunk.cpu[at] ?? 0,
      task,
      pid,
    };
    return { kind: 'page-free', ...stamp, pfn, order: 0, batched: false };
  }

  #chunkOf(page: number): Chunk {
    const key = Math.floor(page / CHUNK);
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      const time = new Float64Array(CHUNK).fill(Number.NaN);
      chunk = {
        time,
        line: new Uint32Array(CHUNK),
        cpu: new Uint16Array(CHUNK),
        task: new Uint16Array(CHUNK),
      };
      this.#chunks.set(key, chunk);
    }
    return chunk;
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
