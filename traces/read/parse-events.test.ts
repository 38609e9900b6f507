import { expect } from 'chai';
import { DEVICE, type Golden, HEAD, itReads, STAMP } from './golden.test.ts';
import { TraceParser } from './parse.ts';

const range = { iova: 0xfff70000, size: 65536 };
const whole = { kind: 'flush', unit: 'dmar0' } as const;

const IOMMU: Golden = [
  [
    'map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000 size=65536',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000 },
  ],
  [
    'map: IOMMU: iova=0x00000000fff70000 paddr=0x000000000cece000 size=65536',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000 },
  ],
  [
    'map: IOMMU: iova=0x00000000fff70000 paddr=0x000000000cece000 size=0x10000',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000 },
  ],
  [
    'map: IOMMU: dev=15000000.iommu iova=0x00000000fff70000 paddr=0x000000000cece000 size=65536',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000, device: '15000000.iommu' },
  ],
  [
    'map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000 size=65536 device=gpu',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000, device: 'gpu' },
  ],
  [
    'map: iova=4294377472 paddr=216850432 size=65536',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000 },
  ],
  [
    'map: iova=0xfff70000 paddr=0xcece000 size=65536',
    'iommu:map',
    { kind: 'map', ...range, paddr: 0xcece000 },
  ],
  [
    'map: IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 paddr=0x0000fffffffff000 size=4096',
    'iommu:map',
    { kind: 'map', iova: 2 ** 64 - 4096, paddr: 2 ** 48 - 4096, size: 4096 },
  ],
  [
    'unmap: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 size=65536 unmapped_size=4096',
    'iommu:unmap',
    { kind: 'unmap', ...range, unmapped: 4096 },
  ],
  [
    'unmap: IOMMU: iova=0x00000000fff70000 size=65536',
    'iommu:unmap',
    { kind: 'unmap', ...range, unmapped: 65536 },
  ],
  [
    'unmap: IOMMU: dev=gpu iova=0x00000000fff70000 size=65536 unmapped_size=65536',
    'iommu:unmap',
    { kind: 'unmap', ...range, unmapped: 65536, device: 'gpu' },
  ],
  [
    'attach_device_to_domain: IOMMU: device=0000:00:08.0',
    'iommu:attach_device_to_domain',
    { kind: 'attach', device: DEVICE },
  ],
  [
    'detach_device_from_domain: IOMMU: device=0000:00:08.0',
    'iommu:detach_device_from_domain',
    { kind: 'detach', device: DEVICE },
  ],
  [
    'add_device_to_group: IOMMU: groupID=13 device=0000:00:08.0',
    'iommu:add_device_to_group',
    { kind: 'group-add', device: DEVICE, group: 13 },
  ],
  [
    'remove_device_from_group: IOMMU: groupID=13 device=0000:00:08.0',
    'iommu:remove_device_from_group',
    { kind: 'group-remove', device: DEVICE, group: 13 },
  ],
  [
    'io_page_fault: IOMMU:vfio-pci 0000:00:08.0 iova=0x00000000fff70000 flags=0x0001',
    'iommu:io_page_fault',
    { kind: 'fault', device: DEVICE, driver: 'vfio-pci', iova: 0xfff70000, flags: 1 },
  ],
  [
    'io_page_fault: IOMMU: 0000:00:08.0 iova=0x00000000fff70000 flags=0x0000',
    'iommu:io_page_fault',
    { kind: 'fault', device: DEVICE, driver: '', iova: 0xfff70000, flags: 0 },
  ],
];

const PAGES: Golden = [
  [
    'mm_page_alloc: page=000000000ee04934 pfn=0x909b order=3 migratetype=0 gfp_flags=GFP_NOWAIT|__GFP_NOWARN',
    'kmem:mm_page_alloc',
    { kind: 'page-alloc', pfn: 0x909b, order: 3, gfp: 'GFP_NOWAIT|__GFP_NOWARN' },
  ],
  [
    'mm_page_alloc: page=ffffea0000bca980 pfn=12345 order=0 migratetype=0 gfp_flags=GFP_KERNEL',
    'kmem:mm_page_alloc',
    { kind: 'page-alloc', pfn: 12345, order: 0, gfp: 'GFP_KERNEL' },
  ],
  [
    'mm_page_alloc: page=(null) pfn=0 order=10 migratetype=0 gfp_flags=GFP_KERNEL',
    'kmem:mm_page_alloc',
    { kind: 'other', name: 'kmem:mm_page_alloc' },
  ],
  [
    'mm_page_alloc: page=0000000000000000 pfn=0x0 order=10 migratetype=0 gfp_flags=GFP_KERNEL',
    'kmem:mm_page_alloc',
    { kind: 'other', name: 'kmem:mm_page_alloc' },
  ],
  [
    'mm_page_free: page=00000000d97c778c pfn=0x8c3f order=2',
    'kmem:mm_page_free',
    { kind: 'page-free', pfn: 0x8c3f, order: 2, batched: false },
  ],
  [
    'mm_page_free_batched: page=00000000d97c778c pfn=35903 order=0 cold=1',
    'kmem:mm_page_free_batched',
    { kind: 'page-free', pfn: 35903, order: 0, batched: true },
  ],
  [
    'mm_page_pcpu_drain: page=00000000d97c778c pfn=0x8c3f order=0 migratetype=1',
    'kmem:mm_page_pcpu_drain',
    { kind: 'other', name: 'kmem:mm_page_pcpu_drain' },
  ],
];

