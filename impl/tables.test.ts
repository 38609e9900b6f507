import { expect } from 'chai';
import fc from 'fast-check';
import { EEXIST, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_IOVA, SITE_TABLE } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const translation = (page: number, rights: number): number => ((page + 1) << 2) | rights;

/** Walks of every I/O page, one by one and all at once: they must agree. */
function walks({ tables, iommu }: Kernel, root: number): number[] {
  const all = new Int32Array(iommu.ioPages);
  tables.walkAll(root, all, 0, () => {});
  const single = Array.from(all, (_, ioPage) => tables.walk(root, ioPage));
  expect([...all]).to.deep.equal(single);
  return single;
}

type Step = readonly [ioPage: number, page: number, count: number, maps: boolean];

/** Maps a range, with leaves as large as they can be. Returns the pages that were mapped before an error. */
function mapRun({ tables }: Kernel, root: number, [ioPage, page, count]: Step): number {
  let done = 0;
  while (done < count) {
    const level = tables.leafLevel(root, ioPage + done, page + done, count - done);
    if (tables.map(root, ioPage + done, page + done, READ, level) < 0) return done;
    done += tables.pagesOf(level);
  }
  return done;
}

/** Unmaps a range, holes or not. */
function unmapRun({ tables }: Kernel, root: number, [ioPage, , count]: Step): void {
  for (let done = 0; done < count; ) {
    const pages = tables.unmap(root, ioPage + done, count - done);
    expect(pages).to.be.within(0, count - done);
    done += Math.max(1, pages);
  }
}

/** Maps or unmaps ranges, against a map. */
function compare(kernel: Kernel, steps: readonly Step[]): void {
  const { tables } = kernel;
  const free = kernel.freePages;
  const root = tables.makeTable();
  const naive = new Map<number, number>();
  for (const step of steps) {
    const [ioPage, page, count, maps] = step;
    const run = Array.from({ length: count }, (_, i) => ioPage + i);
    if (maps) {
      const done = mapRun(kernel, root, step);
      if (done < count) expect(run.some((at) => naive.has(at))).to.equal(true);
      for (const at of run.slice(0, done)) {
        expect(naive.has(at)).to.equal(false);
        naive.set(at, translation(page + at - ioPage, READ));
      }
    } else {
      unmapRun(kernel, root, step);
      for (const at of run) naive.delete(at);
    }
  }
  expect(walks(kernel, root)).to.deep.equal(
    Array.from({ length: kernel.iommu.ioPages }, (_, ioPage) => naive.get(ioPage) ?? 0),
  );
  tables.destroy(root);
  kernel.pages.drain();
  expect(kernel.freePages).to.equal(free);
}

