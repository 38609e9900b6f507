import { expect } from 'chai';
import { smallConfig } from './config.ts';
import { EBADF, EBUSY, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_ID, SITE_TABLE } from './faults.ts';
import type { Gpu } from './gpu.ts';
import { HEAP_IOMMU } from './ion.ts';
import { NO_DATA } from './jobs.ts';
import { boot, Kernel } from './kernel.ts';
import { READ, WRITE } from './tables.ts';

const BOTH = READ | WRITE;

/** Pages that are free or parked. */
const freeOf = ({ pages }: Kernel): number => pages.freeCount.get(0) + pages.parked.count.get(0);

/** A client with a buffer of three pages and a context. */
function user(kernel: Kernel): { client: number; handle: number; context: number } {
  const client = kernel.ion.createClient();
  const handle = kernel.ion.allocate(client, 3 * 64, HEAP_IOMMU);
  return { client, handle, context: kernel.gpu.createContext(client) };
}

describe('gpu', () => {
  it('refuses ids that are not in the table', () => {
    const { gpu, ...kernel } = boot();
    const { context, handle } = user({ gpu, ...kernel } as Kernel);
    expect(gpu.createContext(3)).to.equal(-EBADF);
    expect(gpu.destroyClient(3)).to.equal(-EBADF);
    for (const none of [-1, 1, 0.5, 2 ** 53]) {
      expect(gpu.destroyContext(none)).to.equal(-ENOENT);
      expect(gpu.bind(none, handle, READ)).to.equal(-ENOENT);
      expect(gpu.unbind(none, 0)).to.equal(-ENOENT);
      expect(gpu.submit(none, 0, 16, 0)).to.equal(-ENOENT);
    }
    for (const none of [0, 2, 9, -1]) expect(gpu.bind(context, none, READ)).to.equal(-EINVAL);
    const address = gpu.bind(context, handle, READ);
    for (const none of [address + 64, address + 1, 0, -64, 2 ** 64]) {
      expect(gpu.unbind(context, none)).to.equal(-EINVAL);
    }
    for (const bytes of [0, -1, 513]) expect(gpu.submit(context, 0, bytes, 0)).to.equal(-EINVAL);
  });

  it('does not take a domain of the kernel for a context', () => {
    const { gpu, iommu } = boot();
    expect(gpu.destroyContext(iommu.create(1))).to.equal(-ENOENT);
  });

  it('keeps clients apart, unless all share one space', () => {
    for (const [contexts, lines] of [
      ['per-client', 0],
      ['shared', 4],
    ] as const) {
      const kernel = boot({}, { contexts });
      const [alice, bob] = [user(kernel), user(kernel)];
      const address = kernel.gpu.bind(alice.context, alice.handle, BOTH);
      expect(kernel.engine.write(bob.context, address, 64, 7)).to.equal(lines);
      expect(kernel.engine.write(alice.context, address, 64, 7)).to.equal(4);
    }
  });

  it('frees a shared space with its last context', () => {
    const kernel = boot({}, { contexts: 'shared' });
    const [alice, bob] = [user(kernel), user(kernel)];
    const address = kernel.gpu.bind(alice.context, alice.handle, READ);
    expect(kernel.gpu.bind(bob.context, bob.handle, READ)).to.not.equal(address);
    kernel.gpu.destroyContext(alice.context);
    expect(kernel.engine.read(bob.context, address, 64)).to.equal(0);
    kernel.gpu.destroyClient(alice.client);
    kernel.gpu.destroyClient(bob.client);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('keeps a bound buffer when its handle goes', () => {
    const kernel = boot();
    const { client, handle, context } = user(kernel);
    const address = kernel.gpu.bind(context, handle, BOTH);
    kernel.ion.free(client, handle);
    expect(kernel.engine.write(context, address, 3 * 64, 5)).to.equal(12);
    expect(kernel.gpu.unbind(context, address)).to.equal(0);
    expect(kernel.engine.read(context, address, 16)).to.equal(0);
    kernel.gpu.destroyContext(context);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('leaves nothing behind when a bind fails', () => {
    const kernel = boot();
    const { handle, context } = user(kernel);
    const free = freeOf(kernel);
    for (const n of [1, 2]) {
      kernel.faults.arm(SITE_TABLE, n);
      expect(kernel.gpu.bind(context, handle, READ)).to.equal(-ENOMEM);
      expect(freeOf(kernel)).to.equal(free);
      expect(kernel.buffers.refs.get(kernel.ion.lookUp(0, handle))).to.equal(1);
    }
    const { gpu, ion } = boot({ ioBits: 8 });
    const client = ion.createClient();
    const big = ion.allocate(client, 4 * 64, HEAP_IOMMU);
    expect(gpu.bind(gpu.createContext(client), big, READ)).to.equal(-ENOSPC);
  });

  it('runs jobs line by line, as translations stand at each tick', () => {
    const kernel = boot();
    const { handle, context } = user(kernel);
    const { gpu, jobs } = kernel;
    const address = gpu.bind(context, handle, BOTH);
    const writer = gpu.submit(context, address + 48, 32, 9);
    expect([jobs.left.get(writer), jobs.tick(writer), jobs.tick(writer)]).to.deep.equal([
      2,
      NO_DATA,
      NO_DATA,
    ]);
    expect(jobs.left.get(writer)).to.equal(0);
    const reader = gpu.submit(context, address + 32, 48, 0);
    expect([jobs.tick(reader), jobs.tick(reader)]).to.deep.equal([0, 9]);
    gpu.unbind(context, address);
    expect(jobs.tick(reader)).to.equal(-EFAULT);
    expect(jobs.left.get(reader)).to.equal(0);
    const blind = gpu.submit(context, address, 16, 3);
    expect(jobs.tick(blind)).to.equal(-EFAULT);
    expect(jobs.tick(gpu.submit(context, 2 ** 64, 16, 3))).to.equal(-EFAULT);
  });

  it('has so many jobs, which die with their context', () => {
    const kernel = boot();
    const { client, context } = user(kernel);
    const submit = (): number => kernel.gpu.submit(context, 0, 16, 0);
    expect([submit(), submit(), submit()]).to.deep.equal([0, 1, -EBUSY]);
    kernel.gpu.destroyContext(context);
    const other = kernel.gpu.createContext(client);
    kernel.faults.arm(SITE_ID, 1);
    expect(kernel.gpu.submit(other, 0, 16, 0)).to.equal(-EBUSY);
    expect(kernel.gpu.submit(other, 0, 16, 0)).to.equal(0);
  });
});

describe('a bind that is interrupted', () => {
  type Steps = ReturnType<Gpu['bindSteps']>;
  const finish = (steps: Steps): number => {
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  };

  function started(points: number): { kernel: Kernel; steps: Steps } & ReturnType<typeof user> {
    const kernel = new Kernel(smallConfig());
    const names = user(kernel);
    kernel.gpu.concurrent = true;
    const steps = kernel.gpu.bindSteps(names.context, names.handle, BOTH);
    for (let point = 1; point <= points; point++) {
      expect(steps.next()).to.deep.equal({ done: false, value: point });
    }
    return { kernel, steps, ...names };
  }

  for (const points of [1, 2]) {
    it(`keeps the buffer alive at point ${points}`, () => {
      const { kernel, steps, client, handle, context } = started(points);
      expect(kernel.ion.free(client, handle)).to.equal(0);
      const address = finish(steps);
      expect(kernel.engine.write(context, address, 64, 3)).to.equal(4);
    });

    it(`ends with ENOENT when its context goes at point ${points}`, () => {
      const { kernel, steps, client } = started(points);
      expect(kernel.gpu.destroyClient(client)).to.equal(0);
      expect(finish(steps)).to.equal(-ENOENT);
      expect(freeOf(kernel)).to.equal(64);
    });

    it(`does not mistake a new context for its own at point ${points}`, () => {
      const { kernel, steps, client, context } = started(points);
      kernel.gpu.destroyContext(context);
      expect(kernel.gpu.createContext(client)).to.equal(context);
      expect(finish(steps)).to.equal(-ENOENT);
      expect(kernel.engine.read(context, 4 * 64, 16)).to.equal(0);
    });
  }

  it('cannot be unbound before it is published', () => {
    const { kernel, steps, context } = started(2);
    expect(kernel.gpu.unbind(context, 4 * 64)).to.equal(-EINVAL);
    expect(finish(steps)).to.equal(4 * 64);
  });

  it('is cancelled in a space that lives on', () => {
    const kernel = boot({}, { contexts: 'shared' });
    const [alice, bob] = [user(kernel), user(kernel)];
    kernel.gpu.concurrent = true;
    const flights = [1, 2].map(() => kernel.gpu.bindSteps(alice.context, alice.handle, BOTH));
    for (const steps of flights) steps.next();
    flights[0]?.next();
    kernel.gpu.destroyContext(alice.context);
    expect(kernel.engine.read(bob.context, 4 * 64, 16)).to.equal(0);
    expect(flights.map(finish)).to.deep.equal([-ENOENT, -ENOENT]);
    expect(kernel.gpu.bind(bob.context, bob.handle, BOTH)).to.equal(4 * 64);
  });

  it('is forgotten by a reset', () => {
    const { kernel, steps } = started(2);
    kernel.reset();
    expect(freeOf(kernel)).to.equal(64);
    expect(steps.return(0).done).to.equal(true);
    const { client, handle, context } = user(kernel);
    kernel.gpu.concurrent = false;
    expect(kernel.gpu.bind(context, handle, BOTH)).to.equal(4 * 64);
    expect(kernel.gpu.destroyClient(client)).to.equal(0);
    expect(freeOf(kernel)).to.equal(64);
  });
});
