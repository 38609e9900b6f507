import { expect } from 'chai';
import { cpuWrote, deviceWrote, written, writtenUncached } from './contents.ts';
import { availablePages, COUNTER, KIND, SPEC, shownCounter, VIEW, VIEW_COLUMNS } from './index.ts';
import { machineWith, NOTHING, PLENTY, seen } from './judged.test.ts';
import { translation } from './units.ts';

const columnOf = (number: number): (typeof VIEW_COLUMNS)[number] => {
  const column = VIEW_COLUMNS[number];
  if (column === undefined) throw new Error(`no column ${number}`);
  return column;
};

const serves = (number: number, own: number, shown: number, op = 'ion_free'): string =>
  columnOf(number).serves(own, shown, { op, args: {} });

describe('VIEW_COLUMNS', () => {
  it('stand at their numbers, with the lengths that the machine gives them', () => {
    expect(Object.fromEntries(VIEW_COLUMNS.map(({ name }, at) => [name, at]))).to.deep.equal(VIEW);
    const machine = machineWith({ pages: 10 });
    expect(VIEW_COLUMNS.map(({ length }) => length(machine))).to.deep.equal([
      ...[10, 10, 10, 10, 10, 40, 48, 48, 2, 3, 6, 48, 2],
      // Nine counters; two devices; descriptors; vmalloc's pages and users'; I/O pages; handles twice; users' pages.
      ...[9, 2, 16, 48, 48, 6, 6, 32],
    ]);
    expect(columnOf(VIEW.counter).length(machine)).to.equal(Object.keys(COUNTER).length);
  });

  it('are those that the specification has itself, or none of them', () => {
    for (const pageNumbers of [true, false]) {
      const machine = machineWith();
      const frames = pageNumbers ? machine.pages : 3 * machine.pages;
      const own = SPEC.columns(SPEC.boot(machine, pageNumbers));
      for (const [at, column] of VIEW_COLUMNS.entries()) {
        const expected = column.own ? column.length({ ...machine, pages: frames }) : 0;
        expect(own[at]?.length, column.name).to.equal(expected);
      }
    }
  });

  it('are shown by targets alone where they are the implementation’s own business', () => {
    const alone = VIEW_COLUMNS.filter(({ own }) => !own).map(({ name }) => name);
    expect(alone).to.deep.equal(['freeOrder', 'iotlb', 'counter']);
  });

  it('agree on a line that may have come about', () => {
    const { agrees } = columnOf(VIEW.line);
    const fresh = deviceWrote(written(0), 1);
    const [old, never] = [written(1) | (1 << 18), written(1) | (2 << 9) | (1 << 18)];
    expect([old, never].map((shown) => agrees?.(fresh, shown))).to.deep.equal([true, false]);
  });

  it('agree where the specification knows nothing: kinds of pages that nobody holds', () => {
    const agreed = (own: number): number[] =>
      Object.values(KIND).filter((shown) => columnOf(VIEW.kind).agrees?.(own, shown));
    const unowned = [KIND.FREE, KIND.META, KIND.TABLE];
    const kept = [KIND.MOVABLE, KIND.PARKED, KIND.POOLED, KIND.DEFERRED];
    expect(agreed(KIND.FREE)).to.deep.equal([...unowned, ...kept]);
    for (const own of [KIND.BLOCK, KIND.BUFFER, KIND.OCCUPIED, KIND.COHERENT])
      expect(agreed(own)).to.deep.equal([]);
  });

  it('agree about a translation that awaits a flush as long as it is there, or is gone', () => {
    const agrees = (own: number, shown: number): boolean | undefined =>
      columnOf(VIEW.stale).agrees?.(own, shown);
    expect([agrees(translation(3, 1), 0), agrees(0, 0)]).to.deep.equal([true, true]);
    expect([agrees(0, translation(3, 1)), agrees(translation(3, 1), translation(3, 3))]).to.deep.equal([
      false,
      false,
    ]);
  });

  it('say which invariant a wrong translation breaks', () => {
    const [none, one, other] = [0, translation(3, 1), translation(4, 1)];
    expect(serves(VIEW.reach, none, one)).to.equal('I1');
    for (const op of ['iommu_map', 'iommu_map_sg', 'dma_map_sg', 'dma_alloc_coherent', 'gpu_bind']) {
      expect(serves(VIEW.reach, none, one, op)).to.equal('I5');
    }
    expect(serves(VIEW.reach, one, translation(3, 3))).to.equal('I4');
    expect(serves(VIEW.reach, translation(3, 3), one)).to.equal('S4');
    for (const shown of [none, other]) expect(serves(VIEW.reach, one, shown)).to.equal('S4');
  });

  it('say that content which a new buffer has from before is a leak, other content a loss', () => {
    for (const op of ['ion_alloc', 'dma_alloc_coherent'])
      expect(serves(VIEW.line, written(0), 7, op)).to.equal('I8');
    expect(serves(VIEW.line, written(5), 7, 'device_write')).to.equal('H2');
  });

  it('say that a dirty copy where none may be is an alias, and any other copy too many out of date', () => {
    const dirty = cpuWrote(written(0), 7);
    expect(serves(VIEW.line, writtenUncached(0), dirty, 'ion_alloc')).to.equal('H3');
    expect(serves(VIEW.line, written(0), dirty, 'ion_alloc')).to.equal('I8');
    expect(serves(VIEW.line, written(0), dirty, 'gpu_bind')).to.equal('H1');
    const stale = deviceWrote(written(7), 5);
    expect(serves(VIEW.line, written(5), stale, 'gpu_unbind'), 'memory is right').to.equal('H1');
    expect(serves(VIEW.line, written(6), stale, 'gpu_unbind'), 'and is not').to.equal('H2');
  });

  it('show values in words', () => {
    const show = (number: number, value: number): string | undefined => columnOf(number).show?.(value);
    expect([0, 1, 5, 7, 9, 12, 13].map((kind) => show(VIEW.kind, kind))).to.deep.equal([
      'free',
      'occupied',
      'a page table',
      'free and owned',
      'parked',
      'coherent memory',
      'kind 13',
    ]);
    expect([0, 12, 13].map((entry) => show(VIEW.mapped, entry))).to.deep.equal([
      'nothing',
      'page 5, uncached',
      'page 5',
    ]);
    expect([0, 3].map((domain) => show(VIEW.device, domain))).to.deep.equal(['no domain', 'domain 2']);
    expect([0, 1, 2, 3].map((rights) => show(VIEW.reach, rights && translation(6, rights)))).to.deep.equal([
      'nothing',
      'page 6 (r)',
      'page 6 (w)',
      'page 6 (rw)',
    ]);
    expect([0, 4].map((head) => show(VIEW.bound, head))).to.deep.equal(['nothing', 'the object at page 3']);
  });
});

describe('shownCounter', () => {
  it('is what the target showed, if it showed any', () => {
    expect(shownCounter(seen({ ...PLENTY, free: 3, hole: 5 }), COUNTER.free)).to.equal(3);
    expect(shownCounter(seen({ ...PLENTY, free: 3, hole: 5 }), COUNTER.vmallocHole)).to.equal(5);
    expect(shownCounter(NOTHING, COUNTER.free)).to.equal(undefined);
    const { view, fired } = seen(PLENTY);
    const blind = { fired, view: view && { ...view, shown: view.shown & ~(1 << VIEW.counter) } };
    expect(shownCounter(blind, COUNTER.free)).to.equal(undefined);
  });
});

describe('availablePages', () => {
  const machine = machineWith({ reserve: 2 });

  it('are those above the reserve that are free, or are kept and must be given up', () => {
    const counted = seen({ ...PLENTY, free: 5, kept: [1, 10, 100] });
    expect(availablePages(counted, machine)).to.equal(114);
    expect(availablePages(seen({ ...PLENTY, free: 1 }), machine), 'less than none').to.equal(-1);
    expect(availablePages(NOTHING, machine)).to.equal(undefined);
  });
});