describe('page tables', () => {
  for (const [tableBits, ioBits, levels] of [
    [2, 12, 3],
    [1, 12, 6],
    [3, 13, 3],
    [2, 7, 1],
    [3, 12, 2],
  ] as const) {
    it(`translate as a map does: 2^${tableBits} entries, ${ioBits} address bits`, () => {
      const boots = (): Kernel => boot({ tableBits, ioBits, pages: 192 });
      const ioPages = 2 ** ioBits / 64;
      expect(boots().tables.levels).to.equal(levels);
      const step = fc
        .tuple(fc.nat(ioPages - 1), fc.nat(160), fc.nat(5), fc.nat(20), fc.boolean())
        .map(([ioPage, page, align, count, maps]): Step => {
          const first = ioPage - (ioPage % 2 ** align);
          return [first, page - (page % 2 ** align), Math.min(count + 1, ioPages - first), maps];
        });
      fc.assert(
        fc.property(fc.array(step, { size: 'max', maxLength: 20 }), (steps) => compare(boots(), steps)),
      );
    });
  }

  /** A root with I/O pages 16 to 31 mapped to pages 32 to 47 by one block, of four levels. */
  function block(): { kernel: Kernel; root: number } {
    const kernel = boot({ ioBits: 14 });
    const root = kernel.tables.makeTable();
    expect(kernel.tables.leafLevel(root, 16, 32, 20)).to.equal(2);
    kernel.tables.map(root, 16, 32, READ, 2);
    return { kernel, root };
  }

  it('map blocks where size and both alignments allow, but not in the top table', () => {
    const { tables } = boot();
    const root = tables.makeTable();
    for (const [ioPage, page, count, level] of [
      [4, 8, 4, 1],
      [4, 8, 3, 0],
      [6, 8, 4, 0],
      [4, 9, 4, 0],
      [16, 16, 16, 1],
    ] as const) {
      expect(tables.leafLevel(root, ioPage, page, count)).to.equal(level);
    }
    tables.map(root, 4, 1, READ);
    expect(tables.leafLevel(root, 4, 8, 4)).to.equal(0);
    expect(tables.leafLevel(root, 8, 8, 4)).to.equal(1);
    expect(tables.map(root, 8, 8, READ, 1)).to.equal(0);
    expect(tables.map(root, 8, 8, READ, 1)).to.equal(-EEXIST);
    expect(tables.map(root, 9, 8, READ)).to.equal(-EEXIST);
    expect(boot({ ioBits: 7 }).tables.leafLevel(0, 0, 0, 2)).to.equal(0);
  });

  it('split a block of which a part is unmapped', () => {
    const { kernel, root } = block();
    const free = kernel.freePages;
    expect(kernel.tables.unmap(root, 18, 1)).to.equal(1);
    expect(free - kernel.freePages).to.equal(2);
    expect(kernel.tables.unmap(root, 20, 12)).to.equal(4);
    const mapped = walks(kernel, root).flatMap((entry, ioPage) => (entry === 0 ? [] : [ioPage]));
    expect(mapped).to.deep.equal([16, 17, 19, 24, 25, 26, 27, 28, 29, 30, 31]);
    expect(kernel.tables.walk(root, 19)).to.equal(translation(35, READ));
  });

  it('unmap a whole block without a table', () => {
    const { kernel, root } = block();
    kernel.faults.arm(SITE_TABLE, 1);
    expect(kernel.tables.unmap(root, 16, 16)).to.equal(16);
    expect(kernel.tables.unmap(root, 16, 16)).to.equal(0);
  });

  it('keep a block that they cannot split', () => {
    const { kernel, root } = block();
    const before = walks(kernel, root);
    const free = kernel.freePages;
    for (const n of [1, 2]) {
      kernel.faults.arm(SITE_TABLE, n);
      expect(kernel.tables.unmap(root, 18, 1)).to.equal(0);
      expect(walks(kernel, root)).to.deep.equal(before);
      kernel.pages.drain();
      expect(kernel.freePages).to.equal(free);
    }
  });

  it('drop the tables that a call has made', () => {
    const { tables, faults, ...kernel } = boot();
    const root = tables.makeTable();
    tables.map(root, 0, 5, READ);
    const free = kernel.pages.freeCount.get(0);
    tables.begin();
    tables.map(root, 40, 5, READ);
    tables.unmap(root, 40, 1);
    tables.dropCreated();
    kernel.pages.drain();
    expect(kernel.pages.freeCount.get(0)).to.equal(free);
    expect(tables.walk(root, 0)).to.equal(translation(5, READ));
    faults.arm(SITE_TABLE, 1);
    expect(tables.map(root, 40, 5, READ)).to.equal(-ENOMEM);
  });

  it('read whatever stands in RAM as some page or none', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.integer(), fc.nat(7), (page, value, entry) => {
        const kernel = boot();
        const root = kernel.tables.makeTable();
        kernel.tables.map(root, 3, 5, READ);
        kernel.memory.write(page, entry, value);
        for (const found of walks(kernel, root)) expect((found >>> 2) - 1).to.be.within(-1, 63);
        kernel.tables.destroy(root);
      }),
    );
  });
});

