/** Where the time of a run goes. Only for standard error: results do not depend on it. */
import type { Machine, RemoteTarget, Target } from '../model/index.ts';
import { showCall } from '../properties/index.ts';
import { count, percent } from './table.ts';

/** Time that targets took, in milliseconds, and their slowest call. Parts of a run add up. */
export interface Spent {
  readonly busyMs: number;
  readonly slowestMs: number;
  readonly slowest: string;
}

export const NOTHING_SPENT: Spent = { busyMs: 0, slowestMs: 0, slowest: '' };

export const plus = (one: Spent, other: Spent): Spent => ({
  ...(one.slowestMs >= other.slowestMs ? one : other),
  busyMs: one.busyMs + other.busyMs,
});

/** A call that takes longer is named. */
const CALL_MS = 1_000;
/** A run of the usual length takes more than an hour below this, in commands a second. */
const RATE_MIN = 1_000;
/** Before that nothing is told: programs start slowly. */
const WATCHED_MS = 5_000;

/** What there is to say of a target that holds a run up, or undefined. */
export function slowness(
  spent: Spent,
  commands: number,
  passedMs: number,
  threads: number,
): string | undefined {
  const { busyMs, slowestMs, slowest } = spent;
  const call = slowestMs > CALL_MS ? `${(slowestMs / 1000).toFixed(1)} s for ${slowest}` : undefined;
  const rate = (1000 * commands) / passedMs;
  if (passedMs < WATCHED_MS || rate >= RATE_MIN || busyMs < passedMs / 2) return call && `slow: ${call}`;
  const share = `${percent(busyMs, passedMs * threads)} of the time is the target’s`;
  return `slow: ${count(Math.round(rate))} commands/s; ${share}${call === undefined ? '' : `; ${call}`}`;
}

/** Adds up what calls take. */
export class Stopwatch {
  #spent = NOTHING_SPENT;

  /** What was spent since this was asked last. */
  take(): Spent {
    const spent = this.#spent;
    this.#spent = NOTHING_SPENT;
    return spent;
  }

  /** A target of a module: a plain object. */
  local(target: Target<Machine>): Target<Machine> {
    return {
      ...target,
      apply: (call) => {
        const began = performance.now();
        const reply = target.apply(call);
        this.#note(began, () => showCall(call));
        return reply;
      },
    };
  }

  remote(target: RemoteTarget<Machine>): RemoteTarget<Machine> {
    return {
      name: target.name,
      capabilities: target.capabilities,
      ...(target.calls === undefined ? {} : { calls: target.calls }),
      boot: (machine) => target.boot(machine),
      batch: async (calls) => {
        const began = performance.now();
        const replies = await target.batch(calls);
        this.#note(began, () => `a batch from ${calls[0]?.op ?? ''} to ${calls.at(-1)?.op ?? ''}`);
        return replies;
      },
      close: () => target.close(),
    };
  }

  #note(began: number, what: () => string): void {
    const busyMs = performance.now() - began;
    const { slowestMs, slowest } = this.#spent;
    const isSlower = busyMs > slowestMs;
    this.#spent = {
      busyMs: this.#spent.busyMs + busyMs,
      slowestMs: isSlower ? busyMs : slowestMs,
      slowest: isSlower ? what() : slowest,
    };
  }
}
