/** Bytes cut into lines. */

/** What a line has beyond this is dropped; the longest events have some 10 KiB. */
export const LINE_BYTES: number = 1 << 16;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Takes a line, which ends before `to`: there, and nowhere before, is an end of a line, if the line is not cut. */
export type TakeLine = (bytes: Uint8Array, from: number, to: number) => void;

/** Hands over line by line, where it stands. Holds one line at the most, however the bytes come. */
export class Lines {
  readonly #take: TakeLine;
  readonly #held = new Uint8Array(LINE_BYTES + 1);
  #length = 0;
  /** How many were handed over. */
  count = 0;

  constructor(take: TakeLine) {
    this.#take = take;
  }

  write(piece: Buffer): void {
    let from = 0;
    if (this.#length > 0) {
      const end = piece.indexOf(NEWLINE);
      this.#hold(piece.subarray(0, end < 0 ? piece.length : end));
      if (end < 0) return;
      this.#held[this.#length] = NEWLINE;
      this.#tell(this.#held, 0, this.#length);
      this.#length = 0;
      from = end + 1;
    }
    // A buffer of Node is a kind of its own: whoever reads plain bytes as well is slower with it.
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
    for (let end = piece.indexOf(NEWLINE, from); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      this.#tell(bytes, from, end);
      from = end + 1;
    }
    this.#hold(piece.subarray(from));
  }

  /** How many bytes came behind the last end of a line. They may be half a line, and are not handed over. */
  get rest(): number {
    return this.#length;
  }

  #tell(bytes: Uint8Array, from: number, end: number): void {
    const to = end > from && bytes[end - 1] === RETURN ? end - 1 : end;
    this.count += 1;
    this.#take(bytes, from, Math.min(to, from + LINE_BYTES));
  }

  #hold(part: Buffer): void {
    this.#length += part.copy(this.#held, this.#length, 0, LINE_BYTES - this.#length);
  }
}
