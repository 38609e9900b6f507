/** A target in another process, in any language: one JSON value a line each way. PROTOCOL.md says which. */
import type { Capability, RemoteReply, RemoteTarget, SlotCall } from '../model/target.ts';
import { type Limits, LineProcess } from './line-process.ts';
import { TargetError } from './target-error.ts';
import { type Hello, Misfit, parseBooted, parseHello, parseReplies } from './wire.ts';

export { TargetError };

export interface ProcessOptions {
  /** Milliseconds that one answer may take, 10,000 without it. */
  readonly timeoutMs?: number;
  /** Bytes that one line may have, 16 MiB without it. */
  readonly outputBytesMax?: number;
  /** Fresh starts after failures, 1,000 without it. */
  readonly restartsMax?: number;
}

const TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 16 * 2 ** 20;
/** Fresh starts after failures. Shrinking a crash takes some hundred; without end, nobody looks at it. */
const RESTARTS_MAX = 1_000;

/**
 * Starts a program and waits for its hello.
 *
 * @throws {TargetError} when it cannot be started, or does not say hello
 */
export async function processTarget<M>(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessTarget<M>> {
  const { timeoutMs = TIMEOUT_MS, outputBytesMax = OUTPUT_BYTES_MAX, restartsMax = RESTARTS_MAX } = options;
  const start = (): Promise<Started> => startProgram(command, args, { timeoutMs, outputBytesMax });
  return new ProcessTarget<M>(await start(), start, restartsMax);
}

interface Started {
  readonly lines: LineProcess;
  readonly hello: Hello;
}

async function startProgram(command: string, args: readonly string[], limits: Limits): Promise<Started> {
  const lines = new LineProcess(command, args, limits);
  return { lines, hello: await ask(lines, undefined, 'its hello', parseHello) };
}

/** Asks, and reads the answer strictly: a program that answers wrongly is killed like one that dies. */
async function ask<T>(
  lines: LineProcess,
  request: object | undefined,
  awaited: string,
  parse: (line: string) => T,
): Promise<T> {
  const line = await lines.ask(request, awaited);
  let answer: T;
  try {
    answer = parse(line);
  } catch (cause) {
    if (cause instanceof Misfit) throw await lines.fail(cause.message);
    throw cause;
  }
  await lines.check();
  return answer;
}

/** Made by {@link processTarget}. After a failure, `boot` starts the program afresh. */
export class ProcessTarget<M> implements RemoteTarget<M> {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly calls?: ReadonlySet<string>;
  readonly #start: () => Promise<Started>;
  #lines: LineProcess | undefined;
  readonly #restartsMax: number;
  #restarts = 0;
  #closed = false;

  constructor({ lines, hello }: Started, start: () => Promise<Started>, restartsMax: number) {
    this.name = hello.name;
    this.capabilities = hello.capabilities;
    if (hello.calls !== undefined) this.calls = hello.calls;
    this.#lines = lines;
    this.#start = start;
    this.#restartsMax = restartsMax;
  }

  /** @throws {TargetError} when the program fails, or has failed since its last answer */
  async boot(machine: M): Promise<void> {
    if (this.#lines === undefined) await this.#restart();
    await this.#ask({ boot: machine }, 'the answer to boot', parseBooted);
  }

  /** @throws {TargetError} when the program fails; then nothing is known of any of the calls */
  async batch(calls: readonly SlotCall[]): Promise<readonly (RemoteReply | 'skipped')[]> {
    const awaited = `the replies to a batch of ${calls.length} calls`;
    return await this.#ask({ batch: calls }, awaited, (line) => parseReplies(line, calls.length));
  }

  /** Ends the program, by force if need be. May be called at any time, and twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const lines = this.#lines;
    this.#lines = undefined;
    await lines?.stop({ bye: true });
  }

  async #ask<T>(request: object, awaited: string, parse: (line: string) => T): Promise<T> {
    const lines = this.#lines;
    if (lines === undefined) throw this.#notRunning();
    try {
      return await ask(lines, request, awaited, parse);
    } catch (cause) {
      if (this.#lines === lines) this.#lines = undefined;
      throw cause;
    }
  }

  async #restart(): Promise<void> {
    if (this.#closed) throw this.#notRunning();
    if (this.#restarts >= this.#restartsMax) {
      const sentence = `it failed and was started again ${this.#restarts} times; expected fewer failures`;
      throw new TargetError(this.name, `${sentence}; correct the first one before going on`);
    }
    this.#restarts++;
    const { lines } = await this.#start();
    this.#lines = lines;
    if (this.#closed) await this.close();
  }

  #notRunning(): TargetError {
    const seen = this.#closed ? 'it was closed' : 'it has failed and does not run';
    return new TargetError(this.name, `${seen}; expected a running program; boot before the next batch`);
  }
}
