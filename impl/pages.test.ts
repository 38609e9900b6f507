import { expect } from 'chai';
import fc from 'fast-check';
import { smallConfig } from './config.ts';
import { EINVAL, ENOMEM } from './errno.ts';
import { FaultPoints, SITE_PAGE } from './faults.ts';
import { boot, type Kernel } from './kernel.ts';
import { OWNER_BLOCK, OWNER_OCCUPIED, PageAllocator } from './pages.ts';
import { Store } from './store.ts';

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

function parkedPages({ pages }: Kernel): number[] {
  const all = Array.from({ length: pages.pages }, (_, page) => page);
  return all.filter((page) => pages.parked.isParked.get(page) === 1);
}

/** Allocates (order 0 to 3), frees (4: the oldest, 5: the newest) or drains (6), against a set. */
function compare(kernel: Kernel, parkedMax: number, steps: readonly number[]): void {
  const { pages } = kernel;
  const free = new Set(Array.from({ length: pages.pages }, (_, page) => page));
  const held: [number, number][] = [];
  for (const step of steps) {
    if (step < 4) {
      const page = pages.allocate(step);
      if (page < 0) expect(shownBlocks(kernel).every((block) => Number(block.at(-1)) < step)).to.equal(true);
      if (page < 0) continue;
      held.push([page, step]);
      for (let i = 0; i < 2 ** step; i++) expect(free.delete(page + i), 'was free').to.equal(true);
    } else {
      const block = step === 4 ? held.shift() : step === 5 ? held.pop() : undefined;
      if (step === 6) pages.drain();
      if (block === undefined) continue;
      pages.free(...block);
      for (let i = 0; i < 2 ** block[1]; i++) free.add(block[0] + i);
    }
    const parked = parkedPages(kernel);
    expect(parked.length).to.be.at.most(parkedMax).and.to.equal(pages.parked.count.get(0));
    expect(kernel.freePages + parked.length).to.equal(free.size);
    const listed = new Set([...free].filter((page) => !parked.includes(page)));
    expect(shownBlocks(kernel)).to.deep.equal(blocksOf(listed, pages.pages, 3));
  }
}

