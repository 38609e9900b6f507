import { expect } from 'chai';
import { NOTHING as ANYTHING, cpuWrote, deviceWrote, givenToWrite, written } from './contents.ts';
import type { Machine } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';
import { translation } from './units.ts';

const ASKED = { device: 3, table: 0, direction: 'bidirectional' } as const;
const LAZY = { policies: { invalidation: 'lazy' } } as const;

/** Devices 3 and 4 are in DMA domain 0 of 16 I/O pages, the last of them reserved. */
function withDevices(fields: Partial<Machine>): Judged {
  const judged = new Judged(fields);
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
  for (const device of [0, 1])
    judged.make('iommu_attach_device', { domain: 0, device }, { device: device + 3 });
  return judged;
}

/** The same; table 0 lists pages 2, 3 and 5. */
function withTable(fields: Partial<Machine> = {}): Judged {
  const judged = withDevices(fields);
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  judged.hold(5);
  judged.make('sg_alloc_table_from_pages', { pages: [2, 5], maxSegment: 128 }, { table: 0, segments: 2 });
  return judged;
}

/** Lists one block over and over, and maps it there: so many I/O pages are in use from `address` on. */
function fill(judged: Judged, address: number, pages: number): void {
  judged.hold(8);
  const list = Array.from({ length: pages }, () => 8);
  judged.make('sg_alloc_table_from_pages', { pages: list, maxSegment: 64 }, { table: 1, segments: pages });
  const segments = [address, pages * 64];
  judged.make('dma_map_sg', { ...ASKED, table: 1 }, { table: 1, dma: address, segments });
}

const said = (judged: Judged, ...segments: number[]): string =>
  judged.to('dma_map_sg', ASKED, { table: 0, dma: segments[0] ?? 0, segments });

const entries = (values: Int32Array): (readonly number[])[] =>
  [...values].map((entry, at) => [at, entry] as const).filter(([, entry]) => entry !== 0);

