/** Events of the group `kmem` that move pages. */
import type { Stamp, TraceEvent } from '../event.ts';
import type { Fields } from './fields.ts';
import { type KnownEvent, other, type Reader } from './reader.ts';

/** No kernel has larger orders: 4 GiB of 4 KiB pages. */
const LARGEST_ORDER = 20;
/** Page frame numbers of 64-bit addresses. */
const PFN_BITS = 52;

export const KMEM_EVENTS: readonly KnownEvent[] = [
  { name: 'kmem:mm_page_alloc', read: readAlloc },
  { name: 'kmem:mm_page_free', read: free(false) },
  { name: 'kmem:mm_page_free_batched', read: free(true) },
  other('kmem:mm_page_alloc_zone_locked'),
  other('kmem:mm_page_pcpu_drain'),
  other('kmem:mm_page_alloc_extfrag'),
];

function readAlloc(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const pfn = fields.count('pfn=');
  const order = fields.count('order=');
  if (!isBlock(pfn, order)) return undefined;
  if (pfn === 0 && isNull(fields.word('page=')))
    return { ...stamp, kind: 'other', name: 'kmem:mm_page_alloc' };
  const { line, time, cpu, task, pid } = stamp;
  return { kind: 'page-alloc', line, time, cpu, task, pid, pfn, order, gfp: fields.word('gfp_flags=') };
}

function free(batched: boolean): Reader {
  return (fields, stamp) => {
    const pfn = fields.count('pfn=');
    const order = fields.count('order=');
    if (!isBlock(pfn, order)) return undefined;
    const { line, time, cpu, task, pid } = stamp;
    return { kind: 'page-free', line, time, cpu, task, pid, pfn, order, batched };
  };
}

const isBlock = (pfn: number, order: number): boolean =>
  order <= LARGEST_ORDER && pfn + (1 << order) <= 2 ** PFN_BITS;

/** How kernels and tools print a pointer to nothing. */
export const isNull = (pointer: string): boolean => /^(\(null\)|\(nil\)|(0x)?0*)$/.test(pointer);
