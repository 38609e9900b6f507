import { expect } from 'chai';
import fc from 'fast-check';
import { EINVAL, ENOMEM } from './errno.ts';
import { SITE_ID, SITE_KMALLOC } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';

type Segment = [page: number, length: number];

function segmentsOf({ sg, reader }: Kernel, table: number): Segment[] {
  const segments: Segment[] = [];
  sg.open(table, reader);
  while (reader.next()) segments.push([reader.page, reader.length]);
  return segments;
}

/** Neighbours merged up to a length, the slow way. */
function merged(pages: readonly number[], lengthMax: number): Segment[] {
  const segments: Segment[] = [];
  for (const page of pages) {
    const last = segments.at(-1);
    if (last !== undefined && last[0] + last[1] === page && last[1] < lengthMax) last[1]++;
    else segments.push([page, 1]);
  }
  return segments;
}

describe('sg tables', () => {
  it('lists blocks, neighbours merged as far as allowed', () => {
    const orders = fc.array(fc.nat(3), { minLength: 1, maxLength: 7, size: 'max' });
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 9 }), fc.boolean(), (list, lengthMax, reversed) => {
        const kernel = boot({ parked: 0 });
        const blocks = list.map((order) => kernel.pages.allocateBlock(order)).filter((page) => page >= 0);
        if (reversed) blocks.reverse();
        const pages = blocks.flatMap((page) =>
          Array.from({ length: kernel.pages.block.get(page) }, (_, i) => page + i),
        );
        const free = kernel.freePages;
        const table = kernel.sg.allocateFromPages(blocks, lengthMax * 64 + 63);
        if (table === -ENOMEM) return;
        const expected = merged(pages, lengthMax);
        expect(segmentsOf(kernel, table)).to.deep.equal(expected);
        const chunks = expected.length <= 4 ? 1 : Math.ceil((expected.length - 1) / 3);
        expect(free - kernel.freePages).to.equal(chunks);
        kernel.sg.free(table);
        expect(kernel.freePages).to.equal(free);
      }),
    );
  });

  it('refuses segments shorter than a page, and empty lists', () => {
    const kernel = boot({ parked: 0 });
    const block = kernel.pages.allocateBlock(0);
    expect(kernel.sg.allocateFromPages([block], 63)).to.equal(-EINVAL);
    expect(kernel.sg.allocateFromPages([], 64)).to.equal(-EINVAL);
  });

  it('gives out the lowest id, and has only so many', () => {
    const { pages, sg, faults } = boot({ sgTables: 2, parked: 0 });
    const block = pages.allocateBlock(0);
    const make = (): number => sg.allocateFromPages([block], 64);
    expect([make(), make(), make()]).to.deep.equal([0, 1, -ENOMEM]);
    sg.free(0);
    faults.arm(SITE_ID, 1);
    expect([make(), make()]).to.deep.equal([-ENOMEM, 0]);
  });

  it('frees its chunks when there is no page for another', () => {
    const kernel = boot({ parked: 0 });
    const block = kernel.pages.allocateBlock(3);
    for (let n = 1; n <= 3; n++) {
      kernel.faults.arm(SITE_KMALLOC, n);
      expect(kernel.sg.allocateFromPages([block], 64)).to.equal(-ENOMEM);
      expect(kernel.freePages).to.equal(56);
    }
  });

  describe('read from chunks that a device has written over', () => {
    /** A table of eight segments, in three chunks that start at page 8, with one word changed. */
    function damaged(entry: number, value: number): Kernel {
      const kernel = boot({ parked: 0 });
      kernel.sg.allocateFromPages([kernel.pages.allocateBlock(3)], 64);
      kernel.memory.write(8, entry, value);
      return kernel;
    }

    it('stop at what is no link', () => {
      expect(segmentsOf(damaged(6, (1 << 20) | 1), 0).length).to.equal(3);
      expect(segmentsOf(damaged(6, 0), 0).length).to.equal(3);
    });

    it('stop at what is no segment', () => {
      expect(segmentsOf(damaged(2, 1 << 20), 0).length).to.equal(1);
      expect(segmentsOf(damaged(3, 0), 0).length).to.equal(1);
    });

    it('stop in time on a circle', () => {
      expect(segmentsOf(damaged(6, (8 << 2) | 1), 0).length).to.equal(8);
    });

    it('free what they can find', () => {
      const kernel = damaged(6, 0);
      kernel.sg.free(0);
      expect(kernel.freePages).to.equal(54);
    });
  });
});
