import { expect } from 'chai';
import { smallConfig } from './config.ts';
import { EBADF, EBUSY, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC } from './errno.ts';
import { SITE_ID, SITE_TABLE } from './faults.ts';
import type { Gpu } from './gpu.ts';
import { HEAP_IOMMU } from './ion.ts';
import { NO_DATA } from './jobs.ts';
import { boot, Kernel } from './kernel.ts';
import type { Steps } from './steps.ts';
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

type Interrupted = { readonly kernel: Kernel; readonly steps: Steps } & ReturnType<typeof user>;

describe('a GPU call that is interrupted', () => {
  /** A user whose call has got to its switch point. */
  function started(stepsOf: (gpu: Gpu, names: ReturnType<typeof user>) => Steps): Interrupted {
    const kernel = new Kernel(smallConfig());
    const names = user(kernel);
    const steps = stepsOf(kernel.gpu, names);
    expect(steps.next()).to.deep.equal({ done: false, value: 1 });
    return { kernel, steps, ...names };
  }

  const bindStarted = (): Interrupted =>
    started((gpu, { context, handle }) => gpu.bindSteps(context, handle, BOTH));

  it('binds nothing whose handle has gone meanwhile', () => {
    const { kernel, steps, client, handle, context } = bindStarted();
    const buffer = kernel.ion.lookUp(client, handle);
    expect(kernel.ion.free(client, handle)).to.equal(0);
    expect(kernel.ion.buffers.refs.get(buffer), 'it is held').to.equal(1);
    expect(steps.next()).to.deep.equal({ done: true, value: -EINVAL });
    expect(kernel.engine.read(context, 4 * 64, 16)).to.equal(0);
  });

  it('binds what its handle has come to mean meanwhile', () => {
    const { kernel, steps, client, handle, context } = bindStarted();
    kernel.ion.free(client, handle);
    expect(kernel.ion.allocate(client, 64, HEAP_IOMMU)).to.equal(handle);
    expect(steps.next(), 'it starts again').to.deep.equal({ done: false, value: 1 });
    const { value: address } = steps.next();
    expect(kernel.gpu.unbind(context, Number(address))).to.equal(0);
    kernel.gpu.destroyClient(client);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('ends with ENOENT when the context of a bind goes', () => {
    const { kernel, steps, client } = bindStarted();
    expect(kernel.gpu.destroyClient(client)).to.equal(0);
    expect(steps.next()).to.deep.equal({ done: true, value: -ENOENT });
    expect(freeOf(kernel)).to.equal(64);
  });

  it('gives a buffer back only after its last unmap has returned', () => {
    const kernel = new Kernel(smallConfig());
    const { client, handle, context } = user(kernel);
    const address = kernel.gpu.bind(context, handle, BOTH);
    const buffer = kernel.ion.lookUp(client, handle);
    kernel.ion.free(client, handle);
    const steps = kernel.gpu.unbindSteps(context, address);
    expect(steps.next()).to.deep.equal({ done: false, value: 1 });
    expect(kernel.engine.write(context, address, 16, 3)).to.equal(0);
    expect(kernel.gpu.unbind(context, address)).to.equal(-EINVAL);
    expect(kernel.ion.buffers.refs.get(buffer)).to.equal(1);
    expect(steps.next()).to.deep.equal({ done: true, value: 0 });
    expect(kernel.ion.buffers.refs.get(buffer)).to.equal(0);
  });

  it('lets a new context have the id and the tables of one that is being destroyed', () => {
    const { kernel, steps, client, handle, context } = started((gpu, names) =>
      gpu.destroyContextSteps(names.context),
    );
    expect(kernel.gpu.destroyContext(context)).to.equal(-ENOENT);
    expect(kernel.gpu.createContext(client)).to.equal(context);
    const address = kernel.gpu.bind(context, handle, BOTH);
    expect(steps.next()).to.deep.equal({ done: true, value: 0 });
    expect(kernel.engine.write(context, address, 16, 3)).to.equal(1);
    kernel.gpu.destroyClient(client);
    expect(freeOf(kernel)).to.equal(64);
  });

  it('is refused before its switch point as it is without one', () => {
    const kernel = new Kernel(smallConfig());
    const { context } = user(kernel);
    const refused = [
      kernel.gpu.bindSteps(context, 9, BOTH),
      kernel.gpu.unbindSteps(context, 64),
      kernel.gpu.destroyContextSteps(9),
    ];
    expect(refused.map((steps) => steps.next())).to.deep.equal(
      [-EINVAL, -EINVAL, -ENOENT].map((value) => ({ done: true, value })),
    );
  });

  it('is forgotten by a reset', () => {
    const { kernel, steps } = bindStarted();
    kernel.reset();
    expect(freeOf(kernel)).to.equal(64);
    expect(steps.return(0).done).to.equal(true);
    const { client, handle, context } = user(kernel);
    expect(kernel.gpu.bind(context, handle, BOTH)).to.equal(4 * 64);
    expect(kernel.gpu.destroyClient(client)).to.equal(0);
    expect(freeOf(kernel)).to.equal(64);
  });
});