const INTEL: Golden = [
  [
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 5 [0x1000-0x3fff] addr 0x0 pages 0x4 mask 0x2',
    'intel_iommu:cache_tag_flush_range',
    { ...whole, step: 'planned', domain: 5, iova: 0, size: 0x4000 },
  ],
  [
    'cache_tag_flush_range: dmar0 dmar0[0] type 0x0 did 5 [0x0-0xffffffffffffffff] addr 0x0 ' +
      'pages 0xffffffffffffffff mask 0x0',
    'intel_iommu:cache_tag_flush_range',
    { ...whole, step: 'planned', domain: 5 },
  ],
  [
    'cache_tag_flush_range: dmar0 0000:00:08.0[0] type devtlb did 5 [0x0-0xfff] addr 0x0 pages 0x1 mask 0x0',
    'intel_iommu:cache_tag_flush_range',
    { kind: 'other', name: 'intel_iommu:cache_tag_flush_range' },
  ],
  [
    'cache_tag_flush_all: dmar0/dmar0 type iotlb did 3 pasid 0 ref 1',
    'intel_iommu:cache_tag_flush_all',
    { ...whole, step: 'planned', domain: 3 },
  ],
  [
    'qi_submit: iotlb_inv dmar0: 0x400f2 0xfff70044 0x0 0x0',
    'intel_iommu:qi_submit',
    { ...whole, step: 'submitted', domain: 4, iova: 0xfff70000, size: 0x10000 },
  ],
  [
    'qi_submit: iotlb_inv dmar0: 0x400e2 0x0 0x0 0x0',
    'intel_iommu:qi_submit',
    { ...whole, step: 'submitted', domain: 4 },
  ],
  ['qi_submit: iotlb_inv dmar0: 0xd2 0x0 0x0 0x0', 'intel_iommu:qi_submit', { ...whole, step: 'submitted' }],
  [
    'qi_submit: p_iotlb_inv dmar0: 0x10001000036 0xfff70004 0x0 0x0',
    'intel_iommu:qi_submit',
    { ...whole, step: 'submitted', domain: 256, iova: 0xfff70000, size: 0x10000 },
  ],
  [
    'qi_submit: iec_inv dmar0: 0x300000014 0x0 0x0 0x0',
    'intel_iommu:qi_submit',
    { kind: 'other', name: 'intel_iommu:qi_submit' },
  ],
];

const MARKS: Golden = [
  ['tracing_mark_write: a: b=c', 'ftrace:print', { kind: 'mark', text: 'a: b=c' }],
  ['print:                tracing_mark_write: a: b=c', 'ftrace:print', { kind: 'mark', text: 'a: b=c' }],
];

describe('texts of events', () => {
  itReads(IOMMU);
  itReads(PAGES);
  itReads(INTEL);
  itReads(MARKS);

  for (const text of [
    'sched_switch: prev_comm=swapper/0 prev_pid=0',
    'map: some other subsystem that maps',
    'map: (vm_mmap+0x4/0x10) size=4096',
    'ion_buffer_create: client=x,buffer=00000000:77',
    'exfat:map: IOMMU: iova=0x1000 paddr=0x1000 size=4096',
    'dma_buf_detach: (my_own_function+0x4/0xd0) dmabuf=0x1',
    'sync_dirty_log: IOMMU: iova=0x0000000000001000 size=4096',
    'cap: some other subsystem that counts',
  ])
    it(`does not know ${text}`, () => {
      const parser = new TraceParser();
      expect(parser.parse(HEAD + text)).to.equal(undefined);
      expect([...parser.heard.unknown.values()]).to.deep.equal([1]);
      expect(parser.heard).to.include({ garbage: 0, malformed: 0, headers: 0 });
    });

  it('counts functions of a function trace together', () => {
    const parser = new TraceParser();
    parser.parse(`${HEAD}iommu_map <-__iommu_dma_map`);
    parser.parse(`${HEAD}iommu_map`);
    parser.parse(`${HEAD}<stack trace>`);
    expect([...parser.heard.unknown]).to.deep.equal([['(no event)', 3]]);
  });

  it('counts names that only damage explains together', () => {
    const parser = new TraceParser();
    for (let index = 0; index < 700; index += 1) parser.parse(`${HEAD}name_${index}: text`);
    expect(parser.heard.unknown.size).to.equal(501);
    expect(parser.heard.unknown.get('(further names)')).to.equal(200);
    parser.parse(`${HEAD}name_3: text`);
    expect(parser.heard.unknown.get('name_3')).to.equal(2);
  });
});

