import { expect } from 'chai';
import fc from 'fast-check';
import { smallConfig } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { SITE_PAGE } from './faults.ts';
import { boot, Kernel } from './kernel.ts';
import { OWNER_OCCUPIED } from './pages.ts';

/** The free pages as the maximal blocks that a buddy allocator must have of them: page and order. */
function blocksOf(free: ReadonlySet<number>, pages: number, orderMax: number): string[] {
  const left = new Set(free);
  const blocks: [number, number][] = [];
  for (let order = orderMax; order >= 0; order--) {
    for (let first = 0; first + 2 ** order <= pages; first += 2 ** order) {
      const run = Array.from({ length: 2 ** order }, (_, i) => first + i);
      if (!run.every((page) => left.has(page))) continue;
      for (const page of run) left.delete(page);
      blocks.push([first, order]);
    }
  }
  return blocks.sort(([a], [b]) => a - b).map(([page, order]) => `${page}/${order}`);
}

function shownBlocks({ pages }: Kernel): string[] {
  const blocks: string[] = [];
  for (let page = 0; page < pages.pages; page++) {
    const order = pages.freeOrder.get(page);
    if (order !== 0) blocks.push(`${page}/${order - 1}`);
  }
  return blocks;
}

/** Allocates (order 0 to 3) or frees (4: the oldest, 5: the newest), against a set. */
function compare(kernel: Kernel, pages: number, steps: readonly number[]): void {
  const free = new Set(Array.from({ length: pages }, (_, page) => page));
  const held: [number, number][] = [];
  for (const step of steps) {
    if (step < 4) {
      const page = kernel.pages.allocate(step);
      if (page < 0) continue;
      held.push([page, step]);
      for (let i = 0; i < 2 ** step; i++) expect(free.delete(page + i), 'was free').to.equal(true);
    } else {
      const block = step === 4 ? held.shift() : held.pop();
      if (block === undefined) continue;
      kernel.pages.free(...block);
      for (let i = 0; i < 2 ** block[1]; i++) free.add(block[0] + i);
    }
    expect(kernel.freePages).to.equal(free.size);
    expect(shownBlocks(kernel)).to.deep.equal(blocksOf(free, pages, 3));
  }
}

describe('page allocator', () => {
  for (const placement of ['lowest', 'lifo'] as const) {
    it(`agrees with a set of pages, placement ${placement}`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.array(fc.nat(5), { size: 'max', maxLength: 60 }),
          (pages, steps) => compare(new Kernel(smallConfig({ pages }, { placement })), pages, steps),
        ),
      );
    });

    it(`fails only when no block is large enough, placement ${placement}`, () => {
      const kernel = boot({ pages: 13 }, { placement });
      expect(kernel.pages.allocate(3)).to.equal(0);
      expect(kernel.pages.allocate(3)).to.equal(-ENOMEM);
      expect(kernel.pages.allocate(2)).to.equal(8);
      expect(kernel.pages.allocate(1)).to.equal(-ENOMEM);
      expect(kernel.pages.allocate(0)).to.equal(12);
      expect(kernel.pages.allocate(0)).to.equal(-ENOMEM);
    });
  }

  it('takes the lowest block, or the one freed last', () => {
    for (const [placement, expected] of [
      ['lowest', 0],
      ['lifo', 2],
    ] as const) {
      const kernel = boot({}, { placement });
      const taken = [0, 1, 2, 3].map(() => kernel.pages.allocate(0));
      kernel.pages.free(taken[0] ?? 0, 0);
      kernel.pages.free(taken[2] ?? 0, 0);
      expect(kernel.pages.allocate(0)).to.equal(expected);
    }
  });

  it('has equal words for equal sets of free blocks when it takes the lowest', () => {
    const kernel = boot();
    const words = kernel.store.words.slice();
    const [a, b] = [kernel.pages.allocateBlock(0), kernel.pages.allocateBlock(2)];
    kernel.pages.freeBlock(a);
    kernel.pages.freeBlock(b);
    expect(kernel.store.words).to.deep.equal(words);
  });

  it('leaves the reserve free', () => {
    const kernel = boot({ reserve: 60 });
    expect(kernel.pages.allocate(3)).to.equal(-ENOMEM);
    expect(kernel.pages.allocate(2)).to.equal(0);
    expect(kernel.pages.allocate(0)).to.equal(-ENOMEM);
  });

  it('frees nothing at boot that somebody else holds', () => {
    const occupied = [
      [0, 2],
      [5, 1],
    ] as const;
    const kernel = boot({ pages: 8, occupied });
    expect(shownBlocks(kernel)).to.deep.equal(['2/1', '4/0', '6/1']);
    expect(kernel.freePages).to.equal(5);
    expect([0, 1, 5].map((page) => kernel.pages.owner.get(page))).to.deep.equal(
      Array(3).fill(OWNER_OCCUPIED),
    );
  });

  it('refuses orders that it does not have', () => {
    const { pages } = boot();
    for (const order of [-1, 4, 60]) expect(pages.allocateBlock(order)).to.equal(-EINVAL);
  });

  it('takes any number of pages exactly', () => {
    const kernel = boot();
    const page = kernel.pages.takeExact(5);
    expect(kernel.freePages).to.equal(59);
    kernel.pages.freeRun(page, 5);
    expect(kernel.freePages).to.equal(64);
    expect(kernel.pages.takeExact(9)).to.equal(-ENOMEM);
  });

  it('fails when told to, once', () => {
    const { faults, pages } = boot();
    faults.arm(SITE_PAGE, 2);
    expect([0, 1, 2].map(() => pages.allocateBlock(0))).to.deep.equal([0, -ENOMEM, 1]);
    expect(faults.fired).to.equal(1 << SITE_PAGE);
    const saved = faults.save();
    faults.disarm();
    expect(faults.fired).to.equal(0);
    faults.load(saved);
    expect(faults.fired).to.equal(1 << SITE_PAGE);
  });
});
