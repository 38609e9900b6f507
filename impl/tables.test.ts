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

/** Maps or unmaps, against a map. */
function compare(kernel: Kernel, steps: readonly (readonly [number, number, boolean])[]): void {
  const { tables } = kernel;
  const root = tables.makeTable();
  const naive = new Map<number, number>();
  for (const [ioPage, page, maps] of steps) {
    if (maps) {
      const result = tables.map(root, ioPage, page, READ);
      if (result === -ENOMEM) continue;
      expect(result).to.equal(naive.has(ioPage) ? -EEXIST : 0);
      if (result === 0) naive.set(ioPage, translation(page, READ));
    } else expect(tables.unmap(root, ioPage)).to.equal(naive.delete(ioPage));
  }
  expect(walks(kernel, root)).to.deep.equal(
    Array.from({ length: kernel.iommu.ioPages }, (_, ioPage) => naive.get(ioPage) ?? 0),
  );
  tables.destroy(root);
  expect(kernel.freePages).to.equal(64);
}

describe('page tables', () => {
  for (const [tableBits, ioBits, levels] of [
    [2, 12, 3],
    [1, 12, 6],
    [3, 13, 3],
    [2, 7, 1],
  ] as const) {
    it(`translate as a map does: 2^${tableBits} entries, ${ioBits} address bits`, () => {
      expect(boot({ tableBits, ioBits }).tables.levels).to.equal(levels);
      const step = fc.tuple(fc.nat(2 ** ioBits / 64 - 1), fc.nat(63), fc.boolean());
      fc.assert(
        fc.property(fc.array(step, { size: 'max', maxLength: 40 }), (steps) =>
          compare(boot({ tableBits, ioBits }), steps),
        ),
      );
    });
  }

  it('drop the tables that a call has made', () => {
    const { tables, faults, ...kernel } = boot();
    const root = tables.makeTable();
    tables.map(root, 0, 5, READ);
    const free = kernel.pages.freeCount.get(0);
    tables.begin();
    tables.map(root, 40, 5, READ);
    tables.unmap(root, 40);
    tables.dropCreated();
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
              expect(first).to.be.within(1, ioPages - count);
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

  it('run out', () => {
    const { iommu, faults } = boot();
    expect(iommu.iova.allocate(0, 64)).to.equal(-ENOSPC);
    expect(iommu.iova.allocate(0, 32)).to.equal(32);
    expect(iommu.iova.allocate(0, 17)).to.equal(-ENOSPC);
    faults.arm(SITE_IOVA, 1);
    expect(iommu.iova.allocate(0, 1)).to.equal(-ENOSPC);
  });
});
