import { expect } from 'chai';
import { inLanes } from './lanes.ts';

describe('jobs in lanes', () => {
  it('are done so many at once, and their results stand in their order', async () => {
    let underWay = 0;
    let most = 0;
    const results = await inLanes([3, 1, 2, 0], 2, async (turns) => {
      most = Math.max(most, ++underWay);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      underWay--;
      return turns * 10;
    });
    expect(results).to.deep.equal([30, 10, 20, 0]);
    expect(most).to.equal(2);
  });

  it('end with the first that fails', async () => {
    const failing = inLanes([1, 2], 1, async (job) => Promise.reject(new Error(`job ${job}`)));
    expect(await failing.catch(String)).to.equal('Error: job 1');
    expect(await inLanes([], 2, async () => 1)).to.deep.equal([]);
  });
});
