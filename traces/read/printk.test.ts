import { type Golden, itReads } from './golden.test.ts';

const fault = { kind: 'fault', iova: 0xffffe000 } as const;
const intel = { ...fault, driver: 'DMAR', device: '0000:00:05.0' } as const;
const amd = { ...fault, driver: 'AMD-Vi', device: '0000:03:00.1' } as const;
const name = 'printk:console';

const PRINTED: Golden = [
  [
    'console: DMAR: [DMA Write NO_PASID] Request device [00:05.0] fault addr 0xffffe000 [fault reason 0x05] PTE',
    name,
    { ...intel, flags: 1 },
  ],
  [
    'console: [    5.123456] DMAR: [DMA Read] Request device [00:05.0] fault addr ffffe000 [fault reason 06] PTE',
    name,
    { ...intel, flags: 0 },
  ],
  [
    'console: nvme 0000:03:00.1: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000c address=0xffffe000 flags=0x0020]',
    name,
    { ...amd, flags: 1 },
  ],
  [
    'console: AMD-Vi: Event logged [IO_PAGE_FAULT device=03:00.1 domain=0x0c address=0xffffe000 flags=0x0050]',
    name,
    { ...amd, flags: 0 },
  ],
  ['console: DMAR: DRHD: handling fault status reg 2', name, { kind: 'other', name }],
];

describe('faults that are printed', () => itReads(PRINTED));
