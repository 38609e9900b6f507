/** A run on several threads. Chunks are handed out in order; what comes back does not depend on who took which. */
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { SPEC } from '../model/index.ts';
import {
  type Audited,
  type ChunkResult,
  Collector,
  chunkCount,
  type Finding,
  type Found,
  type Outcome,
  type Scope,
  type Script,
  type ScriptMachine,
  type Shrunk,
  type SpecExplored,
  type Tested,
} from '../properties/index.ts';
import { unlessAborted } from './abort.ts';
import type { TestsTask } from './explore-tests.ts';
import type { Done, Progress } from './progress.ts';
import type { ScopeHunt } from './scope-hunt.ts';
import type { Session } from './session.ts';
import { NOTHING_SPENT, plus, type Spent } from './speed.ts';
import type { Costs, HuntedBug, Smaller, Task } from './worker.ts';

const sumOf = (parts: readonly Done[]): Done => ({
  scripts: parts.reduce((sum, { scripts }) => sum + scripts, 0),
  commands: parts.reduce((sum, { commands }) => sum + commands, 0),
});

type Pool = ReturnType<typeof workerpool.pool>;

export interface Limits {
  readonly threads: number;
  /** Milliseconds after which no further chunk is handed out, by the session's clock. */
  readonly deadline: number;
}

export class ThreadRunner {
  spent: Spent = NOTHING_SPENT;
  readonly #pool: Pool;
  readonly #session: Session;
  readonly #progress: Progress;

  constructor(session: Session, progress: Progress, threads: number) {
    const worker = fileURLToPath(new URL('./worker.js', import.meta.url));
    this.#pool = workerpool.pool(worker, { workerType: 'thread', maxWorkers: threads });
    this.#session = session;
    this.#progress = progress;
  }

  /**
   * Runs chunks until all are done, the time is over, something was found, or Ctrl-C.
   *
   * @param onFound - is given every finding at once, also those that are not the result in the end
   */
  async run(
    task: Task,
    { threads, deadline }: Limits,
    onFound: (found: Found) => void = () => {},
  ): Promise<Outcome> {
    const collector = new Collector(SPEC);
    const chunks = chunkCount(task.scripts);
    let next = 0;
    const underWay = new Map<number, Done>();
    const show = (): void => this.#progress.update(sumOf([collector.progress, ...underWay.values()]));
    const isOver = (): boolean =>
      next >= Math.min(chunks, collector.end) ||
      this.#session.signal.aborted ||
      (next > 0 && this.#session.now() >= deadline);
    const lane = async (): Promise<void> => {
      while (!isOver()) {
        const chunk = next++;
        const result = await this.#ask<ChunkResult & { readonly spent: Spent }, Done>(
          'chunk',
          [task, chunk],
          (done) => {
            underWay.set(chunk, done);
            show();
          },
        );
        underWay.delete(chunk);
        if (result === undefined) return;
        this.spent = plus(this.spent, result.spent);
        if (result.found !== undefined) onFound(result.found);
        collector.add(chunk, result);
        show();
      }
    };
    await Promise.all(Array.from({ length: threads }, lane));
    return collector.outcome();
  }

  /** The smallest script, or undefined: Ctrl-C came first. Now and then the smallest so far is told. */
  async shrink(
    task: Task,
    found: Found,
    onSmaller: (smaller: Smaller) => void = () => {},
  ): Promise<Shrunk | undefined> {
    this.#progress.say(`shrinking ${found.script.commands.length} commands`);
    return this.#ask<Shrunk, Smaller>('smaller', [task, found], onSmaller);
  }

  async find(
    task: Pick<Task, 'target' | 'property' | 'premise'> & Partial<Task>,
    script: Script,
  ): Promise<Finding | undefined> {
    return (await this.#ask<Finding | null>('find', [task, script])) ?? undefined;
  }

  /** The shortest script that meets a situation, or undefined: Ctrl-C came first. */
  async situation(task: Task, name: string, script: Script): Promise<Script | undefined> {
    this.#progress.say(`shortest script: ${name}`);
    return this.#ask<Script>('situation', [task, name, script]);
  }

  /** What a choice costs, or undefined: Ctrl-C came first. */
  async costs(machine: ScriptMachine, withLargest: boolean): Promise<Costs | undefined> {
    this.#progress.say('what a buffer costs');
    return this.#ask<Costs>('costs', [machine, withLargest]);
  }

  /** What was shrunk elsewhere, or is shorter still, with a certificate; undefined: Ctrl-C came first. */
  async certify(
    task: Pick<Task, 'target' | 'property' | 'premise' | 'proof'>,
    shrunk: Shrunk,
  ): Promise<Shrunk | undefined> {
    this.#progress.say('searching for a shorter script');
    return this.#ask<Shrunk>('certified', [task, shrunk]);
  }

  /** A bug of the zoo hunted with one seed, or undefined: Ctrl-C came first. */
  async hunt(bug: string, seed: number, scripts: number, shrinks: boolean): Promise<HuntedBug | undefined> {
    return this.#ask<HuntedBug>('hunted', [bug, seed, scripts, shrinks]);
  }

  /** A bug of the zoo looked for in scopes, or undefined: Ctrl-C came first. */
  async huntInScopes(bug: string, known?: Script): Promise<ScopeHunt | undefined> {
    return this.#ask<ScopeHunt>('huntedInScopes', [bug, known]);
  }

  /** What the specification notices of the scripts of one chunk, or undefined: Ctrl-C came first. */
  async audit(known: Audited, seed: number, chunk: number, scripts: number): Promise<Audited | undefined> {
    return this.#ask<Audited>('audited', [known, seed, chunk, scripts]);
  }

  /** A specification alone searched, or undefined: Ctrl-C came first. */
  async exploreSpec(scope: Scope): Promise<SpecExplored | undefined> {
    return this.#ask<SpecExplored>('exploredSpec', [scope]);
  }

  /** Scripts that cover a scope, or undefined: Ctrl-C came first. */
  async test(task: TestsTask): Promise<Tested | undefined> {
    return this.#ask<Tested>('tested', [task]);
  }

  async close(): Promise<void> {
    await this.#pool.terminate(true);
  }

  /** The answer of a thread, or undefined when Ctrl-C came first: then nobody waits for it. */
  async #ask<T, Told = never>(
    method: string,
    args: unknown[],
    on?: (told: Told) => void,
  ): Promise<T | undefined> {
    const { signal } = this.#session;
    if (signal.aborted) return undefined;
    return unlessAborted(
      signal,
      this.#pool.exec(method, args, on === undefined ? {} : { on }) as unknown as Promise<T>,
    );
  }
}