describe('page allocator', () => {
  for (const placement of ['lowest', 'lifo'] as const) {
    it(`agrees with a set of pages, placement ${placement}`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.nat(3),
          fc.array(fc.nat(6), { size: 'max', maxLength: 60 }),
          (pages, parked, steps) => compare(boot({ pages, parked }, { placement }), parked, steps),
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

  for (const parked of [0, 4]) {
    it(`takes the lowest page, or the one freed last, with ${parked} parked`, () => {
      for (const [placement, expected] of [
        ['lowest', 0],
        ['lifo', 2],
      ] as const) {
        const kernel = boot({ parked }, { placement });
        const taken = [0, 1, 2, 3].map(() => kernel.pages.allocate(0));
        kernel.pages.free(taken[0] ?? 0, 0);
        kernel.pages.free(taken[2] ?? 0, 0);
        expect(kernel.pages.allocate(0)).to.equal(expected);
      }
    });
  }

  it('has equal words for equal sets of free blocks when it takes the lowest', () => {
    const kernel = boot();
    const words = kernel.store.words.slice();
    const [a, b] = [kernel.pages.allocateBlock(0), kernel.pages.allocateBlock(2)];
    kernel.pages.freeBlock(a);
    kernel.pages.freeBlock(b);
    expect(kernel.store.words).not.to.deep.equal(words);
    kernel.pages.drain();
    expect(kernel.store.words).to.deep.equal(words);
  });

  it('leaves the reserve free', () => {
    const kernel = boot({ reserve: 60 });
    expect(kernel.pages.allocate(3)).to.equal(-ENOMEM);
    expect(kernel.pages.allocate(2)).to.equal(0);
    expect(kernel.pages.allocate(0)).to.equal(-ENOMEM);
  });

  it('leaves the reserve free of parked pages too', () => {
    const { pages } = boot({ pages: 8, reserve: 2, orderMax: 0 });
    const taken = [0, 1, 2, 3, 4, 5].map(() => pages.allocate(0));
    pages.occupy(6, 2, false);
    for (const page of taken.slice(0, 3)) pages.free(page, 0);
    expect([pages.allocate(0), pages.allocate(0)]).to.deep.equal([0, -ENOMEM]);
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
    expect(shownBlocks(kernel)).to.have.length(8);
    for (const count of [9, 2 ** 40]) {
      expect(kernel.pages.takeExact(count)).to.equal(-ENOMEM);
      expect(kernel.pages.tryTakeExact(count)).to.equal(-ENOMEM);
    }
    expect(kernel.pages.tryTakeExact(3)).to.equal(0);
    expect(kernel.freePages).to.equal(61);
  });

  it('splits a block into blocks of a page', () => {
    const kernel = boot();
    const first = kernel.pages.allocateBlock(2);
    expect(kernel.pages.splitBlock(first)).to.equal(4);
    kernel.pages.freeBlock(first + 1);
    expect([0, 1, 2, 3].map((i) => kernel.pages.block.get(first + i))).to.deep.equal([1, 0, 1, 1]);
    expect(kernel.pages.owner.get(first + 2)).to.equal(OWNER_BLOCK);
    const other = kernel.pages.allocateBlock(3);
    expect(kernel.pages.splitBlock(other)).to.equal(8);
    kernel.pages.freeExact(other);
    for (const page of [first, first + 2, first + 3]) kernel.pages.freeBlock(page);
    kernel.pages.drain();
    expect(shownBlocks(kernel)).to.have.length(8);
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

describe('parked pages', () => {
  /** Two parked pages, 0 and 1, of a machine that has no other. */
  function park(): Kernel {
    const kernel = boot({ pages: 2 });
    for (const page of [kernel.pages.allocate(0), kernel.pages.allocate(0)]) kernel.pages.free(page, 0);
    return kernel;
  }

  it('are single ones, so many at the most, and not merged', () => {
    const kernel = boot({ pages: 8 });
    const [a, b, c] = [kernel.pages.allocate(0), kernel.pages.allocate(0), kernel.pages.allocate(1)];
    kernel.pages.free(c, 1);
    expect(parkedPages(kernel)).to.deep.equal([]);
    kernel.pages.free(a, 0);
    kernel.pages.free(b, 0);
    expect(parkedPages(kernel)).to.deep.equal([a, b]);
    expect(shownBlocks(kernel)).to.deep.equal(['2/1', '4/2']);
    kernel.pages.free(kernel.pages.allocate(1), 0);
    expect(parkedPages(kernel)).to.deep.equal([a, b]);
  });

  it('merge before an allocation fails', () => {
    const kernel = park();
    expect(kernel.pages.tryTake(1)).to.equal(-ENOMEM);
    expect(kernel.pages.tryTakeExact(2)).to.equal(-ENOMEM);
    expect(kernel.pages.takeExact(2)).to.equal(0);
  });

  it('are taken first, without any effort', () => {
    const { pages } = park();
    pages.reclaim = () => expect.fail('there are pages');
    expect([pages.tryTake(0), pages.take(0)]).to.deep.equal([0, 1]);
    expect(pages.tryTake(0)).to.equal(-ENOMEM);
  });

  it('that are freed a second time do not make the list endless', () => {
    for (const placement of ['lowest', 'lifo'] as const) {
      const { pages } = boot({ parked: 8 }, { placement });
      const page = pages.allocate(0);
      for (let i = 0; i < 3; i++) pages.free(page, 0);
      pages.drain();
      expect(pages.tryTake(0)).to.equal(0);
    }
  });
});

describe('reclaim', () => {
  it('gives nothing as long as nobody keeps pages', () => {
    const config = smallConfig({ pages: 1, orderMax: 0 });
    const store = new Store(1, 3);
    const pages = new PageAllocator(store, config, new FaultPoints(), () => {});
    store.seal();
    pages.boot();
    expect([pages.take(0), pages.take(0)]).to.deep.equal([0, -ENOMEM]);
  });

  it('is asked while it helps and memory is short', () => {
    const { pages } = boot({ pages: 4 });
    const kept = [0, 1, 2, 3].map(() => pages.allocate(0)).reverse();
    pages.reclaim = () => {
      const page = kept.pop();
      if (page !== undefined) pages.free(page, 0);
      return page !== undefined;
    };
    expect(pages.allocate(0)).to.equal(0);
    expect(kept).to.deep.equal([3, 2, 1]);
    expect(pages.tryTake(0)).to.equal(-ENOMEM);
    expect(pages.allocate(1)).to.equal(2);
    expect(kept).to.deep.equal([]);
    expect([pages.allocate(0), pages.allocate(0)]).to.deep.equal([1, -ENOMEM]);
  });
});