describe('IOTLB', () => {
  it('answers what was filled last, by space', () => {
    const { iotlb } = boot();
    for (let i = 0; i < 5; i++) iotlb.fill(1, i, translation(i, WRITE));
    expect([0, 1, 4].map((ioPage) => iotlb.lookUp(1, ioPage))).to.deep.equal([
      0,
      translation(1, WRITE),
      translation(4, WRITE),
    ]);
    expect(iotlb.lookUp(0, 1)).to.equal(0);
    expect([0, 1].map((place) => iotlb.ioPageAt(place))).to.deep.equal([4, 1]);
    expect(iotlb.spaceAt(0)).to.equal(1);
    expect(iotlb.entryAt(1)).to.equal(translation(1, WRITE));
    expect(iotlb.size).to.equal(4);
  });

  it('forgets ranges and spaces', () => {
    const { iotlb } = boot();
    for (const space of [0, 1]) for (const ioPage of [2, 3]) iotlb.fill(space, ioPage, translation(1, READ));
    iotlb.invalidate(0, 3, 1);
    expect([iotlb.lookUp(0, 2), iotlb.lookUp(0, 3)]).to.deep.equal([translation(1, READ), 0]);
    iotlb.flush(1);
    expect([0, 1, 2, 3].map((place) => iotlb.spaceAt(place))).to.deep.equal([0, -1, -1, -1]);
  });

  it('loses the translation that is asked for, counted over those it has', () => {
    const { iotlb } = boot();
    iotlb.evict(3);
    for (const ioPage of [1, 2, 3]) iotlb.fill(0, ioPage, translation(1, READ));
    iotlb.evict(4);
    expect([1, 2, 3].map((ioPage) => iotlb.lookUp(0, ioPage) !== 0)).to.deep.equal([true, false, true]);
    iotlb.evict(1);
    iotlb.evict(0);
    expect([1, 2, 3].map((ioPage) => iotlb.lookUp(0, ioPage))).to.deep.equal([0, 0, 0]);
  });
});

describe('I/O ranges', () => {
  for (const ioBits of [8, 12, 14]) {
    it(`are apart, aligned and never at 0, of ${2 ** ioBits / 64} pages`, () => {
      const ioPages = 2 ** ioBits / 64;
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()), { size: 'max', maxLength: 40 }),
          (steps) => {
            const { iova } = boot({ ioBits }).iommu;
            const taken: [number, number][] = [];
            for (const [count, gives] of steps) {
              const old = gives ? taken.shift() : undefined;
              if (old !== undefined) iova.free(1, ...old);
              const first = iova.allocate(1, count);
              if (first < 0) continue;
              expect(first % 2 ** Math.ceil(Math.log2(count))).to.equal(0);
              expect(first).to.be.within(1, ioPages - 1 - count);
              for (const [from, length] of taken) {
                expect(first + count <= from || from + length <= first).to.equal(true);
              }
              taken.push([first, count]);
            }
            const used = taken.flatMap(([from, length]) => Array.from({ length }, (_, i) => from + i));
            const found: number[] = [];
            for (let at = iova.nextUsed(1, 0); at >= 0; at = iova.nextUsed(1, at + 1)) found.push(at);
            expect(found).to.deep.equal(used.sort((a, b) => a - b));
            expect(iova.nextUsed(0, 0)).to.equal(-1);
            iova.clear(1);
            expect(iova.nextUsed(1, 0)).to.equal(-1);
          },
        ),
      );
    });
  }

  it('leave out what is reserved at the end', () => {
    const { iova } = boot({ reservedIoPages: 2 }).iommu;
    expect(iova.allocate(0, 32)).to.equal(-ENOSPC);
    expect(iova.allocate(0, 30)).to.equal(32);
    for (const free of [1, 2, 4, 8, 16]) expect(iova.allocate(0, free)).to.equal(free);
    expect(iova.allocate(0, 1)).to.equal(-ENOSPC);
    expect(boot({ reservedIoPages: 64 }).iommu.iova.allocate(0, 1)).to.equal(-ENOSPC);
  });

  it('run out', () => {
    const { iommu, faults } = boot({ reservedIoPages: 0 });
    expect(iommu.iova.allocate(0, 64)).to.equal(-ENOSPC);
    expect(iommu.iova.allocate(0, 32)).to.equal(32);
    expect(iommu.iova.allocate(0, 17)).to.equal(-ENOSPC);
    faults.arm(SITE_IOVA, 1);
    expect(iommu.iova.allocate(0, 1)).to.equal(-ENOSPC);
  });
});
