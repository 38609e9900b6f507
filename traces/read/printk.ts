/** What the kernel prints about faults of an IOMMU: Intel's driver tells them in no other way. */
import type { Fields } from './fields.ts';
import type { KnownEvent } from './reader.ts';

const NAME = 'printk:console';
/** `DMAR: [DMA Write NO_PASID] Request device [00:05.0] fault addr 0xffffe000 [fault reason 0x05]`. */
const INTEL =
  /DMAR: \[DMA (Write|Read)\b[^\]]*\] Request device \[([\da-f:.]+)\] fault addr (?:0x)?([\da-f]+)/;
/** `AMD-Vi: Event logged [IO_PAGE_FAULT device=… address=0x… flags=0x…]`; the device is often in front of it all. */
const AMD_DEVICE = /\b([\da-f]{4}:[\da-f:.]+): AMD-Vi:|\[IO_PAGE_FAULT device=(\S+)/;
const AMD = /AMD-Vi: Event logged \[IO_PAGE_FAULT .*?address=0x([\da-f]+) flags=0x([\da-f]+)/;
const AMD_WRITE = 0x20;
const WRITE = 1;

export const PRINTED_EVENTS: readonly KnownEvent[] = [
  {
    name: NAME,
    read: (fields, stamp) => {
      const fault = faultOf(fields);
      return fault === undefined
        ? { ...stamp, kind: 'other', name: NAME }
        : { ...stamp, kind: 'fault', ...fault };
    },
  },
];

interface PrintedFault {
  readonly device: string;
  readonly driver: string;
  readonly iova: number;
  readonly flags: number;
}

function faultOf({ rest }: Fields): PrintedFault | undefined {
  const [, way, requester = '', at = ''] = INTEL.exec(rest) ?? [];
  if (way !== undefined)
    return { device: full(requester), driver: 'DMAR', iova: hex(at), flags: way === 'Write' ? WRITE : 0 };
  const [, address, bits = ''] = AMD.exec(rest) ?? [];
  const [, front, named = front] = AMD_DEVICE.exec(rest) ?? [];
  if (address === undefined || named === undefined) return undefined;
  const flags = (hex(bits) & AMD_WRITE) === 0 ? 0 : WRITE;
  return { device: full(named), driver: 'AMD-Vi', iova: hex(address), flags };
}

/** Without the number of its segment a device is in the first one. */
const full = (device: string): string => (/:.*:/.test(device) ? device : `0000:${device}`);

const hex = (digits: string): number => Number.parseInt(digits, 16);
