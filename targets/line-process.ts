import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { adopt, disown, killGroup } from './process-group.ts';
import { TargetError } from './target-error.ts';

export interface Limits {
  /** Milliseconds that one answer may take. */
  readonly timeoutMs: number;
  /** Bytes that one line may have. */
  readonly outputBytesMax: number;
}

/** The end of standard error that is kept. */
const LAST_WORDS_BYTES = 2_048;
/** A program that closed a pipe is mostly about to exit: its exit code tells more than the pipe. */
const GRACE_MS = 200;
/** How long `stop` waits for a program that was told to end, and anybody for one that was killed. */
const END_MS = 1_000;

const NEWLINE = 0x0a;
const SHOWN_CHARACTERS = 80;

/** Text of somebody else, short enough for a message. */
export const shorten = (text: string): string =>
  text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;

/**
 * A program that answers each line with a line. The first thing wrong kills it, with all that it started, and
 * every later question gets the same error.
 */
export class LineProcess {
  readonly #program: string;
  readonly #limits: Limits;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #failure: TargetError | undefined;
  #stopping = false;
  /** Takes the next line; undefined: the program has failed. */
  #waiting: ((line: string | undefined) => void) | undefined;
  #awaited = 'anything';
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #lastWords: Buffer = Buffer.alloc(0);

  /** @throws {TargetError} when the command cannot even be tried; a missing program shows in the first answer */
  constructor(command: string, args: readonly string[], limits: Limits) {
    this.#program = shorten([command, ...args].join(' '));
    this.#limits = limits;
    try {
      this.#child = spawn(command, args, { stdio: 'pipe', detached: true });
    } catch (cause) {
      throw new TargetError(this.#program, cannotStart(cause));
    }
    this.#ended = this.#watchEnd();
    this.#watchPipes();
  }

  /**
   * Sends a request and waits for the line that answers it. One at a time.
   *
   * @param request - undefined: nothing is sent, the program speaks first
   * @param awaited - what the answer is, for messages
   * @throws {TargetError} when no line comes; the program and its group are dead by then
   */
  async ask(request: object | undefined, awaited: string): Promise<string> {
    if (this.#waiting !== undefined) throw new Error('internal error: two questions at a time');
    const line = this.#failure === undefined ? await this.#exchange(request, awaited) : undefined;
    if (line === undefined) await this.check();
    return line ?? '';
  }

  /** @throws {TargetError} when the program has failed: a line too many may have come along with the right one */
  async check(): Promise<void> {
    const failure = this.#failure;
    if (failure === undefined) return;
    await this.#dead();
    throw failure;
  }

  /** Kills the program because of what it answered, and gives the error once it is dead. */
  async fail(sentence: string): Promise<TargetError> {
    this.#failure = undefined;
    const failure = this.#die(sentence);
    await this.#dead();
    return failure;
  }

  /** Tells the program to end, and makes it. Never fails. */
  async stop(farewell: object): Promise<void> {
    if (this.#failure === undefined && this.#waiting === undefined) {
      this.#stopping = true;
      this.#child.stdin.end(`${JSON.stringify(farewell)}\n`);
      await this.#dead();
    }
    this.#die('it was closed while an answer was awaited; expected nothing more; boot a new target');
    await this.#dead();
  }

  async #exchange(request: object | undefined, awaited: string): Promise<string | undefined> {
    const { timeoutMs } = this.#limits;
    const late = (): void => {
      const seen = `it wrote nothing within ${timeoutMs} ms`;
      this.#die(
        `${seen}; expected ${awaited}; flush every line, see whether it hangs, or allow it more time`,
      );
    };
    const timer = setTimeout(late, timeoutMs);
    this.#awaited = awaited;
    const answer = new Promise<string | undefined>((resolve) => {
      this.#waiting = resolve;
    });
    if (request !== undefined) this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await answer;
    clearTimeout(timer);
    return line;
  }

  #die(sentence: string): TargetError {
    this.#failure ??= new TargetError(this.#program, sentence, this.#lastWords.toString('utf8'));
    const { pid, stdin, stdout, stderr } = this.#child;
    if (pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) killGroup(pid);
    for (const pipe of [stdin, stdout, stderr]) pipe.destroy();
    this.#answer(undefined);
    return this.#failure;
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }

  /** Even a killed program may be stuck in its kernel for ever. */
  async #dead(): Promise<void> {
    const enough = new AbortController();
    const patience = delay(END_MS, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([this.#ended, patience]);
    enough.abort();
  }

  #watchEnd(): Promise<void> {
    const child = this.#child;
    const { pid } = child;
    if (pid !== undefined) adopt(pid);
    // All that it wrote has been read at `close`, which waits for whoever else holds its pipes: `exit` kills those.
    child.on('close', (code, signal) => this.#die(this.#endOf(code, signal)));
    return new Promise((resolve) => {
      child.on('exit', () => {
        if (pid !== undefined) disown(pid);
        resolve();
      });
      child.on('error', (cause) => {
        this.#die(cannotStart(cause));
        resolve();
      });
    });
  }

  #endOf(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
    const advice = 'run it by hand and see why it ends';
    return `it ${how} instead of writing ${this.#awaited}; expected it to run until {"bye":true}; ${advice}`;
  }

  #watchPipes(): void {
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => this.#suspect('input', 'it to read requests until {"bye":true}'));
    stdout.on('end', () => this.#suspect('output', 'it to answer there until {"bye":true}'));
    stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    stderr.on('data', (chunk: Buffer) => {
      this.#lastWords = Buffer.concat([this.#lastWords, chunk]).subarray(-LAST_WORDS_BYTES);
    });
    for (const pipe of [stdout, stderr]) pipe.on('error', () => undefined);
  }

  #suspect(which: 'input' | 'output', expected: string): void {
    if (this.#stopping) return;
    const sentence = `it closed its standard ${which}; expected ${expected}; leave that file open`;
    setTimeout(() => this.#die(sentence), GRACE_MS).unref();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      if (this.#failure !== undefined) return;
      this.#takeLine(Buffer.concat(this.#partial).toString('utf8'));
      this.#partial = [];
      this.#partialBytes = 0;
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): void {
    this.#partial.push(part);
    this.#partialBytes += part.length;
    const { outputBytesMax } = this.#limits;
    if (this.#partialBytes <= outputBytesMax || this.#stopping) return;
    this.#partial = [];
    const seen = `it wrote more than ${outputBytesMax} bytes without a newline`;
    this.#die(`${seen}; expected ${this.#awaited} as one line; end every answer with a newline`);
  }

  #takeLine(line: string): void {
    if (this.#waiting !== undefined) this.#answer(line);
    else if (!this.#stopping) {
      const advice = 'write everything else to standard error';
      this.#die(`it wrote a line too many: ${shorten(line)}; expected one line for each request; ${advice}`);
    }
  }
}

function cannotStart(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return `it cannot be started (${code}); expected a program; check its path and that it may be executed`;
}
