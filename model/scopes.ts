/**
 * Scopes: machines so small, and calls so few, that every script up to a length can be tried. Each is about one layer,
 * or about what layers do together. The values that arguments take are the first ones of their ranges, or named here.
 */
import { CALLS } from './calls.ts';
import { DEVICE_SCOPES } from './scopes-device.ts';
import { ION_SCOPES } from './scopes-ion.ts';
import { MEMORY_SCOPES } from './scopes-memory.ts';
import { VERDICT_SCOPES } from './scopes-verdicts.ts';
import type { NamedScope } from './spec.ts';

const ALL = Object.keys(CALLS);

/** All calls at once, two of most things. */
const WHOLE_MACHINE = {
  pages: 8,
  orderMax: 2,
  vmallocPages: 4,
  ioBits: 9,
  iotlbEntries: 1,
  contexts: 2,
  clients: 2,
  handles: 2,
  sgTables: 1,
  jobs: 1,
  devices: 1,
  fds: 1,
  userPages: 2,
  occupants: 1,
  parked: 0,
} as const;

export const SCOPES: Readonly<Record<string, NamedScope>> = {
  ...MEMORY_SCOPES,
  ...DEVICE_SCOPES,
  ...ION_SCOPES,
  ...VERDICT_SCOPES,
  whole: { text: 'every call there is', machine: WHOLE_MACHINE, only: ALL, depth: 3 },
};
