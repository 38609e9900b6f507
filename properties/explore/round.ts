/**
 * A round of a search: successive states, expanded by several threads at once. What they find goes into one table. Of
 * the states of the round that lead to a new one the first counts, whoever was there first.
 */
import type { Finding } from '../finding.ts';
import { placeOf } from './fingerprint.ts';
import type { PathWords } from './paths.ts';
import { sharedWords, type Words } from './words.ts';

/** States of a round at the most. */
export const ROUND_STATES = 4096;

/** Words of a place: both halves of the fingerprint, and who leads there: {@link ROUND_STATES} less its position. */
const PLACE_WORDS = 3;
/** Of so many places one is kept free at least. */
const FREE = 4;

/** Words of a note: place, position and fate, move, and how many states the new one stands for. */
export const NOTE_WORDS = 4;

/** What becomes of a new state: it is followed, or it is not, and that is still to be counted or has been. */
export const FATE = { followed: 0, passedOver: 1, counted: 2, count: 3 } as const;

/** Words that control a round. */
export const CONTROL = { next: 0, cut: 1, stop: 2, words: 3 } as const;

/** Arrays that all threads share; whoever gets them writes only where it is said. */
export interface RoundWords {
  readonly control: Words;
  readonly table: Words;
  /** Moves that were made in each state, and findings that were passed over, by position. */
  readonly made: Words;
  readonly passed: Words;
  /** For each thread, what it noted, by position; it alone writes there. */
  readonly notes: readonly Words[];
}

/** What is to be expanded. Plain data and shared words. */
export interface Round {
  /** Moves on the way to each state. */
  readonly depth: number;
  /** Number of the first state, how many there are, and how many a thread takes at once. */
  readonly first: number;
  readonly count: number;
  readonly chunk: number;
  readonly words: RoundWords;
  readonly visited: Words;
  readonly paths: PathWords;
}

/** Why a thread left a state before it was through with it. All states before are expanded in the end. */
export interface Cut {
  readonly position: number;
  /** Undefined: there was no room, or the search is to stop. */
  readonly found?: {
    readonly move: number;
    readonly finding: Finding;
    /** Place of the new state without which nobody would have looked; -1: they would have. */
    readonly place: number;
  };
}

/** What one thread did in a round. */
export interface Expanded {
  readonly notes: number;
  readonly cut?: Cut;
}

/** @param places - of the table */
export function roundWords(places: number, threads: number, control: Words): RoundWords {
  const share = Math.floor((places * (FREE - 1)) / FREE / threads);
  return {
    control,
    table: sharedWords(PLACE_WORDS * places),
    made: sharedWords(ROUND_STATES),
    passed: sharedWords(ROUND_STATES),
    notes: Array.from({ length: threads }, () => sharedWords(NOTE_WORDS * share)),
  };
}

/** The fingerprints that a round found, each with the first position that leads to it. A place in four is free. */
export class RoundTable {
  readonly #words: Words;
  readonly #places: number;

  constructor(words: Words) {
    this.#words = words;
    this.#places = words.length / PLACE_WORDS;
  }

  get places(): number {
    return this.#places;
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** Returns the place where a state was noted that nobody had been led to by an earlier position, or -1. */
  note(low: number, high: number, position: number): number {
    const place = this.#claim(low, high);
    const at = PLACE_WORDS * place + 2;
    const leads = ROUND_STATES - position;
    let known = Atomics.load(this.#words, at);
    while (known < leads) {
      const before = Atomics.compareExchange(this.#words, at, known, leads);
      if (before === known) return place;
      known = before;
    }
    return -1;
  }

  /** The first position that leads to the state at a place. */
  position(place: number): number {
    return ROUND_STATES - (this.#words[PLACE_WORDS * place + 2] as number);
  }

  low(place: number): number {
    return this.#words[PLACE_WORDS * place] as number;
  }

  high(place: number): number {
    return this.#words[PLACE_WORDS * place + 1] as number;
  }

  /** A place is taken half by half: who took the first may lose the second to another of the same first half. */
  #claim(low: number, high: number): number {
    const words = this.#words;
    for (let place = placeOf(low, this.#places); ; place = place + 1 === this.#places ? 0 : place + 1) {
      const at = PLACE_WORDS * place;
      if (take(words, at, low) && take(words, at + 1, high)) return place;
    }
  }
}

/** Whether a word has a value now, by being free or by having had it. */
function take(words: Words, at: number, value: number): boolean {
  const known = Atomics.load(words, at);
  if (known !== 0) return known === value;
  const before = Atomics.compareExchange(words, at, 0, value);
  return before === 0 || before === value;
}
