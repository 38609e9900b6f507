/** How far a run is: one line that is redrawn on a terminal, a plain line now and then elsewhere. */
import type { Session } from './session.ts';
import { count, many } from './table.ts';

const REDRAW_MS = 100;
const PLAIN_MS = 10_000;
/** What is over before this needs no progress. */
const QUIET_MS = 2_000;

export interface Done {
  readonly scripts: number;
  readonly commands: number;
}

export class Progress {
  readonly #session: Session;
  readonly #scripts: number;
  readonly #seconds: number | undefined;
  readonly #unit: string;
  #start: number;
  #last: number;
  #saying: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param scripts - how many there are, or infinity: then `seconds` says when it ends
   * @param unit - what is counted instead of scripts
   */
  constructor(session: Session, scripts: number, seconds: number | undefined, unit = 'script') {
    this.#session = session;
    this.#scripts = scripts;
    this.#seconds = seconds;
    this.#unit = unit;
    this.#start = session.now();
    this.#last = this.#quiet();
  }

  /** The clock starts again, for another run of as many scripts. */
  restart(): void {
    this.#start = this.#session.now();
    this.#last = this.#quiet();
  }

  /** When something would have been told last, if the next time was soon enough. */
  #quiet(): number {
    return this.#start + QUIET_MS - (this.#session.io.draw === undefined ? PLAIN_MS : 0);
  }

  update(done: Done): void {
    this.tell((seconds) => this.#line(done, seconds), done.scripts / this.#scripts);
  }

  /**
   * How far something is, after so many seconds.
   *
   * @param share - of the whole, where it is known: nobody waits for what is done
   */
  tell(text: (seconds: number) => string, share = 0): void {
    clearTimeout(this.#saying);
    if (share >= 1) return;
    const { io } = this.#session;
    const now = this.#session.now();
    if (now - this.#last < (io.draw === undefined ? PLAIN_MS : REDRAW_MS)) return;
    this.#last = now;
    const line = text((now - this.#start) / 1000);
    if (io.draw === undefined) io.err(line);
    else io.draw(line);
  }

  /** Something else, such as shrinking. Where no line is redrawn it is told once it has taken its time. */
  say(text: string): void {
    const { io } = this.#session;
    clearTimeout(this.#saying);
    if (io.draw !== undefined) io.draw(text);
    else this.#saying = setTimeout(() => io.err(text), QUIET_MS);
  }

  /** Takes the status line away. */
  end(): void {
    clearTimeout(this.#saying);
    this.#session.io.draw?.('');
  }

  #line({ scripts, commands }: Done, passed: number): string {
    const byTime = this.#seconds === undefined ? 0 : passed / this.#seconds;
    const share = Math.min(Math.max(scripts / this.#scripts, byTime), 1);
    const left = share > 0 ? `${Math.ceil((passed * (1 - share)) / share)} s left` : '';
    const rate = `${count(Math.round(commands / passed))} commands/s`;
    return `${Math.floor(100 * share)} %, ${many(scripts, this.#unit)}, ${many(commands, 'command')}, ${rate}, ${left}`;
  }
}
