/**
 * The table of calls: the one place that says which calls there are, what they take, give and consume, who makes
 * them, and to which layer they belong. Checking of references, dependency closure, reading of files, the wire
 * protocol, generation and `ionclad calls` all follow from it, and a rule, an adapter or a generator that misses a
 * call does not compile.
 */
import { DEVICE_CALLS } from './calls-device.ts';
import { ION_CALLS } from './calls-ion.ts';
import { MEMORY_CALLS } from './calls-memory.ts';
import type { Kind } from './spec.ts';

export const KINDS = {
  block: { main: 'pfn', address: { field: 'pfn', unit: 'pageBytes' } },
  split: { main: 'pfn' },
  occupant: { main: 'occupant' },
  object: { main: 'memory' },
  area: { main: 'memory' },
  memory: { main: 'memory' },
  vmap: { main: 'address', address: { field: 'address' } },
  table: { main: 'table' },
  domain: { main: 'domain' },
  attachment: { main: 'device', user: true },
  range: { main: 'iova', address: { field: 'iova' } },
  mapping: { main: 'table', address: { field: 'dma' } },
  coherent: { main: 'cpu', address: { field: 'dma' }, cpu: { field: 'cpu' } },
  client: { main: 'client', user: true },
  handle: { main: 'handle', user: true },
  fd: { main: 'fd', user: true },
  kernel_map: { main: 'handle', address: { field: 'address' } },
  user_map: { main: 'address', address: { field: 'address' }, user: true },
  context: { main: 'context', user: true },
  binding: { main: 'address', address: { field: 'address' }, user: true },
  job: { main: 'job' },
} as const;

KINDS satisfies Readonly<Record<string, Kind>>;

export const CALLS: typeof MEMORY_CALLS & typeof DEVICE_CALLS & typeof ION_CALLS = {
  ...MEMORY_CALLS,
  ...DEVICE_CALLS,
  ...ION_CALLS,
};

export type Op = keyof typeof CALLS;
export type KindName = keyof typeof KINDS;

type ArgOf<Shape> = Shape extends { is: 'refs' }
  ? readonly number[]
  : Shape extends { is: 'word'; of: readonly (infer Word)[] }
    ? Word
    : Shape extends { is: 'words'; of: readonly (infer Word)[] }
      ? readonly Word[]
      : number;

type FieldOf<Shape> = Shape extends { is: 'numbers' | 'pfns' } ? readonly number[] : number;

/** The resolved arguments of a call, typed from the table. */
export type ArgsOf<Name extends Op> = {
  readonly [Arg in keyof (typeof CALLS)[Name]['args']]: ArgOf<(typeof CALLS)[Name]['args'][Arg]>;
};

/** The value of a successful call, typed from the table. */
export type ValueOf<Name extends Op> = (typeof CALLS)[Name] extends { gives: { fields: infer Fields } }
  ? { readonly [Field in keyof Fields]: FieldOf<Fields[Field]> }
  : Readonly<Record<never, never>>;

/**
 * Fault sites with the errnos each may cause. `kmalloc_large`, a contiguous allocation above a page, causes
 * none: whoever asks must fall back.
 */
export const SITES = {
  page: ['ENOMEM'],
  kmalloc: ['ENOMEM'],
  kmalloc_large: [],
  vmalloc: ['ENOMEM'],
  table: ['ENOMEM'],
  iova: ['ENOMEM', 'ENOSPC'],
  id: ['EMFILE', 'ENOSPC', 'ENOMEM', 'EBUSY'],
} as const;
