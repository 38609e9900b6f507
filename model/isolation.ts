/**
 * Clients that share nothing must not notice each other: what is asked for that, and what may differ all the same.
 * After J. Goguen and J. Meseguer, "Security Policies and Security Models", 1982.
 */
import { CALLS, type Op } from './calls.ts';
import type { Isolation } from './spec.ts';

const LAYERS: ReadonlySet<string> = new Set(['ion', 'fd', 'gpu', 'cpu', 'device']);

/**
 * Calls of clients, and what happens by itself. Not a descriptor that goes from one client to another, and no eviction
 * of cached lines: which of all lines leaves shows in what devices read before a sync.
 */
const isPrivate = (op: string): boolean =>
  op !== 'fd_send' && op !== 'tick_cache' && LAYERS.has(CALLS[op as Op].layer);

/** The same was found, if with other contents: a probe says -1 of a page that is not reached. */
const isReachedAlike = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((tag, at) => tag < 0 === (other[at] ?? 0) < 0);

export const ISOLATION: Isolation = {
  kind: 'client',
  calls: [...Object.keys(CALLS).filter(isPrivate), 'tick_iotlb', 'tick_flush'],
  policies: { invalidation: 'strict' },
  fields: ['data', 'lines', 'left', 'fault', 'heaps'],
  everywhere: ['device_probe'],
  size: 'bytes',
  extent: 'pageBytes',
  serves(field, one, other) {
    if (field === 'data' && isReachedAlike(one, other)) return 'I8';
    return ['data', 'lines', 'left', 'fault'].includes(field) ? 'I3' : 'P1';
  },
};
