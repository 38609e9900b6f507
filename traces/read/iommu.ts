/** Events of the group `iommu`, in the dialects of kernels since 3.10 and of vendors that add the device. */
import type { DeviceEvent, MapEvent, Stamp, TraceEvent, UnmapEvent } from '../event.ts';
import type { Fields } from './fields.ts';
import type { KnownEvent } from './reader.ts';

/** Addresses have 64 bits: the end of the last page is printed as 0. */
const ADDRESSES = 2 ** 64;

export const IOMMU_EVENTS: readonly KnownEvent[] = [
  { name: 'iommu:map', read: readMap, owns: ownsRange },
  { name: 'iommu:unmap', read: readUnmap, owns: ownsRange },
  device('iommu:attach_device_to_domain', 'attach'),
  device('iommu:detach_device_from_domain', 'detach'),
  device('iommu:add_device_to_group', 'group-add'),
  device('iommu:remove_device_from_group', 'group-remove'),
  { name: 'iommu:io_page_fault', read: readFault },
];

/** Others call their events `map`, too. Tools that print bare records leave out the word in front. */
function ownsRange(fields: Fields): boolean {
  return fields.startsWith('IOMMU:') || fields.isBare('iova=');
}

function readMap(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const iova = fields.address('iova=');
  const end = endOf(fields);
  const paddr = fields.address('paddr=');
  const size = fields.count('size=');
  if (Number.isNaN(iova + paddr + size) || !spans(iova, end, size)) return undefined;
  const { line, time, cpu, task, pid } = stamp;
  const event: MapEvent = { kind: 'map', line, time, cpu, task, pid, iova, paddr, size };
  const device = deviceOf(fields);
  return device === '' ? event : { ...event, device };
}

function readUnmap(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const iova = fields.address('iova=');
  const end = endOf(fields);
  const size = fields.count('size=');
  const unmapped = fields.has('unmapped_size=') ? fields.count('unmapped_size=') : size;
  if (Number.isNaN(iova + size + unmapped) || !spans(iova, end, size)) return undefined;
  const { line, time, cpu, task, pid } = stamp;
  const event: UnmapEvent = { kind: 'unmap', line, time, cpu, task, pid, iova, size, unmapped };
  const device = deviceOf(fields);
  return device === '' ? event : { ...event, device };
}

/** Not a number where the address goes on with what is none. */
function endOf(fields: Fields): number | undefined {
  if (fields.follows(' -')) return fields.next(' - ', 16);
  return fields.follows(' ') || fields.follows(',') ? undefined : Number.NaN;
}

/** The end, where it is printed, agrees with the size, or a digit is damaged. Of whole pages, sums are exact. */
function spans(iova: number, end: number | undefined, size: number): boolean {
  return end === undefined || (iova + size) % ADDRESSES === end;
}

/** Most kernels end the line after the size and begin it with the address. */
function deviceOf(fields: Fields): string {
  if (fields.done && fields.startsWith('IOMMU: iova=')) return '';
  return fields.word('dev=') || fields.word('device=');
}

function device(name: string, kind: DeviceEvent['kind']): KnownEvent {
  return {
    name,
    read: (fields, stamp) => {
      const group = fields.count('groupID=');
      const named = fields.word('device=');
      if (named === '' || (fields.has('groupID=') && Number.isNaN(group))) return undefined;
      return { ...stamp, kind, device: named, ...(Number.isNaN(group) ? {} : { group }) };
    },
  };
}

/** `IOMMU:driver device iova=… flags=…`; the driver may be empty. */
function readFault(fields: Fields, stamp: Stamp): TraceEvent | undefined {
  const iova = fields.address('iova=');
  const flags = fields.count('flags=');
  const head = /^IOMMU:(\S*) (\S+) iova=/.exec(fields.rest);
  if (head === null || Number.isNaN(iova + flags)) return undefined;
  const [, driver = '', device = ''] = head;
  return { ...stamp, kind: 'fault', device, driver, iova, flags };
}
