/** A set of 64-bit fingerprints, each with the number of its state: open addressing in one typed array. */
export class Visited {
  /** Three words a place: the two halves of the fingerprint, and the state's number plus one. */
  #table = new Int32Array(3 * 1024);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Adds a fingerprint; its number is the count of those before it. Returns false when it was there. */
  add(low: number, high: number): boolean {
    if (this.#count * 2 > this.#table.length / 3) this.#grow();
    if (!insert(this.#table, low, high, this.#count + 1)) return false;
    this.#count++;
    return true;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 3) {
      const number = old[at + 2] as number;
      if (number !== 0) insert(this.#table, old[at] as number, old[at + 1] as number, number);
    }
  }
}

function insert(table: Int32Array, low: number, high: number, number: number): boolean {
  const places = table.length / 3;
  for (let place = (low >>> 0) & (places - 1); ; place = (place + 1) & (places - 1)) {
    const at = 3 * place;
    if (table[at + 2] === 0) {
      table[at] = low;
      table[at + 1] = high;
      table[at + 2] = number;
      return true;
    }
    if (table[at] === low && table[at + 1] === high) return false;
  }
}
