import * as assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { citeEvent } from './cite.ts';
import type { TraceEvent } from './event.ts';
import { TraceParser } from './read/parse.ts';
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

/** Lines of kernels, and what is cited of them. */
const HEAD = 'dd-200     [000] d..1. 1.009062: ';
const CITED = [
  ['mm_page_free: page=00000000d97c778c pfn=0x1064 order=0', 'mm_page_free: pfn=0x1064 order=0'],
  [
    'mm_page_alloc: page=00000000d97c778c pfn=0x1064 order=0 migratetype=1 gfp_flags=GFP_KERNEL',
    'mm_page_alloc: pfn=0x1064 order=0 gfp_flags=GFP_KERNEL',
  ],
  [
    'dma_unmap_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=fffff000 size=64 attrs=SKIP_CPU_SYNC',
    'dma_unmap_page: 0000:00:05.0 dir=TO_DEVICE dma_addr=fffff000 size=64',
  ],
  ['qi_submit: iotlb_inv dmar0: 0x400e2 0x0 0x0 0x0', 'qi_submit: iotlb_inv dmar0 did 4'],
  [
    'qi_submit: iotlb_inv dmar0: 0x400f2 0xfffa0001 0x0 0x0',
    'qi_submit: iotlb_inv dmar0 did 4 addr 0xfffa0000 pages 0x2',
  ],
  [
    'attach: (dma_buf_dynamic_attach+0x4/0x260) dmabuf=0xffff9 dev=0xffff1',
    'buffer attach: buffer=0xffff9 device=0xffff1',
  ],
].map(([line = '', cited = '']) => [HEAD + line, `dd-200 [000] 1.009062: ${cited}`] as const);

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

  it('writes what is read again as the same event, whatever it is', () => {
    for (const events of traceEvents)
      fc.assert(
        fc.property(events, (event) => {
          const line = writeEvent(event);
          assert.deepEqual(new TraceParser().parse(line), event, line);
        }),
        { numRuns: 40 },
      );
  });

  it('cites what was read, and makes nothing up', () => {
    for (const [line, cited] of CITED) {
      const event = new TraceParser().parse(line);
      assert.equal(event && citeEvent(event), cited);
    }
  });

  it('cites only names and numbers that stand in the line', () => {
    for (const events of traceEvents)
      fc.assert(
        fc.property(events, (event) => {
          if (event.kind === 'flush' || event.kind === 'buffer' || event.kind === 'dma-failed') return;
          const line = writeEvent(event);
          for (const word of citeEvent(event).split(' '))
            assert.ok(line.includes(word), `${word} in ${line}`);
        }),
        { numRuns: 20 },
      );
  });

  it('has a form for each event that is known', () => {
    const kinds = new Set(traceEvents.flatMap((events) => fc.sample(events, 20).map(({ kind }) => kind)));
    assert.equal(kinds.size, 21);
  });
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

const address = fc.integer({ min: 0, max: 2 ** 36 }).map((page) => page * 4096);
const size = fc.integer({ min: 1, max: 2 ** 20 }).map((pages) => pages * 4096);
const bytes = fc.integer({ min: 1, max: 2 ** 30 });
const device = fc.constantFrom(DEVICE, 'fd000000.gpu', 'snd_hda-0');
const direction = fc.constantFrom('BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE');
const attrs = fc.constantFrom('', 'NO_WARN', 'WEAK_ORDERING|SKIP_CPU_SYNC');
const api = fc.constantFrom('page', 'phys', 'resource');
const pointer = fc.integer({ min: 1, max: 2 ** 47 }).map((value) => `0x${value.toString(16)}`);
const number = fc.integer({ min: 0, max: 2 ** 15 });
const unit = fc.constantFrom('dmar0', 'dmar12');
const physes = fc.array(address, { minLength: 1, maxLength: 4 });
const is = <T extends string>(...words: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...words);

/** Parallel lists, as those of segments. */
const lists = fc
  .array(fc.tuple(address, size), { minLength: 2, maxLength: 4 })
  .map((pairs) => ({ dmas: pairs.map(([dma]) => dma), sizes: pairs.map(([, length]) => length) }));
