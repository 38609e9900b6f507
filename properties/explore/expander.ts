/** What a thread does in a search: it makes every move in the states of its share. */
import type { Finding } from '../finding.ts';
import { type Fingerprint, spread } from './fingerprint.ts';
import { Paths } from './paths.ts';
import { CONTROL, type Cut, type Expanded, FATE, NOTE_WORDS, type Round, RoundTable } from './round.ts';
import type { System } from './system.ts';
import { Visited } from './visited.ts';
import type { Words } from './words.ts';

/** Whether a finding ends a search. Where not, the state that it was found in is not followed. */
export type Wants = (finding: Finding) => boolean;

const NO_PLACE = -1;

/** The same moves led elsewhere the second time: what going back restores is not all of a system's state. */
export class LedElsewhereError extends Error {
  constructor() {
    super('the same calls led elsewhere the second time: what undo restores is not all of the state');
    this.name = 'LedElsewhereError';
  }
}

export class Expander {
  readonly #system: System;
  readonly #wants: Wants | undefined;
  /** States on the way from the first to where the system stands. */
  readonly #path: number[] = [0];
  /** The state whose moves were counted last, and how many it has. */
  #counted = -1;
  #count = 0;

  constructor(system: System, wants?: Wants) {
    this.#system = system;
    this.#wants = wants;
  }

  /** Expands states of a round until none are left. */
  run(round: Round, thread = 0): Expanded {
    const share = new Share(round, thread);
    const { control } = round.words;
    for (;;) {
      const start = Atomics.add(control, CONTROL.next, round.chunk);
      for (let position = start; position < start + round.chunk; position++) {
        if (position >= Atomics.load(control, CONTROL.cut)) return { notes: share.notes };
        const cut = this.#expand(share, position);
        if (cut === undefined) continue;
        lower(control, CONTROL.cut, position);
        return { notes: share.notes, cut };
      }
    }
  }

  /** Makes every move that a state allows, and goes back after each. */
  #expand(share: Share, position: number): Cut | undefined {
    const system = this.#system;
    this.#goTo(share, position);
    const count = this.#countAt(share.round.first + position);
    let made = 0;
    let passed = 0;
    if (share.room < count) return { position };
    for (let move = 0; move < count; move++) {
      if (share.isStopped) return { position };
      const before = system.make(move);
      if (before === 'undue') continue;
      made++;
      const { finding, place, isWanted } = this.#arrive(share, position, move, before);
      system.back();
      if (finding === undefined) continue;
      if (isWanted) {
        share.count(position, made, passed);
        return { position, found: { move, finding, place } };
      }
      if (place === NO_PLACE) passed++;
    }
    share.count(position, made, passed);
    return undefined;
  }

  /** Asked of the system once, although a round may end where there is no room for what its next state leads to. */
  #countAt(state: number): number {
    if (state !== this.#counted) {
      this.#count = this.#system.count();
      this.#counted = state;
    }
    return this.#count;
  }

  /** Looks at where a move led, and notes it where it is new. */
  #arrive(share: Share, position: number, move: number, made: 'made' | Finding): Arrival {
    if (typeof made === 'object') return { finding: made, place: NO_PLACE, isWanted: this.#isWanted(made) };
    const system = this.#system;
    const [low, high] = spread(system.fingerprint());
    const place = share.find(low, high, position);
    const asks = system.asksToLook();
    if (place === NO_PLACE && !asks) return NOTHING_NEW;
    const seen = system.look();
    const finding = place === NO_PLACE || seen !== undefined ? seen : this.#lookFurther(share);
    if (place === NO_PLACE && finding === undefined) return NOTHING_NEW;
    const isWanted = finding !== undefined && this.#isWanted(finding);
    const isOwn = place === NO_PLACE || (asks && seen !== undefined);
    if (place !== NO_PLACE) {
      const fate = finding === undefined ? FATE.followed : isOwn || isWanted ? FATE.counted : FATE.passedOver;
      share.note(place, position, fate, move, system.standsFor?.() ?? 1);
    }
    return { finding, place: isOwn ? NO_PLACE : place, isWanted };
  }

  /** Where findings are passed over, in a state that was visited there may have been one. */
  #lookFurther({ isKnown }: Share): Finding | undefined {
    return this.#system.lookFurther?.(this.#wants === undefined ? isKnown : undefined);
  }

  #isWanted(finding: Finding): boolean {
    return this.#wants?.(finding) !== false;
  }

  /** Goes to a state: back to where the ways part, then on. */
  #goTo({ round, paths }: Share, position: number): void {
    const path = this.#path;
    const way: number[] = [];
    let state = round.first + position;
    for (let depth = round.depth; path[depth] !== state; depth--) {
      way.push(state);
      state = paths.parent(state);
    }
    const shared = round.depth - way.length + 1;
    for (; path.length > shared; path.pop()) this.#system.back();
    for (let next = way.pop(); next !== undefined; next = way.pop()) {
      if (this.#system.make(paths.move(next)) !== 'made') throw new LedElsewhereError();
      path.push(next);
    }
  }
}

interface Arrival {
  readonly finding?: Finding | undefined;
  /** Place of the new state without which nobody would have looked. */
  readonly place: number;
  readonly isWanted: boolean;
}

const NOTHING_NEW: Arrival = { place: NO_PLACE, isWanted: false };

/** What a thread sees of a round, and what it writes. */
class Share {
  readonly round: Round;
  readonly paths: Paths;
  notes = 0;
  readonly #visited: Visited;
  readonly #table: RoundTable;
  readonly #words: Words;

  constructor(round: Round, thread: number) {
    this.round = round;
    this.paths = new Paths(round.paths);
    this.#visited = new Visited(round.visited);
    this.#table = new RoundTable(round.words.table);
    this.#words = round.words.notes[thread] as Words;
  }

  /** How many notes there is room for. */
  get room(): number {
    return this.#words.length / NOTE_WORDS - this.notes;
  }

  get isStopped(): boolean {
    return Atomics.load(this.round.words.control, CONTROL.stop) !== 0;
  }

  /** Visited in an earlier round. */
  readonly isKnown = (fingerprint: Fingerprint): boolean => this.#visited.has(...spread(fingerprint));

  /** The place of a state that no position up to this one is known to lead to. */
  find(low: number, high: number, position: number): number {
    return this.#visited.has(low, high) ? NO_PLACE : this.#table.note(low, high, position);
  }

  note(place: number, position: number, fate: number, move: number, stands: number): void {
    const at = NOTE_WORDS * this.notes++;
    this.#words[at] = place;
    this.#words[at + 1] = position * FATE.count + fate;
    this.#words[at + 2] = move;
    this.#words[at + 3] = stands;
  }

  count(position: number, made: number, passed: number): void {
    this.round.words.made[position] = made;
    this.round.words.passed[position] = passed;
  }
}

/** Puts the smaller of two values into a word. */
function lower(words: Words, at: number, value: number): void {
  let known = Atomics.load(words, at);
  while (value < known) {
    const before = Atomics.compareExchange(words, at, known, value);
    if (before === known) return;
    known = before;
  }
}
