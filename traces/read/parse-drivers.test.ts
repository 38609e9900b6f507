import { DEVICE, type Golden, itReads } from './golden.test.ts';

const buffer = { kind: 'buffer', buffer: '', attachment: '', device: '' } as const;
const toDevice = { device: DEVICE, direction: 'TO_DEVICE' } as const;
const fromDevice = { device: DEVICE, direction: 'FROM_DEVICE' } as const;
const both = { device: DEVICE, direction: 'BIDIRECTIONAL' } as const;

const DMA: Golden = [
  [
    `dma_map_page: ${DEVICE} dir=TO_DEVICE dma_addr=ffffb0f8 size=16 phys_addr=77660f8 attrs=`,
    'dma:dma_map_page',
    { kind: 'dma-map', ...toDevice, dma: 0xffffb0f8, size: 16, phys: 0x77660f8, api: 'page', attrs: '' },
  ],
  [
    `dma_map_phys: ${DEVICE} dir=TO_DEVICE dma_addr=10 size=16 phys_addr=10 attrs=SKIP_CPU_SYNC|MMIO`,
    'dma:dma_map_phys',
    { kind: 'dma-map', ...toDevice, dma: 16, size: 16, phys: 16, api: 'phys', attrs: 'SKIP_CPU_SYNC|MMIO' },
  ],
  [
    `dma_map_resource: device=${DEVICE} phys_addr=16 dma_addr=32 size=48 dir=1 attrs=0x420`,
    'dma:dma_map_resource',
    {
      kind: 'dma-map',
      ...toDevice,
      dma: 32,
      size: 48,
      phys: 16,
      api: 'resource',
      attrs: 'SKIP_CPU_SYNC|MMIO',
    },
  ],
  [
    `dma_map_page: ${DEVICE} dir=TO_DEVICE dma_addr=ffffffffffffffff size=16 phys_addr=77660f8 attrs=`,
    'dma:dma_map_page',
    { kind: 'dma-failed', device: DEVICE },
  ],
  [
    `dma_unmap_page: ${DEVICE} dir=FROM_DEVICE dma_addr=ffff8500 size=48 attrs=NO_WARN`,
    'dma:dma_unmap_page',
    { kind: 'dma-unmap', ...fromDevice, dma: 0xffff8500, size: 48, api: 'page' },
  ],
  [
    `dma_unmap_phys: [FAILED TO PARSE] device=${DEVICE} addr=4096 size=48 dir=2 attrs=0x0`,
    'dma:dma_unmap_phys',
    { kind: 'dma-unmap', ...fromDevice, dma: 4096, size: 48, api: 'phys' },
  ],
  [
    `dma_map_sg: ${DEVICE} dir=FROM_DEVICE nents=2/2 ents=1/1 dma_addrs={0xfff80000} sizes={0x20000} ` +
      'phys_addrs={0x65f0000,0x6600000} attrs=NO_WARN',
    'dma:dma_map_sg',
    {
      ...{ kind: 'dma-map-sg', ...fromDevice, entries: 2, segments: 1, truncated: false, attrs: 'NO_WARN' },
      ...{ dmas: [0xfff80000], sizes: [0x20000], physes: [0x65f0000, 0x6600000] },
    },
  ],
  [
    `dma_map_sg: ${DEVICE} dir=FROM_DEVICE nents=2/1200 ents=1/3 [TRUNCATED] dma_addrs={0xfff80000} ` +
      'sizes={0x20000} phys_addrs={0x65f0000,0x6600000} attrs=',
    'dma:dma_map_sg',
    {
      ...{ kind: 'dma-map-sg', ...fromDevice, entries: 1200, segments: 3, truncated: true, attrs: '' },
      ...{ dmas: [0xfff80000], sizes: [0x20000], physes: [0x65f0000, 0x6600000] },
    },
  ],
  [
    `dma_map_sg: ${DEVICE} dir=FROM_DEVICE dma_addrs={0xfff80000} sizes={0x1000} phys_addrs={0x65f0000} attrs=`,
    'dma:dma_map_sg',
    {
      ...{ kind: 'dma-map-sg', ...fromDevice, entries: 1, segments: 1, truncated: false, attrs: '' },
      ...{ dmas: [0xfff80000], sizes: [0x1000], physes: [0x65f0000] },
    },
  ],
  [
    `dma_map_sg: [FAILED TO PARSE] device=${DEVICE} full_nents=2 full_ents=1 truncated=0 phys_addrs=ARRAY[00, ` +
      'd0, 0a, 0a, 00, 00, 00, 00, 00, f0, 09, 0a, 01, 00, 00, 00] dma_addrs=ARRAY[00, 00, f7, ff, 00, 00, 00, ' +
      '00] lengths=ARRAY[00, 00, 01, 00] dir=2 attrs=0x100',
    'dma:dma_map_sg',
    {
      ...{ kind: 'dma-map-sg', ...fromDevice, entries: 2, segments: 1, truncated: false, attrs: 'NO_WARN' },
      ...{ dmas: [0xfff70000], sizes: [0x10000], physes: [0xa0ad000, 0x10a09f000] },
    },
  ],
  [
    `dma_unmap_sg: ${DEVICE} dir=BIDIRECTIONAL phys_addrs={0x561d000,0x52d9000} attrs=`,
    'dma:dma_unmap_sg',
    { kind: 'dma-unmap-sg', ...both, physes: [0x561d000, 0x52d9000] },
  ],
  [
    `dma_unmap_sg: [FAILED TO PARSE] device=${DEVICE} addrs=ARRAY[00, 10, 00, 00, 00, 00, 00, 00] dir=0 attrs=0x0`,
    'dma:dma_unmap_sg',
    { kind: 'dma-unmap-sg', ...both, physes: [0x1000] },
  ],
  [
    `dma_map_sg_err: ${DEVICE} dir=TO_DEVICE dma_addrs={0x1000} err=-12 attrs=`,
    'dma:dma_map_sg_err',
    { kind: 'dma-failed', device: DEVICE },
  ],
  [
    `dma_alloc: ${DEVICE} dir=BIDIRECTIONAL dma_addr=ffffe000 size=6726 virt_addr=000000004e678d00 ` +
      'flags=GFP_KERNEL|__GFP_ZERO attrs=NO_WARN',
    'dma:dma_alloc',
    {
      ...{ kind: 'dma-alloc', ...both, dma: 0xffffe000, size: 6726, api: 'coherent' },
      ...{ virt: '000000004e678d00', physes: [] },
    },
  ],
  [
    `dma_alloc: ${DEVICE} dma_addr=ffffe000 size=6726 virt_addr=000000004e678d00 flags=GFP_KERNEL attrs=`,
    'dma:dma_alloc',
    {
      ...{ kind: 'dma-alloc', ...both, dma: 0xffffe000, size: 6726, api: 'coherent' },
      ...{ virt: '000000004e678d00', physes: [] },
    },
  ],
  [
    `dma_alloc: ${DEVICE} dir=BIDIRECTIONAL dma_addr=0 size=6726 virt_addr=0000000000000000 flags=0 attrs=`,
    'dma:dma_alloc',
    { kind: 'dma-failed', device: DEVICE },
  ],
  [
    `dma_free_pages: ${DEVICE} dir=TO_DEVICE dma_addr=ffffe000 size=8192 virt_addr=000000004e678d00 attrs=`,
    'dma:dma_free_pages',
    {
      ...{ kind: 'dma-free', ...toDevice, dma: 0xffffe000, size: 8192, api: 'pages' },
      ...{ virt: '000000004e678d00', physes: [] },
    },
  ],
  [
    `dma_alloc_sgt: ${DEVICE} dir=TO_DEVICE dma_addr=ffffe000 size=8192 phys_addrs={0x1000,0x3000} flags=0 attrs=`,
    'dma:dma_alloc_sgt',
    {
      ...{ kind: 'dma-alloc', ...toDevice, dma: 0xffffe000, size: 8192, api: 'sgt', virt: '' },
      ...{ physes: [0x1000, 0x3000] },
    },
  ],
  [
    `dma_sync_single_for_cpu: ${DEVICE} dir=FROM_DEVICE dma_addr=fffff040 size=64`,
    'dma:dma_sync_single_for_cpu',
    { kind: 'dma-sync', ...fromDevice, toward: 'cpu', dmas: [0xfffff040], sizes: [64] },
  ],
  [
    `dma_sync_sg_for_device: ${DEVICE} dir=TO_DEVICE dma_addrs={0x1000,0x5000} sizes={0x1000,0x20}`,
    'dma:dma_sync_sg_for_device',
    { kind: 'dma-sync', ...toDevice, toward: 'device', dmas: [0x1000, 0x5000], sizes: [0x1000, 0x20] },
  ],
];

