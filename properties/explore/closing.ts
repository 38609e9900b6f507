/** Whether everything can be given back in a state, and what must hold then. */
import type { Call, Reply, Spec, Stateful, Target } from '../../model/index.ts';
import type { Finding } from '../finding.ts';
import type { Lockstep } from '../lockstep.ts';
import { type Fingerprint, placeOf, spread } from './fingerprint.ts';
import type { Made } from './made.ts';

/** A call that gives something back; without an argument it is made once. */
export interface ClosingCall {
  readonly op: string;
  readonly argument: string | undefined;
  readonly kind: string | undefined;
  readonly isSupported: boolean;
}

/** What a search lends to whoever makes calls in its present state. */
export interface Bench<M, S extends Stateful> {
  readonly spec: Spec<M, S>;
  readonly target: Target<M>;
  readonly lockstep: Lockstep<M, S>;
  /** Where things are given back in the order in which they were made. */
  readonly made: Made<M, S> | undefined;
  ask(call: Call): Reply | Finding;
  fingerprint(): Fingerprint;
}

const NO_ARGS = {};

/** The place of a call in its script: nobody reads it before the finding is confirmed. */
const ANYWHERE = 0;

/**
 * What giving one thing back leads to is most often a state that was closed before; then this one can be closed, and
 * the rest is not done again. Where things are given back as they were made it depends on the way too.
 */
export class Closing<M, S extends Stateful> {
  readonly #bench: Bench<M, S>;
  readonly #calls: readonly ClosingCall[];
  readonly #closed = new Remembered();
  /** States on the way that is being tried. */
  readonly #way: Fingerprint[] = [];

  constructor(bench: Bench<M, S>) {
    this.#bench = bench;
    this.#calls = closingCalls(bench.spec, bench.target);
  }

  /**
   * Makes the calls that are needed, and leaves the state where they led to.
   *
   * @param last - the call that led to the state
   */
  run(last: Call): Finding | undefined {
    this.#way.length = 0;
    if (this.#isKnown()) return undefined;
    const given = this.#giveBack(last);
    if (given !== 'known') {
      const { lockstep } = this.#bench;
      const finding = 'kind' in given ? given : lockstep.end(ANYWHERE, given.last, given.isAll);
      if (finding !== undefined) return finding;
    }
    for (const [low, high] of this.#way) this.#closed.add(low, high);
    return undefined;
  }

  /** The state is on a way that led to an end, or becomes part of the present one. */
  #isKnown(): boolean {
    if (this.#bench.made !== undefined) return false;
    const state = spread(this.#bench.fingerprint());
    if (this.#closed.has(...state)) return true;
    this.#way.push(state);
    return false;
  }

  /** The last call that was made, and whether the target has the calls that give everything back. */
  #giveBack(before: Call): { readonly last: Call; readonly isAll: boolean } | Finding | 'known' {
    let [last, isAll] = [before, true];
    for (const closing of this.#calls) {
      const calls = this.#callsOf(closing);
      if (!closing.isSupported && calls.some(({ args }) => args !== NO_ARGS)) isAll = false;
      for (const call of closing.isSupported ? calls : []) {
        if (!this.#bench.lockstep.isDue(call)) continue;
        const made = this.#make(call);
        if (made !== undefined) return made;
        last = call;
      }
    }
    return { last, isAll };
  }

  #callsOf({ op, argument, kind }: ClosingCall): Call[] {
    if (argument === undefined || kind === undefined) return [{ op, args: NO_ARGS }];
    const { made, spec, lockstep } = this.#bench;
    const ids = made?.ids(kind) ?? spec.live(lockstep.world, kind);
    return ids.map((id) => ({ op, args: { [argument]: id } }));
  }

  /** A state that was looked at before is not looked at again, unless the call itself asks for it. */
  #make(call: Call): Finding | 'known' | undefined {
    const { lockstep, target } = this.#bench;
    lockstep.noteSteps();
    const reply = this.#bench.ask(call);
    if ('kind' in reply) return reply;
    const wrong = lockstep.judge(ANYWHERE, call, reply);
    if (wrong !== undefined) return wrong;
    // A call without arguments gives nothing back by itself: it would be made again after the same.
    const isKnown = call.args !== NO_ARGS && this.#isKnown();
    if (isKnown && !lockstep.asksToLook(call, reply)) return 'known';
    return lockstep.lookNoted(ANYWHERE, call, reply, target) ?? (isKnown ? 'known' : undefined);
  }
}

/** @param target - the calls that it has; undefined: all */
export function closingCalls<M, S extends Stateful>(
  { closing, calls }: Spec<M, S>,
  target: Pick<Target<M>, 'calls'>,
): ClosingCall[] {
  return closing.map((op) => {
    const [[argument, shape] = []] = Object.entries(calls[op]?.args ?? {});
    const isSupported = target.calls?.has(op) !== false;
    return { op, argument, kind: shape?.is === 'ref' ? shape.of[0] : undefined, isSupported };
  });
}

/** Places at first, and at the most: half a mebibyte. */
const PLACES = 256;
const PLACES_MAX = 0x1_0000;

/** The fingerprints that came last: each takes the place of another, so that memory is bounded. */
class Remembered {
  #words = new Int32Array(2 * PLACES);
  #added = 0;

  has(low: number, high: number): boolean {
    const at = this.#at(low);
    return this.#words[at] === low && this.#words[at + 1] === high;
  }

  add(low: number, high: number): void {
    const places = this.#words.length / 2;
    if (++this.#added > places && places < PLACES_MAX) this.#grow(4 * places);
    const at = this.#at(low);
    this.#words[at] = low;
    this.#words[at + 1] = high;
  }

  #grow(places: number): void {
    const old = this.#words;
    this.#words = new Int32Array(2 * places);
    for (let from = 0; from < old.length; from += 2) {
      const at = this.#at(old[from] as number);
      this.#words[at] = old[from] as number;
      this.#words[at + 1] = old[from + 1] as number;
    }
  }

  #at(low: number): number {
    return 2 * placeOf(low, this.#words.length / 2);
  }
}
