/** What a command gets of the world: where it writes, a clock, and whether somebody pressed Ctrl-C. */
import { styleText } from 'node:util';

export type Format = 'bold' | 'red' | 'green' | 'yellow' | 'dim';

/** Where a command writes, and nothing else of the process: commands are tested without one. */
export interface Output {
  /** A line of result. */
  out(line: string): void;
  /** A line of progress or diagnostics. */
  err(line: string): void;
  /** Replaces the status line of a terminal; an empty text removes it. Undefined: there is no terminal. */
  readonly draw?: (text: string) => void;
  style(format: Format, text: string): string;
}

/** Standard input: a terminal, or anything that lines can be read from. */
export type Input = NodeJS.ReadableStream &
  Partial<Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode'>> & { destroy?(): unknown };

export interface Screen {
  readonly rows: number;
  readonly columns: number;
  write(text: string): void;
}

export interface Session {
  readonly io: Output;
  readonly signal: AbortSignal;
  /** Where somebody types, or lines come from. */
  readonly input?: Input;
  /** The terminal on standard output, to be drawn on as a whole. */
  readonly screen?: Screen;
  /** Milliseconds from some fixed moment. */
  now(): number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** A terminal that somebody looks at and that understands control sequences. */
export const isLive = (stream: { readonly isTTY?: boolean }, environment: Environment): boolean =>
  stream.isTTY === true && !isSet(environment['CI']) && environment['TERM'] !== 'dumb';

/** Standard output and standard error of this process. */
export function standardOutput(environment: Environment = process.env): Output {
  const { stdout, stderr } = process;
  const colours = isLive(stdout, environment) && !isSet(environment['NO_COLOR']);
  let drawn = '';
  const clear = (): string => (drawn === '' ? '' : '\r\x1b[2K');
  const draw = (text: string): void => {
    const line = text.slice(0, Math.max((stderr.columns || 80) - 1, 1));
    if (line !== drawn) stderr.write(`${clear()}${line}`);
    drawn = line;
  };
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err(line) {
      stderr.write(`${clear()}${line}\n`);
      drawn = '';
    },
    ...(isLive(stderr, environment) ? { draw } : {}),
    style: (format, text) => (colours ? styleText(format, text) : text),
  };
}

/** The terminal that standard output is, if it is one. */
export function standardScreen(environment: Environment = process.env): Screen | undefined {
  const { stdout } = process;
  if (!isLive(stdout, environment)) return undefined;
  return {
    get rows() {
      return stdout.rows || 24;
    },
    get columns() {
      return stdout.columns || 80;
    },
    write: (text) => void stdout.write(text),
  };
}

/** What a session wrote. */
export interface Recorded {
  readonly out: string;
  readonly err: string;
}

/** A session that writes into memory: for tests, and for programs that run a command inside themselves. */
export function recordingSession(
  signal: AbortSignal = new AbortController().signal,
  input?: Input,
): Session & { recorded(): Recorded } {
  const out: string[] = [];
  const err: string[] = [];
  return {
    io: {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      style: (_format, text) => text,
    },
    signal,
    ...(input === undefined ? {} : { input }),
    now: () => performance.now(),
    recorded: () => ({ out: out.join('\n'), err: err.join('\n') }),
  };
}
