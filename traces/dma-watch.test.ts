import { expect } from 'chai';
import { DmaWatch } from './dma-watch.ts';
import type {
  BufferEvent,
  Direction,
  DmaAllocEvent,
  DmaMapEvent,
  DmaMapSgEvent,
  Stamp,
  TraceEvent,
} from './event.ts';
import { Findings } from './findings.ts';
import type { Lives } from './mapping.ts';

const NO_TABLES: Lives = { liveAt: () => [], lastAt: () => undefined };
const NIC = '0000:00:03.0';
const DISK = '0000:00:04.0';

/** Events one after the other, each a millisecond after the one before, on one CPU. */
class Story {
  readonly events: TraceEvent[] = [];

  constructor() {
    for (const n of [1, 2, 3]) this.map(n * 0x10_0000, { device: NIC, phys: 2 ** 33 + n * n * 0x1000 });
    for (const n of [1, 2, 3]) this.map(n * 0x10_0000, { device: DISK, phys: 2 ** 34 + n * n * 0x1000 });
  }

  get stamp(): Stamp {
    const line = this.events.length + 1;
    return { line, time: line * 1e6, cpu: 0, task: 'dd', pid: 7 };
  }

  map(dma: number, more: Partial<DmaMapEvent> = {}): this {
    const ways = { device: NIC, size: 0x1000, direction: 'TO_DEVICE', api: 'page', attrs: '' } as const;
    return this.add({ kind: 'dma-map', dma, phys: dma + 0x7000_0000, ...this.stamp, ...ways, ...more });
  }

  unmap(dma: number, size = 0x1000, direction: Direction = 'TO_DEVICE', api = 'page'): this {
    return this.add({ kind: 'dma-unmap', device: NIC, dma, size, direction, api, ...this.stamp });
  }

  mapSg(dma: number, physes: readonly number[], more: Partial<DmaMapSgEvent> = {}): this {
    const size = physes.length * 0x1000;
    return this.add({
      ...{ kind: 'dma-map-sg', device: NIC, direction: 'TO_DEVICE', attrs: '', truncated: false },
      ...{ entries: physes.length, segments: 1, dmas: [dma], sizes: [size], physes },
      ...{ ...this.stamp, ...more },
    });
  }

  unmapSg(physes: readonly number[], direction: Direction = 'TO_DEVICE'): this {
    return this.add({ kind: 'dma-unmap-sg', device: NIC, direction, physes, ...this.stamp });
  }

  coherent(kind: 'dma-alloc' | 'dma-free', dma: number, more: Partial<DmaAllocEvent> = {}): this {
    const ways = {
      direction: 'BIDIRECTIONAL',
      api: 'coherent',
      virt: '00000000902d4e85',
      physes: [],
    } as const;
    return this.add({ kind, device: NIC, dma, size: 0x1000, ...ways, ...this.stamp, ...more });
  }

  sync(dma: number, size: number, direction: Direction = 'TO_DEVICE'): this {
    const range = { dmas: [dma], sizes: [size] };
    return this.add({
      kind: 'dma-sync',
      device: NIC,
      direction,
      toward: 'device',
      ...range,
      ...this.stamp,
    });
  }

  fault(iova: number, flags = 0, device = NIC): this {
    return this.add({ kind: 'fault', device, driver: 'arm-smmu', iova, flags, ...this.stamp });
  }

  leave(device: string): this {
    return this.add({ kind: 'group-remove', device, group: 3, ...this.stamp });
  }

  /** Mappings that live for a millisecond. */
  rounds(count: number): this {
    for (let n = 0; n < count; n += 1) this.map(C).unmap(C);
    return this;
  }

  pause(events: number): this {
    for (let n = 0; n < events; n += 1) this.add({ kind: 'mark', text: '', ...this.stamp });
    return this;
  }

  buffer(action: BufferEvent['action'], attachment: string, more: Partial<BufferEvent> = {}): this {
    return this.add({
      kind: 'buffer',
      action,
      buffer: '0x1',
      attachment,
      device: '',
      ...this.stamp,
      ...more,
    });
  }

  lost(): this {
    return this.add({ kind: 'lost', cause: 'overrun', ...this.stamp });
  }

  add(event: TraceEvent): this {
    this.events.push(event);
    return this;
  }

  /** Check and confidence of each finding, in the order of the report. */
  get found(): readonly string[] {
    return this.findings.list.map(({ check, confidence }) => `${confidence} ${check}`);
  }

  get findings(): Findings {
    const findings = new Findings();
    const watch = new DmaWatch(findings, NO_TABLES);
    for (const event of this.events) watch.on(event);
    watch.end();
    return findings;
  }

  get tolerated(): readonly string[] {
    return this.findings.tolerances.map(({ name, count }) => `${name} ${count}`);
  }

  get texts(): readonly string[] {
    return this.findings.list.map(({ text }) => text);
  }
}

