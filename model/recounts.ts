/** What is counted must be there: reference counts and counters of pages, held against a recount. */
import type { Machine } from './machine.ts';
import type { View } from './target.ts';
import { at, COUNTER, column, KIND, VIEW } from './view.ts';
import { CONTEXT } from './world.ts';

/** The reference count of a buffer is the number of its handles, descriptors, user mappings and bindings. */
export function miscounted(view: View): string | undefined {
  const refs = column(view, VIEW.refs);
  const holders = zeros(refs.length + 1);
  countAll(holders, column(view, VIEW.handle));
  countAll(holders, column(view, VIEW.fd));
  countAll(holders, column(view, VIEW.userMap));
  countBindings(holders, view);
  for (let head = 0; head < refs.length; head++) {
    if (at(refs, head) === at(holders, head + 1)) continue;
    return `the buffer at page ${head} counts ${at(refs, head)} references and has ${at(holders, head + 1)} holders`;
  }
  return undefined;
}

let scratch = new Int32Array(0);

/** Zeros, in an array that is used again: a new one at every call would cost more than the counting. */
function zeros(length: number): Int32Array {
  if (scratch.length !== length) scratch = new Int32Array(length);
  return scratch.fill(0);
}

const countAll = (counts: Int32Array, values: Int32Array): void => count(counts, values, 0, values.length);

/** Counts each value but 0. */
function count(counts: Int32Array, values: Int32Array, from: number, end: number): void {
  for (let index = from; index < end; index++) {
    const value = at(values, index);
    if (value !== 0) counts[value] = at(counts, value) + 1;
  }
}

/** Bindings of contexts that exist; others have none, and are not read. */
function countBindings(holders: Int32Array, view: View): void {
  const bound = column(view, VIEW.bound);
  const context = column(view, VIEW.context);
  const ioPages = bound.length / context.length;
  for (let id = 0; id < context.length; id++) {
    if (at(context, id) !== CONTEXT.NONE) count(holders, bound, id * ioPages, (id + 1) * ioPages);
  }
}

/** Counters with the kinds of the pages they count: those that are free may have an owner too. */
const COUNTED: readonly (readonly [name: keyof typeof COUNTER, kinds: readonly number[]])[] = [
  ['free', [KIND.FREE, KIND.BOTH]],
  ['meta', [KIND.META]],
  ['table', [KIND.TABLE]],
  ['parked', [KIND.PARKED]],
  ['pooled', [KIND.POOLED]],
  ['deferred', [KIND.DEFERRED]],
  ['movable', [KIND.MOVABLE]],
];

const tallies: Int32Array = new Int32Array(KIND.COHERENT + 1);

export function wrongCounter(view: View, machine: Machine): string | undefined {
  const kind = column(view, VIEW.kind);
  const counter = column(view, VIEW.counter);
  tallies.fill(0);
  for (let page = 0; page < kind.length; page++) tallies[at(kind, page)] = at(tallies, at(kind, page)) + 1;
  for (const [name, kinds] of COUNTED) {
    let there = 0;
    for (const each of kinds) there += at(tallies, each);
    const counted = at(counter, COUNTER[name]);
    if (counted !== there) return `${counted} pages are counted as ${name}, ${there} are there`;
  }
  const parked = at(counter, COUNTER.parked);
  return parked > machine.parked ? `${parked} pages are parked, at most ${machine.parked} may` : undefined;
}
