/** What one call must do, or leave alone: for invariants that look at a view before and after it. */
import { seenByCpu } from './contents.ts';
import type { View } from './target.ts';
import { at, COUNTER, column, KIND, VIEW } from './view.ts';

/** What each of these calls leaves none of. */
const EMPTIED: Readonly<Record<string, readonly (keyof typeof COUNTER)[]>> = {
  drain: ['parked'],
  shrink: ['pooled', 'deferred'],
};

/** The call is to leave none of something. */
export const mustEmpty = (op: string): boolean => Object.hasOwn(EMPTIED, op) || op === 'tick_worker';

/** What a call that empties something has left; `deferred`: pages that were deferred before it. */
export function notEmptied(deferred: number, view: View, op: string): string | undefined {
  const counter = column(view, VIEW.counter);
  const left = EMPTIED[op]?.find((name) => at(counter, COUNTER[name]) !== 0);
  if (left !== undefined) return `pages are ${left} still`;
  const isIdle = op === 'tick_worker' && deferred > 0 && at(counter, COUNTER.deferred) >= deferred;
  return isIdle ? 'the free worker freed none of the deferred buffers' : undefined;
}

/** Calls that may move movable pages, and write to none. */
const MOVERS: ReadonlySet<string> = new Set(['compact', 'alloc_pages', 'kmalloc', 'ion_alloc']);

/** A number that depends on what the movable pages hold, as CPUs see it, and not on where they are. */
function movableContents(view: View): number {
  const kind = column(view, VIEW.kind);
  const line = column(view, VIEW.line);
  const linesPerPage = line.length / kind.length;
  let sum = 0;
  for (let page = kind.indexOf(KIND.MOVABLE); page >= 0; page = kind.indexOf(KIND.MOVABLE, page + 1)) {
    let hash = 17;
    for (let each = page * linesPerPage; each < (page + 1) * linesPerPage; each++)
      hash = Math.imul(hash, 31) + seenByCpu(at(line, each));
    sum = (sum + Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)) | 0;
  }
  return sum;
}

/** What the movable pages hold before a call that may move them; 0: nothing has to be kept. */
export const contentsToKeep = (view: View): number =>
  at(column(view, VIEW.counter), COUNTER.movable) === 0 ? 0 : movableContents(view);

export const mayMove = (op: string): boolean => MOVERS.has(op);

export const isMovedWhole = (before: number, view: View, op: string): boolean =>
  before === 0 || !mayMove(op) || movableContents(view) === before;
