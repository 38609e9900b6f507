import { expect } from 'chai';
import { machineWith, NOTHING, PLENTY, seen } from './judged.test.ts';
import {
  addressOfMapped,
  hasKernelRoom,
  hasUserHole,
  isKernelHole,
  isUserHole,
  kernelTables,
  mapForCpu,
  mappedPageOf,
  unmapForCpu,
  userStart,
} from './mappings.ts';
import { bootWorld, type World } from './world.ts';

/**
 * Pages 16 to 31 are the vmalloc space; client 0 has 32 to 35, client 1 36 to 39. Metadata covers part of 26.
 */
function withMappings(): World {
  const s = bootWorld(machineWith({ userPages: 4 }), true);
  mapForCpu(s, 20 * 64, [9, 4], true);
  mapForCpu(s, 33 * 64, [9], false);
  s.coveredWords.set(26, 1);
  return s;
}

/** Pages at which a hole is. */
const holes = (isHole: (address: number) => boolean): number[] =>
  Array.from({ length: 45 }, (_, page) => page).filter((page) => isHole(page * 64));

describe('mappings of CPU addresses', () => {
  it('are counted in pages from the vmalloc space on, client after client', () => {
    const s = withMappings();
    expect([16 * 64, 16 * 64 + 63, 0, -1].map((address) => mappedPageOf(s, address))).to.deep.equal([
      0, 0, -16, -17,
    ]);
    expect(addressOfMapped(s, 4)).to.equal(20 * 64);
    expect([0, 1].map((client) => userStart(s, client))).to.deep.equal([16, 20]);
  });

  it('lead to pages, each with or without cache, and leave nothing behind', () => {
    const s = withMappings();
    const before = s.state.save();
    expect([3, 4, 5, 6, 17].map((page) => s.mapped.get(page))).to.deep.equal([0, 21, 11, 0, 20]);
    expect([s.area.get(4), s.area.get(5), s.area.get(17)]).to.deep.equal([2, 0, 1]);
    mapForCpu(s, 28 * 64, [1, 2, 3], true);
    unmapForCpu(s, 28 * 64);
    expect(s.state.words).to.deep.equal(before);
  });

  it('fit the vmalloc space with a guard page behind, where neither mappings nor metadata are', () => {
    const s = withMappings();
    const roomFor = (count: number): number[] => holes((address) => isKernelHole(s, address, count));
    expect(roomFor(3)).to.deep.equal([16, 28]);
    expect(roomFor(1)).to.deep.equal([16, 17, 18, 23, 24, 28, 29, 30]);
    expect(roomFor(16)).to.deep.equal([]);
    expect(isKernelHole(s, 16 * 64 + 8, 1)).to.equal(false);
    expect(isKernelHole(bootWorld(machineWith(), true), 16 * 64, 15)).to.equal(true);
  });

  it('fit the address space of their client, without a guard page', () => {
    const s = withMappings();
    const roomFor = (client: number, count: number): number[] =>
      holes((address) => isUserHole(s, client, address, count));
    expect(roomFor(0, 1)).to.deep.equal([32, 34, 35]);
    expect(roomFor(0, 2)).to.deep.equal([34]);
    expect(roomFor(1, 4)).to.deep.equal([36]);
    expect(isUserHole(s, 1, 36 * 64 + 8, 1)).to.equal(false);
    expect([1, 2, 3].map((count) => hasUserHole(s, 0, count))).to.deep.equal([true, true, false]);
    expect([4, 5].map((count) => hasUserHole(s, 1, count))).to.deep.equal([true, false]);
  });

  it('need addresses, and pages for the kernel’s tables', () => {
    const s = withMappings();
    expect([1, 4, 5].map((count) => kernelTables(s.machine, count))).to.deep.equal([3, 3, 4]);
    const hasRoom = (hole: number, free: number, more = 0): boolean =>
      hasKernelRoom(s, 2, seen({ ...PLENTY, hole, free }), more);
    expect([hasRoom(3, 3), hasRoom(2, 3), hasRoom(3, 2)]).to.deep.equal([true, false, false]);
    expect([hasRoom(3, 5, 2), hasRoom(3, 4, 2)]).to.deep.equal([true, false]);
    expect(hasKernelRoom(s, 2, NOTHING)).to.equal(false);
  });
});
