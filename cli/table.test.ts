import { expect } from 'chai';
import { wrapped } from './table.ts';

describe('a wrapped text', () => {
  it('has its words in lines, the later ones indented', () => {
    expect(wrapped('to be or not to be', 10)).to.deep.equal(['to be or', '  not to', '  be']);
    expect(wrapped('shorter', 10)).to.deep.equal(['shorter']);
    expect(wrapped('aVeryLongWord and others', 5)).to.deep.equal(['aVeryLongWord', '  and', '  others']);
  });
});
