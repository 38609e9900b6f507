import { assert } from './check.ts';
import type { Store } from './store.ts';

/** Words of one log entry: index, old value, `SEEN_` bits. */
const ENTRY_WORDS = 3;
/** Words of one mark: length of the log, both halves of the fingerprint. */
const MARK_WORDS = 3;

/** Scrambles 32 bits so that each input bit flips half of the output bits (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Remembers what writes replaced, and keeps a fingerprint of all words up to date. Both cost the same for any
 * size of the machine.
 *
 * The fingerprint is 64 bits, the XOR over all words of a mix of (index, value), relative to the boot image:
 * equal words give equal fingerprints however they came about, and a machine that has just booted has 0.
 */
export class Journal {
  /** The two halves of the fingerprint, 32 bits each. */
  low = 0;
  high = 0;
  /** Told of every word that changes, before it does. */
  heard: ((word: number, old: number, value: number) => void) | undefined;
  private readonly store: Store;
  private log = new Int32Array(ENTRY_WORDS * 1024);
  private length = 0;
  private marks = new Int32Array(MARK_WORDS * 64);
  private markCount = 0;

  /** @param image - the words of a machine that has just booted */
  constructor(store: Store, image: Int32Array) {
    this.store = store;
    for (let i = 0; i < image.length; i++) this.replace(i, image[i] ?? 0, store.words[i] ?? 0);
  }

  /** Logs one write, before it happens. */
  note(index: number, old: number, value: number, bit: number): void {
    if (old === value) return;
    if (this.length === this.log.length) this.log = grown(this.log);
    this.log[this.length] = index;
    this.log[this.length + 1] = old;
    this.log[this.length + 2] = bit;
    this.length += ENTRY_WORDS;
    this.heard?.(index, old, value);
    this.replace(index, old, value);
  }

  /** Remembers this moment, on top of earlier ones. */
  mark(): void {
    const at = MARK_WORDS * this.markCount;
    if (at === this.marks.length) this.marks = grown(this.marks);
    this.marks[at] = this.length;
    this.marks[at + 1] = this.low;
    this.marks[at + 2] = this.high;
    this.markCount++;
  }

  /** Puts all words back to what they were at the last mark, which stays. */
  undo(): void {
    assert(this.markCount > 0, 'there is a mark to go back to');
    const at = MARK_WORDS * (this.markCount - 1);
    const length = this.marks[at] ?? 0;
    while (this.length > length) this.undoLast();
    this.low = this.marks[at + 1] ?? 0;
    this.high = this.marks[at + 2] ?? 0;
  }

  /** Forgets the last mark; the words stay. */
  drop(): void {
    assert(this.markCount > 0, 'there is a mark to forget');
    this.markCount--;
  }

  /** Forgets log and marks: the words are those of the boot image again. */
  clear(): void {
    this.length = 0;
    this.markCount = 0;
    this.low = 0;
    this.high = 0;
  }

  private undoLast(): void {
    this.length -= ENTRY_WORDS;
    const at = this.length;
    this.store.restore(this.log[at] ?? 0, this.log[at + 1] ?? 0, this.log[at + 2] ?? 0);
  }

  private replace(index: number, old: number, value: number): void {
    if (old === value) return;
    this.toggle(index, old);
    this.toggle(index, value);
  }

  /** A three-round Feistel network over the pair: no two pairs mix to the same 64 bits. */
  private toggle(index: number, value: number): void {
    const a = value ^ scramble(index + 0x9e3779b9);
    const b = index ^ scramble(a + 0x7f4a7c15);
    this.low ^= a ^ scramble(b + 0x165667b1);
    this.high ^= b;
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
