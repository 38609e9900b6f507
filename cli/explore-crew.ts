/** A search on several threads. Whatever runs code of the target runs there, so that Ctrl-C is heard meanwhile. */
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import {
  covered,
  type Expanded,
  type Explored,
  limitsOf,
  type Round,
  Search,
  type Told,
} from '../properties/index.ts';
import { TargetError } from '../targets/process.ts';
import { unlessAborted } from './abort.ts';
import type { ExploreTask, Root } from './explore-worker.ts';

export interface Watched {
  readonly signal: AbortSignal;
  tell(told: Told): void;
}

/** Milliseconds that threads have for the state they are at when a search is to end. */
const PATIENCE_MS = 1_000;

/** Rounds of fewer states are for one thread: the others would take longer to be asked, or to start. */
const ALONE = 64;

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
  async explore(task: ExploreTask, watched: Watched): Promise<Explored | undefined> {
    if (watched.signal.aborted) return undefined;
    try {
      return await this.#search(task, watched);
    } catch (cause) {
      if (!isEndOfThread(cause)) throw cause;
      throw new TargetError(
        task.target.name,
        'it ended the thread that it ran in, or took all of its memory',
      );
    }
  }

  async #search(task: ExploreTask, { signal, tell }: Watched): Promise<Explored | undefined> {
    const entered: Promise<Root>[] = [];
    const enter = (thread: number): Promise<Root> =>
      (entered[thread] ??= this.#ask<Root>(thread, 'enter', task));
    const root = await unlessAborted(signal, enter(0));
    if (root === undefined) return undefined;
    const search = new Search(root.fingerprint, limitsOf(task.scope), this.#threads.length);
    const expand = async (round: Round, thread: number): Promise<Expanded> => {
      await enter(thread);
      return this.#ask<Expanded>(thread, 'expand', round, thread);
    };
    const stop = (): void => search.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (let round = search.begin(); round !== undefined; round = search.begin()) {
        const started = round;
        const threads = this.#threads.slice(0, round.count < ALONE ? 1 : undefined);
        const expanding = Promise.all(threads.map((_, thread) => expand(started, thread)));
        const expanded = await unlessAborted(signal, expanding, PATIENCE_MS);
        if (expanded === undefined) break;
        search.end(expanded);
        tell(search.told);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
    const ended = { searched: search.result, renamings: root.renamings };
    if (ended.searched.found === undefined) return covered(ended);
    return unlessAborted(signal, this.#ask<Explored>(0, 'confirm', ended), PATIENCE_MS);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate(true)));
  }

  async #ask<T>(thread: number, method: string, ...args: readonly unknown[]): Promise<T> {
    return (await this.#threads[thread]?.exec(method, [...args])) as T;
  }
}

/** The pool says it in these words alone. */
const isEndOfThread = (cause: unknown): boolean =>
  cause instanceof Error && /Worker terminated unexpectedly/i.test(cause.message);
