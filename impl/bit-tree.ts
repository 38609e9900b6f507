import type { Column } from './column.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { Store } from './store.ts';

/** Bits of a word as a power of two. */
const WORD_SHIFT = 5;

/**
 * A set of small integers that finds its least member in a few steps. A bit of level k + 1 tells whether a
 * word of level k is not zero; the last level is one word. The words depend on the members alone, not on
 * their history.
 */
export class BitTree {
  private readonly levels: readonly Column[];

  /** @param count - members are 0 to count - 1 */
  constructor(store: Store, count: number) {
    const levels: Column[] = [];
    let words = count;
    do {
      words = (words + 31) >>> WORD_SHIFT;
      levels.push(store.column(words, SEEN_NOWHERE));
    } while (words > 1);
    this.levels = levels;
  }

  add(member: number): void {
    let index = member;
    for (const level of this.levels) {
      const word = level.get(index >>> WORD_SHIFT);
      level.set(index >>> WORD_SHIFT, word | (1 << (index & 31)));
      if (word !== 0) return;
      index >>>= WORD_SHIFT;
    }
  }

  remove(member: number): void {
    let index = member;
    for (const level of this.levels) {
      const word = level.get(index >>> WORD_SHIFT) & ~(1 << (index & 31));
      level.set(index >>> WORD_SHIFT, word);
      if (word !== 0) return;
      index >>>= WORD_SHIFT;
    }
  }

  /** The least member, or -1. */
  first(): number {
    let index = 0;
    for (let k = this.levels.length - 1; k >= 0; k--) {
      const word = this.levels[k]?.get(index) ?? 0;
      if (word === 0) return -1;
      index = (index << WORD_SHIFT) | (31 - Math.clz32(word & -word));
    }
    return index;
  }
}
