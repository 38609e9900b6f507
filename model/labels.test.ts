import { expect } from 'chai';
import type { Args, Machine, Reply, Seen } from './index.ts';
import { KIND, SPEC, VIEW } from './index.ts';
import { Judged, NOTHING, PLENTY, type Shown, seen, viewOf } from './judged.test.ts';

/** Labels that some test has seen. */
const told = new Set<string>();

/** A client with a buffer of pages 0 and 1, handle 1, in a machine of 4 pages, or more. */
function withBuffer(fields: Partial<Machine> = {}): Judged {
  const judged = new Judged({ pages: 4, ...fields });
  judged.make('ion_client_create', {}, { client: 0 });
  const asked = { client: 0, bytes: 128, heaps: ['iommu'], flags: 'cached' } as const;
  judged.make('ion_alloc', asked, { handle: 1, pages: [0, 1] });
  return judged;
}

/** The labels that a call gets, by what the target showed. */
function labelsBy(judged: Judged, op: string, args: Args, reply: Reply, given: Seen): string[] {
  const asked = SPEC.labels.filter(({ calls }) => calls.includes(op));
  const held = asked.filter(({ holds }) => holds(judged.world, args, reply, given)).map(({ name }) => name);
  for (const name of held) told.add(name);
  return held;
}

/** The same, with or without a fault that fired, where the target shows nothing special. */
const labels = (judged: Judged, op: string, args: Args, reply: Reply, ...fired: string[]): string[] =>
  labelsBy(judged, op, args, reply, seen({ ...PLENTY, fired }));

/** A view of the machine of 16 pages with these columns. */
function showing(judged: Judged, columns: Readonly<Record<number, Readonly<Record<number, number>>>>): Seen {
  const view = viewOf(judged.world.machine);
  for (const [column, cells] of Object.entries(columns))
    for (const [at, value] of Object.entries(cells))
      view.columns[Number(column)]?.fill(value, Number(at), Number(at) + 1);
  return { fired: [], view };
}

const ENOMEM = { errno: 'ENOMEM' };

