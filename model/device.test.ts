import { expect } from 'chai';
import { NOTHING as ANYTHING, deviceWrote, written, writtenUncached } from './contents.ts';
import type { Machine } from './index.ts';
import { Judged, NOTHING } from './judged.test.ts';

/**
 * A buffer of pages 9 and 4 is bound at I/O page 13, up to the reserved one, and read-only at 2. Domain 1
 * reaches page 5, of unknown content, at I/O page 0, to write alone; device 3 is in it, device 4 in none.
 */
function withBinding(flags: 'cached' | 'uncached' = 'uncached', fields: Partial<Machine> = {}): Judged {
  const judged = new Judged(fields);
  const asked = { client: 0, bytes: 128, heaps: ['iommu'], flags } as const;
  judged.make('ion_client_create', {}, { client: 0 });
  judged.make('ion_alloc', asked, { handle: 1, pages: [9, 4] });
  judged.make('gpu_context_create', { client: 0 }, { context: 0 });
  judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 13 * 64 });
  judged.make('gpu_bind', { context: 0, handle: 1, access: 'read' }, { address: 2 * 64 });
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
  judged.make('iommu_attach_device', { domain: 1, device: 0 }, { device: 3 });
  judged.hold(5);
  const mapped = { domain: 1, iova: 0, phys: 5 * 64, bytes: 64, prot: 'write' } as const;
  judged.make('iommu_map', mapped, { iova: mapped.iova });
  return judged;
}

/** Device 3, in lazy DMA domain 0, had pages 2 and 3 at I/O pages 1 and 2; pages 4 and 5 are mapped at 3. */
function withStale(pageNumbers = true): Judged {
  const judged = new Judged({ policies: { invalidation: 'lazy', coherent: 'yes' } }, pageNumbers);
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
  judged.make('iommu_attach_device', { domain: 0, device: 0 }, { device: 3 });
  const blocks = pageNumbers ? [2, 4] : [16, 18];
  for (const [table, pfn] of blocks.entries()) {
    judged.make('alloc_pages', { order: 1 }, { pfn });
    judged.make('sg_alloc_table_from_pages', { pages: [pfn], maxSegment: 128 }, { table, segments: 1 });
    const dma = 64 + 128 * table;
    const asked = { device: 3, table, direction: 'bidirectional' } as const;
    judged.make('dma_map_sg', asked, { table, dma, segments: [dma, 128] });
  }
  judged.make('device_write', { through: 3, at: 64, bytes: 256, tag: 7 }, { lines: 16 });
  judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
  return judged;
}

const RW = 13 * 64;
const RO = 2 * 64;
const GARBAGE = [2, 5, -1, 0.5, 2 ** 64];
const UP_TO_FAULT = 'the lines up to the first fault (I1)';
const LAST = 'what was last written (H1)';

/** Lines of memory that hold a tag where nothing was, before a change and after it. */
function changed(judged: Judged, change: () => void): [line: number, value: number][] {
  const before = [...judged.world.line.values];
  change();
  return [...judged.world.line.values.entries()].filter(([at, line]) => line !== before[at]);
}

