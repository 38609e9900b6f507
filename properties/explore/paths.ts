/** How each state was reached first: the state before it, and the move. */
import { sharedWords, type Words } from './words.ts';

/** States that there is room for at first. */
const ROOM = 512;

/** Moves that two bytes have room for. */
const SMALL_MOVES = 0x1_0000;

type Moves = Uint16Array<SharedArrayBuffer> | Words;

/** The arrays of paths, for other threads. */
export interface PathWords {
  readonly parents: Words;
  readonly moves: Moves;
}

/** States by number, in the order in which they were found; number 0 is where the search began. */
export class Paths {
  #parents: Words;
  #moves: Moves;
  #size = 0;
  #peak = 0;

  constructor({ parents, moves }: PathWords = { parents: sharedWords(ROOM), moves: smallMoves(ROOM) }) {
    this.#parents = parents;
    this.#moves = moves;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#parents.byteLength + this.#moves.byteLength;
  }

  /** Bytes that were needed at once at the most. */
  get peakBytes(): number {
    return Math.max(this.#peak, this.bytes);
  }

  get words(): PathWords {
    return { parents: this.#parents, moves: this.#moves };
  }

  /** @param parent - number of the state before it; -1: there is none */
  add(parent: number, move: number): void {
    const room = this.#parents.length;
    if (this.#size === room) this.#grow(room + Math.ceil(room / 4), this.#moves instanceof Uint16Array);
    if (move >= SMALL_MOVES && this.#moves instanceof Uint16Array) this.#grow(room, false);
    this.#parents[this.#size] = parent;
    this.#moves[this.#size] = move;
    this.#size++;
  }

  parent(state: number): number {
    return this.#parents[state] as number;
  }

  move(state: number): number {
    return this.#moves[state] as number;
  }

  /** The states on the way to a state, both ends included. */
  to(state: number): number[] {
    const path: number[] = [];
    for (let at = state; at >= 0; at = this.parent(at)) path.push(at);
    return path.reverse();
  }

  /** The moves on the way to a state. */
  movesTo(state: number): number[] {
    return this.to(state)
      .slice(1)
      .map((at) => this.move(at));
  }

  #grow(room: number, areSmall: boolean): void {
    const parents = sharedWords(room);
    parents.set(this.#parents);
    const moves = areSmall ? smallMoves(room) : sharedWords(room);
    moves.set(this.#moves);
    this.#peak = this.bytes + parents.byteLength + moves.byteLength;
    this.#parents = parents;
    this.#moves = moves;
  }
}

const smallMoves = (room: number): Uint16Array<SharedArrayBuffer> =>
  new Uint16Array(new SharedArrayBuffer(2 * room));
