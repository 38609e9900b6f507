/**
 * Breadth-first search: every move in every state. The first finding has a shortest path. A state is kept as a
 * fingerprint and the way to it. States are expanded in rounds, by any number of threads; they are numbered as a single
 * thread would have found them, so that the result is the same.
 */
import type { Finding } from '../finding.ts';
import { Expander, type Wants } from './expander.ts';
import { collisionOdds, type Fingerprint, spread } from './fingerprint.ts';
import { Merge, type NewState } from './merge.ts';
import { Paths } from './paths.ts';
import {
  CONTROL,
  type Cut,
  type Expanded,
  FATE,
  ROUND_STATES,
  type Round,
  RoundTable,
  type RoundWords,
  roundWords,
} from './round.ts';
import type { System } from './system.ts';
import { Visited } from './visited.ts';
import { sharedWords } from './words.ts';

export interface SearchLimits {
  /** Moves on a path at the most. */
  readonly depth: number;
  /** States at which the search gives up: no further one is expanded. */
  readonly states: number;
  /** Mebibytes for states, at which it gives up likewise. */
  readonly memory?: number;
}

/** Why a search ended: nothing was left to visit; a limit was met while there was; something was found; or Ctrl-C. */
export type Ending = 'complete' | 'depth' | 'states' | 'memory' | 'found' | 'interrupted';

export interface Searched {
  readonly states: number;
  /** Moves that were made. */
  readonly transitions: number;
  /** Moves on the longest of the shortest paths. */
  readonly depth: number;
  readonly ending: Ending;
  /** States that were found and not visited yet. */
  readonly frontier: number;
  /** Findings that were not wanted. */
  readonly passedOver: number;
  /** States that those visited stand for: more where several were taken for one because they are alike. */
  readonly standsFor: number;
  /** The chance that two states had the same fingerprint, and one of them was not visited. */
  readonly collision: number;
  /** Bytes that the search keeps about states, and at the most while a table grew; a round has 2 MiB beside. */
  readonly bytes: number;
  readonly peakBytes: number;
  /** The moves to a finding. */
  readonly found?: { readonly path: readonly number[]; readonly finding: Finding };
}

/** How far a search is. */
export type Told = Pick<Searched, 'states' | 'transitions' | 'depth' | 'frontier'>;

/** Bytes of a state at the most, while the tables grow: 10 + 12.5 of fingerprints, 8 + 10 of the ways. */
const STATE_BYTES = 41;

const statesIn = (memory = Number.POSITIVE_INFINITY): number => Math.floor((memory * 2 ** 20) / STATE_BYTES);

/** Places of the table of a round, at first and until one state alone needs more. */
const PLACES = 512;
const PLACES_MAX = 0x1_0000;

/** Chunks for each thread in a round. */
const CHUNKS = 8;
const CHUNK_MAX = 32;

/**
 * Searches with one thread, this one.
 *
 * @param goesOn - is told now and then how far the search is, and may end it
 */
export function search(
  system: System,
  limits: SearchLimits,
  wants?: Wants,
  goesOn: (told: Told) => boolean = () => true,
): Searched {
  const expander = new Expander(system, wants);
  const whole = new Search(system.fingerprint(), limits);
  for (let round = whole.begin(); round !== undefined; round = whole.begin()) {
    whole.end([expander.run(round)]);
    if (!goesOn(whole.told)) whole.stop();
  }
  return whole.result;
}

/** The part of a search that is there once. Whoever has expanders alternates `begin` and `end`. */
export class Search {
  readonly #limits: SearchLimits;
  readonly #threads: number;
  readonly #visited = new Visited();
  readonly #paths = new Paths();
  readonly #control = sharedWords(CONTROL.words);
  /** States at which it gives up. */
  readonly #most: number;
  #words: RoundWords;
  #table: RoundTable;
  #round: Round | undefined;
  /** The next state to expand, the end of its level, and how many moves lead there. */
  #next = 0;
  #levelEnd = 1;
  #level = 0;
  #transitions = 0;
  #passedOver = 0;
  #standsFor = 1;
  #ending: Ending | undefined;
  #found: Searched['found'];

  constructor(root: Fingerprint, limits: SearchLimits, threads = 1) {
    this.#limits = limits;
    this.#threads = threads;
    this.#most = Math.min(limits.states, statesIn(limits.memory));
    this.#words = roundWords(PLACES, threads, this.#control);
    this.#table = new RoundTable(this.#words.table);
    this.#visited.add(...spread(root));
    this.#paths.add(-1, 0);
  }

