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
    memory.writeWord(3, 15, 7);
    expect(memory.readWord(3, 15)).to.equal(7);
    expect(() => memory.readWord(-1, 64 + 15)).to.throw('page -1');
  });
});
