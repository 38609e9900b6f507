import { expect } from 'chai';
import { KIND, SPEC } from './index.ts';
import { Judged, NOTHING, PLENTY, seen } from './judged.test.ts';

const { FREE, OCCUPIED, META, MOVABLE, PARKED, POOLED, DEFERRED } = KIND;
const frames = (pfn: number, count = 1, mobility: 'movable' | 'unmovable' = 'unmovable') =>
  ({ pfn, count, mobility, tag: 1 }) as const;
const ALL_FREE = seen({ ...PLENTY, kinds: new Array(16).fill(FREE) });

describe('occupy', () => {
  it('takes exactly these frames, and release gives them back', () => {
    const judged = new Judged();
    judged.make('occupy', frames(3, 2), { occupant: 7 });
    expect([...judged.world.kind.values].slice(2, 6)).to.deep.equal([FREE, OCCUPIED, OCCUPIED, FREE]);
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 4 })).to.equal('a block that nobody holds (C1)');
    expect(judged.errnos('occupy', frames(4), ALL_FREE)).to.deep.equal(['EBUSY']);
    judged.make('release', { occupant: 7 }, {});
    judged.expectBooted();
  });

  it('writes tags that a line can hold', () => {
    for (const tag of [0, 256, -1, 1.5])
      expect(new Judged().undue('occupy', { ...frames(3), tag })).to.equal('the tag is a byte, and not 0');
  });

  it('counts movable pages, which may be anywhere', () => {
    const judged = new Judged({ pages: 4 });
    judged.make('occupy', frames(1, 2, 'movable'), { occupant: 0 });
    expect(judged.to('alloc_pages', { order: 1 }, { pfn: 0 })).to.equal('content');
    expect(judged.errnos('alloc_pages', { order: 2 })).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('occupy', frames(0, 3), ALL_FREE)).to.deep.equal(['EBUSY']);
    expect(judged.errnos('occupy', frames(0, 2), ALL_FREE)).to.deep.equal([]);
    judged.make('release', { occupant: 0 }, {});
    judged.expectBooted();
  });

  it('refuses frames that there are none of', () => {
    const judged = new Judged();
    for (const [pfn, count] of [
      [-1, 1],
      [16, 1],
      [15, 2],
      [0, 0],
      [0.5, 1],
      [0, 0.5],
      [4, -1],
      [99_999_999, 1],
      [2 ** 64, 1],
    ] as const) {
      expect(judged.errnos('occupy', frames(pfn, count), ALL_FREE), `${pfn}, ${count}`).to.include('EINVAL');
      expect(judged.to('occupy', frames(pfn, count), { occupant: 0 })).to.equal('refuse EINVAL (P1)');
    }
    expect(judged.errnos('occupy', frames(15), ALL_FREE)).to.deep.equal([]);
  });

  it('refuses frames that somebody holds, where pages have numbers, and more than anybody could have', () => {
    const holding = (pageNumbers: boolean): Judged => {
      const judged = new Judged({ pages: 4, occupied: [[2, 1]] }, pageNumbers);
      judged.make('kmalloc', { bytes: 8 }, { memory: 8 });
      return judged;
    };
    const refused = (judged: Judged, pfn: number, count: number): boolean =>
      judged.to('occupy', frames(pfn, count), { occupant: 0 }) === 'refuse EBUSY (C1)';
    for (const [pfn, count] of [
      [0, 1],
      [2, 1],
      [1, 2],
    ] as const) {
      expect(refused(holding(true), pfn, count)).to.equal(true);
      expect(refused(holding(false), pfn, count)).to.equal(false);
    }
    expect(refused(holding(true), 3, 1)).to.equal(false);
    expect(refused(holding(false), 0, 3)).to.equal(true);
  });

  it('takes from the reserve', () => {
    const judged = new Judged({ pages: 2, reserve: 2 });
    judged.make('occupy', frames(0, 2), { occupant: 0 });
    judged.make('release', { occupant: 0 }, {});
    judged.expectBooted();
  });

  it('may find a frame in use unless the target shows it free or parked', () => {
    const judged = new Judged();
    const errnos = (kinds: readonly number[] | undefined): string[] =>
      judged.errnos('occupy', frames(1, 2), seen({ ...PLENTY, ...(kinds && { kinds }) }));
    expect(errnos([META, FREE, PARKED, META])).to.deep.equal([]);
    for (const kind of [META, MOVABLE, POOLED, DEFERRED]) {
      expect(errnos([FREE, FREE, kind])).to.deep.equal(['EBUSY']);
    }
    expect(errnos(undefined)).to.deep.equal(['EBUSY']);
    expect(judged.errnos('occupy', frames(0), NOTHING)).to.deep.equal(['EBUSY']);
    expect(judged.toErrno('occupy', frames(1), 'EBUSY', ALL_FREE)).to.equal('no EBUSY (P1)');
  });

  it('gives ids that are not in use, as long as there are any', () => {
    const judged = new Judged({ occupants: 2 });
    judged.make('occupy', frames(3), { occupant: 1 });
    for (const occupant of [1, 2, -1, 0.5]) {
      const said = judged.to('occupy', frames(4), { occupant });
      expect(said).to.equal('an id that is not in use (C5)');
    }
    judged.make('occupy', frames(5, 2, 'movable'), { occupant: 0 });
    expect(judged.errnos('occupy', frames(8), ALL_FREE)).to.deep.equal(['ENOSPC']);
  });

  it('holds frames of a target without page numbers by their count', () => {
    const judged = new Judged({ pages: 4 }, false);
    judged.make('alloc_pages', { order: 0 }, { pfn: 1 });
    judged.make('occupy', frames(0, 3), { occupant: 0 });
    expect(judged.errnos('alloc_pages', { order: 0 })).to.deep.equal(['ENOMEM']);
    expect(SPEC.live(judged.world, 'block')).to.deep.equal([1]);
    judged.make('release', { occupant: 0 }, {});
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal([]);
  });
});

describe('release', () => {
  it('is sent for occupants, and never fails', () => {
    const judged = new Judged();
    judged.make('occupy', frames(0), { occupant: 3 });
    for (const occupant of [0, 8, -1, 0.5]) {
      expect(judged.undue('release', { occupant })).to.equal('the occupant exists');
    }
    expect(judged.errnos('release', { occupant: 3 }, NOTHING)).to.deep.equal([]);
    expect(judged.toErrno('release', { occupant: 3 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });
});

describe('compact, drain and shrink', () => {
  it('never fail, and change nothing that anybody holds', () => {
    const judged = new Judged({ movable: [[2, 2]] });
    judged.hold(7);
    const before = judged.world.state.save();
    for (const op of ['compact', 'drain', 'shrink'] as const) {
      expect(judged.errnos(op, {}, NOTHING)).to.deep.equal([]);
      expect(judged.toErrno(op, {}, 'ENOMEM')).to.equal('no ENOMEM (P1)');
      judged.make(op, {}, {});
    }
    expect(judged.world.state.words).to.deep.equal(before);
  });
});
