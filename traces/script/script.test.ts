import * as assert from 'node:assert/strict';
import { SPEC } from '../../model/index.ts';
import { type Finding, runScript, Stepper, shrink } from '../../properties/index.ts';
import { builtin } from '../../targets/builtin.ts';
import type { TraceEvent } from '../event.ts';
import { TraceParser } from '../read/parse.ts';
import { scriptOfEvents, type TraceScript } from './script.ts';
import { verdictOf } from './verdict.ts';

const HEAD = '              sh-168     [001] .....     9.577902: ';
const DEVICE = '0000:00:05.0';

/** The events of some lines; each must be one. */
function eventsOf(...lines: readonly string[]): TraceEvent[] {
  const parser = new TraceParser();
  return lines.map((line) => {
    const event = parser.parse(`${HEAD}${line}`);
    assert.ok(event !== undefined, line);
    return event;
  });
}

const wide = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
const map = (iova: number, paddr: number, size = 4096): string =>
  `map: IOMMU: iova=${wide(iova)} - ${wide(iova + size)} paddr=${wide(paddr)} size=${size}`;
const unmap = (iova: number, size = 4096, unmapped = size): string =>
  `unmap: IOMMU: iova=${wide(iova)} - ${wide(iova + size)} size=${size} unmapped_size=${unmapped}`;
const alloc = (pfn: number, order = 0): string =>
  `mm_page_alloc: page=0 pfn=0x${pfn.toString(16)} order=${order} migratetype=0 gfp_flags=GFP_KERNEL`;
const free = (pfn: number, order = 0): string =>
  `mm_page_free: page=0 pfn=0x${pfn.toString(16)} order=${order}`;

const target = builtin();
const onBuiltin = new Stepper(SPEC, target, undefined, true);
const run = ({ script }: Pick<TraceScript, 'script'>): Finding | undefined =>
  runScript(onBuiltin, target, script);

const opsOf = ({ script }: TraceScript): string[] => script.commands.map(({ op }) => op);

/** What the specification says of the trace, which builtin must show too where a driver is to blame. */
function duty(script: TraceScript): { readonly op: string; readonly clause: string } {
  const finding = verdictOf(script);
  assert.equal(finding?.kind, 'duty');
  const shown = run(script);
  assert.equal(shown?.clause, finding.clause);
  assert.equal(shown.command, finding.command);
  return { op: finding.call.op, clause: finding.clause };
}

/** The errno or answer that the kernel owed, where builtin holds. */
function owed(script: TraceScript): string {
  const finding = verdictOf(script);
  assert.equal(finding?.kind, 'reply');
  assert.equal(run(script), undefined, 'builtin does it right');
  return `${finding.serves} ${finding.clause}`;
}

