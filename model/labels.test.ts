import { expect } from 'chai';
import type { Args, Reply } from './index.ts';
import { SPEC } from './index.ts';
import { Judged, PLENTY, seen } from './judged.test.ts';

/** A client with a buffer of pages 0 and 1, handle 1, in a machine of 4 pages. */
function withBuffer(): Judged {
  const judged = new Judged({ pages: 4 });
  judged.make('ion_client_create', {}, { client: 0 });
  judged.make(
    'ion_alloc',
    { client: 0, bytes: 128, heaps: ['iommu'], flags: 'uncached' },
    { handle: 1, pages: [0, 1] },
  );
  return judged;
}

/** The labels that a call gets, with or without a fault that fired. */
function labels(judged: Judged, op: string, args: Args, reply: Reply, ...fired: string[]): string[] {
  const given = seen({ ...PLENTY, fired });
  const asked = SPEC.labels.filter(({ calls }) => calls.includes(op));
  return asked.filter(({ holds }) => holds(judged.world, args, reply, given)).map(({ name }) => name);
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
      labels(withBuffer(), 'ion_alloc', {}, reply, ...fired);
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
    const [mapped] = labels(judged, 'iommu_map', {}, { errno: 'EEXIST' });
    expect(mapped).to.equal('a map meets a present translation');
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
    const tick = (fault: number): string[] => labels(withBuffer(), 'tick_engine', {}, { ok: { fault } });
    expect([0, 1].map(tick)).to.deep.equal([[], ['a job faults']]);
  });
});

describe('PREMISES', () => {
  const holds = (name: string, judged: Judged, op = 'ion_alloc', args: Args = {}): boolean | undefined =>
    SPEC.premises.find((premise) => premise.name === name)?.holds(judged.world, { op, args });

  it('decide T1 only among contexts of two clients', () => {
    const judged = withBuffer();
    judged.make('ion_client_create', {}, { client: 1 });
    for (const context of [0, 2]) judged.make('gpu_context_create', { client: 0 }, { context });
    expect(holds('T1', judged)).to.equal(false);
    judged.make('gpu_context_destroy', { context: 2 }, {});
    judged.make('gpu_context_create', { client: 1 }, { context: 2 });
    expect(holds('T1', judged)).to.equal(true);
    judged.make('gpu_context_destroy', { context: 0 }, {});
    expect(holds('T1', judged)).to.equal(false);
  });

  it('decide T7 only by buffers that fit a block, of clients that have a handle id left', () => {
    const judged = withBuffer();
    expect(holds('T7', judged, 'ion_alloc', { client: 0, bytes: 256 })).to.equal(true);
    expect(holds('T7', judged, 'ion_alloc', { client: 0, bytes: 257 })).to.equal(false);
    expect(holds('T7', judged, 'kvmalloc', { bytes: 1 })).to.equal(false);
    judged.make(
      'ion_alloc',
      { client: 0, bytes: 64, heaps: ['iommu'], flags: 'uncached' },
      { handle: 2, pages: [2] },
    );
    expect(holds('T7', judged, 'ion_alloc', { client: 0, bytes: 64 })).to.equal(false);
  });
});
