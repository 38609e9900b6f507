/** How far a run is: one line that is redrawn on a terminal, a plain line now and then elsewhere. */
import type { Session } from './session.ts';
import { count } from './table.ts';

const REDRAW_MS = 100;
const PLAIN_MS = 10_000;
/** What is over before this needs no progress. */
const QUIET_MS = 1_000;

export interface Done {
  readonly scripts: number;
  readonly commands: number;
}

export class Progress {
  readonly #session: Session;
  readonly #scripts: number;
  readonly #seconds: number | undefined;
  readonly #start: number;
  #last: number;

  /** @param scripts - how many there are, or infinity: then `seconds` says when it ends */
  constructor(session: Session, scripts: number, seconds: number | undefined) {
    this.#session = session;
    this.#scripts = scripts;
    this.#seconds = seconds;
    this.#start = session.now();
    this.#last = this.#start + QUIET_MS - PLAIN_MS;
    if (session.io.draw !== undefined) this.#last = this.#start + QUIET_MS;
  }

  update(done: Done): void {
    const { io } = this.#session;
    const now = this.#session.now();
    if (now - this.#last < (io.draw === undefined ? PLAIN_MS : REDRAW_MS)) return;
    this.#last = now;
    const line = this.#line(done, (now - this.#start) / 1000);
    if (io.draw === undefined) io.err(line);
    else io.draw(line);
  }

  /** Something else that takes its time, such as shrinking. */
  say(text: string): void {
    this.#session.io.draw?.(text);
  }

  /** Takes the status line away. */
  end(): void {
    this.#session.io.draw?.('');
  }

  #line({ scripts, commands }: Done, passed: number): string {
    const byTime = this.#seconds === undefined ? 0 : passed / this.#seconds;
    const share = Math.min(Math.max(scripts / this.#scripts, byTime), 1);
    const left = share > 0 ? `${Math.ceil((passed * (1 - share)) / share)} s left` : '';
    const rate = `${count(Math.round(commands / passed))} commands/s`;
    return `${Math.floor(100 * share)} %, ${count(scripts)} scripts, ${count(commands)} commands, ${rate}, ${left}`;
  }
}