describe('LABELS', () => {
  it('are about calls that there are', () => {
    for (const { calls, name } of SPEC.labels) {
      for (const op of calls) expect(SPEC.calls, name).to.have.property(op);
    }
  });

  it('tell fragmented memory from full memory', () => {
    const judged = withBuffer();
    const label = ['enough free, no block of the order asked'];
    expect(labels(judged, 'alloc_pages', { order: 1 }, ENOMEM)).to.deep.equal(label);
    expect(labels(judged, 'alloc_pages', { order: 2 }, ENOMEM)).to.deep.equal([]);
    expect(labels(judged, 'alloc_pages', { order: 0 }, ENOMEM)).to.deep.equal([]);
    expect(labels(judged, 'alloc_pages', { order: 1 }, { ok: { pfn: 2 } })).to.deep.equal([]);
  });

  it('tell metadata in one piece from metadata out of single pages', () => {
    const asked = (bytes: number, memory: number): string[] =>
      labels(withBuffer(), 'kvmalloc', { bytes }, { ok: { memory } });
    expect(asked(65, 4 * 64)).to.deep.equal(['metadata above a page out of single pages']);
    expect(asked(65, 3 * 64)).to.deep.equal(['metadata above a page in one piece']);
    expect(asked(64, 3 * 64)).to.deep.equal([]);
    expect(labels(withBuffer(), 'kvmalloc', { bytes: 65 }, ENOMEM)).to.deep.equal([]);
  });

  it('tell faults that were recovered from, faults that made a call fail, and want of memory', () => {
    const asked = (reply: Reply, ...fired: string[]): string[] =>
      labels(withBuffer(), 'ion_alloc', { client: 0 }, reply, ...fired);
    expect(asked({ ok: {} }, 'kmalloc_large')).to.deep.equal(['a failed step that the call recovered from']);
    expect(asked(ENOMEM, 'page')).to.deep.equal(['a call that a fault made fail']);
    expect(asked(ENOMEM)).to.deep.equal(['memory is short for a buffer']);
    expect(asked({ ok: {} })).to.deep.equal([]);
    expect(asked({ errno: 'EINVAL' })).to.deep.equal([]);
  });

  it('tell a buffer that outlives its last handle', () => {
    const judged = withBuffer();
    const asked = (handle: number): string[] => labels(judged, 'ion_free', { client: 0, handle }, { ok: {} });
    expect(asked(1)).to.deep.equal([]);
    judged.make('gpu_context_create', { client: 0 }, { context: 0 });
    judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 64 });
    expect(asked(1)).to.deep.equal(['a buffer outlives its last handle']);
    expect(asked(2)).to.deep.equal([]);
  });

  it('tell which refusal it was', () => {
    const judged = withBuffer();
    for (const op of ['iommu_map', 'iommu_map_sg'])
      expect(labels(judged, op, {}, { errno: 'EEXIST' })).to.deep.equal([
        'a map meets a present translation',
      ]);
    expect(labels(judged, 'iommu_map', {}, { errno: 'EINVAL' })).to.deep.equal([]);
    expect(labels(judged, 'gpu_bind', {}, { errno: 'ENOSPC' })).to.deep.equal(['no address range is left']);
    expect(labels(judged, 'gpu_bind', {}, { errno: 'ENOSPC' }, 'iova')).to.deep.equal([
      'a call that a fault made fail',
    ]);
    const [named] = labels(judged, 'ion_free', { client: 0, handle: 2 }, { errno: 'EINVAL' });
    expect(named).to.equal('a handle that the client does not have is named');
    expect(labels(judged, 'ion_free', { client: 9, handle: 1 }, { errno: 'EBADF' })).to.deep.equal([]);
  });

  it('tell accesses that fault', () => {
    const half = (lines: number): string[] =>
      labels(withBuffer(), 'device_write', { bytes: 64 }, { ok: { lines } });
    expect([0, 1, 3, 4].map((lines) => half(lines).length)).to.deep.equal([0, 1, 1, 0]);
    const cpu = (lines: number): string[] =>
      labels(withBuffer(), 'cpu_write', { bytes: 64 }, { ok: { lines } });
    expect([0, 3, 4].map(cpu)).to.deep.equal([[], ['an application reaches beyond its mapping'], []]);
    const tick = (fault: number): string[] => labels(withBuffer(), 'tick_engine', {}, { ok: { fault } });
    expect([0, 1].map(tick)).to.deep.equal([[], ['a job faults']]);
  });

  it('tell a block that only compaction could give', () => {
    const judged = withBuffer({ pages: 16 });
    const asked = (order: number, reply: Reply, given: Seen): string[] =>
      labelsBy(judged, 'alloc_pages', { order }, reply, given);
    const label = ['a block that only compaction could give'];
    const movable = { [VIEW.kind]: { 7: KIND.MOVABLE } };
    const crumbs = { ...movable, [VIEW.freeOrder]: { 4: 1, 6: 1 } };
    const ok = { ok: { pfn: 8 } };
    expect(asked(1, ok, showing(judged, crumbs))).to.deep.equal(label);
    expect(asked(1, ok, showing(judged, { ...movable, [VIEW.freeOrder]: { 4: 2 } }))).to.deep.equal([]);
    expect(asked(2, ok, showing(judged, { ...movable, [VIEW.freeOrder]: { 4: 2 } }))).to.deep.equal(label);
    expect(asked(0, ok, showing(judged, crumbs))).to.deep.equal([]);
    expect(asked(1, ok, showing(judged, { [VIEW.freeOrder]: { 4: 1 } })), 'nothing moves').to.deep.equal([]);
    expect(asked(1, ENOMEM, showing(judged, crumbs))).to.not.include(label[0]);
    expect(asked(1, ok, NOTHING)).to.deep.equal([]);
  });

  it('tell what is kept for later when memory is short, and when it is not', () => {
    const judged = withBuffer();
    const asked = (reply: Reply, kept: NonNullable<Shown['kept']>, ...fired: string[]): string[] =>
      labelsBy(judged, 'ion_alloc', { client: 0 }, reply, seen({ ...PLENTY, kept, fired }));
    const short = 'memory is short for a buffer';
    const ok = { ok: { handle: 2 } };
    expect(asked(ENOMEM, [1, 0, 0])).to.deep.equal(['pages are parked when an allocation fails', short]);
    expect(asked(ENOMEM, [0, 1, 1])).to.deep.equal([short]);
    expect(asked(ENOMEM, [1, 0, 0], 'page')).to.deep.equal(['a call that a fault made fail']);
    expect(asked(ok, [1, 0, 0])).to.deep.equal([]);
    expect(asked(ok, [0, 1, 0])).to.deep.equal(['a buffer while a pool has pages']);
    expect(asked(ok, [0, 0, 1])).to.deep.equal(['a buffer while others wait to be freed']);
  });

  it('tell objects that share a page', () => {
    const judged = withBuffer();
    const label = ['several objects in one page'];
    const asked = (memory: number): string[] => labels(judged, 'kmalloc', { bytes: 8 }, { ok: { memory } });
    expect(asked(2 * 64)).to.deep.equal([]);
    judged.make('kmalloc', { bytes: 8 }, { memory: 2 * 64 });
    expect([2 * 64 + 8, 3 * 64].map(asked)).to.deep.equal([label, []]);
    expect(labels(judged, 'kmalloc', { bytes: 8 }, ENOMEM)).to.deep.equal([]);
  });

  it('tell want of kernel addresses from want of pages', () => {
    const asked = (op: string, hole: number, reply: Reply, ...fired: string[]): string[] =>
      labelsBy(withBuffer(), op, { client: 0, handle: 1 }, reply, seen({ ...PLENTY, hole, fired }));
    for (const op of ['vmalloc', 'vmap', 'ion_map_kernel', 'dma_alloc_coherent']) {
      expect(asked(op, 2, ENOMEM), op).to.deep.equal(['kernel addresses run out']);
      expect(asked(op, 3, ENOMEM), op).to.deep.equal([]);
      expect(asked(op, 2, ENOMEM, 'vmalloc'), op).to.deep.equal([]);
      expect(asked(op, 2, { ok: {} }), op).to.deep.equal([]);
    }
  });

  it('tell an id that is given again from one that is new', () => {
    const judged = new Judged();
    judged.make('ion_client_create', {}, { client: 0 });
    const asked = { client: 0, bytes: 1, heaps: ['iommu'], flags: 'cached' } as const;
    judged.make('ion_alloc', asked, { handle: 1, pages: [3] });
    const given = (handle: number, op = 'ion_alloc'): string[] =>
      labels(judged, op, { client: 0, fd: 0 }, { ok: { handle } });
    expect(given(2)).to.deep.equal([]);
    judged.make('ion_alloc', asked, { handle: 2, pages: [4] });
    judged.make('ion_free', { client: 0, handle: 1 }, {});
    expect(given(1)).to.deep.equal(['an id is given again']);
    expect(given(1, 'ion_import')).to.include('an id is given again');
  });

  it('tell imports of what a client has from imports of what it gets', () => {
    const judged = withBuffer();
    judged.make('ion_client_create', {}, { client: 1 });
    judged.make('ion_share', { client: 0, handle: 1 }, { fd: 0 });
    judged.make('fd_send', { client: 0, fd: 0, to: 1 }, { fd: 0 });
    const asked = (client: number, reply: Reply): string[] =>
      labels(judged, 'ion_import', { client, fd: 0 }, reply);
    const ok = { ok: { handle: 1 } };
    expect(asked(0, ok)).to.deep.equal(['an import of a buffer that the client has']);
    expect(asked(1, ok)).to.deep.equal(['an import of another client’s buffer']);
    for (const client of [0, 1]) expect(asked(client, { errno: 'ENOSPC' })).to.deep.equal([]);
  });

  it('tell a kernel mapping that is there already', () => {
    const judged = withBuffer();
    const value = { handle: 1, address: 6 * 64 };
    const asked = (reply: Reply): string[] =>
      labels(judged, 'ion_map_kernel', { client: 0, handle: 1 }, reply);
    expect(asked({ ok: value })).to.deep.equal([]);
    judged.make('ion_map_kernel', { client: 0, handle: 1 }, value);
    expect(asked({ ok: value })).to.deep.equal(['a kernel mapping is shared by handles']);
    expect(asked(ENOMEM)).to.deep.equal([]);
  });

  it('tell a flush that makes the IOTLB forget something', () => {
    const judged = new Judged({ policies: { invalidation: 'lazy' } });
    const entry = (5 << 2) | 1;
    const asked = (shown: number): string[] =>
      labelsBy(
        judged,
        'tick_flush',
        {},
        { ok: { flushes: 1 } },
        showing(judged, { [VIEW.iotlb]: { 3: shown } }),
      );
    expect(asked(entry), 'it is alive').to.deep.equal([]);
    judged.world.stale.set(3, entry);
    expect(asked(entry)).to.deep.equal(['the IOTLB holds a dead entry']);
    expect([0, entry ^ 2].map(asked), 'another one').to.deep.equal([[], []]);
    expect(labelsBy(judged, 'tick_flush', {}, { ok: { flushes: 1 } }, NOTHING)).to.deep.equal([]);
  });

  it('tell a dirty line of what a device is about to see', () => {
    const judged = withBuffer({ pages: 16 });
    judged.make('gpu_context_create', { client: 0 }, { context: 0 });
    judged.make('alloc_pages', { order: 0 }, { pfn: 7 });
    judged.make('sg_alloc_table_from_pages', { pages: [7], maxSegment: 64 }, { table: 1, segments: 1 });
    const dirty = 2 << 18;
    const asked = (op: string, args: Args, at: number, line: number): string[] =>
      labelsBy(judged, op, args, { ok: {} }, showing(judged, { [VIEW.line]: { [at]: line } }));
    const label = ['a dirty line when a device gets a buffer'];
    const sync = (at: number, line: number): string[] =>
      asked('dma_sync_sg_for_device', { mapping: 1 }, at, line);
    expect([27, 28, 31, 32].map((at) => sync(at, dirty))).to.deep.equal([[], label, label, []]);
    expect(sync(28, 1 << 18), 'a clean copy').to.deep.equal([]);
    const submit = (at: number): string[] => asked('gpu_submit', { context: 0 }, at, dirty);
    expect(submit(4), 'it is not bound').to.deep.equal([]);
    judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 64 });
    expect([0, 7, 8].map(submit)).to.deep.equal([label, label, []]);
    expect(labelsBy(judged, 'gpu_submit', { context: 0 }, { ok: {} }, NOTHING)).to.deep.equal([]);
  });

  it('are all told by the tests above', () => {
    expect(SPEC.labels.map(({ name }) => name).filter((name) => !told.has(name))).to.deep.equal([]);
  });
});

