import { expect } from 'chai';
import fc from 'fast-check';
import { type Column, State } from './column.ts';

function stateOf(...counts: readonly number[]): { state: State; columns: Column[] } {
  const state = new State();
  const columns = counts.map((count) => state.column(count));
  state.seal();
  return { state, columns };
}

const writes = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: -3, max: 3 })), { maxLength: 30 });

function write(column: Column | undefined, list: readonly (readonly [number, number])[]): void {
  for (const [index, value] of list) column?.set(index, value);
}

describe('Column', () => {
  it('is a run of integers of its own, all zero at first', () => {
    const { state, columns } = stateOf(2, 0, 3);
    expect(columns.map(({ count }) => count)).to.deep.equal([2, 0, 3]);
    columns[0]?.set(1, 7);
    columns[2]?.fill(-1);
    expect([...state.words]).to.deep.equal([0, 7, -1, -1, -1]);
    expect(state.columns(2).map((values) => [...values])).to.deep.equal([[0, 7], []]);
    expect(columns[2]?.get(2)).to.equal(-1);
  });

  it('has no place outside', () => {
    const { columns } = stateOf(2, 3);
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      expect(() => columns[0]?.get(index)).to.throw(`internal error: index ${index} of 2`);
      expect(() => columns[0]?.set(index, 1)).to.throw(`internal error: index ${index} of 2`);
    }
  });

  it('tells by a bit that something in it changed, and says nothing of writes that change nothing', () => {
    const { state, columns } = stateOf(...Array.from({ length: 34 }, () => 1));
    for (const [number, bit] of [
      [0, 1],
      [5, 32],
      [31, 1 << 31],
      [33, 1 << 31],
    ] as const) {
      state.touched = 0;
      columns[number]?.set(0, 0);
      expect(state.touched).to.equal(0);
      columns[number]?.set(0, 1);
      expect(state.touched).to.equal(bit);
    }
  });
});

describe('State', () => {
  it('goes back to the last mark, which stays', () => {
    fc.assert(
      fc.property(writes, writes, writes, (first, second, third) => {
        const { state, columns } = stateOf(6);
        write(columns[0], first);
        state.attach();
        state.mark();
        const marked = [...state.words];
        for (const list of [second, third]) {
          write(columns[0], list);
          state.touched = 0;
          const changed = [...state.words].some((word, at) => word !== marked[at]);
          state.undo();
          expect([...state.words]).to.deep.equal(marked);
          expect(state.fingerprint()).to.deep.equal([0, 0]);
          if (changed) expect(state.touched).to.equal(1);
        }
      }),
    );
  });

  it('goes back further when a mark is dropped', () => {
    const { state, columns } = stateOf(1);
    state.attach();
    state.mark();
    columns[0]?.set(0, 1);
    state.mark();
    columns[0]?.set(0, 2);
    state.undo();
    expect(columns[0]?.get(0)).to.equal(1);
    state.drop();
    state.undo();
    expect(columns[0]?.get(0)).to.equal(0);
  });

  it('has a fingerprint of its contents, whatever led there', () => {
    fc.assert(
      fc.property(writes, writes, (ours, theirs) => {
        const [one, other] = [stateOf(6), stateOf(6)];
        for (const { state } of [one, other]) state.attach();
        write(one.columns[0], ours);
        write(other.columns[0], theirs);
        const isSame = one.state.words.every((word, at) => word === other.state.words[at]);
        const same = one.state.fingerprint().every((half, at) => half === other.state.fingerprint()[at]);
        expect(same).to.equal(isSame);
        write(other.columns[0], [...one.state.words.entries()]);
        expect(other.state.fingerprint()).to.deep.equal(one.state.fingerprint());
      }),
    );
  });

  it('spreads fingerprints over both halves', () => {
    const { state, columns } = stateOf(64);
    state.attach();
    const halves = [new Set<number>(), new Set<number>()];
    for (let index = 0; index < 64; index++) {
      for (let value = 1; value <= 64; value++) {
        columns[0]?.set(index, value);
        for (const [half, seen] of halves.entries()) seen.add(state.fingerprint()[half] ?? 0);
      }
    }
    for (const seen of halves) expect(seen.size).to.be.at.least(64 * 64 - 2);
  });

  it('does not go back, or know its fingerprint, unless it is attached', () => {
    const { state } = stateOf(1);
    const message = 'internal error: the state is not being logged';
    for (const ask of [() => state.mark(), () => state.undo(), () => state.fingerprint()]) {
      expect(ask).to.throw(message);
    }
    state.attach();
    state.mark();
    state.restart(stateOf(1).state.save());
    expect(() => state.undo()).to.throw(message);
  });

  it('says outside of which indices all is 0, whatever is undone', () => {
    fc.assert(
      fc.property(writes, writes, fc.boolean(), (first, second, isAsked) => {
        const { state, columns } = stateOf(6);
        const [column] = columns;
        if (column === undefined) return;
        state.attach();
        write(column, first);
        state.mark();
        if (isAsked) expect(column.first).to.be.at.least(0);
        write(column, second);
        expect(column.end).to.be.at.most(6);
        state.undo();
        for (const [index, value] of column.values.entries())
          if (value !== 0) expect(index).to.be.within(column.first, column.end - 1);
      }),
    );
    const { state, columns } = stateOf(6);
    expect([columns[0]?.first, columns[0]?.end]).to.deep.equal([6, 0]);
    columns[0]?.set(2, 1);
    expect([columns[0]?.first, columns[0]?.end]).to.deep.equal([2, 3]);
    state.load(Int32Array.of(0, 0, 0, 1, 1, 0));
    expect([columns[0]?.first, columns[0]?.end]).to.deep.equal([3, 5]);
  });

  it('is copied and saved as a whole, with all columns touched', () => {
    const [one, other] = [stateOf(2, 1), stateOf(2, 1)];
    one.columns[0]?.set(1, 5);
    other.state.restart(one.state.save());
    expect([...other.state.words]).to.deep.equal([0, 5, 0]);
    expect(other.state.touched).to.equal(-1);
    const saved = one.state.save();
    one.columns[1]?.set(0, 9);
    expect([...saved]).to.deep.equal([0, 5, 0]);
    one.state.touched = 0;
    one.state.load(saved);
    expect([...one.state.words]).to.deep.equal([0, 5, 0]);
    expect(one.state.touched).to.equal(-1);
    expect([...other.state.words]).to.deep.equal([0, 5, 0]);
  });
});