/** What one flush covers: a power of two of pages, aligned to itself. */
const covered = fc
  .tuple(fc.integer({ min: 0, max: 9 }), number)
  .map(([order, at]) => ({ iova: at * 2 ** order * 4096, size: 2 ** order * 4096 }));

const both = (one: fc.Arbitrary<object>, other: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.tuple(one, other).map(([a, b]) => ({ ...a, ...b }));

const range = { device, dma: address, size: bytes, direction };
const page = { pfn: fc.integer({ min: 0, max: 2 ** 34 }), order: fc.integer({ min: 0, max: 10 }) };
const allocation = { ...range, kind: is('dma-alloc', 'dma-free') };
const flush = { kind: is('flush'), unit };
const buffer = { kind: is('buffer'), buffer: is(''), attachment: is(''), device: is('') };

/** All that an event says besides when and where. */
const BODY: readonly fc.Arbitrary<object>[] = [
  fc.record({ kind: is('map'), iova: address, paddr: address, size }),
  fc.record({ kind: is('unmap'), iova: address, size, unmapped: size }),
  fc.record({ kind: is('attach', 'detach'), device }),
  fc.record({ kind: is('group-add', 'group-remove'), device, group: number }),
  fc.record({ kind: is('fault'), device, driver: is('edu', 'nvme'), iova: address, flags: fc.nat(3) }),
  fc.record({ ...page, kind: is('page-alloc'), gfp: is('GFP_KERNEL', 'GFP_KERNEL|__GFP_ZERO') }),
  fc.record({ ...page, kind: is('page-free'), batched: fc.constant(false) }),
  fc.record({ pfn: page.pfn, order: fc.constant(0), kind: is('page-free'), batched: fc.constant(true) }),
  fc.record({ ...range, kind: is('dma-map'), phys: address, api, attrs }),
  fc.record({ ...range, kind: is('dma-unmap'), api }),
  both(fc.record({ kind: is('dma-map-sg'), device, direction, physes, attrs }), lists).chain((event) => {
    const { physes: entries, dmas: segments } = event as { physes: number[]; dmas: number[] };
    return fc.constantFrom(0, 100).map((more) => ({
      ...{ ...event, entries: entries.length + more, segments: segments.length, truncated: more > 0 },
    }));
  }),
  fc.record({ kind: is('dma-unmap-sg'), device, direction, physes }),
  fc.record({ ...allocation, api: is('coherent', 'pages'), virt: pointer, physes: fc.constant([]) }),
  fc.record({ ...allocation, api: is('sgt'), virt: is(''), physes }),
  both(fc.record({ kind: is('dma-sync'), device, direction, toward: is('cpu', 'device') }), lists),
  fc.tuple(address, bytes, direction).map(([dma, length, toward]) => ({
    ...{ kind: 'dma-sync', device: DEVICE, direction: toward, toward: 'cpu', dmas: [dma], sizes: [length] },
  })),
  fc.record({ kind: is('dma-failed'), device }),
  both(fc.record({ ...flush, domain: number, step: is('planned', 'submitted') }), covered),
  fc.record({ ...flush, domain: number, step: is('planned', 'submitted') }),
  fc.record({ ...flush, step: is('submitted') }),
  fc.record({ ...buffer, action: is('attach'), buffer: pointer, device: pointer }),
  fc.record({ ...buffer, action: is('detach'), buffer: pointer, attachment: pointer }),
  fc.record({ ...buffer, action: is('map', 'unmap', 'attached'), attachment: pointer }),
  fc.record({ ...buffer, action: is('mapped') }),
  fc.record({ ...buffer, action: is('export'), buffer: pointer }),
  fc.record({ ...buffer, action: is('create', 'destroy', 'fd', 'stat'), buffer: pointer, size: bytes }),
  fc.record({ kind: is('mark'), text: is('begin', 'dma device=0000:00:05.0 dir=to_device') }),
  fc.record({ kind: is('other'), name: is('intel_iommu:qi_submit', 'intel_iommu:cache_tag_assign') }),
];

const traceEvents: readonly fc.Arbitrary<TraceEvent>[] = BODY.map((body) =>
  fc.tuple(stamps, body).map(([stamp, rest]) => ({ ...stamp, ...rest }) as TraceEvent),
);
