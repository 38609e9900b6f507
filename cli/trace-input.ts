/** Reads a trace as a stream of lines: a file or standard input, compressed or not, in bounded memory. */
import { createReadStream, statSync } from 'node:fs';
import { UsageError } from './exit.ts';
import { unreadable } from './read-file.ts';
import type { Input, Session } from './session.ts';
import { type Foreign, HEAD_BYTES, kindOf } from './trace-kinds.ts';
import { Lines, type TakeLine } from './trace-lines.ts';
import { Damage, gunzip, type Sink, unzstd } from './trace-unpack.ts';

/** Read at a time: each takes a turn of another thread. */
const READ_BYTES = 1 << 20;

/** Who takes lines, and hears how far the file has been read. */
export interface Reader {
  readonly line: TakeLine;
  /** @param size - of the file, where it is known */
  read(bytes: number, size: number | undefined): void;
}

/**
 * Reads to the end, or until Ctrl-C. Data that are cut off or damaged are read as far as they go.
 *
 * @returns why the end of the trace was not reached; undefined when it was
 * @throws {UsageError} with one line that names the file, where nothing can be read of it
 */
export async function readTrace(
  file: string,
  reader: Reader,
  { signal, input }: Session,
): Promise<string | undefined> {
  const lines = new Lines(reader.line);
  const unpacked = byHead((head) => plainOf(file, head, lines, 'unpacked, '));
  const sink = byHead((head) => {
    const kind = kindOf(head);
    if (kind === 'gzip') return gunzip(unpacked);
    return kind === 'zstd' ? unzstd(unpacked) : plainOf(file, head, lines, '');
  });
  const damage = await feed(file, open(file, input), sink, reader, signal);
  await unpacked.end();
  if (signal.aborted) return 'it was interrupted';
  if (damage !== undefined && lines.count === 0) throw new UsageError(`${file}: ${damage}`);
  return damage ?? (lines.rest > 0 ? 'its last line has no end, and is left out' : undefined);
}

/** Everything of a stream, in order. Returns what is wrong with the data. */
async function feed(
  file: string,
  stream: Input,
  sink: Sink,
  reader: Reader,
  signal: AbortSignal,
): Promise<string | undefined> {
  const size = sizeOf(file);
  let taken = 0;
  try {
    for await (const piece of pieces(stream, signal)) {
      taken += piece.length;
      await sink.write(piece);
      reader.read(taken, size);
    }
    await sink.end();
  } catch (cause) {
    if (cause instanceof Damage) return cause.message;
    throw unreadable(file, cause);
  }
  return undefined;
}

/** What a stream gives until its end or Ctrl-C. */
async function* pieces(stream: Input, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = (): void => void stream.destroy?.();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of stream) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
  } catch (cause) {
    if (!signal.aborted) throw cause;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @throws {UsageError} where nobody can have put a trace */
function open(file: string, input: Input | undefined): Input {
  if (file !== '-') return createReadStream(file, { highWaterMark: READ_BYTES });
  if (input === undefined || input.isTTY === true)
    throw new UsageError('-: standard input is a terminal; pipe a trace into it');
  return input;
}

/** Files that the kernel makes up as they are read have none. */
function sizeOf(file: string): number | undefined {
  const found = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size > 0 ? found.size : undefined;
}

/** @throws {UsageError} with the command that makes a trace of what begins so */
function plainOf(file: string, head: Buffer, lines: Lines, how: '' | 'unpacked, '): Sink {
  const kind = kindOf(head);
  if (kind === 'text') return { write: (piece) => lines.write(piece), end() {} };
  const { name, reader }: Foreign =
    typeof kind === 'object' ? kind : { name: kind, reader: `${kind} -dc FILE` };
  const isPlain = how === '' && /^[\w./+-]{2,}$/.test(file);
  const command = reader?.replace('FILE', isPlain ? file : 'FILE');
  const advice = command === undefined ? '' : `; try: ${command} | ionclad check-trace -`;
  throw new UsageError(`${file}: ${how}this is ${name}, not text${advice}`);
}

/** Holds bytes back until there are enough to choose where they go. */
function byHead(choose: (head: Buffer) => Sink): Sink {
  let held = Buffer.alloc(0);
  let chosen: Sink | undefined;
  return {
    write(piece) {
      if (chosen !== undefined) return chosen.write(piece);
      held = Buffer.concat([held, piece]);
      if (held.length < HEAD_BYTES) return undefined;
      chosen = choose(held);
      return chosen.write(held);
    },
    async end() {
      if (chosen === undefined) {
        chosen = choose(held);
        await chosen.write(held);
      }
      await chosen.end();
    },
  };
}
