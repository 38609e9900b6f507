import { expect } from 'chai';
import * as fc from 'fast-check';
import { SPEC } from '../model/index.ts';
import { machineOf } from '../properties/index.ts';
import { bootedBlocks } from './booted-memory.test.ts';
import { UsageError } from './exit.ts';
import { type MemoryMachine, memoryLines, memoryMachine } from './memory-machine.ts';
import { type ProcMemory, pagesOf } from './proc-memory.ts';

const CHECKERBOARD: ProcMemory = {
  zones: ['DMA', 'DMA32'],
  freeBlocks: [22_178, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  managed: 54_340,
  min: 455,
  boost: 0,
  onLists: 829,
  mobility: { movableBlocks: 21, otherBlocks: 107, blockPages: 512, freeMovable: 0 },
};
const EXHAUSTED: ProcMemory = {
  ...CHECKERBOARD,
  freeBlocks: [3, 3, 3, 2, 2, 4, 7, 6, 2, 0, 1],
  min: 1_403,
  boost: 948,
  onLists: 828,
  mobility: { movableBlocks: 28, otherBlocks: 100, blockPages: 512, freeMovable: 2_624 },
};

const lines = (memory: ProcMemory, pages?: number): string[] =>
  memoryLines(memoryMachine(memory, 'here', pages).facts);

/** The free blocks that the machine boots with. */
function booted({ machine }: MemoryMachine): number[] {
  const { pages, orderMax, occupied, movable } = machineOf(SPEC, machine);
  const free = Array.from({ length: pages }, () => true);
  for (const [first, count] of [...occupied, ...movable]) free.fill(false, first, first + count);
  return bootedBlocks(free, orderMax);
}

describe('a machine with the memory of a kernel', () => {
  it('has its pages, its free blocks and its watermarks', () => {
    const whole = memoryMachine(CHECKERBOARD, 'here');
    expect(whole.machine).to.include({ pages: 54_340, orderMax: 10, reserve: 455, vmallocPages: 54_340 });
    expect(whole.machine.movable).to.deep.equal([]);
    expect(booted(whole)).to.deep.equal(CHECKERBOARD.freeBlocks);
    expect(booted(memoryMachine(EXHAUSTED, 'here'))).to.deep.equal(EXHAUSTED.freeBlocks);
  });

  it('says what it is, and what still succeeds', () => {
    expect(lines(CHECKERBOARD)).to.deep.equal([
      'here: 2 zones (DMA DMA32), 22,178 of 54,340 pages free, in blocks from order 0 up: 22,178',
      'reserve 455, the min watermarks',
      'movable: 0 of 32,162 pages in use: 21 of 128 page blocks are movable, ' +
        'but no more pages are free in them to move to',
      'at full size, nothing is rounded',
      'what succeeds at boot: 21,723 single pages; none of order 1 or more without moving pages',
    ]);
    expect(lines(EXHAUSTED)).to.deep.equal([
      'here: 2 zones (DMA DMA32), 2,949 of 54,340 pages free, ' +
        'in blocks from order 0 up: 3 3 3 2 2 4 7 6 2 0 1',
      'reserve 1,403, the min watermarks; 948 of it are a boost that passes',
      'movable: 828 of 51,391 pages in use: 28 of 128 page blocks are movable, ' +
        'but no more pages are on the lists of reclaim',
      'at full size, nothing is rounded',
      'what succeeds at boot: 1,546 single pages, or blocks from order 1 up: 773 386 193 96 48 24 12 6 2 1',
    ]);
  });

  it('says what was rounded where it is scaled', () => {
    expect(lines(CHECKERBOARD, 4_096).slice(3)).to.deep.equal([
      'scaled from 54,340 to 4,096 pages: 1,672 of 4,096 pages free, in blocks from order 0 up: 1,672',
      'reserve 34, movable 0',
      'rounded: order 0 1,671.72 to 1,672, reserve 34.30 to 34',
      'what succeeds at boot: 1,638 single pages; none of order 1 or more without moving pages',
    ]);
    expect(lines(EXHAUSTED, 64).slice(3)).to.deep.equal([
      'scaled from 54,340 to 64 pages: 3 of 64 pages free, in blocks from order 0 up: 1 1',
      'reserve 2, movable 1',
      'rounded: order 0 less than 0.01 to 1, order 1 less than 0.01 to 1, order 2 less than 0.01 to none, ' +
        'order 3 less than 0.01 to none, order 4 less than 0.01 to none, order 5 less than 0.01 to none, ' +
        'order 6 0.05 to none, reserve 1.65 to 2, movable 0.98 to 1',
      'order 6 is the largest that fits: larger blocks are counted as several of it',
      'what succeeds at boot: 1 single page; none of order 1 or more without moving pages',
    ]);
    expect(lines(CHECKERBOARD, 54_340)).to.deep.equal(lines(CHECKERBOARD));
  });

  it('takes the share of movable page blocks, as far as pages can be moved and have a place to go', () => {
    const mobility = { movableBlocks: 30, otherBlocks: 70, blockPages: 4, freeMovable: 90 };
    const memory = { ...CHECKERBOARD, freeBlocks: [100, 0], managed: 300, onLists: 80, mobility };
    const told = (more: Partial<ProcMemory>): string => lines({ ...memory, ...more })[2] ?? '';
    expect(told({})).to.equal('movable: 60 of 200 pages in use: 30 of 100 page blocks are movable');
    expect(told({ onLists: undefined })).to.include('movable: 60 of 200');
    expect(told({ onLists: 50 })).to.match(/movable: 50 .* but no more pages are on the lists of reclaim$/);
    expect(told({ mobility: { ...mobility, freeMovable: 7 } })).to.match(/movable: 7 .* to move to$/);
    expect(told({ mobility: undefined })).to.equal(
      'movable: 0 of 200 pages in use: without /proc/pagetypeinfo, which root may read, ' +
        'none is taken to be movable',
    );
  });

  it('has more pages where blocks would merge: a kernel has holes there', () => {
    const crumbs = { ...CHECKERBOARD, freeBlocks: [30, 0], managed: 40, min: 40 };
    const made = memoryMachine(crumbs, 'here');
    expect(made.machine['pages']).to.equal(59);
    expect(booted(made)).to.deep.equal([30, 0]);
    expect(lines(crumbs).slice(3)).to.deep.equal([
      '19 pages in use added, or free blocks would be neighbours and merge',
      'at full size, nothing is rounded',
      'nothing succeeds at boot: no page is free above the reserve',
    ]);
  });

  it('is refused where there are too many pages', () => {
    const huge = { ...CHECKERBOARD, managed: 2 ** 33 };
    expect(() => memoryMachine(huge, 'here')).to.throw(
      UsageError,
      '--memory: here has 8,589,934,592 pages; a machine has at most 4,194,304: scale it with --pages',
    );
    expect(memoryMachine(huge, 'here', 64).machine).to.include({ pages: 64, orderMax: 6 });
  });

  it('is sound and boots with the blocks that it says, for any kernel and at any size', () => {
    const memory = fc
      .record({
        freeBlocks: fc.array(fc.nat(30), { minLength: 1, maxLength: 13, size: 'max' }),
        used: fc.integer({ min: 1, max: 20_000 }),
        min: fc.nat(200_000),
        onLists: fc.option(fc.nat(20_000), { nil: undefined }),
        blocks: fc.tuple(fc.nat(50), fc.nat(50), fc.nat(9_000)),
      })
      .map(
        ({ freeBlocks, used, blocks: [movableBlocks, otherBlocks, freeMovable], ...rest }): ProcMemory => ({
          ...rest,
          zones: ['Normal'],
          freeBlocks,
          managed: pagesOf(freeBlocks) + used,
          boost: 0,
          mobility: { movableBlocks, otherBlocks, freeMovable, blockPages: 512 },
        }),
      );
    const sizes = fc.option(fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 20_000 })), {
      nil: undefined,
    });
    fc.assert(
      fc.property(memory, sizes, (read, pages) => {
        const made = memoryMachine(read, 'here', pages);
        const { laid } = made.facts;
        expect(booted(made)).to.deep.equal(laid.freeBlocks);
        expect(made.machine).to.include({ pages: laid.pages, orderMax: laid.freeBlocks.length - 1 });
        if (pages !== undefined) expect(laid.pages).to.equal(pages);
        for (const line of memoryLines(made.facts)) expect(line).to.not.match(/NaN|undefined|-\d/);
      }),
      { numRuns: 60 },
    );
  });
});
