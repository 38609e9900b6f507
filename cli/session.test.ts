import { expect } from 'chai';
import { isLive } from './session.ts';

describe('a stream', () => {
  it('is live when it is a terminal that understands, and no CI', () => {
    expect(isLive({ isTTY: true }, {})).to.equal(true);
    expect(isLive({ isTTY: true }, { CI: '' })).to.equal(true);
    expect(isLive({ isTTY: true }, { CI: 'true' })).to.equal(false);
    expect(isLive({ isTTY: true }, { TERM: 'dumb' })).to.equal(false);
    expect(isLive({}, {})).to.equal(false);
  });
});