describe('stateClass', () => {
  const PLAIN = { invalidation: 'strict', coherent: 'yes' };

  /** The class of a machine of 8 pages of which some are held. */
  const classOf = (held: number, policies: Readonly<Record<string, string>> = {}): number | undefined => {
    const { world } = new Judged({ pages: 8, reserve: 0, policies: { ...PLAIN, ...policies } });
    world.held.set(0, held);
    return SPEC.stateClass?.(world);
  };

  it('tells no memory, little, and plenty', () => {
    expect([0, 5].map((held) => classOf(held))).to.deep.equal([classOf(1), classOf(4)]);
    expect([6, 7].map((held) => classOf(held))).to.deep.equal([classOf(7), classOf(6)]);
    expect(new Set([0, 6, 8].map((held) => classOf(held))).size).to.equal(3);
  });

  it('tells machines on which old translations or old copies may wait', () => {
    const machines = [
      {},
      { invalidation: 'lazy' },
      { coherent: 'no' },
      { invalidation: 'lazy', coherent: 'no' },
    ];
    const classes = machines.flatMap((policies) => [0, 6, 8].map((held) => classOf(held, policies)));
    expect(new Set(classes).size).to.equal(12);
    expect(Math.max(...classes.map((each) => each ?? Number.NaN))).to.equal(11);
  });
});
