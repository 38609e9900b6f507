import { expect } from 'chai';
import fc from 'fast-check';
import { BitTree } from './bit-tree.ts';
import { SEEN_ALL, SEEN_JOB, SEEN_LINE, SEEN_REACH, SEEN_REFS } from './seen.ts';
import { Store } from './store.ts';

const RAM_PAGES = 4;
const PAGE_SHIFT = 3;
const RAM_WORDS = RAM_PAGES << PAGE_SHIFT;
const COLUMN_WORDS = 16;

function makeStore(): Store {
  const store = new Store(RAM_PAGES, PAGE_SHIFT);
  store.column(COLUMN_WORDS, SEEN_REFS);
  store.seal();
  store.words.fill(5, 0, RAM_WORDS);
  store.keepImage();
  return store;
}

/** One write anywhere, of few values, so that words return to what they were. */
const write = fc.tuple(fc.nat(RAM_WORDS + COLUMN_WORDS - 1), fc.integer({ min: -2, max: 2 }));
const writes = fc.array(write, { size: 'max', maxLength: 100 });

function apply(store: Store, [index, value]: readonly [number, number]): void {
  if (index < RAM_WORDS) store.writeRam(index, value);
  else store.write(index, value, SEEN_REFS);
}

/** The fingerprint of a store that only ever saw these words written once. */
function fingerprintOf(words: Int32Array): readonly [number, number] {
  const store = makeStore();
  store.words.set(words);
  const { low, high } = store.attachJournal();
  return [low, high];
}

describe('store', () => {
  it('keeps columns apart', () => {
    const store = new Store(1, 3);
    const first = store.column(2, SEEN_REFS);
    const second = store.column(2, SEEN_JOB);
    store.seal();
    first.set(1, 7);
    expect(second.add(0, 3)).to.equal(3);
    expect([first.get(1), second.get(0), second.get(1)]).to.deep.equal([7, 3, 0]);
    expect(() => first.get(2)).to.throw('index 2 of 2');
    expect(() => first.set(-1, 0)).to.throw('index -1 of 2');
    expect([...first.values]).to.deep.equal([0, 7]);
  });

  it('says where a column was written, until somebody has looked, and where writes were undone', () => {
    const store = new Store(1, 3);
    const before = store.column(2, SEEN_REFS);
    const column = store.column(9, SEEN_JOB);
    const range = (): number[] => [column.from, column.to];
    store.seal();
    expect(range()).to.deep.equal([0, 9]);
    store.settle();
    expect([...range(), store.touched]).to.deep.equal([9, 0, 0]);
    store.attachJournal().mark();
    column.set(6, 1);
    column.set(3, 1);
    expect(range()).to.deep.equal([3, 7]);
    store.settle();
    store.attachJournal().undo();
    expect([...range(), store.touched]).to.deep.equal([3, 7, SEEN_JOB]);
    expect([before.from, before.to], 'the neighbour').to.deep.equal([2, 0]);
    store.touchAll();
    expect(range()).to.deep.equal([0, 9]);
  });

  it('resets to what it was when the image was kept', () => {
    const store = makeStore();
    const before = store.words.slice();
    const journal = store.attachJournal();
    store.writeRam(0, 1);
    store.write(RAM_WORDS, 1, SEEN_REFS);
    store.touched = 0;
    store.reset();
    expect(store.words).to.deep.equal(before);
    expect([journal.low, journal.high]).to.deep.equal([0, 0]);
    expect(store.touched).to.equal(SEEN_ALL);
    expect(store.watch.everything).to.equal(true);
  });

  it('fills words of RAM with and without a journal', () => {
    for (const logged of [false, true]) {
      const store = new Store(1, 6);
      store.seal();
      store.keepImage();
      if (logged) store.attachJournal().mark();
      store.fillRam(2, 40, 9);
      expect([...store.words].filter((word) => word === 9).length).to.equal(40);
      if (logged) store.attachJournal().undo();
      store.detachJournal();
      expect(store.words.includes(9)).to.equal(!logged);
    }
  });

  it('says which columns depended on a page of RAM', () => {
    const store = makeStore();
    store.watch.settle();
    store.watch.mark(1, SEEN_REACH);
    store.touched = 0;
    store.writeRam(0, 1);
    expect(store.touched).to.equal(SEEN_LINE);
    store.writeRam(1 << PAGE_SHIFT, 1);
    expect(store.touched).to.equal(SEEN_LINE | SEEN_REACH);
    expect(store.watch.dirty).to.deep.equal([0, 1]);
    store.watch.unmark(1, SEEN_REACH);
    store.watch.settle();
    store.touched = 0;
    store.writeRam((1 << PAGE_SHIFT) + 1, 1);
    expect(store.touched & SEEN_REACH).to.equal(0);
    expect(store.watch.dirty).to.deep.equal([1]);
  });
});