  /** What is to be expanded next; undefined: the search is over. */
  begin(): Round | undefined {
    if (this.#next === this.#levelEnd && this.#next < this.#paths.size) {
      this.#levelEnd = this.#paths.size;
      this.#level++;
    }
    this.#ending ??= this.#endingHere();
    if (this.#ending !== undefined) return undefined;
    const count = Math.min(this.#levelEnd - this.#next, ROUND_STATES, this.#untilFull());
    const chunk = Math.ceil(count / (CHUNKS * this.#threads));
    this.#table.clear();
    this.#words.control[CONTROL.next] = 0;
    this.#words.control[CONTROL.cut] = count;
    this.#round = {
      depth: this.#level,
      first: this.#next,
      count,
      chunk: Math.min(chunk, CHUNK_MAX),
      words: this.#words,
      visited: this.#visited.table,
      paths: this.#paths.words,
    };
    return this.#round;
  }

  /** @param expanded - what each thread did in the round */
  end(expanded: readonly Expanded[]): void {
    const { first = 0, count = 0 } = this.#round ?? {};
    const cut = expanded.reduce<Cut | undefined>((least, { cut: each }) => earlier(least, each), undefined);
    const merge = new Merge(this.#words, this.#table, expanded);
    const end = cut?.position ?? count;
    for (let position = 0; position < end && !this.#isFull(); position++) {
      this.#take(merge, position);
      this.#next++;
    }
    if (cut === undefined || this.#next < first + end || this.#isFull()) return;
    if (cut.found === undefined) this.#makeRoom(cut.position);
    else this.#find(merge, cut.position, cut.found);
  }

  /** Ends the search, in the middle of a round too. */
  stop(): void {
    Atomics.store(this.#control, CONTROL.stop, 1);
  }

  get told(): Told {
    return {
      states: this.#visited.size,
      transitions: this.#transitions,
      depth: this.#paths.size > this.#levelEnd ? this.#level + 1 : this.#level,
      frontier: this.#paths.size - this.#next,
    };
  }

  get result(): Searched {
    return {
      ...this.told,
      ending: this.#ending ?? 'interrupted',
      passedOver: this.#passedOver,
      standsFor: this.#standsFor,
      collision: collisionOdds(this.#visited.size),
      bytes: this.#visited.bytes + this.#paths.bytes,
      peakBytes: this.#visited.peakBytes + this.#paths.peakBytes,
      ...(this.#found === undefined ? {} : { found: this.#found }),
    };
  }

  #endingHere(): Ending | undefined {
    if (this.#next === this.#paths.size) return 'complete';
    if (this.#level >= this.#limits.depth) return 'depth';
    if (this.#isFull()) return this.#paths.size < this.#limits.states ? 'memory' : 'states';
    return this.#isStopped ? 'interrupted' : undefined;
  }

  #isFull(): boolean {
    return this.#paths.size >= this.#most;
  }

  /** How many states will be expanded before the limit is met, if they lead to as many new ones as those so far. */
  #untilFull(): number {
    return Math.ceil(((this.#most - this.#paths.size) * (this.#next + 1)) / this.#paths.size);
  }

  get #isStopped(): boolean {
    return Atomics.load(this.#control, CONTROL.stop) !== 0;
  }

  #take(merge: Merge, position: number): void {
    this.#transitions += this.#words.made[position] as number;
    this.#passedOver += this.#words.passed[position] as number;
    merge.take(position, (state) => this.#add(state));
  }

  #add({ low, high, move, fate, standsFor }: NewState): void {
    this.#visited.add(low, high);
    this.#standsFor += standsFor;
    if (fate === FATE.followed) this.#paths.add(this.#next, move);
    else if (fate === FATE.passedOver) this.#passedOver++;
  }

  /**
   * What was found counts if its state was not known: then a single thread would have looked too. Else the next round
   * begins where this one was left, and knows the state.
   */
  #find(merge: Merge, position: number, { move, finding, place }: NonNullable<Cut['found']>): void {
    if (place >= 0 && this.#table.position(place) !== position) return;
    this.#take(merge, position);
    this.#ending = 'found';
    this.#found = { path: [...this.#paths.movesTo(this.#next), move], finding };
  }

  /** A larger table for the next round, up to a size that suits many states, or one that needs more. */
  #makeRoom(position: number): void {
    const { places } = this.#table;
    if (this.#isStopped || (places >= PLACES_MAX && position > 0)) return;
    this.#words = roundWords(2 * places, this.#threads, this.#control);
    this.#table = new RoundTable(this.#words.table);
  }
}

const earlier = (one: Cut | undefined, other: Cut | undefined): Cut | undefined =>
  one === undefined || (other !== undefined && other.position < one.position) ? other : one;
