import { expect } from 'chai';
import { Judged, NOTHING } from './judged.test.ts';
import { TAG_UNKNOWN } from './view.ts';

/**
 * A buffer of pages 9 and 4 is bound at I/O page 14, to the end of the address space, and read-only at 2. Domain 1
 * reaches page 5, of unknown content, at I/O page 0, to write alone.
 */
function withBinding(): Judged {
  const judged = new Judged();
  judged.make('ion_client_create', {}, { client: 0 });
  judged.make('ion_alloc', { client: 0, bytes: 128, heaps: ['iommu'] }, { handle: 1, pages: [9, 4] });
  judged.make('gpu_context_create', { client: 0 }, { context: 0 });
  judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 14 * 64 });
  judged.make('gpu_bind', { context: 0, handle: 1, access: 'read' }, { address: 2 * 64 });
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
  judged.hold(5);
  const mapped = { domain: 1, iova: 0, phys: 5 * 64, bytes: 64, prot: 'write' } as const;
  judged.make('iommu_map', mapped, {});
  return judged;
}

const RW = 14 * 64;
const RO = 2 * 64;
const GARBAGE = [2, 3, -1, 0.5, 2 ** 64];
const UP_TO_FAULT = 'the lines up to the first fault (I1)';

describe('device_write', () => {
  const written = (context: number, at: number, bytes: number): number[] =>
    [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8].filter(
      (lines) => withBinding().to('device_write', { context, at, bytes, tag: 7 }, { lines }) === 'content',
    );

  it('refuses contexts that there are none of, before it looks at sizes', () => {
    const judged = withBinding();
    for (const context of GARBAGE) {
      const asked = { context, at: 0, bytes: 16, tag: 7 };
      expect(judged.errnos('device_write', asked)).to.deep.equal(['ENOENT']);
      expect(judged.to('device_write', { ...asked, bytes: 0 }, { lines: 0 })).to.equal('refuse ENOENT (C5)');
    }
  });

  it('refuses sizes that are none, or more than eight pages', () => {
    const judged = withBinding();
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      const asked = { context: 0, at: RW, bytes, tag: 7 };
      expect(judged.errnos('device_write', asked)).to.deep.equal(['EINVAL']);
      expect(judged.to('device_write', asked, { lines: 0 })).to.equal('refuse EINVAL (P2)');
    }
    const asked = { context: 0, at: RW, bytes: 8 * 64, tag: 7 };
    expect(judged.errnos('device_write', asked, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('device_write', asked, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('is sent with tags that a line can hold', () => {
    const undue = (tag: number): string | undefined =>
      withBinding().undue('device_write', { context: 0, at: RW, bytes: 16, tag });
    for (const tag of [0, -1, 256]) expect(undue(tag)).to.equal('the tag is a byte, and not 0');
    for (const tag of [1, 255]) expect(undue(tag)).to.equal(undefined);
  });

  it('writes whole lines up to the first fault', () => {
    expect(written(0, RW, 128)).to.deep.equal([8]);
    expect(written(0, RW + 15, 2)).to.deep.equal([2]);
    expect(written(0, RW + 112, 17)).to.deep.equal([1]);
    expect(written(0, RW - 16, 32)).to.deep.equal([0]);
    expect(written(1, 48, 32)).to.deep.equal([1]);
    const said = withBinding().to('device_write', { context: 0, at: RW, bytes: 32, tag: 7 }, { lines: 1 });
    expect(said).to.equal(UP_TO_FAULT);
  });

  it('faults at once where there is no address, and without the right', () => {
    for (const at of [-8, -64, 1_024, 2 ** 64]) expect(written(0, at, 32)).to.deep.equal([0]);
    expect(written(0, RO, 32)).to.deep.equal([0]);
  });

  it('leaves the lines from the fault on as they are', () => {
    const judged = withBinding();
    const before = [...judged.world.line.values];
    judged.make('device_write', { context: 0, at: RW + 60, bytes: 80, tag: 7 }, { lines: 5 });
    const changed = [...judged.world.line.values.entries()].filter(([at, tag]) => tag !== before[at]);
    expect(changed).to.deep.equal([
      [16, 7],
      [17, 7],
      [18, 7],
      [19, 7],
      [39, 7],
    ]);
  });
});

describe('device_read', () => {
  const said = (judged: Judged, context: number, at: number, bytes: number, data: number[]): string =>
    judged.to('device_read', { context, at, bytes }, { data });

  it('refuses contexts that there are none of, and sizes that are none', () => {
    const judged = withBinding();
    for (const context of GARBAGE) {
      expect(judged.errnos('device_read', { context, at: 0, bytes: 16 })).to.deep.equal(['ENOENT']);
      expect(said(judged, context, 0, 16, [])).to.equal('refuse ENOENT (C5)');
    }
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      expect(judged.errnos('device_read', { context: 0, at: RW, bytes })).to.deep.equal(['EINVAL']);
      expect(said(judged, 0, RW, bytes, [])).to.equal('refuse EINVAL (P2)');
    }
    const read = { context: 0, at: RW, bytes: 16 };
    expect(judged.toErrno('device_read', read, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('gives what was last written, through whatever address', () => {
    const judged = withBinding();
    judged.make('device_write', { context: 0, at: RW + 32, bytes: 48, tag: 7 }, { lines: 3 });
    judged.make('device_write', { context: 0, at: RW + 64, bytes: 16, tag: 9 }, { lines: 1 });
    expect(said(judged, 0, RO + 16, 80, [0, 7, 7, 9, 0])).to.equal('content');
    for (const data of [
      [0, 7, 7, 7, 0],
      [7, 0, 7, 9, 0],
      [0, 7, 7, 9, 1],
    ]) {
      expect(said(judged, 0, RO + 16, 80, data)).to.equal('what was last written (H1)');
    }
  });

  it('gives a tag a line, up to the first fault', () => {
    const judged = withBinding();
    for (const data of [[], [0], [0, 0, 0]]) expect(said(judged, 0, RO, 32, data)).to.equal(UP_TO_FAULT);
    expect(said(judged, 0, RO + 112, 32, [0])).to.equal('content');
    expect(said(judged, 0, RO - 16, 32, [])).to.equal('content');
    expect(said(judged, 1, 0, 16, [])).to.equal('content');
    expect(said(judged, 1, 0, 16, [0])).to.equal(UP_TO_FAULT);
  });

  it('gives anything where nothing is known of the content', () => {
    const judged = withBinding();
    judged.make('iommu_map', { domain: 1, iova: 64, phys: 5 * 64, bytes: 64, prot: 'read' }, {});
    expect(said(judged, 1, 64, 16, [165])).to.equal('content');
    judged.make('device_write', { context: 1, at: 0, bytes: 16, tag: 7 }, { lines: 1 });
    expect(said(judged, 1, 64, 32, [165, 165])).to.equal('what was last written (H1)');
    expect(said(judged, 1, 64, 32, [7, 165])).to.equal('content');
  });

  it('changes nothing', () => {
    const judged = withBinding();
    const before = judged.world.state.save();
    judged.make('device_read', { context: 0, at: RO, bytes: 16 }, { data: [0] });
    expect(judged.world.state.words).to.deep.equal(before);
  });
});

describe('tick_engine', () => {
  function withJob(access: 'read' | 'write', at: number, bytes: number): Judged {
    const judged = withBinding();
    judged.make('gpu_submit', { context: 0, at, bytes, access, tag: 7 }, { job: 1 });
    return judged;
  }

  const said = (judged: Judged, data: number[], left: number, fault: number): string =>
    judged.to('tick_engine', { job: 1 }, { data, left, fault });

  it('is sent for jobs that are queued', () => {
    for (const job of [0, 2, -1, 0.5]) {
      expect(withJob('read', RO, 16).undue('tick_engine', { job })).to.equal('the job is queued');
    }
  });

  it('reads a line, and says how many are left', () => {
    const judged = withJob('read', RO, 32);
    expect(said(judged, [0], 1, 0)).to.equal('content');
    expect(said(judged, [0], 2, 0)).to.equal('the lines that are left (P1)');
    for (const data of [[], [1], [0, 0]])
      expect(said(judged, data, 1, 0)).to.equal('what was last written (H1)');
    expect(judged.toErrno('tick_engine', { job: 1 }, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('faults exactly where nothing is reachable with its right', () => {
    const never = 'a fault where nothing is reachable (I1)';
    const fine = withJob('write', RW, 32);
    for (const fault of [1, 2, -1]) expect(said(fine, [], 0, fault)).to.equal(never);
    for (const judged of [
      withJob('write', RO, 32),
      withJob('read', -16, 32),
      withJob('read', 1_024, 16),
      withJob('read', 2 ** 36 + RW, 16),
    ]) {
      expect(said(judged, [], 0, 1)).to.equal('content');
      expect(said(judged, [], 1, 0)).to.equal(never);
      expect(said(judged, [], 1, 1)).to.equal('the lines that are left (P1)');
      expect(said(judged, [0], 0, 1)).to.equal('what was last written (H1)');
    }
  });

  it('writes one line after the other, as translations stand when it does', () => {
    const judged = withJob('write', RW + 48, 48);
    judged.make('tick_engine', { job: 1 }, { data: [], left: 2, fault: 0 });
    judged.make('tick_engine', { job: 1 }, { data: [], left: 1, fault: 0 });
    const tagged = (): number[] =>
      [...judged.world.line.values.keys()].filter((at) => judged.world.line.get(at) === 7);
    expect(tagged()).to.deep.equal([16, 39]);
    judged.make('gpu_unbind', { context: 0, binding: RW }, {});
    judged.make('tick_engine', { job: 1 }, { data: [], left: 0, fault: 1 });
    expect(tagged()).to.deep.equal([16, 39]);
    expect(judged.undue('tick_engine', { job: 1 })).to.equal('the job is queued');
  });

  it('reads what was written meanwhile', () => {
    const judged = withJob('read', RO, 32);
    judged.make('tick_engine', { job: 1 }, { data: [0], left: 1, fault: 0 });
    judged.make('device_write', { context: 0, at: RW, bytes: 128, tag: 3 }, { lines: 8 });
    expect(said(judged, [3], 0, 0)).to.equal('content');
    expect(said(judged, [0], 0, 0)).to.equal('what was last written (H1)');
  });

  it('forgets the content of a buffer that goes', () => {
    const judged = withBinding();
    judged.make('ion_client_destroy', { client: 0 }, {});
    expect([...judged.world.line.values.subarray(36, 40)]).to.deep.equal(Array(4).fill(TAG_UNKNOWN));
  });
});
