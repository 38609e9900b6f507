/**
 * The toy written out for the search: what search alone costs, with as little as possible beside it. No specification
 * is asked and nothing is compared; its invariants are.
 */

import type { System } from '../../properties/explore/system.ts';
import type { Finding } from '../../properties/index.ts';
import { CLIENTS, SLOTS } from './toy.ts';

const PLACES = CLIENTS * SLOTS;

const ALLOC = 0;
const DROP = 1;
const SHARE = 2;
const MAP = 3;
const UNMAP = 4;
const ACCESS = 5;

/** Words of a move: what it is, client, page, place. */
const MOVE_WORDS = 4;

/** Every move, in words. */
function movesOf(pages: number): Int32Array {
  const moves: number[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    for (let page = 0; page < pages; page++) {
      for (const kind of [ALLOC, DROP, SHARE]) moves.push(kind, client, page, 0);
      for (let slot = 0; slot < SLOTS; slot++) moves.push(MAP, client, page, client * SLOTS + slot);
    }
    for (let slot = 0; slot < SLOTS; slot++)
      for (const kind of [UNMAP, ACCESS]) moves.push(kind, client, 0, client * SLOTS + slot);
  }
  return Int32Array.from(moves);
}

/** Up to 8 pages: all of the state is in a few words, and a mark is a copy of them. */
export class ToySystem implements System {
  readonly #moves: Int32Array;
  readonly #count: number;
  readonly #pages: number;
  /** A bit for each client and page. */
  #held = 0;
  /** Four bits for each place: the page plus one; 0: empty. */
  #mapped = 0;
  /** A bit for each place. */
  #cached = 0;
  /** Four bits for each page. */
  #uses = 0;
  #marks = new Int32Array(4 * 256);
  #marked = 0;

  constructor(pages: number) {
    this.#moves = movesOf(pages);
    this.#count = this.#moves.length / MOVE_WORDS;
    this.#pages = pages;
  }

  count(): number {
    return this.#count;
  }

  make(move: number): 'made' | 'undue' {
    const at = MOVE_WORDS * move;
    const page = this.#moves[at + 2] as number;
    const place = this.#moves[at + 3] as number;
    const client = this.#moves[at + 1] as number;
    switch (this.#moves[at]) {
      case ALLOC:
        return this.#isUsed(page) ? 'undue' : this.#hold(client, page);
      case DROP:
        return this.#isHeld(client, page) ? this.#drop(client, page) : 'undue';
      case SHARE:
        return this.#isHeld(client, page) && !this.#isHeld(1 - client, page)
          ? this.#hold(1 - client, page)
          : 'undue';
      case MAP:
        return this.#isHeld(client, page) && this.#pageAt(place) < 0 ? this.#map(place, page) : 'undue';
      case UNMAP:
        return this.#pageAt(place) < 0 ? 'undue' : this.#unmap(place);
      default:
        return this.#pageAt(place) < 0 ? 'undue' : this.#access(place);
    }
  }

  asksToLook(): boolean {
    return false;
  }

  look(): Finding | undefined {
    for (let place = 0; place < PLACES; place++) {
      const page = this.#pageAt(place);
      if (page >= 0 ? !this.#isUsed(page) : (this.#cached & (1 << place)) !== 0)
        throw new Error(`place ${place} is wrong`);
    }
    return undefined;
  }

  back(): void {
    const at = --this.#marked * 4;
    this.#held = this.#marks[at] as number;
    this.#mapped = this.#marks[at + 1] as number;
    this.#cached = this.#marks[at + 2] as number;
    this.#uses = this.#marks[at + 3] as number;
  }

  fingerprint(): readonly [low: number, high: number] {
    const low = mix(this.#held + Math.imul(this.#uses, 0x9e3779b1), this.#mapped + (this.#cached << 16));
    return [low, mix(low ^ this.#mapped, this.#held ^ (this.#cached << 20))];
  }

  #isHeld(client: number, page: number): boolean {
    return (this.#held & (1 << (client * this.#pages + page))) !== 0;
  }

  #isUsed(page: number): boolean {
    return (this.#uses & (15 << (4 * page))) !== 0;
  }

  /** The page that is mapped at a place, or -1. */
  #pageAt(place: number): number {
    return ((this.#mapped >>> (4 * place)) & 15) - 1;
  }

  #mark(): void {
    const at = this.#marked++ * 4;
    this.#marks[at] = this.#held;
    this.#marks[at + 1] = this.#mapped;
    this.#marks[at + 2] = this.#cached;
    this.#marks[at + 3] = this.#uses;
  }

  #hold(client: number, page: number): 'made' {
    this.#mark();
    this.#held |= 1 << (client * this.#pages + page);
    this.#uses += 1 << (4 * page);
    return 'made';
  }

  #drop(client: number, page: number): 'made' {
    this.#mark();
    this.#held &= ~(1 << (client * this.#pages + page));
    this.#uses -= 1 << (4 * page);
    return 'made';
  }

  #map(place: number, page: number): 'made' {
    this.#mark();
    this.#mapped |= (page + 1) << (4 * place);
    this.#uses += 1 << (4 * page);
    return 'made';
  }

  #unmap(place: number): 'made' {
    this.#mark();
    this.#uses -= 1 << (4 * this.#pageAt(place));
    this.#mapped &= ~(15 << (4 * place));
    this.#cached &= ~(1 << place);
    return 'made';
  }

  #access(place: number): 'made' {
    this.#mark();
    this.#cached |= 1 << place;
    return 'made';
  }
}

function mix(a: number, b: number): number {
  let h = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) ^ b;
  h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f);
  return h ^ (h >>> 16);
}
