import { expect } from 'chai';
import { smallConfig } from './config.ts';
import { EFAULT } from './errno.ts';
import { CONTEXT_GPU } from './iommu.ts';
import { Jobs, NO_DATA } from './jobs.ts';
import { boot } from './kernel.ts';
import { Store } from './store.ts';
import { READ, WRITE } from './tables.ts';

/** Jobs of their own, in a context that may read a page at I/O page 4. */
function prepared(): { jobs: Jobs; context: number } {
  const { iommu, engine, pages, faults } = boot();
  const context = iommu.create(CONTEXT_GPU);
  iommu.mapRange(context, 4, pages.allocateBlock(0), 1, READ);
  const store = new Store(1, 0);
  const jobs = new Jobs(store, smallConfig(), engine, faults);
  store.seal();
  return { jobs, context };
}

describe('jobs', () => {
  it('tell the driver when they are done, or have faulted', () => {
    const { jobs, context } = prepared();
    const told: number[] = [];
    jobs.completed = (each) => told.push(each);
    const reader = jobs.submit(context, 4 * 64, 32, 0);
    expect(jobs.tick(reader)).to.equal(0xa5);
    expect(told).to.deep.equal([]);
    jobs.tick(reader);
    expect(told).to.deep.equal([context]);
    expect(jobs.tick(jobs.submit(context, 4 * 64, 64, 7))).to.equal(-EFAULT);
    expect(told).to.deep.equal([context, context]);
  });

  it('are not done when they are killed', () => {
    const { jobs, context } = prepared();
    jobs.completed = () => expect.fail('a killed job is not complete');
    const job = jobs.submit(context, 4 * 64, 32, 0);
    jobs.kill(context + 1);
    expect(jobs.left.get(job)).to.equal(2);
    jobs.kill(context);
    expect(jobs.left.get(job)).to.equal(0);
  });

  it('go on in the next page, each line once', () => {
    const { iommu, engine, jobs, pages } = boot();
    const context = iommu.create(CONTEXT_GPU);
    iommu.mapRange(context, 4, pages.allocateBlock(1), 2, READ | WRITE);
    const job = jobs.submit(context, 4 * 64 + 32, 96, 7);
    for (let tick = 0; tick < 6; tick++) expect(jobs.tick(job)).to.equal(NO_DATA);
    expect(jobs.left.get(job)).to.equal(0);
    expect(engine.read(context, 4 * 64, 128)).to.equal(8);
    expect([...engine.data.subarray(2, 8)]).to.deep.equal([7, 7, 7, 7, 7, 7]);
    expect(engine.data[1]).not.to.equal(7);
  });

  it('need nobody to listen', () => {
    const { jobs, context } = prepared();
    expect(jobs.tick(jobs.submit(context, 4 * 64, 16, 0))).to.be.below(NO_DATA);
    expect(jobs.submit(context, 4 * 64, 16, 0)).to.equal(0);
  });
});
