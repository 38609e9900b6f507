import { expect } from 'chai';
import { boot } from './kernel.ts';

describe('memory', () => {
  const { memory } = boot({ pages: 4, orderMax: 0 });

  for (const page of [-1, 4, Number.NaN]) {
    it(`has no page ${page}, for nobody of ours`, () => {
      expect(() => memory.readWord(page, 0)).to.throw(`page ${page}`);
      expect(() => memory.writeWord(page, 0, 1)).to.throw(`page ${page}`);
      expect(() => memory.write(page, 0, 1)).to.throw(`page ${page}`);
    });
  }

  it('ends with the last word of its last page', () => {
    memory.writeWord(3, 7, 7);
    expect(memory.readWord(3, 7)).to.equal(7);
    expect(() => memory.readWord(-1, 32 + 7)).to.throw('page -1');
  });

  it('copies whole pages, and no word beyond', () => {
    for (const copy of [memory.copy, memory.copyPage].map((each) => each.bind(memory))) {
      for (let word = 0; word < 8; word++) memory.writeWord(1, word, word + 1);
      memory.writeWord(3, 0, 9);
      memory.zero(2);
      copy(1, 2);
      expect([0, 1, 2, 3, 4, 5, 6, 7].map((word) => memory.readWord(2, word))).to.deep.equal([
        1, 2, 3, 4, 5, 6, 7, 8,
      ]);
      expect(memory.readWord(3, 0)).to.equal(9);
    }
  });
});