/** Texts of known events in which something is wrong. */
const DAMAGED: readonly string[] = [
  'map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000 size=6553',
  'map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff90000 paddr=0x000000000cece000 size=65536',
  'map: IOMMU: iova=0x00000000fff7#000 - 0x00000000fff80000 paddr=0x000000000cece000 size=65536',
  'map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000',
  'map: IOMMU: iova=0x00000000fff70000 paddr=0x000000000cece000 size=65536[001]',
  'unmap: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 size=65536 unmapped_size=',
  'unmap: IOMMU:',
  'attach_device_to_domain: IOMMU: ',
  'add_device_to_group: IOMMU: groupID=x device=0000:00:08.0',
  'io_page_fault: IOMMU:edu 0000:00:08.0 iova=0x00000000fff70000',
  'mm_page_alloc: page=000000000ee04934 pfn=0x909b migratetype=0',
  'mm_page_alloc: page=000000000ee04934 pfn=909b order=0 migratetype=0',
  'mm_page_free: page=00000000d97c778c pfn=0x8c3f order=60',
  'mm_page_free: page=00000000d97c778c pfn=0x108c3f00000000 order=0',
  `dma_map_page: ${DEVICE} dir=SIDEWAYS dma_addr=ffffb0f8 size=16 phys_addr=77660f8 attrs=`,
  `dma_map_page: dir=TO_DEVICE dma_addr=ffffb0f8 size=16 phys_addr=77660f8 attrs=`,
  `dma_map_sg: ${DEVICE} dir=NONE nents=2/2 ents=1/1 dma_addrs={0x1000} sizes={0x1000} phys_addrs={0x1000} attrs=`,
  `dma_map_sg: ${DEVICE} dir=NONE nents=1/1 ents=1/1 dma_addrs={0x1000} sizes={} phys_addrs={0x1000} attrs=`,
  `dma_map_sg: ${DEVICE} dir=NONE nents=1/1 ents=1/1 dma_addrs={0x1000} sizes={0x1000} phys_addrs={0x10 [LINE TOO BIG]`,
  `dma_unmap_sg: ${DEVICE} dir=NONE phys_addrs={0x561d000,} attrs=`,
  `dma_unmap_sg: [FAILED TO PARSE] device=${DEVICE} addrs=ARRAY[00, 10, 00, 00, 00, 00, 00] dir=0 attrs=0x0`,
  `dma_unmap_sg: [FAILED TO PARSE] device=${DEVICE} addrs=ARRAY[00, 10, 00, 00, 00, 00, 00, 100] dir=0 attrs=0x0`,
  `dma_sync_sg_for_device: ${DEVICE} dir=TO_DEVICE dma_addrs={0x1000} sizes={0x1000,0x20}`,
  'cache_tag_flush_all: dmar0/dmar0 type iotlb did',
  'qi_submit: iotlb_inv dmar0: 0x400f2',
  'm#p: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000 size=65536',
  'unm p: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 size=65536 unmapped_size=65536',
  'unmap; IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 size=65536 unmapped_size=65536',
  'mm_page_fre#: page=00000000d97c778c pfn=0x8c3f order=0',
  'kmem#mm_page_free: page=00000000d97c778c pfn=0x8c3f order=0',
];

describe('damaged events', () => {
  for (const text of DAMAGED)
    it(`takes ${text.slice(0, 100)} for a lost one`, () => {
      const parser = new TraceParser();
      expect(parser.parse(HEAD + text)).to.deep.equal({
        ...{ kind: 'lost', cause: 'unreadable', ...STAMP, count: 1 },
      });
      expect(parser.heard).to.include({ malformed: 1, firstMalformed: 1, garbage: 0 });
      expect(parser.heard.seen.size).to.equal(0);
    });

  it('reads an event whose text is coloured', () => {
    const text =
      'map: IOMMU: \x1b[01;31m\x1b[Kiova=\x1b[m\x1b[K0x00000000fff70000 paddr=0x000000000cece000 size=65536';
    expect(new TraceParser().parse(HEAD + text)).to.include({ kind: 'map', iova: 0xfff70000 });
  });
});
