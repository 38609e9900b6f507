import { expect } from 'chai';
import fc from 'fast-check';
import { ENOMEM } from './errno.ts';
import { SITE_TABLE, SITE_VMALLOC } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_TABLE } from './pages.ts';

const tablesOf = ({ pages }: Kernel): number =>
  pages.owner.values.filter((owner) => owner === OWNER_TABLE).length;

function freePages(kernel: Kernel): number {
  kernel.pages.drain();
  return kernel.freePages;
}

describe('vmalloc', () => {
  it('puts a guard page behind each area', () => {
    const { scattered } = boot().metadata;
    const first = scattered.allocate(2);
    expect(first).to.equal(64);
    expect(scattered.allocate(2)).to.equal(first + 3);
    expect([2, 5].map((page) => scattered.translate(64 + page))).to.deep.equal([0, 0]);
    expect(scattered.largestHole()).to.equal(58);
    scattered.free(first);
    expect(scattered.allocate(2)).to.equal(first);
  });

  it('translates each kernel page to where it is', () => {
    const kernel = boot();
    const { scattered } = kernel.metadata;
    const first = scattered.allocate(3);
    for (let i = 0; i < 3; i++) {
      const frame = scattered.area.get(first - 64 + i) - 1;
      expect(scattered.translate(first + i)).to.equal(((frame + 1) << 1) | 1);
    }
    expect(scattered.translate(7)).to.equal((8 << 1) | 1);
    for (const page of [-1, first + 3, 128, 1000]) expect(scattered.translate(page)).to.equal(0);
    expect(scattered.mapped.values.every((mapping) => mapping === 0)).to.equal(true);
  });

  it('takes no address space for less than a page', () => {
    const { scattered } = boot().metadata;
    expect([0, -1, 65].map((count) => scattered.reserve(count))).to.deep.equal(Array(3).fill(-ENOMEM));
  });

  it('skips what is no page when an array was overwritten', () => {
    const kernel = boot({ orderMax: 0 });
    const pointer = kernel.metadata.kvmalloc(128);
    kernel.memory.write(0, 0, 1 << 20);
    kernel.metadata.kvfree(pointer);
    expect(freePages(kernel)).to.equal(63);
  });

  it('maps pages of others, cached or not, and leaves holes for what is no page', () => {
    const kernel = boot();
    const { scattered } = kernel.metadata;
    const first = scattered.mapPages(4, (i) => [9, -1, 2 ** 30, 5][i] ?? 0, false);
    const found = [0, 1, 2, 3, 4].map((i) => scattered.translate(first + i));
    expect(found).to.deep.equal([10 << 1, 0, 0, 6 << 1, 0]);
    expect(Array.from(scattered.mapped.values.subarray(0, 5))).to.deep.equal(found);
    scattered.unmapPages(first);
    expect(freePages(kernel)).to.equal(64);
    expect(scattered.largestHole()).to.equal(64);
  });

  it('maps nothing when a step fails', () => {
    for (const [site, n] of [
      [SITE_VMALLOC, 1],
      [SITE_TABLE, 1],
      [SITE_TABLE, 3],
      [SITE_TABLE, 4],
    ] as const) {
      const kernel = boot();
      const words = kernel.metadata.scattered.area.values.slice();
      kernel.faults.arm(site, n);
      expect(kernel.metadata.scattered.mapPages(5, (i) => i, true)).to.equal(-ENOMEM);
      expect([freePages(kernel), tablesOf(kernel)]).to.deep.equal([64, 0]);
      expect(kernel.metadata.scattered.area.values).to.deep.equal(words);
    }
  });
});

describe('kernel page tables', () => {
  it('are as many as are not empty', () => {
    const kernel = boot();
    const { tables } = kernel.metadata.scattered;
    const expected: [count: number, pages: number[]][] = [
      [3, [0, 1, 3]],
      [4, [4]],
      [6, [63]],
    ];
    for (const [count, pages] of expected) {
      for (const page of pages) expect(tables.map(page, 1, () => 3)).to.equal(0);
      expect(tablesOf(kernel)).to.equal(count);
    }
    for (const [page, count] of [
      [4, 5],
      [0, 5],
      [3, 5],
      [63, 3],
      [1, 0],
    ] as const) {
      tables.unmap(page, 1);
      expect(tablesOf(kernel), `without ${page}`).to.equal(count);
    }
    expect(tables.walk(1)).to.equal(0);
    tables.unmap(0, 64);
  });

  it('agree with a map of pages', () => {
    const step = fc.tuple(fc.nat(39), fc.integer({ min: 1, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), fc.array(step, { maxLength: 12 }), (tableBits, steps) => {
        const kernel = boot({ tableBits, vmallocPages: 50, pages: 128 });
        const { tables } = kernel.metadata.scattered;
        const expected: number[] = Array(50).fill(0);
        for (const [first, count, maps] of steps) {
          if (maps) expect(tables.map(first, count, (i) => (first + i + 1) << 1)).to.equal(0);
          else tables.unmap(first, count);
          for (let page = first; page < first + count; page++) expected[page] = maps ? (page + 1) << 1 : 0;
          expect(expected.map((_, page) => tables.walk(page))).to.deep.equal(expected);
        }
        tables.unmap(0, 50);
        expect(tablesOf(kernel)).to.equal(0);
      }),
    );
  });

  it('find no page in what a device wrote over them', () => {
    const kernel = boot();
    const { tables } = kernel.metadata.scattered;
    tables.map(0, 1, () => 3);
    const [root, middle, leaf] = Array.from(kernel.pages.owner.values.keys()).filter(
      (page) => kernel.pages.owner.get(page) === OWNER_TABLE,
    );
    kernel.memory.write(leaf ?? 0, 0, 1 << 30);
    expect(tables.walk(0)).to.equal(0);
    for (const garbage of [1 << 30, 50, -7]) {
      kernel.memory.write(middle ?? 0, 0, garbage);
      expect(tables.walk(0)).to.equal(0);
    }
    tables.unmap(0, 1);
    expect(kernel.pages.owner.get(root ?? 0)).to.equal(OWNER_TABLE);
  });

  it('survive that making one frees others on the way', () => {
    const kernel = boot({ pages: 8, orderMax: 0, parked: 0 });
    const { tables } = kernel.metadata.scattered;
    tables.map(8, 1, () => 3);
    for (let i = 0; i < 5; i++) kernel.pages.allocate(0);
    let calls = 0;
    kernel.pages.reclaim = () => {
      if (calls++ === 0) tables.unmap(8, 1);
      return calls === 1;
    };
    expect(tables.map(0, 2, (i) => i + 2)).to.equal(0);
    expect([0, 1, 8].map((page) => tables.walk(page))).to.deep.equal([2, 3, 0]);
    expect([calls, tablesOf(kernel)]).to.deep.equal([1, 3]);
  });
});
