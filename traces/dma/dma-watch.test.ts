import { expect } from 'chai';
import type { Stamp } from '../event.ts';
import type { Mapping } from '../mapping.ts';
import { A, B, C, DISK, NIC, Story, story } from './story.test.ts';

interface Case {
  readonly name: string;
  readonly wrong: (story: Story) => Story;
  readonly found: readonly string[];
  readonly innocent: (story: Story) => Story;
}

const PAGES = [0x5000, 0x9000, 0x7000];

const CASES: readonly Case[] = [
  {
    name: 'an unmap of another size',
    wrong: (s) => s.map(A).unmap(A, 0x2000),
    found: ['certain dma-unmap-size'],
    innocent: (s) => s.map(A, { size: 0x2000 }).unmap(A, 0x2000),
  },
  {
    name: 'an unmap in another direction',
    wrong: (s) => s.map(A).unmap(A, 0x1000, 'FROM_DEVICE'),
    found: ['certain dma-unmap-direction'],
    innocent: (s) => s.map(A, { direction: 'FROM_DEVICE' }).unmap(A, 0x1000, 'FROM_DEVICE'),
  },
  {
    name: 'an unmap by the wrong function',
    wrong: (s) => s.mapSg(A, [0x5000]).unmap(A),
    found: ['certain dma-unmap-kind'],
    innocent: (s) => s.mapSg(A, [0x5000]).unmapSg([0x5000]),
  },
  {
    name: 'a resource that is unmapped as a page',
    wrong: (s) => s.map(A, { api: 'resource' }).unmap(A),
    found: ['certain dma-unmap-kind'],
    innocent: (s) => s.map(A, { api: 'phys' }).unmap(A),
  },
  {
    name: 'memory of dma_alloc_pages that is freed as coherent',
    wrong: (s) => s.coherent('dma-alloc', A, { api: 'pages' }).coherent('dma-free', A),
    found: ['certain dma-unmap-kind'],
    innocent: (s) => s.coherent('dma-alloc', A).coherent('dma-free', A),
  },
  {
    name: 'a second unmap',
    wrong: (s) => s.map(A).unmap(A).unmap(A),
    found: ['likely dma-unmap-unknown'],
    innocent: (s) => s.map(A).unmap(A).map(A).unmap(A),
  },
  {
    name: 'a second unmap of a list',
    wrong: (s) => s.mapSg(A, PAGES).unmapSg(PAGES).unmapSg(PAGES),
    found: ['likely dma-unmap-unknown'],
    innocent: (s) => s.mapSg(A, PAGES).mapSg(C, PAGES).unmapSg(PAGES).unmapSg(PAGES),
  },
  {
    name: 'an unmap in the middle of a mapping',
    wrong: (s) => s.map(A, { size: 0x2000 }).unmap(B),
    found: ['certain dma-unmap-unknown'],
    innocent: (s) => s.map(A).map(B).unmap(B),
  },
  {
    name: 'an unmap of DMA_MAPPING_ERROR',
    wrong: (s) => s.map(2 ** 64).unmap(2 ** 64),
    found: ['certain dma-unmap-unknown'],
    innocent: (s) => s.map(2 ** 64).map(0xffff_ffff),
  },
  {
    name: 'a list that is unmapped with fewer entries',
    wrong: (s) => s.mapSg(A, PAGES).unmapSg(PAGES.slice(0, 2)),
    found: ['likely dma-unmap-size'],
    innocent: (s) => s.mapSg(A, PAGES, { truncated: true, entries: 500 }).unmapSg([...PAGES, 0x1000, 0x2000]),
  },
  {
    name: 'a list that is unmapped in another direction',
    wrong: (s) => s.mapSg(A, PAGES).unmapSg(PAGES, 'FROM_DEVICE'),
    found: ['likely dma-unmap-direction'],
    innocent: (s) =>
      s
        .mapSg(A, PAGES, { direction: 'BIDIRECTIONAL' })
        .mapSg(C, PAGES, { direction: 'FROM_DEVICE' })
        .unmapSg(PAGES, 'FROM_DEVICE'),
  },
  {
    name: 'an address that is given twice',
    wrong: (s) => s.map(B).unmap(B).coherent('dma-alloc', A).map(A),
    found: ['possible dma-overlap'],
    innocent: (s) => s.coherent('dma-alloc', A).coherent('dma-free', A).map(A),
  },
  {
    name: 'an address that is given again before its unmap',
    wrong: (s) => s.map(B).unmap(B).map(A).map(A, { phys: 0x3000 }),
    found: ['likely dma-overlap'],
    innocent: (s) => s.map(A).map(A, { phys: 0x3000 }).unmap(A).unmap(A),
  },
  {
    name: 'a sync after the unmap',
    wrong: (s) => s.map(A).unmap(A).sync(A, 0x1000),
    found: ['likely dma-sync-unknown'],
    innocent: (s) => s.map(A).sync(A, 0x1000).unmap(A),
  },
  {
    name: 'a sync that reaches out of its mapping',
    wrong: (s) => s.map(A, { size: 0x800 }).sync(A + 0x400, 0x800),
    found: ['certain dma-sync-unknown'],
    innocent: (s) => s.map(A, { size: 0x800 }).sync(A + 0x400, 0x400),
  },
  {
    name: 'a sync in another direction',
    wrong: (s) => s.map(A).sync(A, 0x100, 'FROM_DEVICE'),
    found: ['certain dma-sync-direction'],
    innocent: (s) => s.map(A, { direction: 'BIDIRECTIONAL' }).sync(A, 0x100, 'FROM_DEVICE'),
  },
  {
    name: 'memory that one device writes and another one has',
    wrong: (s) => s.map(A, { phys: 0x5000, direction: 'FROM_DEVICE' }).map(B, { phys: 0x5800, device: DISK }),
    found: ['possible two-devices'],
    innocent: (s) => s.map(A, { phys: 0x5000 }).map(B, { phys: 0x5800, device: DISK }),
  },
  {
    name: 'memory to be read that a second mapping lets the device write',
    wrong: (s) => s.map(A, { phys: 0x5000 }).map(B, { phys: 0x5000, direction: 'FROM_DEVICE' }),
    found: ['possible permission-change'],
    innocent: (s) =>
      s.map(A, { phys: 0x5000, size: 16 }).map(B, { phys: 0x5010, size: 4, direction: 'FROM_DEVICE' }),
  },
  {
    name: 'a device that leaves its group with mappings',
    wrong: (s) => s.leave(NIC),
    found: ['likely gone-while-mapped'],
    innocent: (s) => s.unmap(0x10_0000).unmap(0x20_0000).unmap(0x30_0000).leave(NIC),
  },
  {
    name: 'a mapping that outlives all its like',
    wrong: (s) => s.map(A).rounds(20).pause(2000),
    found: ['possible leak'],
    innocent: (s) => s.map(A).rounds(20).pause(2000).unmap(A),
  },
];

