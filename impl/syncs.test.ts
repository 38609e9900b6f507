import { expect } from 'chai';
import type { Config } from './config.ts';
import { EBUSY, EFAULT } from './errno.ts';
import { SITE_TABLE } from './faults.ts';
import { FLAG_CACHED, HEAP_IOMMU } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;
const CLEAN = 1 << 9;
const DIRTY = 2 << 9;

interface Driver {
  readonly kernel: Kernel;
  readonly handle: number;
  readonly context: number;
  /** Second page of the buffer. */
  readonly page: number;
}

/** A context of a client, and a cached buffer of two pages in whose second page a CPU wrote 7 to line 1. */
function driver(policies: Partial<Config['policies']> = {}): Driver {
  const kernel = boot({}, policies);
  const client = kernel.ion.createClient();
  const handle = kernel.ion.allocate(client, 128, HEAP_IOMMU, FLAG_CACHED);
  const page = kernel.buffers.pageAt(kernel.ion.lookUp(client, handle), 1);
  const context = kernel.gpu.createContext(client);
  kernel.cache.write(page, 1, 7);
  return { kernel, handle, context, page };
}

/** What memory and the cache hold of the line. */
const lineOf = ({ kernel, page }: Driver): number[] => [
  kernel.memory.readLine(page, 1),
  kernel.cache.cachedLine(page, 1),
];

describe('a driver that syncs', () => {
  it('cleans what it binds', () => {
    const made = driver();
    expect(lineOf(made)[1]).to.equal(7 | DIRTY);
    made.kernel.gpu.bind(made.context, made.handle, BOTH);
    expect(lineOf(made)).to.deep.equal([7, 7 | CLEAN]);
  });

  it('cleans nothing when it does not come to a binding', () => {
    const made = driver();
    const before = lineOf(made);
    made.kernel.faults.arm(SITE_TABLE, 1);
    made.kernel.gpu.bind(made.context, made.handle, BOTH);
    expect(lineOf(made)).to.deep.equal(before);
  });

  it('cleans all that is bound before a job, and reads anew after it', () => {
    const made = driver();
    const { gpu, jobs, cache, engine } = made.kernel;
    const address = gpu.bind(made.context, made.handle, BOTH);
    cache.write(made.page, 1, 8);
    const job = gpu.submit(made.context, address + 64, 32, 0);
    expect(lineOf(made)).to.deep.equal([8, 8 | CLEAN]);
    engine.write(made.context, address + 80, 16, 9);
    expect(jobs.tick(job)).to.be.at.least(0);
    expect(lineOf(made)).to.deep.equal([9, 8 | CLEAN]);
    expect(jobs.tick(job)).to.equal(9);
    expect(lineOf(made)).to.deep.equal([9, 0]);
  });

  it('reads anew after a job that faults', () => {
    const made = driver();
    const { gpu, jobs, cache } = made.kernel;
    gpu.bind(made.context, made.handle, BOTH);
    cache.write(made.page, 1, 8);
    const job = gpu.submit(made.context, 0, 16, 1);
    expect(jobs.tick(job)).to.equal(-EFAULT);
    expect(lineOf(made)).to.deep.equal([8, 0]);
  });

  it('cleans nothing for a job that is refused', () => {
    const made = driver();
    const { gpu, cache } = made.kernel;
    gpu.bind(made.context, made.handle, BOTH);
    for (let i = 0; i < 2; i++) gpu.submit(made.context, 0, 16, 0);
    cache.write(made.page, 1, 8);
    expect(gpu.submit(made.context, 0, 16, 0)).to.equal(-EBUSY);
    expect(lineOf(made)).to.deep.equal([7, 8 | DIRTY]);
  });

  it('reads anew what it unbinds, and what goes with a context', () => {
    for (const end of ['unbind', 'destroyContext'] as const) {
      const made = driver();
      const { gpu, cache } = made.kernel;
      const address = gpu.bind(made.context, made.handle, BOTH);
      cache.write(made.page, 1, 8);
      expect(gpu[end](made.context, address)).to.equal(0);
      expect(lineOf(made)).to.deep.equal([7, 0]);
    }
  });

  it('minds its own context only', () => {
    const made = driver();
    const { gpu, cache, jobs } = made.kernel;
    gpu.bind(made.context, made.handle, BOTH);
    cache.write(made.page, 1, 8);
    jobs.tick(gpu.submit(gpu.createContext(0), 0, 16, 0));
    expect(lineOf(made)).to.deep.equal([7, 8 | DIRTY]);
  });
});

describe('a driver that does not sync', () => {
  it('leaves to luck what the device and CPUs read', () => {
    const made = driver({ sync: 'never' });
    const { gpu, jobs } = made.kernel;
    const address = gpu.bind(made.context, made.handle, BOTH);
    jobs.tick(gpu.submit(made.context, address + 80, 16, 9));
    expect(lineOf(made)).to.deep.equal([9, 7 | DIRTY]);
    gpu.unbind(made.context, address);
    expect(lineOf(made)).to.deep.equal([9, 7 | DIRTY]);
  });

  it('has none on a machine whose devices look into the cache', () => {
    const made = driver({ sync: 'never', coherent: 'yes' });
    const { gpu, jobs, cache } = made.kernel;
    const address = gpu.bind(made.context, made.handle, BOTH);
    expect(jobs.tick(gpu.submit(made.context, address + 80, 16, 0))).to.equal(7);
    jobs.tick(gpu.submit(made.context, address + 80, 16, 9));
    expect(cache.read(made.page, 1)).to.equal(9);
  });
});
