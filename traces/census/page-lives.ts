/** Counts lives of pages. One byte for each page that the trace names, in chunks of 512. */
import type { PageAllocEvent, PageFreeEvent } from '../event.ts';

const CHUNK = 512;

const UNKNOWN = 0;
const ALLOCATED = 1;
const FREE = 2;

export class PageLives {
  readonly #chunks = new Map<number, Uint8Array>();
  #allocated = 0;
  #whole = 0;
  #part = 0;

  /** Lives whose allocation and free were both seen. */
  get whole(): number {
    return this.#whole;
  }

  /** Lives of which one end was seen. */
  get part(): number {
    return this.#part + this.#allocated;
  }

  allocated({ pfn, order }: PageAllocEvent): void {
    for (let page = pfn; page < pfn + 2 ** order; page += 1) {
      // Its free was not seen.
      if (this.#change(page, ALLOCATED) === ALLOCATED) this.#part += 1;
      else this.#allocated += 1;
    }
  }

  /** A page that is freed in a batch is freed by two events: the second counts nothing. */
  freed({ pfn, order }: PageFreeEvent): void {
    for (let page = pfn; page < pfn + 2 ** order; page += 1) {
      const before = this.#change(page, FREE);
      if (before === ALLOCATED) {
        this.#whole += 1;
        this.#allocated -= 1;
      } else if (before === UNKNOWN) this.#part += 1;
    }
  }

  /** The state before. */
  #change(page: number, state: number): number {
    const key = Math.floor(page / CHUNK);
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK);
      this.#chunks.set(key, chunk);
    }
    const before = chunk[page % CHUNK] ?? UNKNOWN;
    chunk[page % CHUNK] = state;
    return before;
  }
}