describe('dma_map_sg', () => {
  it('is sent for devices in DMA domains, and tables that are not mapped', () => {
    const judged = withTable();
    judged.make('iommu_detach_device', { device: 4 }, {});
    const undue = (device: number): string | undefined => judged.undue('dma_map_sg', { ...ASKED, device });
    for (const device of [4, 5, 0, -1]) {
      expect(undue(device)).to.equal('the device is in a domain of the DMA API');
    }
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 1 });
    expect(undue(4), 'a domain that it is not in').to.equal('the device is in a domain of the DMA API');
    judged.make('iommu_domain_free', { domain: 1 }, {});
    judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 1 });
    judged.make('iommu_attach_device', { domain: 1, device: 1 }, { device: 4 });
    expect(undue(4)).to.equal('the device is in a domain of the DMA API');
    for (const table of [1, 2, -1]) {
      expect(judged.undue('dma_map_sg', { ...ASKED, table })).to.equal('the table is allocated');
    }
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 64, segments: [64, 192] });
    expect(judged.undue('dma_map_sg', ASKED)).to.equal('the table is not mapped');
  });

  it('leaves addresses and number of segments open', () => {
    const judged = withTable();
    for (const segments of [
      [64, 192],
      [64, 128, 512, 64],
      [192, 64, 128, 64, 64, 64],
      [12 * 64, 192],
    ]) {
      expect(said(judged, ...segments)).to.equal('content');
    }
  });

  it('gives segments that add up to the table, no more of them than pages', () => {
    const judged = withTable();
    expect(said(judged, 64, 128)).to.equal('segments as long as the table (S5)');
    expect(said(judged, 64, 256)).to.equal('segments as long as the table (S5)');
    for (const segments of [[], [64], [64, 128, 256], [64, 64, 128, 64, 192, 64, 256, 64]]) {
      expect(said(judged, ...segments)).to.equal('no more segments than pages (S5)');
    }
  });

  it('gives segments of whole pages, none of them empty', () => {
    const judged = withTable();
    for (const segments of [
      [72, 192],
      [64, 96, 192, 96],
      [64, 192, 512, 0],
      [64, 256, 512, -64],
    ]) {
      expect(said(judged, ...segments)).to.equal('aligned segments of whole pages (S3)');
    }
  });

  it('gives no reserved address', () => {
    for (const segments of [
      [13 * 64, 192],
      [64, 128, 15 * 64, 64],
    ]) {
      expect(said(withTable(), ...segments)).to.equal('no reserved address (I7)');
      expect(said(withTable({ reservedIoPages: 0 }), ...segments)).to.equal('content');
    }
  });

  it('gives unused addresses, never page 0, and none twice', () => {
    const judged = withTable();
    fill(judged, 256, 2);
    for (const segments of [
      [0, 192],
      [192, 192],
      [14 * 64, 192],
      [16 * 64, 192],
      [-64, 192],
      [64, 128, 128, 64],
      [320, 192],
    ]) {
      expect(said(judged, ...segments)).to.equal('unused addresses (S3)');
    }
    expect(said(judged, 64, 192)).to.equal('content');
    expect(said(judged, 384, 192)).to.equal('content');
  });

  it('says which table, and where it starts', () => {
    const judged = withTable();
    const segments = [64, 192];
    expect(judged.to('dma_map_sg', ASKED, { table: 1, dma: 64, segments })).to.equal(
      'the table that was asked for (P1)',
    );
    expect(judged.to('dma_map_sg', ASKED, { table: 0, dma: 128, segments })).to.equal(
      'the address of the first segment (P1)',
    );
  });

  it('must fail when the domain has too few addresses left', () => {
    const judged = withTable({ ioBits: 8, reservedIoPages: 0 });
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
    expect(said(judged, 64, 192)).to.equal('content');
    fill(judged, 64, 1);
    expect(said(judged, 128, 192)).to.equal('unused addresses (S3)');
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
    expect(said(withTable({ ioBits: 8 }), 64, 192)).to.equal('no reserved address (I7)');
  });

  it('may fail when no aligned hole of the rounded size exists', () => {
    const judged = withTable({ ioBits: 9, reservedIoPages: 0 });
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal([]);
    expect(judged.toErrno('dma_map_sg', ASKED, 'ENOMEM')).to.equal('no ENOMEM (M3)');
    fill(judged, 7 * 64, 1);
    expect(judged.errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
    expect(said(judged, 64, 192)).to.equal('content');
    expect(withTable({ ioBits: 9 }).errnos('dma_map_sg', ASKED)).to.deep.equal(['ENOMEM']);
  });

  it('may fail only if the target shows too few pages for tables', () => {
    const errnos = (free: number, kept: readonly [number, number, number]): string[] =>
      withTable({ reserve: 1 }).errnos('dma_map_sg', ASKED, seen({ ...PLENTY, free, kept }));
    expect(errnos(3, [0, 0, 0])).to.deep.equal([]);
    expect(errnos(2, [0, 0, 0])).to.deep.equal(['ENOMEM']);
    for (const kept of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const) {
      expect(errnos(2, kept)).to.deep.equal([]);
    }
    expect(withTable().errnos('dma_map_sg', ASKED, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('translates the pages in the order of the table, to the segments in theirs', () => {
    const rights = { to_device: 1, from_device: 2, bidirectional: 3 } as const;
    for (const direction of ['to_device', 'from_device', 'bidirectional'] as const) {
      const judged = withTable();
      const segments = [512, 64, 64, 128];
      judged.make('dma_map_sg', { ...ASKED, direction }, { table: 0, dma: 512, segments });
      const expected = [
        [1, 3],
        [2, 5],
        [8, 2],
      ].map(([at, page = 0]) => [at, translation(page, rights[direction])]);
      expect(entries(judged.world.reach.values)).to.deep.equal(expected);
    }
  });
});

/** Lines of page 2 are written by a CPU, the table mapped, written again, and written by the device. */
describe('what the DMA API syncs', () => {
  const LINE = 8;

  function mapped(
    direction: 'to_device' | 'from_device' | 'bidirectional',
    fields: Partial<Machine> = {},
  ): Judged {
    const judged = withTable(fields);
    judged.make('cpu_write', { at: 128, bytes: 16, tag: 7 }, { lines: 1 });
    judged.make('dma_map_sg', { ...ASKED, direction }, { table: 0, dma: 64, segments: [64, 192] });
    return judged;
  }

  it('is all that CPUs wrote, when a table is mapped or synced for a device that may read', () => {
    for (const direction of ['to_device', 'bidirectional'] as const) {
      const judged = mapped(direction);
      expect(judged.world.line.get(LINE)).to.equal(written(7));
      expect(judged.world.line.get(LINE + 12)).to.equal(judged.world.line.get(LINE + 1));
      expect(judged.world.line.get(0)).to.equal(ANYTHING);
      judged.make('cpu_write', { at: 128, bytes: 16, tag: 9 }, { lines: 1 });
      expect(judged.world.line.get(LINE)).to.equal(cpuWrote(written(7), 9));
      judged.make('dma_sync_sg_for_device', { mapping: 0 }, {});
      expect(judged.world.line.get(LINE)).to.equal(written(9));
    }
  });

  it('may lose what CPUs wrote, where the device only writes', () => {
    const lost = givenToWrite(cpuWrote(ANYTHING, 7));
    const judged = mapped('from_device');
    expect(judged.world.line.get(LINE)).to.equal(lost);
    judged.make('cpu_write', { at: 128, bytes: 16, tag: 9 }, { lines: 1 });
    judged.make('dma_sync_sg_for_device', { mapping: 0 }, {});
    expect(judged.world.line.get(LINE)).to.equal(lost);
    for (const tag of [0, 7, 9])
      expect(judged.to('cpu_read', { at: 128, bytes: 16 }, { data: [tag] })).to.equal('content');
  });

  it('is what the device wrote, when a table is unmapped or synced for the CPU, if the device may write', () => {
    for (const direction of ['from_device', 'bidirectional'] as const) {
      const judged = mapped(direction);
      judged.make('device_write', { through: 3, at: 64, bytes: 16, tag: 3 }, { lines: 1 });
      const before = direction === 'from_device' ? givenToWrite(cpuWrote(ANYTHING, 7)) : written(7);
      expect(judged.world.line.get(LINE)).to.equal(deviceWrote(before, 3));
      judged.make('dma_sync_sg_for_cpu', { mapping: 0 }, {});
      expect(judged.world.line.get(LINE)).to.equal(written(3));
      judged.make('device_write', { through: 3, at: 64, bytes: 16, tag: 4 }, { lines: 1 });
      judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
      expect(judged.world.line.get(LINE)).to.equal(written(4));
    }
    const judged = mapped('to_device');
    judged.make('cpu_write', { at: 128, bytes: 16, tag: 9 }, { lines: 1 });
    judged.make('dma_sync_sg_for_cpu', { mapping: 0 }, {});
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
    expect(judged.world.line.get(LINE)).to.equal(cpuWrote(written(7), 9));
  });

  it('is nothing where devices look into caches', () => {
    const judged = mapped('bidirectional', { policies: { coherent: 'yes' } });
    expect(judged.world.line.get(LINE)).to.equal(written(7));
    judged.make('device_write', { through: 3, at: 64, bytes: 16, tag: 3 }, { lines: 1 });
    expect(judged.world.line.get(LINE)).to.equal(written(3));
  });

  it('is asked for mapped tables, and never fails', () => {
    const judged = withTable();
    for (const op of ['dma_sync_sg_for_device', 'dma_sync_sg_for_cpu'] as const) {
      for (const mapping of [0, 1, -1]) expect(judged.undue(op, { mapping })).to.equal('the table is mapped');
      expect(mapped('to_device').undue(op, { mapping: 0 })).to.equal(undefined);
      expect(mapped('to_device').toErrno(op, { mapping: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    }
  });
});

describe('dma_unmap_sg', () => {
  it('is sent for what is mapped', () => {
    for (const mapping of [0, 1, 2, -1]) {
      expect(withTable().undue('dma_unmap_sg', { mapping })).to.equal('the table is mapped');
    }
  });

  it('ends the mapping, and no other, and never fails', () => {
    const judged = withTable();
    fill(judged, 256, 2);
    const lines = [...judged.world.line.values];
    const before = judged.world.state.save();
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 512, segments: [512, 64, 64, 128] });
    expect(judged.errnos('dma_unmap_sg', { mapping: 0 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('dma_unmap_sg', { mapping: 0 }, 'EINVAL')).to.equal('no EINVAL (P1)');
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
    for (const [at, line] of lines.entries()) judged.world.line.set(at, line);
    expect(judged.world.state.words).to.deep.equal(before);
    expect(judged.undue('dma_unmap_sg', { mapping: 0 })).to.equal('the table is mapped');
  });
});

describe('lazy invalidation', () => {
  function mapped(fields: Partial<Machine> = LAZY): Judged {
    const judged = withTable(fields);
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 64, segments: [64, 192] });
    return judged;
  }

  const flushes = (judged: Judged): number[] =>
    [-1, 0, 1, 2, 3].filter((count) => judged.to('tick_flush', {}, { flushes: count }) === 'content');

  it('keeps what was unmapped for the device, and its addresses out of use, until the next flush', () => {
    const judged = mapped();
    const reached = entries(judged.world.reach.values);
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
    expect(entries(judged.world.reach.values)).to.deep.equal([]);
    expect(entries(judged.world.stale.values)).to.deep.equal(reached);
    expect(said(judged, 128, 192)).to.equal('unused addresses (S3)');
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 512, segments: [512, 192] });
    judged.make('tick_flush', {}, { flushes: 1 });
    expect(entries(judged.world.stale.values)).to.deep.equal([]);
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 1 });
    expect(said(judged, 64, 192)).to.equal('content');
  });

  it('flushes what waited before, when an unmap says so', () => {
    const judged = mapped();
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
    judged.make('dma_map_sg', ASKED, { table: 0, dma: 512, segments: [512, 192] });
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 1 });
    expect(entries(judged.world.stale.values).map(([at]) => at)).to.deep.equal([8, 9, 10]);
  });

  it('counts flushes up, and not at all in a strict machine', () => {
    const never = 'flushes go up, and only where unmapped ranges wait for one (P1)';
    const judged = mapped();
    judged.make('tick_flush', {}, { flushes: 1 });
    const unmapped = (of: Judged, count: number): string =>
      of.to('dma_unmap_sg', { mapping: 0 }, { flushes: count });
    expect(unmapped(judged, 0)).to.equal(never);
    for (const count of [1, 2]) expect(unmapped(judged, count)).to.equal('content');
    for (const count of [-1, 1]) expect(unmapped(mapped({}), count)).to.equal(never);
  });

  it('flushes exactly once on a tick if anything waits, once or not at all if nothing does', () => {
    const judged = mapped();
    expect(flushes(judged)).to.deep.equal([0, 1]);
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 1 });
    expect(flushes(judged)).to.deep.equal([2]);
    expect(judged.to('tick_flush', {}, { flushes: 1 })).to.equal(
      'one more flush, if anything waited for it (I1)',
    );
    expect(flushes(mapped({}))).to.deep.equal([0]);
    expect(mapped({}).to('tick_flush', {}, { flushes: 1 })).to.equal('no flush without a queue (P1)');
    expect(judged.toErrno('tick_flush', {}, 'EBUSY')).to.equal('no EBUSY (P1)');
  });

  it('ends with the domain', () => {
    const judged = mapped();
    judged.make('dma_unmap_sg', { mapping: 0 }, { flushes: 0 });
    for (const device of [3, 4]) judged.make('iommu_detach_device', { device }, {});
    judged.make('iommu_domain_free', { domain: 0 }, {});
    expect(entries(judged.world.stale.values)).to.deep.equal([]);
    expect(flushes(judged)).to.deep.equal([0, 1]);
  });
});
