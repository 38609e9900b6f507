import { expect } from 'chai';
import { cpuWrote, written } from './contents.ts';
import { COUNTER, KIND, type Reply, VIEW, type View } from './index.ts';
import { brokenStep, type Cells, invariant, MACHINE, viewWith } from './viewed.test.ts';

describe('C4', () => {
  const said = (reply: Reply, before: Cells, after: Cells): string | undefined =>
    brokenStep('C4', 'ion_alloc', reply, before, after);
  const failed = { errno: 'ENOMEM' };

  it('finds pages that a failed call left behind', () => {
    const before = { [COUNTER.free]: 5 };
    expect(said(failed, before, { [COUNTER.free]: 3 })).to.equal(
      'the call failed and left 2 pages behind that are neither free nor tables',
    );
    for (const free of [5, 6]) expect(said(failed, before, { [COUNTER.free]: free })).to.equal(undefined);
    expect(said({ ok: {} }, before, { [COUNTER.free]: 3 })).to.equal(undefined);
  });

  it('leaves out what is kept for later, and tables', () => {
    for (const name of ['parked', 'pooled', 'deferred', 'table'] as const) {
      const after = { [COUNTER.free]: 3, [COUNTER[name]]: 2 };
      expect(said(failed, { [COUNTER.free]: 5 }, after), name).to.equal(undefined);
      expect(said(failed, after, { [COUNTER.free]: 5 }), 'the other way').to.equal(undefined);
    }
    for (const name of ['meta', 'movable'] as const) {
      const after = { [COUNTER.free]: 3, [COUNTER[name]]: 2 };
      expect(said(failed, { [COUNTER.free]: 5 }, after), name).to.match(/left 2 pages behind/);
    }
  });
});

describe('L1', () => {
  const EMPTIED = { drain: ['parked'], shrink: ['pooled', 'deferred'] } as const;

  it('finds what a drain or a shrink leaves', () => {
    for (const [op, emptied] of Object.entries(EMPTIED)) {
      for (const name of ['parked', 'pooled', 'deferred'] as const) {
        const said = brokenStep('L1', op, { ok: {} }, {}, { [COUNTER[name]]: 1 });
        const isLeft = (emptied as readonly string[]).includes(name);
        expect(said, `${op} ${name}`).to.equal(isLeft ? `pages are ${name} still` : undefined);
      }
    }
    expect(brokenStep('L1', 'compact', { ok: {} }, {}, { [COUNTER.parked]: 1 })).to.equal(undefined);
  });

  it('finds a free worker that frees nothing though there is something', () => {
    const ticked = (before: number, after: number, op = 'tick_worker'): string | undefined =>
      brokenStep('L1', op, { ok: {} }, { [COUNTER.deferred]: before }, { [COUNTER.deferred]: after });
    expect(ticked(3, 3)).to.equal('the free worker freed none of the deferred buffers');
    expect([ticked(3, 1), ticked(0, 0), ticked(3, 3, 'tick_cache')]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('P1 of the reserve', () => {
  const found = invariant('P1', VIEW.counter);
  const said = (before: Cells, after: Cells, op = 'kmalloc'): string | undefined => {
    if (found.form !== 'step') return expect.fail('it is asked of a step');
    const was = found.before(viewWith({ counter: before }));
    const machine = { ...MACHINE, reserve: 3 };
    return found.broken(was, viewWith({ counter: after }), { op, args: {} }, { ok: {} }, machine);
  };
  const free = (pages: number): Cells => ({ [COUNTER.free]: pages });

  it('finds a call that takes of it', () => {
    expect(said(free(3), free(2))).to.equal('2 pages are left, and allocations leave 3');
    expect(said(free(2), free(1))).to.equal('1 pages are left, and allocations leave 3');
  });

  it('counts what would be given up, and lets occupants take it', () => {
    for (const name of ['parked', 'pooled', 'deferred'] as const)
      expect(said(free(5), { [COUNTER.free]: 2, [COUNTER[name]]: 1 }), name).to.equal(undefined);
    for (const [before, after] of [
      [5, 3],
      [2, 2],
      [1, 2],
    ] as const)
      expect(said(free(before), free(after))).to.equal(undefined);
    expect(said(free(3), free(0), 'occupy')).to.equal(undefined);
  });
});

describe('H2 of pages that are moved', () => {
  const LINES = MACHINE.pageBytes / MACHINE.lineBytes;
  const CALL = { op: 'compact', args: {} };
  /** A view with one movable page that holds a tag, in memory or in a dirty copy. */
  const movable = (page: number, tag: number, isCopy = false, counted = 1): View => {
    const line = isCopy ? cpuWrote(written(0), tag) : written(tag);
    return viewWith({
      kind: { [page]: KIND.MOVABLE },
      line: { [page * LINES]: line },
      counter: { [COUNTER.movable]: counted },
    });
  };
  const moved = (before: View, after: View, op = 'compact'): string | undefined => {
    const found = invariant('H2', VIEW.kind);
    if (found.form !== 'step') return expect.fail('it is asked of a step');
    return found.broken(found.before(before), after, { ...CALL, op }, { ok: {} }, MACHINE);
  };

  it('finds contents that did not come along', () => {
    const lost = 'movable pages hold other data than before they were moved';
    for (const op of ['compact', 'alloc_pages', 'kmalloc', 'ion_alloc']) {
      expect(moved(movable(1, 7), movable(3, 7), op)).to.equal(undefined);
      expect(moved(movable(1, 7), movable(3, 7, true), op)).to.equal(undefined);
      expect(moved(movable(1, 7), movable(3, 8), op)).to.equal(lost);
    }
  });

  it('is silent where others write, or nothing is movable', () => {
    expect(moved(movable(1, 7), movable(3, 8), 'occupy')).to.equal(undefined);
    expect(moved(movable(1, 7, false, 0), movable(3, 8))).to.equal(undefined);
  });
});
