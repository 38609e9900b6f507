/** Reads files that a user named, whatever stands there. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsageError } from './exit.ts';

const PIECE_BYTES = 1 << 20;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EISDIR: 'it is a folder; name the files in it',
};

/** The text of a file. @throws {UsageError} with one line that names it, also when it has more bytes */
export function readTextFile(file: string, bytesMax: number): string {
  try {
    const handle = openSync(file, 'r');
    try {
      if (fstatSync(handle).isDirectory()) throw new UsageError(`${file}: ${REASONS['EISDIR']}`);
      return readAll(handle, file, bytesMax);
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** What the system said of a file, as one line; what else was thrown stays as it is. */
export function unreadable(file: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof UsageError || code === undefined) return cause;
  return new UsageError(`${file}: ${REASONS[code] ?? `it cannot be read (${code})`}`);
}

/** Not more than the limit is ever held, though the file be a device without end. */
function readAll(handle: number, file: string, bytesMax: number): string {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const got = readSync(handle, piece, 0, PIECE_BYTES, null);
    if (got === 0) return Buffer.concat(pieces).toString('utf8');
    bytes += got;
    if (bytes > bytesMax) throw new UsageError(`${file}: more than ${bytesMax / 2 ** 20} MiB`);
    pieces.push(piece.subarray(0, got));
  }
}
