import { expect } from 'chai';
import { checkStreamed, PEAK_BYTES } from './streamed.ts';

const BYTES = 16e6;

describe('a long trace over a pipe', () => {
  it('is checked to its end in bounded memory, and nothing is found in it', async () => {
    const { code, report, err, peakBytes = 0 } = await checkStreamed(BYTES);
    expect([code, report?.findings, report?.source.early], err).to.deep.equal([0, [], undefined]);
    expect(report?.source.lines).to.be.above(BYTES / 200);
    expect(report?.source.events).to.equal((report?.source.lines ?? 0) - 10);
    expect(peakBytes).to.be.below(PEAK_BYTES / 2);
  }).timeout(60_000);
});