describe('scripts of traces', () => {
  it('tell who frees a page that a device reaches', () => {
    const script = scriptOfEvents(
      eventsOf(alloc(0x892e), map(0xffffe000, 0x892e000), free(0x892e), unmap(0xffffe000)),
    );
    assert.deepEqual(opsOf(script), [
      'alloc_pages',
      'iommu_domain_alloc',
      'iommu_map',
      'free_pages',
      'iommu_unmap',
    ]);
    assert.deepEqual(script.lines, [1, 0, 2, 3, 4]);
    assert.deepEqual(duty(script), { op: 'free_pages', clause: 'no device reaches it' });
  });

  it('hold where the device is stopped first', () => {
    const script = scriptOfEvents(
      eventsOf(alloc(0x892e), map(0xffffe000, 0x892e000), unmap(0xffffe000), free(0x892e)),
    );
    assert.equal(verdictOf(script), undefined);
    assert.equal(run(script), undefined);
    assert.equal(script.left, 0);
  });

  it('make what the trace takes for granted: memory that was allocated before it began', () => {
    const script = scriptOfEvents(eventsOf(map(0xffffe000, 0x892e000), free(0x892e)));
    assert.deepEqual(opsOf(script), ['iommu_domain_alloc', 'alloc_pages', 'iommu_map', 'free_pages']);
    assert.deepEqual(script.lines, [0, 0, 1, 2]);
    assert.deepEqual(duty(script), { op: 'free_pages', clause: 'no device reaches it' });
  });

  it('free what is handed out again, though the trace shows no free', () => {
    const script = scriptOfEvents(eventsOf(map(0xffffe000, 0x892e000), alloc(0x892e)));
    assert.deepEqual(duty(script), { op: 'free_pages', clause: 'no device reaches it' });
  });

  it('map memory that was freed as what was freed', () => {
    const script = scriptOfEvents(eventsOf(alloc(0x892e), free(0x892e), map(0xffffe000, 0x892e000)));
    assert.deepEqual(duty(script), { op: 'iommu_map', clause: 'the memory is one allocated block' });
  });

  it('free twice what is freed twice, but not a page of a batch', () => {
    assert.deepEqual(duty(scriptOfEvents(eventsOf(alloc(7), free(7), free(7)))), {
      op: 'free_pages',
      clause: 'the block is allocated',
    });
    const [once] = eventsOf(free(7));
    assert.ok(once?.kind === 'page-free');
    const script = scriptOfEvents([...eventsOf(alloc(7), free(7)), { ...once, batched: true }]);
    assert.deepEqual(opsOf(script), ['alloc_pages', 'free_pages']);
    assert.equal(script.left, 1);
  });

  it('say which errno was owed to a mapping over another one', () => {
    const events = eventsOf(map(0x1000, 0x5000, 8192), map(0x2000, 0x9000));
    assert.equal(owed(scriptOfEvents(events, { together: true })), 'S4 refuse EEXIST');
    const apart = scriptOfEvents(events);
    assert.equal(verdictOf(apart), undefined, 'two domains may use one address');
    assert.equal(apart.script.machine['contexts'], 2);
  });

  it('say that no address or size in the midst of a page can be mapped', () => {
    assert.equal(owed(scriptOfEvents(eventsOf(map(0x1800, 0x5000)))), 'P1 refuse EINVAL');
  });

  it('hold an unmap to what was mapped', () => {
    const mapped = map(0x1000, 0x5000, 8192);
    assert.equal(
      owed(scriptOfEvents(eventsOf(mapped, unmap(0x1000, 8192, 4096)))),
      'P1 the bytes that were mapped from there on',
    );
    assert.equal(
      verdictOf(scriptOfEvents(eventsOf(mapped, unmap(0x1000, 16384, 8192)))),
      undefined,
      'up to a hole',
    );
  });

  it('keep what is contiguous in a block, and what lies apart apart', () => {
    const { script } = scriptOfEvents(
      eventsOf(map(0xfff00000, 0x10_0000, 8 * 4096), map(0x1000, 0x80_0000), map(0x3000, 0x80_1000)),
    );
    const maps = script.commands.filter(({ op }) => op === 'iommu_map');
    assert.deepEqual(
      maps.map(({ iova, bytes }) => [iova, bytes]),
      [
        [0x5000, 0x8000],
        [0x1000, 0x1000],
        [0x3000, 0x1000],
      ],
    );
    const orders = script.commands.flatMap(({ op, order }) => (op === 'alloc_pages' ? [order] : []));
    assert.deepEqual(orders, [3, 1], 'neighbours that are never freed apart are one block');
  });

  it('map part by part what lies in several blocks, and unmap it at once', () => {
    const script = scriptOfEvents(
      eventsOf(alloc(8), alloc(9), map(0x1000, 0x8000, 8192), unmap(0x1000, 8192), free(8), free(9)),
    );
    assert.equal(opsOf(script).filter((op) => op === 'iommu_map').length, 2);
    assert.equal(verdictOf(script), undefined);
    assert.equal(run(script), undefined);
  });

  it('shrink like any other', () => {
    const busy = [1, 2, 3, 4].flatMap((at) => [alloc(at), map(at * 0x10000, at * 4096)]);
    const script = scriptOfEvents(eventsOf(...busy, unmap(0x20000), free(3), unmap(0x40000)));
    const finding = run(script);
    assert.ok(finding !== undefined);
    const { script: smaller } = shrink(SPEC, script.script, finding, (each) => run({ script: each }));
    assert.deepEqual(
      smaller.commands.map(({ op }) => op),
      ['iommu_domain_alloc', 'alloc_pages', 'iommu_map', 'free_pages'],
    );
  });
});

const stamp = { line: 1, time: 0, cpu: 0, task: 'sh', pid: 1, device: DEVICE } as const;
const at = (line: number) => ({ ...stamp, line });
const dmaMap = (line: number, dma: number, phys: number, size = 4096): TraceEvent => ({
  ...{ kind: 'dma-map', ...at(line), dma, size, phys, direction: 'TO_DEVICE', api: 'page', attrs: '' },
});
const dmaUnmap = (line: number, dma: number, size = 4096): TraceEvent => ({
  ...{ kind: 'dma-unmap', ...at(line), dma, size, direction: 'TO_DEVICE', api: 'page' },
});

