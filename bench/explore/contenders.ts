/** What is searched, each in a process of its own: the toy in several ways, the page layer, the whole stack. */
import { Crew } from '../../cli/explore-crew.ts';
import { type Machine, SPEC, type Target } from '../../model/index.ts';
import { explore, exploreSpec, type Scope, search } from '../../properties/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { searchNaively } from './naive.ts';
import { TOY, ToyTarget } from './toy.ts';
import { ToySystem } from './toy-system.ts';

/** What a search came to. */
export interface Outcome {
  readonly states: number;
  readonly transitions: number;
  readonly depth?: number;
  /** Kept about states. */
  readonly bytes?: number;
}

/** A search without end. */
const ALL = { depth: 1_000, states: 100_000_000 };

const toyScope = (pages: number, symmetry = false): Scope => ({
  ...ALL,
  machine: { pages },
  few: pages,
  symmetry,
});

/**
 * Every way to split and merge blocks of 8, 4 and 2 pages: a block of order k is taken whole, free whole, or split in
 * two that are not both free, f(0) = 2, f(k) = 1 + f(k - 1)^2, so 677 x 26 x 5 states.
 */
export const PAGE_LAYER: Scope = {
  machine: { pages: 14, orderMax: 3, vmallocPages: 2, parked: 0 },
  only: ['alloc_pages', 'free_pages'],
  ...ALL,
  few: 4,
};

/** Clients, buffers, descriptors, a GPU context, a device's DMA mappings, the CPU: calls of every layer. */
export const WHOLE_STACK: Scope = {
  machine: {
    ...{ pages: 8, orderMax: 1, vmallocPages: 4, ioBits: 8, iotlbEntries: 1, parked: 0 },
    ...{ contexts: 2, clients: 2, handles: 1, fds: 1, sgTables: 1, jobs: 1, devices: 1, userPages: 2 },
  },
  ...ALL,
  depth: 5,
};

/** The same pages are split and merged, whatever the size of the machine: somebody else holds the rest. */
export const ofSize = (pages: number): Scope => ({
  machine: { pages, orderMax: 3, vmallocPages: 2, parked: 0, occupied: pages > 8 ? [[8, pages - 8]] : [] },
  only: ['alloc_pages', 'free_pages', 'split_page'],
  ...ALL,
  few: 4,
});

export const SIZES = [8, 64, 1024, 16_384];
export const DEPTHS = [4, 5, 6];

function inLockstep(scope: Scope, target: Target<Machine> = builtin()): Outcome {
  const { found, ...outcome } = explore(SPEC, target, scope);
  if (found !== undefined) throw new Error(`the built-in target is wrong: ${found.finding.detail}`);
  return outcome;
}

/** A target that shows nothing: replies alone are judged. */
function blind(): Target<Machine> {
  const target = builtin();
  target.observe = () => {};
  return target;
}

/** The page layer as the command line searches it: each thread opens the target itself. */
async function onThreads(threads: number): Promise<Outcome> {
  const crew = new Crew(threads);
  const task = { target: { name: 'builtin', program: [] }, scope: PAGE_LAYER, premise: undefined };
  const explored = await crew.explore(task, { signal: new AbortController().signal, tell: () => {} });
  await crew.close();
  if (explored === undefined) throw new Error('the search was given up');
  return explored;
}

export const CONTENDERS: Readonly<Record<string, () => Outcome | Promise<Outcome>>> = {
  'toy-search': () => search(new ToySystem(4), ALL),
  'toy-lockstep': () => explore(TOY, new ToyTarget(), toyScope(3)),
  'toy-alone': () => exploreSpec(TOY, toyScope(3)),
  'toy-symmetric': () => exploreSpec(TOY, toyScope(4, true)),
  'toy-naive': () => searchNaively(3),
  pages: () => inLockstep(PAGE_LAYER),
  'pages-unclosed': () => inLockstep({ ...PAGE_LAYER, closes: false }),
  'pages-blind': () => inLockstep({ ...PAGE_LAYER, closes: false }, blind()),
  'threads-1': () => onThreads(1),
  'threads-2': () => onThreads(2),
  stack: () => inLockstep(WHOLE_STACK),
  'stack-unclosed': () => inLockstep({ ...WHOLE_STACK, closes: false }),
  'stack-blind': () => inLockstep({ ...WHOLE_STACK, closes: false }, blind()),
  ...Object.fromEntries(SIZES.map((pages) => [`size-${pages}`, () => inLockstep(ofSize(pages))])),
  ...Object.fromEntries(
    DEPTHS.map((depth) => [`depth-${depth}`, () => inLockstep({ ...WHOLE_STACK, depth })]),
  ),
};
