import { expect } from 'chai';
import * as fc from 'fast-check';
import { bootedBlocks } from './booted-memory.test.ts';
import { type Layout, layOut, type Run } from './memory-layout.ts';
import { pagesOf } from './proc-memory.ts';

const pagesIn = (runs: readonly Run[]): number => runs.reduce((sum, [, count]) => sum + count, 0);

/** The map, a letter a page: free, occupied, movable. */
function drawn(pages: number, { occupied, movable }: Layout): string {
  const map = Array.from({ length: pages }, () => '.');
  for (const [runs, letter] of [
    [occupied, '#'],
    [movable, 'm'],
  ] as const) {
    for (const [first, count] of runs)
      for (let page = first; page < first + count; page++) {
        expect(map[page], 'held by nobody else').to.equal('.');
        map[page] = letter;
      }
  }
  return map.join('');
}

const isFree = (map: string): boolean[] => [...map].map((letter) => letter === '.');

describe('a layout', () => {
  it('spreads blocks over the whole memory, and movable pages by page blocks', () => {
    const map = (blocks: number[], movable: number): string => drawn(32, layOut(32, blocks, movable, 8));
    expect(map([4, 0, 0], 0)).to.match(/^(#*\.#*){4}$/);
    expect(map([4, 0, 0], 14)).to.equal('###.####mmm.mmmm###.####mmm.mmmm');
    expect(
      map([0, 2, 2], 0)
        .match(/\.+/g)
        ?.map((run) => run.length),
    ).to.have.members([2, 2, 4, 4]);
    expect(map([0, 0, 8], 0)).to.equal('.'.repeat(32));
    expect(map([0, 0, 0], 32)).to.equal('m'.repeat(32));
  });

  it('boots with exactly the blocks it was made for, whatever they are', () => {
    const memory = fc.record({
      held: fc.array(fc.boolean(), { minLength: 1, maxLength: 300, size: 'max' }),
      orderMax: fc.nat(6),
      share: fc.nat(100),
      blockPages: fc.constantFrom(1, 4, 16, 512),
    });
    fc.assert(
      fc.property(memory, ({ held, orderMax, share, blockPages }) => {
        const pages = held.length;
        const blocks = bootedBlocks(held, orderMax);
        const movable = Math.floor(((pages - pagesOf(blocks)) * share) / 100);
        const layout = layOut(pages, blocks, movable, blockPages);
        expect(bootedBlocks(isFree(drawn(pages, layout)), orderMax)).to.deep.equal(blocks);
        expect(pagesIn(layout.movable)).to.equal(movable);
        for (const runs of [layout.occupied, layout.movable])
          for (const [index, [first]] of runs.entries()) {
            const [before, count] = runs[index - 1] ?? [-2, 1];
            expect(first, 'in order, and runs do not touch').to.be.above(before + count);
          }
      }),
      { numRuns: 300 },
    );
  });

  it('of a machine of a few million pages is made at once', () => {
    const pages = 4_194_304;
    const blocks = [300_000, 100_000, 50_000, 20_000, 9_000, 4_000, 2_000, 900, 400, 200, 900];
    const { occupied, movable } = layOut(pages, blocks, 500_000, 512);
    expect(pagesIn(occupied) + pagesIn(movable) + pagesOf(blocks)).to.equal(pages);
    expect(pagesIn(movable)).to.equal(500_000);
  });
});
