/** Bytes cut into lines. */
import { isAscii } from 'node:buffer';

/** What a line has beyond this is dropped; the longest events have some 10 KiB. */
export const LINE_BYTES: number = 1 << 16;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Hands over line by line, without its end. Holds one line at the most, however the bytes come. */
export class Lines {
  readonly #line: (text: string) => void;
  readonly #held = Buffer.allocUnsafe(LINE_BYTES);
  #length = 0;
  /** How many were handed over. */
  count = 0;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  write(piece: Buffer): void {
    // A text of its own for each line: one that is cut out of a longer one would keep that alive.
    const encoding = isAscii(piece) ? 'latin1' : 'utf8';
    let from = 0;
    if (this.#length > 0) {
      const end = piece.indexOf(NEWLINE);
      this.#hold(piece.subarray(0, end < 0 ? piece.length : end));
      if (end < 0) return;
      const length = this.#length;
      this.#length = 0;
      this.#tell(this.#held, 0, length, 'utf8');
      from = end + 1;
    }
    for (let end = piece.indexOf(NEWLINE, from); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      this.#tell(piece, from, end, encoding);
      from = end + 1;
    }
    this.#hold(piece.subarray(from));
  }

  /** How many bytes came behind the last end of a line. They may be half a line, and are not handed over. */
  get rest(): number {
    return this.#length;
  }

  #tell(bytes: Buffer, from: number, end: number, encoding: BufferEncoding): void {
    const to = end > from && bytes[end - 1] === RETURN ? end - 1 : end;
    this.count += 1;
    this.#line(bytes.toString(encoding, from, Math.min(to, from + LINE_BYTES)));
  }

  #hold(part: Buffer): void {
    this.#length += part.copy(this.#held, this.#length);
  }
}
