/** Lines are read where they stand among the bytes of a file: no text is made of what nobody keeps. */
import { NEWLINE } from './characters.ts';

/** Browsers and Node have these; the library of the language does not name them. */
declare const TextDecoder: new (
  label: string,
  options: { readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
const ENCODER = new TextEncoder();
/** Bytes that views read at once. */
export const WORD = 4;

/** The text of some bytes; what is no UTF-8 becomes U+FFFD. */
export const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  DECODER.decode(bytes.subarray(from, to));

/** A line as it stands in a file: with the end of a line behind it. */
export const bytesOf = (text: string): Uint8Array => ENCODER.encode(`${text}\n`);

/**
 * Where a line stands. At `to` there is the end of a line, so that what looks for digits or blanks stops there without
 * asking. One object serves for all lines.
 */
export class Line {
  bytes: Uint8Array = Uint8Array.of(NEWLINE);
  /** Of the same bytes. */
  view: DataView = viewOf(this.bytes);
  from = 0;
  to = 0;

  set(bytes: Uint8Array, from: number, to: number): void {
    if (bytes !== this.bytes) this.view = viewOf(bytes);
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  setText(text: string): void {
    const bytes = bytesOf(text);
    this.set(bytes, 0, bytes.length - 1);
  }

  /** What stands from `at` on. */
  textFrom(at: number): string {
    return textOf(this.bytes, at, this.to);
  }
}

/** Where a byte is next, from `at` on; `to` where it is not. */
export function indexOf(bytes: Uint8Array, code: number, at: number, to: number): number {
  let found = at;
  while (found < to && bytes[found] !== code) found += 1;
  return found;
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Whether these bytes stand at `at`, and no end of the line among them. */
export function holds(view: DataView, at: number, to: number, wanted: DataView): boolean {
  const length = wanted.byteLength;
  return length <= to - at && same(view, at, wanted, 0, length);
}

/** Whether both have the same `length` bytes there. */
export function same(left: DataView, at: number, right: DataView, from: number, length: number): boolean {
  let index = 0;
  for (; index + WORD <= length; index += WORD)
    if (left.getInt32(at + index) !== right.getInt32(from + index)) return false;
  for (; index < length; index += 1)
    if (left.getUint8(at + index) !== right.getUint8(from + index)) return false;
  return true;
}

/** Whether this text stands there. @param text - of ASCII */
export function says(bytes: Uint8Array, at: number, to: number, text: string): boolean {
  if (text.length > to - at) return false;
  for (let index = 0; index < text.length; index += 1)
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}
