/** A target that cannot go back is booted and led there again. */
import type { Call, Capability, Concurrent, Reply, Target, Undoable, View } from '../../model/index.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Something that was asked of the target since boot. */
interface Asked {
  readonly again: () => unknown;
  /** What was asked, up to here. */
  readonly key: Fingerprint;
}

/**
 * Goes back by running all calls up to there from boot. Nothing is known of its state, so no two ways lead to the same:
 * a search visits every script by itself.
 */
export class Replaying<M> implements Target<M> {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly calls?: ReadonlySet<string>;
  readonly concurrent?: Concurrent;
  readonly #target: Target<M>;
  readonly #asked: Asked[] = [];
  readonly #marks: number[] = [];
  #machine: M | undefined;
  /** The target stands elsewhere. */
  #isAway = false;

  constructor(target: Target<M>) {
    this.#target = target;
    this.name = target.name;
    this.capabilities = target.capabilities;
    if (target.calls !== undefined) this.calls = target.calls;
    const { concurrent } = target;
    if (concurrent === undefined) return;
    this.concurrent = {
      ...(concurrent.points === undefined ? {} : { points: concurrent.points }),
      start: (actor, call) => this.#ask(['start', actor, call], () => concurrent.start(actor, call)),
      resume: (actor) => this.#ask(['resume', actor], () => concurrent.resume(actor)),
    };
  }

  readonly undoable: Undoable = {
    attach: () => {},
    mark: () => void this.#marks.push(this.#asked.length),
    undo: () => {
      this.#asked.length = this.#marks.at(-1) ?? 0;
      this.#isAway = true;
    },
    drop: () => void this.#marks.pop(),
    fingerprint: () => this.#asked.at(-1)?.key ?? [0, 0],
  };

  boot(machine: M): void {
    this.#machine = machine;
    this.#asked.length = 0;
    this.#marks.length = 0;
    this.#isAway = false;
    this.#target.boot(machine);
  }

  apply(call: Call): Reply {
    return this.#ask(call, () => this.#target.apply(call));
  }

  observe(view: View): void {
    this.#return();
    this.#target.observe(view);
  }

  #ask<T>(what: unknown, again: () => T): T {
    this.#return();
    const before = this.undoable.fingerprint();
    this.#asked.push({ again, key: mixed(before, JSON.stringify(what)) });
    return again();
  }

  #return(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#target.boot(this.#machine as M);
    for (const { again } of this.#asked) again();
  }
}

/** Tells what was asked after what apart. */
function mixed([low, high]: Fingerprint, text: string): Fingerprint {
  let [lower, upper] = [low, high];
  for (let at = 0; at < text.length; at++) {
    lower = Math.imul(lower ^ text.charCodeAt(at), 0x01000193) ^ (upper >>> 7);
    upper = Math.imul(upper ^ lower, 0x85ebca6b) ^ (lower >>> 15);
  }
  return [lower, upper];
}