describe('journal', () => {
  it('has a fingerprint that is a function of the words alone', () => {
    fc.assert(
      fc.property(writes, (list) => {
        const store = makeStore();
        const journal = store.attachJournal();
        for (const one of list) apply(store, one);
        expect([journal.low, journal.high]).to.deep.equal(fingerprintOf(store.words));
      }),
    );
  });

  it('undoes to the last mark, as often as asked', () => {
    fc.assert(
      fc.property(writes, writes, writes, (before, first, second) => {
        const store = makeStore();
        const journal = store.attachJournal();
        for (const one of before) apply(store, one);
        const words = store.words.slice();
        const { low, high } = journal;
        journal.mark();
        for (const list of [first, second]) {
          for (const one of list) apply(store, one);
          journal.undo();
          expect(store.words).to.deep.equal(words);
          expect([journal.low, journal.high]).to.deep.equal([low, high]);
        }
      }),
    );
  });

  it('tells observers of undone writes', () => {
    const store = makeStore();
    const journal = store.attachJournal();
    journal.mark();
    store.writeRam(3, 1);
    store.write(RAM_WORDS, 1, SEEN_JOB);
    store.watch.settle();
    store.watch.mark(0, SEEN_REACH);
    store.touched = 0;
    journal.undo();
    expect(store.touched).to.equal(SEEN_LINE | SEEN_REACH | SEEN_JOB);
    expect(store.watch.dirty).to.deep.equal([0]);
  });

  it('forgets a mark without going back', () => {
    const store = makeStore();
    const journal = store.attachJournal();
    journal.mark();
    store.writeRam(0, 1);
    journal.mark();
    store.writeRam(0, 2);
    journal.drop();
    journal.undo();
    expect(store.words[0]).to.equal(5);
    journal.drop();
    expect(() => journal.undo()).to.throw('a mark to go back to');
    expect(() => journal.drop()).to.throw('a mark to forget');
  });

  it('grows', () => {
    const store = makeStore();
    const journal = store.attachJournal();
    for (let i = 0; i < 5_000; i++) {
      journal.mark();
      store.writeRam(i % RAM_WORDS, i);
    }
    for (let i = 0; i < 5_000; i++) {
      journal.undo();
      journal.drop();
    }
    expect(store.words[0]).to.equal(5);
    expect([journal.low, journal.high]).to.deep.equal([0, 0]);
  });

  it('separates states that differ in two words', () => {
    const seen = new Set<string>();
    for (let i = 0; i < COLUMN_WORDS; i++) {
      for (let value = 1; value < 64; value++) {
        const store = makeStore();
        const journal = store.attachJournal();
        store.write(RAM_WORDS + i, value, SEEN_REFS);
        store.write(RAM_WORDS + ((i + 1) % COLUMN_WORDS), 64 - value, SEEN_REFS);
        seen.add(`${journal.low} ${journal.high}`);
      }
    }
    expect(seen.size).to.equal(COLUMN_WORDS * 63);
  });
});

describe('bit tree', () => {
  for (const count of [1, 32, 33, 2_000]) {
    it(`finds the least of up to ${count}, whatever came and went`, () => {
      const member = fc.tuple(fc.nat(count - 1), fc.boolean());
      fc.assert(
        fc.property(fc.array(member, { size: 'max', maxLength: 60 }), (list) => {
          const store = new Store(1, 3);
          const tree = new BitTree(store, count);
          store.seal();
          const naive = new Set<number>();
          for (const [i, adds] of list) {
            if (adds) naive.add(i);
            else naive.delete(i);
            if (adds) tree.add(i);
            else tree.remove(i);
            expect(tree.first()).to.equal(naive.size === 0 ? -1 : Math.min(...naive));
          }
          for (const i of naive) tree.remove(i);
          expect(store.words.some((word) => word !== 0)).to.equal(false);
        }),
      );
    });
  }
});
