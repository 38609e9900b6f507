/** How each state was reached first: the state before it, and the move. */

/** States that there is room for at first. */
const ROOM = 1024;

/** States by number, in the order in which they were found; number 0 is where the search began. */
export class Paths {
  #parents = new Int32Array(ROOM);
  #moves = new Int32Array(ROOM);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#parents.byteLength + this.#moves.byteLength;
  }

  /** @param parent - number of the state before it; -1: there is none */
  add(parent: number, move: number): void {
    if (this.#size === this.#parents.length) {
      this.#parents = grown(this.#parents);
      this.#moves = grown(this.#moves);
    }
    this.#parents[this.#size] = parent;
    this.#moves[this.#size] = move;
    this.#size++;
  }

  move(state: number): number {
    return this.#moves[state] as number;
  }

  /** The states on the way to a state, both ends included. */
  to(state: number): number[] {
    const path: number[] = [];
    for (let at = state; at >= 0; at = this.#parents[at] as number) path.push(at);
    return path.reverse();
  }

  /** The moves on the way to a state. */
  movesTo(state: number): number[] {
    return this.to(state)
      .slice(1)
      .map((at) => this.move(at));
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
