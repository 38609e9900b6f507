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

export const ISOLATION: Isolation = {
  kind: 'client',
  calls: [...Object.keys(CALLS).filter(isPrivate), 'tick_iotlb', 'tick_flush'],
  policies: { invalidation: 'strict' },
  fields: ['data', 'lines', 'left', 'fault', 'heaps'],
  everywhere: ['device_probe'],
  size: 'bytes',
  extent: 'pageBytes',
  serves(field, isAsLong) {
    if (field === 'data' && isAsLong) return 'I8';
    return ['data', 'lines', 'left', 'fault'].includes(field) ? 'I3' : 'P1';
  },
};
