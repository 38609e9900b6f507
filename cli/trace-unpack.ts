/** Decompression as bytes come: what is out is passed on at once and never gathered, so a bomb only costs time. */
import { createGunzip } from 'node:zlib';
import { Decompress, type ZstdError, ZstdErrorCode } from 'fzstd';

/** Where bytes go. Compressed ones take their time. */
export interface Sink {
  write(piece: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

/** Compressed data is wrong, or ends before its end. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

const OUT_BYTES = 1 << 16;
/** The library calls itself for each frame of what it is given: so many bytes hold no more than it can nest. */
const ZSTD_IN_BYTES = 1 << 14;

/** Any number of members. What was unpacked together with damaged data is lost with it, 64 KiB at the most. */
export function gunzip(out: Sink): Sink {
  const stream = createGunzip({ chunkSize: OUT_BYTES });
  let problem: unknown;
  const fail = (cause: Error): void => {
    const isCut = (cause as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
    problem ??= new Damage(`its gzip data ${isCut ? 'ends early' : `is damaged: ${cause.message}`}`);
  };
  stream.on('error', fail);
  // Nothing that a listener throws reaches whoever writes.
  stream.on('data', (piece: Buffer) => {
    try {
      if (problem === undefined) void out.write(piece);
    } catch (cause) {
      problem = cause;
    }
  });
  // After an error nothing is told but that it is closed.
  let wake = (): void => {};
  stream.on('close', () => wake());
  const act = async (start: (done: () => void) => void): Promise<void> => {
    if (problem === undefined)
      await new Promise<void>((done) => {
        wake = done;
        start(done);
      });
    if (problem !== undefined) throw problem;
  };
  return {
    write: (piece) => act((done) => stream.write(piece, () => done())),
    end: () => act(() => stream.end()),
  };
}

/**
 * Any number of frames. Node's own decompressor is left alone: it is not in every Node that is supported, and for long
 * it stopped without a word at the end of the first frame. Checksums are not checked.
 */
export function unzstd(out: Sink): Sink {
  let problem: unknown;
  const stream = new Decompress(({ buffer, byteOffset, length }) => {
    try {
      void out.write(Buffer.from(buffer, byteOffset, length));
    } catch (cause) {
      problem = cause;
      throw cause;
    }
  });
  const push = (piece: Buffer, isLast: boolean): void => {
    try {
      stream.push(piece, isLast);
    } catch (cause) {
      const { code, message } = cause as ZstdError;
      const isCut = code === ZstdErrorCode.UnexpectedEOF;
      problem ??= new Damage(`its zstd data ${isCut ? 'ends early' : `is damaged: ${message}`}`);
      throw problem;
    }
  };
  return {
    write(piece) {
      for (let at = 0; at < piece.length; at += ZSTD_IN_BYTES)
        push(piece.subarray(at, at + ZSTD_IN_BYTES), false);
    },
    end: () => push(Buffer.alloc(0), true),
  };
}
