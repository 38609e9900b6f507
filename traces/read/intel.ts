/** Events of Intel's driver (`intel_iommu`) that tell an IOTLB to forget; its descriptors are those of VT-d. */
import type { Stamp, TraceEvent } from '../event.ts';
import type { Fields } from './fields.ts';
import { type KnownEvent, other } from './reader.ts';

const PAGE = 4096;
/** A count of pages of all ones: the whole domain. */
const ALL_PAGES = 2 ** 52;

/** Types of descriptors: invalidate by domain, or by process address space; both have the same layout here. */
const IOTLB = 2;
const PASID_IOTLB = 6;
/** Granularity of such an invalidation. */
const RESERVED = 0;
const WHOLE_UNIT = 1;
const WHOLE_DOMAIN = 2;
const PAGES = 3;

const PLANNED: readonly KnownEvent[] = [
  'intel_iommu:cache_tag_flush_range',
  'intel_iommu:cache_tag_flush_range_np',
].map((name) => ({ name, read: (fields, stamp) => readRange(fields, stamp, name) }));

export const INTEL_EVENTS: readonly KnownEvent[] = [
  ...PLANNED,
  { name: 'intel_iommu:cache_tag_flush_all', read: readAll },
  { name: 'intel_iommu:qi_submit', read: readDescriptor },
  other('intel_iommu:cache_tag_assign'),
  other('intel_iommu:cache_tag_unassign'),
  other('intel_iommu:prq_report'),
];

/** What is flushed is more than was asked for: a power of two of pages. */
function readRange(fields: Fields, stamp: Stamp, name: string): TraceEvent | undefined {
  const unit = fields.first();
  const type = fields.word('type ');
  const domain = fields.count('did ');
  const iova = fields.address('addr ');
  const pages = fields.count('pages ');
  if (unit === '' || type === '' || Number.isNaN(domain + iova + pages)) return undefined;
  if (isDeviceCache(type)) return { ...stamp, kind: 'other', name };
  const { line, time, cpu, task, pid } = stamp;
  const step = 'planned';
  if (pages >= ALL_PAGES) return { kind: 'flush', line, time, cpu, task, pid, unit, step, domain };
  return { kind: 'flush', line, time, cpu, task, pid, unit, step, domain, iova, size: pages * PAGE };
}

function readAll(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const unit = fields.first().split('/')[0] ?? '';
  const type = fields.word('type ');
  const domain = fields.count('did ');
  if (unit === '' || type === '' || Number.isNaN(domain)) return undefined;
  if (isDeviceCache(type)) return { ...stamp, kind: 'other', name: 'intel_iommu:cache_tag_flush_all' };
  return { ...stamp, kind: 'flush', unit, step: 'planned', domain };
}

/** Of a device's own cache of translations; `trace-cmd` prints the number of the type. */
const isDeviceCache = (type: string): boolean => /devtlb$|^0x[13]$/.test(type);

/** `iotlb_inv dmar0: 0x400f2 0xfffa0004 0x0 0x0`: the first two words hold all that an invalidation says. */
function readDescriptor(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  fields.first();
  const unit = fields.nextWord();
  const low = fields.next(' ', 16);
  const high = fields.next(' ', 16);
  if (unit === '' || Number.isNaN(low + high)) return undefined;
  const { line, time, cpu, task, pid } = stamp;
  const step = 'submitted';
  const type = low % 16;
  const domain = Math.floor(low / 2 ** 16) % 2 ** 16;
  const granularity = type === IOTLB || type === PASID_IOTLB ? Math.floor(low / 16) % 4 : RESERVED;
  if (granularity === PAGES) {
    const size = PAGE * 2 ** (high % 64);
    const iova = Math.floor(high / size) * size;
    return { kind: 'flush', line, time, cpu, task, pid, unit, step, domain, iova, size };
  }
  if (granularity === WHOLE_DOMAIN) return { ...stamp, kind: 'flush', unit, step, domain };
  if (granularity === WHOLE_UNIT && type === IOTLB) return { ...stamp, kind: 'flush', unit, step };
  return { ...stamp, kind: 'other', name: 'intel_iommu:qi_submit' };
}
