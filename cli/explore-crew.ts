/** A search on several threads. Whatever runs code of the target runs there, so that Ctrl-C is heard meanwhile. */
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import {
  covered,
  type Ended,
  type Expanded,
  type Explored,
  limitsOf,
  Search,
  type Told,
} from '../properties/index.ts';
import { unlessAborted } from './abort.ts';
import type { ExploreTask, Root } from './explore-worker.ts';

export interface Watched {
  readonly signal: AbortSignal;
  tell(told: Told): void;
}

/** Milliseconds that threads have for the state they are at when a search is to end. */
const PATIENCE_MS = 1_000;

export class Crew {
  /** A pool of one thread for each: every round finds the system that the thread entered. */
  readonly #threads: readonly ReturnType<typeof workerpool.pool>[];

  constructor(threads: number) {
    const worker = fileURLToPath(new URL('./explore-worker.js', import.meta.url));
    this.#threads = Array.from({ length: threads }, () =>
      workerpool.pool(worker, { workerType: 'thread', maxWorkers: 1 }),
    );
  }

  /** Searches a scope, and says what was covered when Ctrl-C came. Undefined: it came before anything was. */
  async explore(task: ExploreTask, { signal, tell }: Watched): Promise<Explored | undefined> {
    if (signal.aborted) return undefined;
    const roots = await unlessAborted(
      signal,
      this.#all<Root>('enter', () => [task]),
    );
    const [root] = roots ?? [];
    if (root === undefined) return undefined;
    const search = new Search(root.fingerprint, limitsOf(task.scope), this.#threads.length);
    const stop = (): void => search.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (let round = search.begin(); round !== undefined; round = search.begin()) {
        const expanding = this.#all<Expanded>('expand', (thread) => [round, thread]);
        const expanded = await unlessAborted(signal, expanding, PATIENCE_MS);
        if (expanded === undefined) break;
        search.end(expanded);
        tell(search.told);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
    const ended = { searched: search.result, renamings: root.renamings };
    return ended.searched.found === undefined ? covered(ended) : this.#confirmed(ended, signal);
  }

  async #confirmed(ended: Ended, signal: AbortSignal): Promise<Explored | undefined> {
    const [thread] = this.#threads;
    return unlessAborted(
      signal,
      thread?.exec('confirm', [ended]) as unknown as Promise<Explored>,
      PATIENCE_MS,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate(true)));
  }

  /** The answers of all threads. The first that fails ends the waiting. */
  #all<T>(method: string, argsOf: (thread: number) => unknown[]): Promise<T[]> {
    return Promise.all(
      this.#threads.map((thread, at) => thread.exec(method, argsOf(at)) as unknown as Promise<T>),
    );
  }
}
