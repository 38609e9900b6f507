import { expect } from 'chai';
import type { MapEvent, PageAllocEvent, PageFreeEvent, TraceEvent } from '../event.ts';
import { Findings } from '../findings.ts';
import { type Life, PAGE } from '../mapping.ts';
import { DmaWatch } from './dma-watch.ts';
import { A, B, C, NIC, Story, story } from './story.test.ts';

const PHYS = 0x7000_0000;
const pfnOf = (dma: number): number => (dma + PHYS) / PAGE;

class Pages extends Story {
  freed(pfn: number, more: Partial<PageFreeEvent> = {}): this {
    return this.add({ kind: 'page-free', pfn, order: 0, batched: false, ...this.stamp, ...more });
  }

  allocated(pfn: number, more: Partial<PageAllocEvent> = {}): this {
    return this.add({ kind: 'page-alloc', pfn, order: 0, gfp: '', ...this.stamp, ...more });
  }

  translated(iova: number): this {
    const place: Pick<MapEvent, 'iova' | 'paddr' | 'size'> = { iova, paddr: 0x5000_0000, size: PAGE };
    return this.add({ kind: 'map', ...place, ...this.stamp });
  }

  restart(): this {
    return this.add({ kind: 'lost', cause: 'restart', ...this.stamp });
  }
}

const pages = (): Pages => new Pages();

describe('pages below what drivers map, where no IOMMU is traced', () => {
  it('are not freed before the unmap, which proves that they were mapped', () => {
    const { findings } = pages().map(A).freed(pfnOf(A)).unmap(A);
    const [finding] = findings.list;
    expect(finding?.confidence).to.equal('certain');
    expect(finding?.text).to.equal(
      `page 0x${pfnOf(A).toString(16)} was freed while I/O address 0xffffa000 of ${NIC} led to it`,
    );
    expect(finding?.evidence.map(({ role }) => role)).to.deep.equal([
      'mapped here',
      'freed here',
      'unmapped here',
    ]);
    expect(pages().map(A).unmap(A).freed(pfnOf(A)).found).to.deep.equal([]);
  });

  it('may have been unmapped in a line that is missing, unless none is recorded', () => {
    expect(pages().map(B).unmap(B).map(A).freed(pfnOf(A)).found).to.deep.equal(['likely freed-while-mapped']);
    const deaf = pages().map(A).freed(pfnOf(A));
    expect(deaf.found).to.deep.equal([]);
    expect(deaf.tolerated).to.include('no-unmaps 1');
    const other = pages().mapSg(B, [0x9000]).unmapSg([0x9000]).map(A).freed(pfnOf(A));
    expect(other.found, 'unmaps of lists, not of pages').to.deep.equal([]);
  });

  it('are not handed out', () => {
    expect(pages().map(A).allocated(pfnOf(A)).unmap(A).found).to.deep.equal([
      'certain allocated-while-mapped',
    ]);
    expect(pages().allocated(pfnOf(A)).map(A).unmap(A).found).to.deep.equal([]);
  });

  it('are not mapped while they are free', () => {
    const before = pages().map(B).freed(pfnOf(A));
    expect(before.map(A).unmap(A).allocated(pfnOf(A)).found).to.deep.equal(['likely mapped-while-free']);
  });

  it('are those of every entry of a list, and of every byte of a range', () => {
    const list = [0x9000, 0x2_0000, 0x5000];
    for (const phys of list)
      expect(
        pages()
          .mapSg(A, list)
          .freed(phys / PAGE)
          .unmapSg(list).found,
      ).to.deep.equal(['certain freed-while-mapped']);
    expect(pages().mapSg(A, list).freed(0xa).unmapSg(list).found).to.deep.equal([]);
    const range = { phys: 0x9800, size: 0x1000 };
    expect(pages().map(A, range).freed(0xa).unmap(A).found).to.deep.equal(['certain freed-while-mapped']);
    expect(pages().map(A, range).freed(0xb).unmap(A).found).to.deep.equal([]);
  });

  it('are shared by ranges smaller than a page', () => {
    const half = { phys: 0x9000, size: 0x800 };
    const both = (): Pages =>
      pages()
        .map(A, half)
        .map(A + 0x800, { ...half, phys: 0x9800 });
    expect(
      both()
        .unmap(A, 0x800)
        .freed(9)
        .unmap(A + 0x800, 0x800).found,
    ).to.deep.equal(['certain freed-while-mapped']);
    expect(
      both()
        .unmap(A, 0x800)
        .unmap(A + 0x800, 0x800)
        .freed(9).found,
    ).to.deep.equal([]);
  });

  it('are not followed below what is larger than any memory in one piece', () => {
    const wide = (size: number): Pages => pages().map(A, { phys: 0x9000, size }).freed(9).unmap(A, size);
    expect(wide(2 ** 34).found).to.deep.equal(['certain freed-while-mapped']);
    expect(wide(2 ** 34 + PAGE).found).to.deep.equal([]);
  });

  it('are none below registers', () => {
    const registers = { api: 'resource', phys: 0x9000 };
    expect(pages().map(A, registers).freed(9).unmap(A, 0x1000, 'TO_DEVICE', 'resource').found).to.deep.equal(
      [],
    );
  });

  it('leave room for what is missing, and for clocks that differ', () => {
    expect(pages().map(B).unmap(B).map(A).lost().freed(pfnOf(A)).found).to.deep.equal([
      'possible freed-while-mapped',
    ]);
    const near = pages().map(A);
    const { time } = near.stamp;
    near.freed(pfnOf(A), { time }).add({
      ...{ kind: 'dma-unmap', device: NIC, dma: A, size: 0x1000, direction: 'TO_DEVICE', api: 'page' },
      ...{ ...near.stamp, time: time + 5000, cpu: 1 },
    });
    expect(near.found).to.deep.equal(['possible freed-while-mapped']);
  });

  it('are left to the IOMMU where it shows them', () => {
    const shown = pages().translated(C).map(A).freed(pfnOf(A)).unmap(A);
    expect(shown.found).to.deep.equal([]);
    const direct = pages()
      .translated(C)
      .map(A, { phys: A })
      .freed(A / PAGE)
      .unmap(A);
    expect(direct.found, 'nothing translates this address').to.deep.equal(['certain freed-while-mapped']);
  });

  it('are forgotten when their device has gone', () => {
    const gone = pages().map(B).unmap(B).map(A).leave(NIC).freed(pfnOf(A));
    expect(gone.found).to.deep.equal(['likely gone-while-mapped']);
  });

  it('are forgotten when another recording begins', () => {
    expect(pages().map(A).restart().freed(pfnOf(A)).map(B).unmap(B).found).to.deep.equal([]);
  });
});

