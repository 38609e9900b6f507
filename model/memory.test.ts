import { expect } from 'chai';
import { cpuWrote, deviceWrote, NOTHING, written, writtenUncached } from './contents.ts';
import { machineWith } from './judged.test.ts';
import { mapForCpu } from './mappings.ts';
import {
  areUnheld,
  cleanPages,
  dropReference,
  invalidatePages,
  isCpuMapped,
  isMapped,
  isUnheld,
  isUnheldRun,
  pagesOf,
  release,
  take,
  unheldCount,
  writeByCpu,
  writeByDevice,
} from './memory.ts';
import { mapPages } from './translations.ts';
import { KIND } from './view.ts';
import { bootWorld, type World } from './world.ts';

const boot = (fields: Parameters<typeof machineWith>[0] = {}): World => bootWorld(machineWith(fields), true);
const linesOf = (s: World, page: number): number[] => [...s.line.values.subarray(page * 4, page * 4 + 4)];

describe('who holds pages', () => {
  it('is nobody, or one owner, in the owner’s order', () => {
    const s = boot({ reserve: 1, occupied: [[0, 2]], movable: [[4, 1]] });
    expect(unheldCount(s)).to.equal(12);
    take(s, [9, 3, 12], KIND.BUFFER, 'anything');
    expect(pagesOf(s, 9)).to.deep.equal([9, 3, 12]);
    expect(pagesOf(s, 3)).to.deep.equal([]);
    expect(unheldCount(s)).to.equal(9);
    expect([0, 3, 9, 12, 16, -1, 0.5].map((page) => isUnheld(s, page))).to.deep.equal(Array(7).fill(false));
    expect([2, 4, 15].map((page) => isUnheld(s, page))).to.deep.equal(Array(3).fill(true));
    expect(areUnheld(s, [5, 2])).to.equal(true);
    for (const pages of [
      [5, 5],
      [5, 9],
      [5, 16],
    ]) {
      expect(areUnheld(s, pages)).to.equal(false);
    }
    expect(isUnheldRun(s, 4, 5)).to.equal(true);
    for (const [first, count] of [
      [4, 6],
      [2, 2],
      [13, 4],
      [-1, 1],
      [0.5, 1],
    ] as const) {
      expect(isUnheldRun(s, first, count)).to.equal(false);
    }
  });

  it('leaves nothing behind when pages go', () => {
    for (const contents of ['anything', 'zeroed by a CPU', 'zero, uncached'] as const) {
      const s = boot();
      const before = s.state.save();
      take(s, [9, 3, 12], KIND.COHERENT, contents);
      release(s, pagesOf(s, 9));
      expect(s.state.words).to.deep.equal(before);
    }
  });

  it('ends with the last reference', () => {
    const s = boot();
    take(s, [9, 3], KIND.BUFFER, 'anything');
    s.refs.set(9, 2);
    dropReference(s, 9);
    expect([s.refs.get(9), s.kind.get(3)]).to.deep.equal([1, KIND.BUFFER]);
    dropReference(s, 9);
    expect([s.refs.get(9), s.kind.get(3)]).to.deep.equal([0, KIND.FREE]);
  });

  it('says whether a device or a mapping of CPU addresses leads to pages', () => {
    const s = boot();
    mapPages(s, 1, 3, [5], 2);
    mapForCpu(s, 16 * 64, [7], true);
    for (const [leads, page] of [
      [isMapped, 5],
      [isCpuMapped, 7],
    ] as const) {
      expect([leads(s, page, 1), leads(s, page - 1, 2), leads(s, page, 3)]).to.deep.equal([true, true, true]);
      expect([leads(s, page - 1, 1), leads(s, page + 1, 9), leads(s, 0, page)]).to.deep.equal([
        false,
        false,
        false,
      ]);
    }
  });
});

describe('what pages hold', () => {
  it('is what they were taken with', () => {
    for (const [contents, coherent, expected] of [
      ['anything', 'no', NOTHING],
      ['anything', 'yes', NOTHING],
      ['zeroed by a CPU', 'no', cpuWrote(NOTHING, 0)],
      ['zeroed by a CPU', 'yes', written(0)],
      ['zero, uncached', 'no', writtenUncached(0)],
    ] as const) {
      const s = boot({ policies: { coherent } });
      take(s, [9, 3], KIND.BUFFER, contents);
      for (const page of [9, 3]) expect(linesOf(s, page)).to.deep.equal(Array(4).fill(expected));
      expect(linesOf(s, 4)).to.deep.equal(Array(4).fill(NOTHING));
      expect(s.uncached.get(9)).to.equal(contents === 'zero, uncached' ? 1 : 0);
    }
  });

  it('is synced page by page, where there are copies to sync', () => {
    const s = boot();
    take(s, [9, 3], KIND.BUFFER, 'zeroed by a CPU');
    cleanPages(s, [3]);
    expect([s.line.get(12), s.line.get(36)]).to.deep.equal([written(0), cpuWrote(NOTHING, 0)]);
    writeByDevice(s, 13, 7);
    expect(linesOf(s, 3)).to.deep.equal([written(0), deviceWrote(written(0), 7), written(0), written(0)]);
    invalidatePages(s, [3]);
    expect(linesOf(s, 3)).to.deep.equal([0, 7, 0, 0].map(written));
    writeByCpu(s, 14, 8);
    expect(linesOf(s, 3)).to.deep.equal([written(0), written(7), cpuWrote(written(0), 8), written(0)]);
    expect(s.line.get(36)).to.equal(cpuWrote(NOTHING, 0));
  });

  it('is what was written last, where devices look into caches', () => {
    const s = boot({ policies: { coherent: 'yes' } });
    take(s, [9], KIND.BLOCK, 'anything');
    writeByDevice(s, 36, 7);
    writeByCpu(s, 37, 8);
    for (const sync of [cleanPages, invalidatePages]) sync(s, [9]);
    expect(linesOf(s, 9)).to.deep.equal([written(7), written(8), NOTHING, NOTHING]);
  });

  it('is nobody’s business where nobody holds the page', () => {
    for (const coherent of ['no', 'yes']) {
      const s = boot({ policies: { coherent } });
      writeByDevice(s, 36, 7);
      expect(s.line.get(36)).to.equal(NOTHING);
    }
  });
});
