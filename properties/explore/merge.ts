/** What the threads noted in a round, as a single one would have come upon it. */
import { type Expanded, FATE, NOTE_WORDS, type RoundTable, type RoundWords } from './round.ts';
import type { Words } from './words.ts';

export interface NewState {
  readonly low: number;
  readonly high: number;
  readonly move: number;
  readonly fate: number;
  readonly standsFor: number;
}

export class Merge {
  readonly #words: RoundWords;
  readonly #table: RoundTable;
  readonly #ends: readonly number[];
  /** For each thread, where its next note starts. */
  readonly #next: number[];

  constructor(words: RoundWords, table: RoundTable, expanded: readonly Expanded[]) {
    this.#words = words;
    this.#table = table;
    this.#ends = expanded.map(({ notes }) => notes * NOTE_WORDS);
    this.#next = expanded.map(() => 0);
  }

  /** Takes the states that were first found at a position, in the order of its moves. Positions ascend. */
  take(position: number, onNew: (state: NewState) => void): void {
    for (let thread = 0; thread < this.#next.length; thread++) {
      const notes = this.#words.notes[thread] as Words;
      let at = this.#next[thread] as number;
      for (; at < (this.#ends[thread] as number); at += NOTE_WORDS) {
        const place = notes[at] as number;
        const noted = notes[at + 1] as number;
        if (Math.floor(noted / FATE.count) !== position) break;
        if (this.#table.position(place) !== position) continue;
        onNew({
          low: this.#table.low(place),
          high: this.#table.high(place),
          move: notes[at + 2] as number,
          fate: noted % FATE.count,
          standsFor: notes[at + 3] as number,
        });
      }
      this.#next[thread] = at;
    }
  }
}