describe('checks of drivers', () => {
  for (const { name, wrong, found, innocent } of CASES)
    it(name, () => {
      expect(wrong(new Story()).found).to.deep.equal(found);
      expect(innocent(new Story()).found).to.deep.equal([]);
    });
});

describe('how sure checks of drivers are', () => {
  it('is not, where events are missing in between', () => {
    expect(story().map(A).lost().unmap(A, 0x2000).found).to.deep.equal(['possible dma-unmap-size']);
    expect(story().lost().map(A).unmap(A, 0x2000).found).to.deep.equal(['certain dma-unmap-size']);
    expect(story().map(A).unmap(A).lost().unmap(A).found).to.deep.equal(['possible dma-unmap-unknown']);
  });

  it('is not, where a later mark tells that they are', () => {
    const other = { cpu: 1, task: 'ping', pid: 8 };
    const twice = story().map(B, other).map(A).unmap(A).unmap(A);
    expect(twice.found).to.deep.equal(['likely dma-unmap-unknown']);
    const marked = twice.add({ kind: 'lost', cause: 'overrun', ...twice.stamp, ...other });
    expect(marked.found).to.deep.equal(['possible dma-unmap-unknown']);
  });

  it('is not, where another order excuses it and two CPUs are as close as their clocks', () => {
    const near = (cpu: number): Story => {
      const told = story().map(A).unmap(A);
      const { line, time, task } = told.stamp;
      const range = { dmas: [A], sizes: [16] };
      const sync = { device: NIC, direction: 'TO_DEVICE', toward: 'cpu', ...range } as const;
      return told.add({ kind: 'dma-sync', ...sync, line, time: time - 999_000, task, cpu, pid: 9 });
    };
    expect(near(1).found).to.deep.equal(['possible dma-sync-unknown']);
    expect(near(0).found).to.deep.equal(['likely dma-sync-unknown']);
  });

  it('is not, where addresses are those of the memory and the trace began late', () => {
    const plain = { device: 'usb', phys: 0x5000, size: 64 };
    const unmap = (s: Story, dma: number, size: number): Story =>
      s.add({ kind: 'dma-unmap', device: 'usb', dma, size, direction: 'TO_DEVICE', api: 'page', ...s.stamp });
    const twice = (): Story => story().map(0x5000, plain).map(0x5000, plain);
    expect(unmap(unmap(twice(), 0x5000, 64), 0x5000, 64).found).to.deep.equal([]);
    expect(unmap(twice(), 0x5000, 32).found).to.deep.equal(['likely dma-unmap-size']);
    const late = unmap(story(), 0x9000, 64);
    expect(late.tolerated).to.deep.equal(['mapped-before-trace 1']);
    expect(unmap(late.map(0x5000, plain), 0x5000, 32).found).to.deep.equal(['possible dma-unmap-size']);
  });

  it('says nothing of what was mapped before the trace began', () => {
    const late = story().unmap(A).unmapSg(PAGES).sync(B, 0x100).coherent('dma-free', C);
    expect(late.found).to.deep.equal([]);
    expect(late.tolerated).to.deep.equal(['mapped-before-trace 3', 'synced-before-trace 1']);
  });
});