const BUFFERS: Golden = [
  [
    'attach: (dma_buf_dynamic_attach+0x4/0x260) dmabuf=0xff11000017ef9a00 dev=0xff110000041480c8',
    'kprobe:dma_buf_dynamic_attach',
    { ...buffer, action: 'attach', buffer: '0xff11000017ef9a00', device: '0xff110000041480c8' },
  ],
  [
    'anything: (drm_gem_prime_import_dev+0x44/0x170 [drm] <- dma_buf_dynamic_attach) ret=0xff1100000a6e3360',
    'kretprobe:dma_buf_dynamic_attach',
    { ...buffer, action: 'attached', attachment: '0xff1100000a6e3360' },
  ],
  [
    'attach_ret: (drm_gem_prime_import_dev+0x44/0x170 [drm] <- dma_buf_dynamic_attach) ret=0xfffffffffffffff4',
    'kretprobe:dma_buf_dynamic_attach',
    { kind: 'other', name: 'kretprobe:dma_buf_dynamic_attach' },
  ],
  [
    'map: (dma_buf_map_attachment+0x4/0xe0) arg1=0xff11000005268060 arg2=2',
    'kprobe:dma_buf_map_attachment',
    { ...buffer, action: 'map', attachment: '0xff11000005268060' },
  ],
  [
    'map_ret: (dma_buf_map_attachment_unlocked+0x37/0x70 <- dma_buf_map_attachment) ret=0xff1100000a5f0ab0',
    'kretprobe:dma_buf_map_attachment',
    { ...buffer, action: 'mapped' },
  ],
  [
    'unmap_attachment: (dma_buf_unmap_attachment+0x4/0x90) attach=0xff11000005268060 sgt=0xff1 dir=2',
    'kprobe:dma_buf_unmap_attachment',
    { ...buffer, action: 'unmap', attachment: '0xff11000005268060' },
  ],
  [
    'detach: (dma_buf_detach+0x4/0xd0) dmabuf=0xff11000017ef9a00 attach=0xff11000005268060',
    'kprobe:dma_buf_detach',
    { ...buffer, action: 'detach', buffer: '0xff11000017ef9a00', attachment: '0xff11000005268060' },
  ],
  [
    'export: (udmabuf_create+0x4db/0x600 <- dma_buf_export) ret=0xff11000017f1f400',
    'kretprobe:dma_buf_export',
    { ...buffer, action: 'export', buffer: '0xff11000017f1f400' },
  ],
  [
    'probe:dma_buf_detach: (ffffffff81a2b3c0) dmabuf=0xff11000017ef9a00 attach=0xff11000005268060',
    'kprobe:dma_buf_detach',
    { ...buffer, action: 'detach', buffer: '0xff11000017ef9a00', attachment: '0xff11000005268060' },
  ],
  [
    'probe:dma_buf_export__return: (ffffffff81a2b3c0 <- ffffffff81a2b000) arg1=0xff11000017f1f400',
    'kretprobe:dma_buf_export',
    { ...buffer, action: 'export', buffer: '0xff11000017f1f400' },
  ],
  [
    'dma_buf_dynamic_attach: exp_name=udmabuf size=16384 ino=9 attachment:0000000012345678 is_dynamic=1 ' +
      `dev_name=${DEVICE}`,
    'dma_buf:dma_buf_dynamic_attach',
    { ...buffer, action: 'attach', buffer: '9', attachment: '0000000012345678', device: DEVICE, size: 16384 },
  ],
  [
    'dma_buf_export: exp_name=system size=16384 ino=9',
    'dma_buf:dma_buf_export',
    { ...buffer, action: 'export', buffer: '9', size: 16384 },
  ],
  [
    'dma_heap_stat: inode=43 len=-8192B total_allocated=65536B',
    'dmabuf_heap:dma_heap_stat',
    { ...buffer, action: 'stat', buffer: '43', size: -8192 },
  ],
  [
    'ion_stat: buffer_id=1234567890 len=8192B total_allocated=65536B',
    'ion:ion_stat',
    { ...buffer, action: 'stat', buffer: '1234567890', size: 8192 },
  ],
  [
    'ion_buffer_destroy: addr=ffffffc012345000, len=4096',
    'ion:ion_buffer_destroy',
    { ...buffer, action: 'destroy', buffer: 'ffffffc012345000', size: 4096 },
  ],
];

describe('texts of events of drivers', () => {
  itReads(DMA);
  itReads(BUFFERS);
});
