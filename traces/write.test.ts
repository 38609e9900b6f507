import * as assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { TraceEvent } from './event.ts';
import { TraceParser } from './parse.ts';
import { writeBody, writeEvent, writeTrace } from './write.ts';

const STAMP = { line: 1, time: 9_577_902_000, cpu: 1, task: 'sh', pid: 168 };
const DEVICE = '0000:00:05.0';

/** Lines as Linux 6.12 wrote them, and what they say. */
const LINES: readonly (readonly [line: string, event: TraceEvent])[] = [
  [
    '              sh-168     [001] .....     9.577902: map: IOMMU: iova=0x00000000ffffe000 - 0x00000000fffff000 ' +
      'paddr=0x000000000892e000 size=4096',
    { kind: 'map', ...STAMP, iova: 0xffffe000, paddr: 0x892e000, size: 4096 },
  ],
  [
    '              sh-168     [001] .....     9.577902: unmap: IOMMU: iova=0x00000000fff40000 - ' +
      '0x00000000fff50000 size=65536 unmapped_size=4096',
    { kind: 'unmap', ...STAMP, iova: 0xfff40000, size: 65536, unmapped: 4096 },
  ],
];

/** What stands after the head of a line. */
const BODIES: readonly (readonly [body: string, event: TraceEvent])[] = [
  ['attach_device_to_domain: IOMMU: device=0000:00:05.0', { kind: 'attach', ...STAMP, device: DEVICE }],
  [
    'add_device_to_group: IOMMU: groupID=1 device=0000:00:05.0',
    { kind: 'group-add', ...STAMP, device: DEVICE, group: 1 },
  ],
  [
    'io_page_fault: IOMMU:edu 0000:00:05.0 iova=0x00000000fffff000 flags=0x0001',
    { kind: 'fault', ...STAMP, device: DEVICE, driver: 'edu', iova: 0xfffff000, flags: 1 },
  ],
  [
    'mm_page_free_batched: page=0000000000000000 pfn=0x8c3f order=0',
    { kind: 'page-free', ...STAMP, pfn: 0x8c3f, order: 0, batched: true },
  ],
  [
    'dma_map_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=ffffb0f8 size=16 phys_addr=77660f8 attrs=',
    {
      ...{ kind: 'dma-map', ...STAMP, device: DEVICE, direction: 'TO_DEVICE', api: 'page', attrs: '' },
      ...{ dma: 0xffffb0f8, size: 16, phys: 0x77660f8 },
    },
  ],
  [
    'dma_map_sg: 0000:00:05.0 dir=FROM_DEVICE nents=2/200 ents=1/1 [TRUNCATED] dma_addrs={0xfffff000} ' +
      'sizes={0x1000} phys_addrs={0x52df000,0x52e0000} attrs=SKIP_CPU_SYNC',
    {
      ...{ kind: 'dma-map-sg', ...STAMP, device: DEVICE, direction: 'FROM_DEVICE', attrs: 'SKIP_CPU_SYNC' },
      ...{ entries: 200, segments: 1, truncated: true },
      ...{ dmas: [0xfffff000], sizes: [4096], physes: [0x52df000, 0x52e0000] },
    },
  ],
  [
    'dma_sync_single_for_cpu: 0000:00:05.0 dir=FROM_DEVICE dma_addr=fffff000 size=64',
    {
      ...{ kind: 'dma-sync', ...STAMP, device: DEVICE, direction: 'FROM_DEVICE', toward: 'cpu' },
      ...{ dmas: [0xfffff000], sizes: [64] },
    },
  ],
  [
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 5 [0x1000-0x3fff] addr 0x1000 pages 0x4 mask 0x2',
    { kind: 'flush', ...STAMP, unit: 'dmar0', domain: 5, iova: 0x1000, size: 0x3000, step: 'planned' },
  ],
  [
    'cache_tag_flush_all: dmar0/dmar0 type iotlb did 3 pasid 0 ref 1',
    { kind: 'flush', ...STAMP, unit: 'dmar0', domain: 3, step: 'planned' },
  ],
  [
    'qi_submit: iotlb_inv dmar0: 0x50032 0x4001 0x0 0x0',
    { kind: 'flush', ...STAMP, unit: 'dmar0', domain: 5, iova: 0x4000, size: 0x2000, step: 'submitted' },
  ],
];

describe('writing events', () => {
  it('writes lines as the kernel does', () => {
    for (const [line, event] of LINES) assert.equal(writeEvent(event), line);
    for (const [body, event] of BODIES) assert.equal(writeBody(event), body);
  });

  it('says how many events there are, and how many CPUs', () => {
    const lines = writeTrace(LINES.map(([, event]) => event)).split('\n');
    assert.equal(lines[2], '# entries-in-buffer/entries-written: 2/2   #P:2');
    assert.equal(lines.length, 12 + LINES.length);
    assert.equal(lines.at(-1), LINES[1]?.[0]);
  });

  it('writes lost events without a moment, as the kernel does', () => {
    assert.equal(
      writeEvent({ kind: 'lost', cause: 'overrun', ...STAMP, count: 12 }),
      'CPU:1 [LOST 12 EVENTS]',
    );
    assert.equal(writeEvent({ kind: 'lost', cause: 'overrun', ...STAMP }), 'CPU:1 [LOST EVENTS]');
  });

  it('writes what is read again as the same event', () => {
    fc.assert(
      fc.property(traceEvents, (event) => {
        assert.deepEqual(new TraceParser().parse(writeEvent(event)), event);
      }),
      { numRuns: 300 },
    );
  });
});

const ranges = fc.record({
  iova: fc.integer({ min: 0, max: 2 ** 36 }).map((page) => page * 4096),
  size: fc.integer({ min: 1, max: 2 ** 20 }).map((pages) => pages * 4096),
});
const stamps = fc.record({
  line: fc.constant(1),
  /** Microseconds and nanoseconds; up to 1000 hours. */
  time: fc.oneof(
    fc.integer({ min: 0, max: 3_600_000_000_000 }).map((us) => us * 1000),
    fc.integer({ min: 0, max: 2 ** 40 }),
  ),
  cpu: fc.integer({ min: 0, max: 511 }),
  task: fc.constantFrom('<idle>', 'sh', 'kworker/1:1H', 'Web Content', 'a-b-1', 'irq/31-nvme0q1'),
  pid: fc.integer({ min: 0, max: 4_194_304 }),
});

const eventOf = (rest: fc.Arbitrary<object>): fc.Arbitrary<TraceEvent> =>
  fc.tuple(stamps, rest).map(([stamp, fields]) => ({ ...stamp, ...fields }) as TraceEvent);

const traceEvents: fc.Arbitrary<TraceEvent> = fc.oneof(
  eventOf(
    fc.tuple(ranges, fc.integer({ min: 0, max: 2 ** 40 })).map(([range, page]) => {
      return { kind: 'map', ...range, paddr: page * 4096 };
    }),
  ),
  eventOf(ranges.map((range) => ({ kind: 'unmap', ...range, unmapped: range.size }))),
);