describe('lines that need care', () => {
  it('an unmap may be written after its address was mapped again, if not much later', () => {
    const again = { phys: 0x3000 };
    expect(story().map(A).map(A, again).unmap(A).unmap(A).tolerated).to.deep.equal(['late-unmap 1']);
    const late = story().map(A).map(A, again).pause(11).unmap(A).unmap(A);
    expect(late.found).to.deep.equal(['likely dma-overlap']);
  });

  it('a free of no pointer does nothing', () => {
    const free = story().coherent('dma-alloc', A).coherent('dma-free', A, { virt: '0000000000000000' });
    expect(free.found).to.deep.equal([]);
    expect(free.coherent('dma-free', A).found).to.deep.equal([]);
  });

  it('an allocation that failed is none', () => {
    const failed = story().coherent('dma-alloc', 0, { virt: '(null)' }).coherent('dma-alloc', 0x800);
    expect(failed.found).to.deep.equal([]);
  });

  it('entries of a list that were merged away are not synced', () => {
    const list = story().mapSg(A, PAGES);
    const range = { dmas: [A, 2 ** 64, 2 ** 64], sizes: [0x3000, 0, 0] };
    const sync = { device: NIC, direction: 'TO_DEVICE', toward: 'cpu', ...range } as const;
    expect(list.add({ kind: 'dma-sync', ...sync, ...list.stamp }).found).to.deep.equal([]);
  });

  it('the unmap in the IOMMU tells which list was meant', () => {
    const both = (): Story => story().mapSg(A, PAGES).mapSg(C, PAGES).unmapSg(PAGES);
    const unmap = (s: Story, iova: number): Story =>
      s.add({ kind: 'unmap', iova, size: 0x3000, unmapped: 0x3000, ...s.stamp });
    expect(unmap(both(), C).sync(A, 16).found).to.deep.equal([]);
    expect(unmap(both(), C).sync(C, 16).found).to.deep.equal(['likely dma-sync-unknown']);
    expect(both().sync(C, 16).sync(A, 16).found).to.deep.equal([]);
    const turned = (): Story => story().mapSg(A, PAGES).unmapSg(PAGES, 'FROM_DEVICE');
    expect(turned().found).to.deep.equal(['likely dma-unmap-direction']);
    expect(unmap(turned(), A).found).to.deep.equal(['certain dma-unmap-direction']);
    expect(unmap(turned(), C).found).to.deep.equal([]);
    expect(unmap(turned(), C).tolerated).to.deep.equal(['mapped-before-trace 1']);
  });

  it('the tables of the IOMMU show what no driver wrote', () => {
    const showing = (told: Story, born: number, died: number | undefined): readonly string[] => {
      const at = (line: number): Stamp => ({ line, time: line * 1e6, cpu: 0, task: 'dd', pid: 7 });
      const range = { iova: A, paddr: 0x5000, size: 0x1000 };
      const mapping: Mapping = {
        ...{ ...range, id: 1, space: NIC, doubtful: false, left: 0 },
        ...{ born: { kind: 'map', ...range, ...at(born) }, died: died === undefined ? died : at(died) },
      };
      const live = died === undefined ? [mapping] : [];
      told.tables = { liveAt: () => live, lastAt: () => (died === undefined ? undefined : mapping) };
      return [...told.found, ...told.tolerated];
    };
    const again = (): Story => story().map(B).unmap(B).map(A).pause(1).map(A, { phys: 0x3000 });
    expect(showing(again(), 8, 10)).to.deep.equal(['unwritten-unmap 1']);
    expect(showing(again(), 1, 2)).to.deep.equal(['likely dma-overlap']);
    const twice = (): Story => story().map(A).unmap(A).pause(1).unmap(A);
    expect(showing(twice(), 9, 10)).to.deep.equal(['unwritten-map 1']);
    expect(showing(twice(), 9, undefined)).to.deep.equal(['unwritten-map 1']);
    expect(showing(twice(), 7, 8)).to.deep.equal(['likely dma-unmap-unknown']);
  });

  it('a second boot begins with nothing mapped', () => {
    const boot = story().map(A);
    boot.add({ kind: 'lost', cause: 'restart', ...boot.stamp });
    expect(boot.map(A).unmap(A).found).to.deep.equal([]);
  });
});