interface Case {
  readonly name: string;
  readonly wrong: (story: Story) => Story;
  readonly found: readonly string[];
  readonly innocent: (story: Story) => Story;
}

const A = 0xffff_a000;
const B = 0xffff_b000;
const C = 0xfff0_0000;
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

const story = (): Story => new Story();

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

  it('of two equal lists the unmap in the IOMMU tells which was meant', () => {
    const both = (): Story => story().mapSg(A, PAGES).mapSg(C, PAGES).unmapSg(PAGES);
    const unmap = (s: Story): Story =>
      s.add({ kind: 'unmap', iova: C, size: 0x3000, unmapped: 0x3000, ...s.stamp });
    expect(unmap(both()).sync(A, 16).found).to.deep.equal([]);
    expect(unmap(both()).sync(C, 16).found).to.deep.equal(['likely dma-sync-unknown']);
    expect(both().sync(C, 16).sync(A, 16).found).to.deep.equal([]);
  });

  it('a second boot begins with nothing mapped', () => {
    const boot = story().map(A);
    boot.add({ kind: 'lost', cause: 'restart', ...boot.stamp });
    expect(boot.map(A).unmap(A).found).to.deep.equal([]);
  });
});

describe('a fault is explained', () => {
  const explained = (s: Story): string => {
    expect(s.found).to.deep.equal(['certain fault']);
    return s.texts[0]?.replace(/^.*?: /, '') ?? '';
  };

  it('by what was mapped there', () => {
    expect(
      explained(
        story()
          .map(A)
          .unmap(A)
          .pause(3)
          .fault(A + 8, 1),
      ),
    ).to.equal('it was unmapped 4 ms before by dd');
    expect(explained(story().map(A).fault(A, 1))).to.equal('it is mapped TO_DEVICE, to be read only');
    expect(explained(story().map(A).fault(A, 0))).to.match(/^it is mapped since 1 ms: the fault is older/);
    expect(explained(story().map(A, { device: DISK }).fault(A))).to.equal(
      'it is mapped for 0000:00:04.0 only',
    );
    expect(
      explained(
        story()
          .map(A, { size: 100 })
          .fault(A + 120),
      ),
    ).to.equal('20 bytes behind the end of a mapping, at 0xffffa064');
    expect(explained(story().fault(0xdead_0000))).to.equal('nothing was seen mapped there');
  });

  it('with the lines that show it', () => {
    const s = story().map(A).unmap(A).fault(A);
    const roles = s.findings.list[0]?.evidence.map(({ role, event }) => `${role} ${event.line}`);
    expect(roles).to.deep.equal(['mapped here 7', 'unmapped here 8', 'faulted here 9']);
  });

  it('once for a storm', () => {
    const storm = story();
    for (let n = 0; n < 500; n += 1) storm.fault(A + n);
    expect(explained(storm)).to.equal('nothing was seen mapped there; 499 more up to line 506');
  });
});

describe('shared buffers', () => {
  const shared = (s: Story): Story =>
    s
      .map(A, { phys: 0x5000, direction: 'FROM_DEVICE' })
      .buffer('map', '0xa')
      .mapSg(C, [0x5000], { device: DISK });

  it('excuse memory that two devices reach', () => {
    expect(shared(story()).found).to.deep.equal([]);
    expect(shared(story()).tolerated).to.deep.equal(['shared-buffer 1']);
  });

  it('are unmapped before they are detached', () => {
    const used = (): Story => story().buffer('map', '0xa').buffer('mapped', '').buffer('unmap', '0xa');
    expect(used().buffer('detach', '0xa').found).to.deep.equal([]);
    const again = used().buffer('map', '0xa').buffer('mapped', '').buffer('detach', '0xa');
    expect(again.found).to.deep.equal(['likely buffer-unbalanced']);
    const blind = story().buffer('map', '0xb').buffer('mapped', '').buffer('detach', '0xb');
    expect(blind.found).to.deep.equal(['possible buffer-unbalanced']);
    const failed = story()
      .buffer('map', '0xb')
      .add({ kind: 'other', name: 'kretprobe', ...story().stamp });
    expect(failed.buffer('detach', '0xb').found).to.deep.equal([]);
  });

  it('are detached once', () => {
    const twice = (): Story => story().buffer('attach', '').buffer('detach', '0xa');
    expect(twice().buffer('detach', '0xa').found).to.deep.equal(['likely buffer-unbalanced']);
    expect(twice().buffer('attach', '').buffer('detach', '0xa').found).to.deep.equal([]);
  });

  it('are freed once', () => {
    const stat = (s: Story, size: number): Story => s.buffer('stat', '', { buffer: '17', size });
    expect(stat(stat(stat(story(), 4096), -4096), -4096).found).to.deep.equal(['likely buffer-unbalanced']);
    expect(stat(stat(stat(story(), -4096), 4096), -4096).found).to.deep.equal([]);
  });
});