describe('what drivers map, where no IOMMU is traced', () => {
  function told(events: readonly TraceEvent[]): readonly string[] {
    const lines: string[] = [];
    const name = ({ iova, paddr }: Life): string =>
      `${iova.toString(16)} to ${paddr?.toString(16) ?? 'somewhere'}`;
    const watch = new DmaWatch(new Findings(), { liveAt: () => [], lastAt: () => undefined }, [
      {
        born: (life) => lines.push(`born ${name(life)}`),
        died: (life) => lines.push(`died ${name(life)} in line ${life.died?.line ?? 0}`),
        unknownDeath: () => lines.push('unknown death'),
      },
    ]);
    for (const event of events) watch.on(event);
    watch.end();
    return lines;
  }
  const from = story().events.length;
  const toldOf = (tale: Story): readonly string[] => told(tale.events.slice(from));

  it('is told of range by range, with the memory where the call tells it', () => {
    expect(toldOf(story().map(A, { phys: 0x1234_5000 }).unmap(A))).to.deep.equal([
      'born ffffa000 to 12345000',
      `died ffffa000 to 12345000 in line ${from + 2}`,
    ]);
    expect(toldOf(story().coherent('dma-alloc', A).coherent('dma-free', A))).to.deep.equal([
      'born ffffa000 to somewhere',
      `died ffffa000 to somewhere in line ${from + 2}`,
    ]);
    const apart = { segments: 2, dmas: [A, B], sizes: [PAGE, PAGE] };
    expect(toldOf(story().mapSg(A, [0x9000, 0x5000], apart))).to.deep.equal([
      'born ffffa000 to 9000',
      'born ffffb000 to 5000',
    ]);
    expect(toldOf(story().mapSg(A, [0x9000, 0x5000]))).to.deep.equal(['born ffffa000 to somewhere']);
  });

  it('is told of unmaps without a map', () => {
    expect(toldOf(story().unmap(A))).to.deep.equal(['unknown death']);
  });

  it('is not told of where an IOMMU shows it', () => {
    const tale = new Pages().translated(C).map(A).unmap(A).unmap(B);
    expect(toldOf(tale)).to.deep.equal([]);
  });
});

describe('a page that is mapped very many times at once', () => {
  const PAGE_ADDRESS = 0x5000;
  const many = (count: number): Story => {
    const tale = new Story();
    // A device of which nothing shows that its addresses are handed out.
    const direct = { device: 'eth0', phys: PAGE_ADDRESS };
    for (let n = 0; n < count; n += 1) tale.map(PAGE_ADDRESS, direct);
    for (let n = 0; n < count; n += 1)
      tale.add({
        ...{ kind: 'dma-unmap', device: 'eth0', dma: PAGE_ADDRESS, size: PAGE, ...tale.stamp },
        ...{ direction: 'TO_DEVICE', api: 'page' },
      });
    return tale;
  };

  it('is compared with some of them, and the report says so', () => {
    expect(many(256).tolerated).to.deep.equal([]);
    const crowd = many(300);
    expect(crowd.found).to.deep.equal([]);
    expect(crowd.tolerated).to.deep.equal(['crowded-range 44', 'crowded-page 44']);
  });
});
