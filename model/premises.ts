/** What must be true at a finding for it to decide an argument, so that shrinking cannot slide to a trivial case. */
import { freeHandle } from './buffers.ts';
import { chunksFor } from './sg.ts';
import type { Premise } from './spec.ts';
import type { Call } from './target.ts';
import { pagesFor, roundUpToPowerOfTwo } from './units.ts';
import { CONTEXT, type World } from './world.ts';

const number = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

/** The failing call asks the iommu heap alone, and has a handle id left. */
const asksIommuHeap = (s: World, { op, args }: Call): boolean =>
  op === 'ion_alloc' &&
  String(args['heaps']) === 'iommu' &&
  freeHandle(s, number(args['client'])) !== undefined;

/** Clients that have GPU contexts. */
const gpuOwners = (s: World): number =>
  new Set([...s.owner.values].filter((_owner, context) => s.context.get(context) === CONTEXT.GPU)).size;

/** The buffer's pages, their list in one block, and the table would be there if nothing else was. */
function fitsEmptyMachine({ machine }: World, pages: number): boolean {
  const list = roundUpToPowerOfTwo(pagesFor(machine, pages * machine.pageArrayEntryBytes));
  const all = pages + list + chunksFor(machine, pages) + machine.reserve;
  return list <= 2 ** machine.orderMax && all <= machine.pages;
}

/** The buffer would fit one block, beside the rest. */
function isOneBlock(s: World, pages: number): boolean {
  const block = roundUpToPowerOfTwo(pages);
  return block <= 2 ** s.machine.orderMax && fitsEmptyMachine(s, block);
}

const askedPages = ({ machine }: World, { args }: Call): number => pagesFor(machine, number(args['bytes']));

export const PREMISES: readonly Premise<World>[] = [
  {
    name: 'T1',
    about: ['I1', 'I2', 'I3'],
    text: 'two clients have contexts, and each bound nothing but its own buffers',
    holds: (s) => gpuOwners(s) >= 2,
  },
  {
    name: 'T2',
    about: ['I2', 'I3'],
    text: 'there is one client, and nothing was bound',
    holds: (s) =>
      s.client.values.filter((live) => live !== 0).length === 1 && s.bound.values.every((head) => head === 0),
  },
  {
    name: 'T3',
    about: ['M1', 'M2a', 'M2b'],
    text: 'single pages are asked for, and a handle id is left',
    holds: asksIommuHeap,
  },
  {
    name: 'T4',
    about: ['M1', 'M2a', 'M2b'],
    text: 'the failing allocation would fit a machine that nothing occupies, with its list in one block',
    holds: (s, call) => asksIommuHeap(s, call) && fitsEmptyMachine(s, askedPages(s, call)),
  },
  {
    name: 'T5',
    about: ['H3'],
    text: 'a buffer without the cached flag',
    holds: (s) => s.uncached.values.some((uncached) => uncached !== 0),
  },
  {
    name: 'T6',
    about: ['H1', 'I8'],
    text: 'a buffer with the cached flag, and no other',
    holds: (s) => s.refs.values.every((refs, head) => refs === 0 || s.uncached.get(head) === 0),
  },
  {
    name: 'T7',
    about: ['M1'],
    text: 'the failing allocation would fit one block of a machine that nothing occupies',
    holds: (s, call) => asksIommuHeap(s, call) && isOneBlock(s, askedPages(s, call)),
  },
  {
    name: 'zeroing',
    about: ['I8'],
    text: 'a buffer has just been handed out',
    holds: (_s, { op }) => op === 'ion_alloc',
  },
  {
    name: 'strict',
    about: ['I1'],
    text: 'a DMA mapping has ended, and is held to what a strict domain promises',
    assumes: { invalidation: 'strict' },
    holds: (_s, { op }) => op === 'dma_unmap_sg' || op === 'dma_free_coherent',
  },
];
