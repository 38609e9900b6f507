/** Events of Intel's driver (`intel_iommu`) that tell an IOTLB to forget. Descriptors are those of the VT-d specification. */
import type { FlushEvent, Stamp, TraceEvent } from './event.ts';
import type { Fields } from './fields.ts';
import { type KnownEvent, other } from './reader.ts';

const PAGE = 4096;
/** A count of pages of all ones: the whole domain. */
const ALL_PAGES = 2 ** 52;

/** Types of descriptors: invalidate by domain, or by process address space; both have the same layout here. */
const IOTLB = 2;
const PASID_IOTLB = 6;
/** Granularity of such an invalidation. */
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
  const range = pages < ALL_PAGES ? { iova, size: pages * PAGE } : {};
  return { ...stamp, kind: 'flush', unit, domain, ...range, step: 'planned' };
}

function readAll(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const unit = fields.first().split('/')[0] ?? '';
  const type = fields.word('type ');
  const domain = fields.count('did ');
  if (unit === '' || type === '' || Number.isNaN(domain)) return undefined;
  if (isDeviceCache(type)) return { ...stamp, kind: 'other', name: 'intel_iommu:cache_tag_flush_all' };
  return { ...stamp, kind: 'flush', unit, domain, step: 'planned' };
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
  const type = low % 16;
  const flush = type === IOTLB || type === PASID_IOTLB ? scopeOf(low, high) : undefined;
  if (flush === undefined) return { ...stamp, kind: 'other', name: 'intel_iommu:qi_submit' };
  return { ...stamp, kind: 'flush', unit, ...flush, step: 'submitted' };
}

/** @returns undefined for granularities that are reserved */
function scopeOf(low: number, high: number): Pick<FlushEvent, 'domain' | 'iova' | 'size'> | undefined {
  const granularity = Math.floor(low / 16) % 4;
  if (granularity === WHOLE_UNIT && low % 16 === IOTLB) return {};
  const domain = Math.floor(low / 2 ** 16) % 2 ** 16;
  if (granularity === WHOLE_DOMAIN) return { domain };
  if (granularity !== PAGES) return undefined;
  const size = PAGE * 2 ** (high % 64);
  return { domain, iova: Math.floor(high / size) * size, size };
}
