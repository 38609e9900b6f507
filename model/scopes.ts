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

const WHOLE = { machine: WHOLE_MACHINE, only: ALL, depth: 3 } as const;

const SMALL: Readonly<Record<string, NamedScope>> = {
  ...MEMORY_SCOPES,
  ...DEVICE_SCOPES,
  ...ION_SCOPES,
  ...VERDICT_SCOPES,
  whole: { ...WHOLE, text: 'every call there is' },
  'whole-faults': { ...WHOLE, text: 'every call there is, and one fault', faults: 1 },
  'whole-races': { ...WHOLE, text: 'every call there is, and one that another interrupts', overlaps: 1 },
};

/** Scopes that are followed further when there is time, with the commands in a script. */
const NIGHTS = {
  'pages-split': 100,
  'pages-occupied': 100,
  'pages-moved': 100,
  'metadata-large': 8,
  'kernel-maps': 8,
  sg: 8,
  'iommu-leaves': 100,
  'iommu-tags': 12,
  dma: 8,
  'dma-contents': 100,
  'flush-races': 100,
  caches: 100,
  ion: 8,
  clients: 14,
  'gpu-races': 12,
  'small-spaces': 14,
  jobs: 12,
  whole: 7,
  'whole-faults': 6,
  'whole-races': 5,
} as const;

/** A night is not enough for more. */
const NIGHT_STATES = 50_000_000;

export const SCOPES: Readonly<Record<string, NamedScope>> = {
  ...SMALL,
  ...Object.fromEntries(
    Object.entries(NIGHTS).map(([name, depth]) => [
      `${name}-night`,
      { ...(SMALL[name] as NamedScope), depth, states: NIGHT_STATES, large: true },
    ]),
  ),
};