describe('device_write', () => {
  const lines = (make: () => Judged, through: number, at: number, bytes: number): number[] =>
    [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].filter(
      (count) => make().to('device_write', { through, at, bytes, tag: 9 }, { lines: count }) === 'content',
    );

  it('refuses initiators that there are none of, before it looks at sizes', () => {
    const judged = withBinding();
    for (const through of GARBAGE) {
      const asked = { through, at: 0, bytes: 16, tag: 7 };
      expect(judged.errnos('device_write', asked)).to.deep.equal(['ENOENT']);
      expect(judged.to('device_write', { ...asked, bytes: 0 }, { lines: 0 })).to.equal('refuse ENOENT (C5)');
    }
  });

  it('refuses sizes that are none, or more than eight pages', () => {
    const judged = withBinding();
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      const asked = { through: 0, at: RW, bytes, tag: 7 };
      expect(judged.errnos('device_write', asked)).to.deep.equal(['EINVAL']);
      expect(judged.to('device_write', asked, { lines: 0 })).to.equal('refuse EINVAL (P2)');
    }
    const asked = { through: 0, at: RW, bytes: 8 * 64, tag: 7 };
    expect(judged.errnos('device_write', asked, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('device_write', asked, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('is sent with tags that a line can hold', () => {
    const undue = (tag: number): string | undefined =>
      withBinding().undue('device_write', { through: 0, at: RW, bytes: 16, tag });
    for (const tag of [0, -1, 256]) expect(undue(tag)).to.equal('the tag is a byte, and not 0');
    for (const tag of [1, 255]) expect(undue(tag)).to.equal(undefined);
  });

  it('writes whole lines up to the first fault', () => {
    expect(lines(withBinding, 0, RW, 128)).to.deep.equal([8]);
    expect(lines(withBinding, 0, RW + 15, 2)).to.deep.equal([2]);
    expect(lines(withBinding, 0, RW + 112, 17)).to.deep.equal([1]);
    expect(lines(withBinding, 0, RW - 16, 32)).to.deep.equal([0]);
    expect(lines(withBinding, 1, 48, 32)).to.deep.equal([1]);
    const asked = { through: 0, at: RW, bytes: 32, tag: 7 };
    expect(withBinding().to('device_write', asked, { lines: 1 })).to.equal(UP_TO_FAULT);
  });

  it('reaches through a device what its domain maps, and nothing when it is in none', () => {
    expect(lines(withBinding, 3, 48, 32)).to.deep.equal([1]);
    expect(lines(withBinding, 4, 48, 32)).to.deep.equal([0]);
  });

  it('faults at once where there is no address, and without the right', () => {
    for (const at of [-8, -64, 1_024, 2 ** 64]) expect(lines(withBinding, 0, at, 32)).to.deep.equal([0]);
    expect(lines(withBinding, 0, RO, 32)).to.deep.equal([0]);
  });

  it('leaves the lines from the fault on as they are', () => {
    const judged = withBinding();
    const write = { through: 0, at: RW + 60, bytes: 80, tag: 7 };
    const wrote = changed(judged, () => judged.make('device_write', write, { lines: 5 }));
    expect(wrote).to.deep.equal([16, 17, 18, 19, 39].map((at) => [at, writtenUncached(7)]));
  });

  it('is not sent where an old translation leads to memory that may be the kernel’s own by now', () => {
    const judged = withStale();
    const asked = (at: number): string | undefined =>
      judged.undue('device_write', { through: 3, at, bytes: 64, tag: 9 });
    expect(asked(64)).to.equal(undefined);
    judged.make('sg_free_table', { table: 0 }, {});
    judged.make('free_pages', { block: 2 }, {});
    expect(asked(64)).to.equal('what is reached until the next flush belongs to somebody');
    expect(asked(192), 'what is mapped still').to.equal(undefined);
    expect(judged.undue('device_write', { through: 3, at: 64, bytes: 1_000_000, tag: 9 })).to.equal(
      undefined,
    );
    judged.make('alloc_pages', { order: 0 }, { pfn: 2 });
    expect(asked(64), 'another block').to.equal(undefined);
  });

  it('ends at any line that only an old translation reaches, and needs not', () => {
    expect(lines(withStale, 3, 160, 128)).to.deep.equal([0, 1, 8]);
    expect(lines(withStale, 0, 160, 128)).to.deep.equal([0, 1, 8]);
    expect(lines(withStale, 3, 192, 256)).to.deep.equal([8]);
  });

  it('writes as many lines as it says, through old translations too', () => {
    const judged = withStale();
    const write = { through: 3, at: 160, bytes: 128, tag: 9 };
    const wrote = (count: number): [number, number][] =>
      changed(judged, () => judged.make('device_write', write, { lines: count }));
    expect(wrote(1)).to.deep.equal([[14, written(9)]]);
    expect(wrote(8).map(([at]) => at)).to.deep.equal([15, 16, 17, 18, 19, 20, 21]);
    judged.make('sg_free_table', { table: 0 }, {});
    judged.make('free_pages', { block: 2 }, {});
    judged.make('tick_flush', {}, { flushes: 1 });
    expect(judged.to('device_write', write, { lines: 1 })).to.equal(UP_TO_FAULT);
  });

  it('may change anything through an old translation where pages have no numbers', () => {
    const judged = withStale(false);
    judged.make('device_write', { through: 3, at: 160, bytes: 128, tag: 9 }, { lines: 0 });
    expect(judged.world.line.get(72)).to.equal(written(7));
    judged.make('device_write', { through: 3, at: 160, bytes: 128, tag: 9 }, { lines: 1 });
    expect(new Set(judged.world.line.values)).to.deep.equal(new Set([ANYTHING]));
  });
});

describe('device_read', () => {
  const said = (judged: Judged, through: number, at: number, bytes: number, data: number[]): string =>
    judged.to('device_read', { through, at, bytes }, { data });

  it('refuses initiators that there are none of, and sizes that are none', () => {
    const judged = withBinding();
    for (const through of GARBAGE) {
      expect(judged.errnos('device_read', { through, at: 0, bytes: 16 })).to.deep.equal(['ENOENT']);
      expect(said(judged, through, 0, 16, [])).to.equal('refuse ENOENT (C5)');
    }
    for (const bytes of [0, -16, 8 * 64 + 1]) {
      expect(judged.errnos('device_read', { through: 0, at: RW, bytes })).to.deep.equal(['EINVAL']);
      expect(said(judged, 0, RW, bytes, [])).to.equal('refuse EINVAL (P2)');
    }
    const read = { through: 0, at: RW, bytes: 16 };
    expect(judged.toErrno('device_read', read, 'EFAULT')).to.equal('no EFAULT (P1)');
  });

  it('gives what was last written, through whatever address', () => {
    const judged = withBinding();
    judged.make('device_write', { through: 0, at: RW + 32, bytes: 48, tag: 7 }, { lines: 3 });
    judged.make('device_write', { through: 0, at: RW + 64, bytes: 16, tag: 9 }, { lines: 1 });
    expect(said(judged, 0, RO + 16, 80, [0, 7, 7, 9, 0])).to.equal('content');
    for (const data of [
      [0, 7, 7, 7, 0],
      [7, 0, 7, 9, 0],
      [0, 7, 7, 9, 1],
    ]) {
      expect(said(judged, 0, RO + 16, 80, data)).to.equal(LAST);
    }
  });

  it('gives a tag a line, up to the first fault', () => {
    const judged = withBinding();
    for (const data of [[], [0], [0, 0, 0]]) expect(said(judged, 0, RO, 32, data)).to.equal(UP_TO_FAULT);
    expect(said(judged, 0, RO + 112, 32, [0])).to.equal('content');
    expect(said(judged, 0, RO - 16, 32, [])).to.equal('content');
    for (const through of [1, 3, 4]) {
      expect(said(judged, through, 0, 16, [])).to.equal('content');
      expect(said(judged, through, 0, 16, [0])).to.equal(UP_TO_FAULT);
    }
  });

  it('gives anything where nothing is known of the content', () => {
    const judged = withBinding('uncached', { policies: { coherent: 'yes' } });
    judged.make('iommu_map', { domain: 1, iova: 64, phys: 5 * 64, bytes: 64, prot: 'read' }, { iova: 64 });
    expect(said(judged, 1, 64, 16, [165])).to.equal('content');
    judged.make('device_write', { through: 1, at: 0, bytes: 16, tag: 7 }, { lines: 1 });
    expect(said(judged, 3, 64, 32, [165, 165])).to.equal(LAST);
    expect(said(judged, 3, 64, 32, [7, 165])).to.equal('content');
  });

  it('gives what memory holds: not what is in a cache alone', () => {
    const judged = withBinding('cached');
    judged.make('ion_map_kernel', { client: 0, handle: 1 }, { handle: 1, address: 16 * 64 });
    judged.make('cpu_write', { at: 16 * 64, bytes: 16, tag: 7 }, { lines: 1 });
    for (const tag of [0, 7]) expect(said(judged, 0, RW, 16, [tag])).to.equal('content');
    expect(said(judged, 0, RW, 16, [1])).to.equal(LAST);
    const submit = { context: 0, at: RW, bytes: 16, access: 'read', tag: 1 } as const;
    judged.make('gpu_submit', submit, { job: 0 });
    expect(said(judged, 0, RW, 16, [0])).to.equal(LAST);
  });

  it('may end at old translations, and gives what is behind them', () => {
    for (const data of [[], [7, 7, 7, 7]]) expect(said(withStale(), 3, 176, 64, data)).to.equal('content');
    for (const data of [
      [7, 7],
      [7, 7, 7],
    ])
      expect(said(withStale(), 3, 176, 64, data)).to.equal(UP_TO_FAULT);
    expect(said(withStale(), 3, 176, 16, [1])).to.equal(LAST);
    expect(said(withStale(false), 3, 176, 16, [1])).to.equal('content');
    expect(said(withStale(false), 3, 192, 16, [1])).to.equal(LAST);
  });

  it('changes nothing', () => {
    const judged = withBinding();
    const before = judged.world.state.save();
    judged.make('device_read', { through: 0, at: RO, bytes: 16 }, { data: [0] });
    judged.make('device_probe', { through: 4 }, { data: Array(16).fill(-1) });
    expect(judged.world.state.words).to.deep.equal(before);
  });
});

describe('device_probe', () => {
  /** Faults everywhere but at the I/O pages given, which hold these tags. */
  const data = (tags: Readonly<Record<number, number>> = {}): number[] =>
    Array.from({ length: 16 }, (_, ioPage) => tags[ioPage] ?? -1);
  const said = (judged: Judged, through: number, tags: number[]): string =>
    judged.to('device_probe', { through }, { data: tags });
  const WHERE = 'a fault exactly where nothing is reachable (I1)';

  it('refuses initiators that there are none of', () => {
    for (const through of GARBAGE) {
      expect(withBinding().errnos('device_probe', { through })).to.deep.equal(['ENOENT']);
      expect(said(withBinding(), through, data())).to.equal('refuse ENOENT (C5)');
    }
    expect(withBinding().toErrno('device_probe', { through: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });

  it('gives the first line of every I/O page that may be read, and no others', () => {
    const judged = withBinding();
    judged.make('device_write', { through: 0, at: RW, bytes: 16, tag: 7 }, { lines: 1 });
    const all = { 2: 7, 3: 0, 13: 7, 14: 0 };
    expect(said(judged, 0, data(all))).to.equal('content');
    expect(said(judged, 0, data({ ...all, 3: 7 }))).to.equal(LAST);
    for (const wrong of [{ ...all, 3: -1 }, { ...all, 4: 0 }, {}]) {
      expect(said(judged, 0, data(wrong))).to.equal(WHERE);
    }
    for (const through of [1, 3, 4]) {
      expect(said(judged, through, data())).to.equal('content');
      expect(said(judged, through, data({ 0: 0 }))).to.equal(WHERE);
    }
    for (const length of [0, 15, 17]) {
      const tags = Array.from({ length }, (_, at) => data(all)[at] ?? -1);
      expect(said(judged, 0, tags)).to.equal('a number for every I/O page (P1)');
    }
  });

  it('may fault, or not, where only an old translation leads', () => {
    for (const stale of [{}, { 1: 7 }, { 2: 7 }, { 1: 7, 2: 7 }]) {
      expect(said(withStale(), 3, data({ ...stale, 3: 7, 4: 7 }))).to.equal('content');
      expect(said(withStale(), 3, data({ ...stale, 3: 7 }))).to.equal(WHERE);
    }
    expect(said(withStale(), 3, data({ 1: 1, 3: 7, 4: 7 }))).to.equal(LAST);
  });
});

describe('tick_engine', () => {
  function withJob(access: 'read' | 'write', at: number, bytes: number, flags?: 'cached'): Judged {
    const judged = withBinding(flags);
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
    for (const data of [[], [0, 0]])
      expect(said(judged, data, 1, 0)).to.equal('a tag for a line that is read (P1)');
    expect(said(judged, [1], 1, 0)).to.equal(LAST);
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
      expect(said(judged, [0], 0, 1)).to.equal('a tag for a line that is read (P1)');
    }
  });

  it('writes one line after the other, as translations stand when it does', () => {
    const judged = withJob('write', RW + 48, 48);
    judged.make('tick_engine', { job: 1 }, { data: [], left: 2, fault: 0 });
    judged.make('tick_engine', { job: 1 }, { data: [], left: 1, fault: 0 });
    const tagged = (): number[] =>
      [...judged.world.line.values.keys()].filter((at) => judged.world.line.get(at) === writtenUncached(7));
    expect(tagged()).to.deep.equal([16, 39]);
    judged.make('gpu_unbind', { context: 0, binding: RW }, {});
    judged.make('tick_engine', { job: 1 }, { data: [], left: 0, fault: 1 });
    expect(tagged()).to.deep.equal([16, 39]);
    expect(judged.undue('tick_engine', { job: 1 })).to.equal('the job is queued');
    for (const { values } of [
      judged.world.jobContext,
      judged.world.jobIoPage,
      judged.world.jobLine,
      judged.world.jobTag,
    ]) {
      expect([...values]).to.deep.equal([0, 0]);
    }
  });

  it('faults beyond 2^32 lines, and not at the address that is left of such a line in 32 bits', () => {
    const judged = new Judged({ pageBytes: 65_536, lineBytes: 8, ioBits: 36, contexts: 1 });
    judged.make('ion_client_create', {}, { client: 0 });
    judged.make('gpu_context_create', { client: 0 }, { context: 0 });
    const alloc = { client: 0, bytes: 1, heaps: ['iommu'], flags: 'cached' } as const;
    judged.make('ion_alloc', alloc, { handle: 1, pages: [3] });
    judged.make('gpu_bind', { context: 0, handle: 1, access: 'both' }, { address: 65_536 });
    for (const [job, at] of [2 ** 35 + 65_536, 65_536].entries()) {
      judged.make('gpu_submit', { context: 0, at, bytes: 8, access: 'read', tag: 1 }, { job });
      const isFault = judged.to('tick_engine', { job }, { data: [], left: 0, fault: 1 }) === 'content';
      expect(isFault, `at ${at}`).to.equal(at > 65_536);
    }
  });

  it('reads what was written meanwhile', () => {
    const judged = withJob('read', RO, 32);
    judged.make('tick_engine', { job: 1 }, { data: [0], left: 1, fault: 0 });
    judged.make('device_write', { through: 0, at: RW, bytes: 128, tag: 3 }, { lines: 8 });
    expect(said(judged, [3], 0, 0)).to.equal('content');
    expect(said(judged, [0], 0, 0)).to.equal(LAST);
  });

  it('shows CPUs what it wrote when it is over, by its last line or by a fault', () => {
    for (const [at, fault] of [
      [RW, 0],
      [RW + 112, 1],
    ] as const) {
      const judged = withJob('write', at, 32, 'cached');
      const line = at === RW ? 36 : 19;
      judged.make('tick_engine', { job: 1 }, { data: [], left: 1, fault: 0 });
      expect(judged.world.line.get(line)).to.equal(deviceWrote(written(0), 7));
      judged.make('tick_engine', { job: 1 }, { data: [], left: 0, fault });
      expect(judged.world.line.get(line)).to.equal(written(7));
    }
  });

  it('forgets the content of a buffer that goes', () => {
    const judged = withBinding();
    judged.make('ion_client_destroy', { client: 0 }, {});
    expect([...judged.world.line.values.subarray(36, 40)]).to.deep.equal(Array(4).fill(ANYTHING));
  });
});
