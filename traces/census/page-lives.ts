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
    const end = pfn + (1 << order);
    let chunk = this.#chunkOf(pfn);
    for (let page = pfn; page < end; page += 1) {
      const at = page % CHUNK;
      if (at === 0) chunk = this.#chunkOf(page);
      // Its free was not seen.
      if (chunk[at] === ALLOCATED) this.#part += 1;
      else this.#allocated += 1;
      chunk[at] = ALLOCATED;
    }
  }

  /** A page that is freed in a batch is freed by two events: the second counts nothing. */
  freed({ pfn, order }: PageFreeEvent): void {
    const end = pfn + (1 << order);
    let chunk = this.#chunkOf(pfn);
    for (let page = pfn; page < end; page += 1) {
      const at = page % CHUNK;
      if (at === 0) chunk = this.#chunkOf(page);
      const before = chunk[at];
      if (before === ALLOCATED) {
        this.#whole += 1;
        this.#allocated -= 1;
      } else if (before === UNKNOWN) this.#part += 1;
      chunk[at] = FREE;
    }
  }

  #chunkOf(page: number): Uint8Array {
    const key = Math.floor(page / CHUNK);
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK);
      this.#chunks.set(key, chunk);
    }
    return chunk;
  }
}