describe('scripts of traces of the DMA API', () => {
  it('hold where all is in order', () => {
    const [freed] = eventsOf(free(5));
    const script = scriptOfEvents([
      dmaMap(1, 0xfffff0f8, 0x50f8, 16),
      dmaUnmap(2, 0xfffff0f8, 16),
      ...[freed ?? []].flat(),
    ]);
    assert.deepEqual(opsOf(script).slice(-4), ['dma_map_sg', 'dma_unmap_sg', 'sg_free_table', 'free_pages']);
    assert.equal(verdictOf(script), undefined);
    assert.equal(run(script), undefined);
  });

  it('tell who unmaps twice, or what was never mapped', () => {
    const twice = scriptOfEvents([
      dmaMap(1, 0xfffff000, 0x5000),
      dmaUnmap(2, 0xfffff000),
      dmaUnmap(3, 0xfffff000),
    ]);
    assert.deepEqual(duty(twice), { op: 'dma_unmap_sg', clause: 'the table is mapped' });
    assert.equal(twice.lines.at(-1), 3);
    const unknown = [dmaMap(1, 0x1000, 0x5000), dmaUnmap(2, 0xfffff000)];
    const never = scriptOfEvents(unknown, { fromStart: true });
    assert.deepEqual(duty(never), { op: 'dma_unmap_sg', clause: 'the table is mapped' });
    const before = scriptOfEvents(unknown);
    assert.deepEqual([verdictOf(before), before.left], [undefined, 1], 'it may have been mapped before');
  });

  it('tell who syncs what is gone', () => {
    const sync: TraceEvent = {
      ...{ kind: 'dma-sync', ...at(3), direction: 'TO_DEVICE', toward: 'cpu' },
      ...{ dmas: [0xfffff010], sizes: [16] },
    };
    const mapped = dmaMap(1, 0xfffff000, 0x5000);
    assert.equal(verdictOf(scriptOfEvents([mapped, sync])), undefined);
    assert.deepEqual(duty(scriptOfEvents([mapped, dmaUnmap(2, 0xfffff000), sync])), {
      op: 'dma_sync_sg_for_cpu',
      clause: 'the table is mapped',
    });
  });

  it('tell who frees what is mapped, and who leaves with something mapped', () => {
    const mapped = dmaMap(1, 0xfffff000, 0x5000);
    assert.deepEqual(duty(scriptOfEvents([mapped, ...eventsOf(free(5))])), {
      op: 'free_pages',
      clause: 'no device reaches it',
    });
    assert.deepEqual(duty(scriptOfEvents([mapped, { kind: 'group-remove', ...at(2) }])), {
      op: 'iommu_detach_device',
      clause: 'the DMA API has nothing mapped for it',
    });
  });

  it('say that no address is handed out twice for one device, and may be for two', () => {
    const first = dmaMap(1, 0xffffe000, 0x5000, 8192);
    const again = dmaMap(2, 0xfffff000, 0x9000);
    assert.equal(owed(scriptOfEvents([first, again])), 'S3 unused addresses');
    const other = scriptOfEvents([first, { ...again, device: '0000:00:06.0' } as TraceEvent]);
    assert.equal(verdictOf(other), undefined);
    assert.equal(other.script.machine['devices'], 2);
  });

  it('list the entries of a list, and tell what has no room', () => {
    const list = (physes: readonly number[]): TraceEvent => ({
      ...{ kind: 'dma-map-sg', ...at(1), direction: 'FROM_DEVICE', attrs: '', truncated: false },
      ...{ entries: physes.length, segments: 1, dmas: [0xffff0000], sizes: [physes.length * 4096], physes },
    });
    const few = scriptOfEvents([list([0x9000, 0x5000, 0x6000])]);
    assert.equal(verdictOf(few), undefined);
    assert.equal(run(few), undefined);
    assert.deepEqual([few.left, opsOf(few).at(-1)], [0, 'dma_map_sg']);
    const many = scriptOfEvents([list([1, 3, 5, 7, 9].map((page) => page * 4096))]);
    assert.deepEqual([many.left, opsOf(many).includes('dma_map_sg')], [1, false]);
  });
});
