import { expect } from 'chai';
import { EBADF, EINVAL, ENODEV, ENOSPC } from './errno.ts';
import { HEAP_IOMMU } from './ion.ts';
import { boot, type Kernel } from './kernel.ts';
import type { Steps } from './steps.ts';

interface Shared {
  readonly kernel: Kernel;
  readonly client: number;
  readonly handle: number;
  readonly fd: number;
  readonly buffer: number;
}

/** A client with a buffer, by handle and by descriptor. */
function shared(): Shared {
  const kernel = boot();
  const client = kernel.ion.createClient();
  const handle = kernel.ion.allocate(client, 128, HEAP_IOMMU);
  const fd = kernel.sharing.share(client, handle);
  return { kernel, client, handle, fd, buffer: kernel.ion.lookUp(client, handle) };
}

const STOPPED = { done: false, value: 1 };
const ended = (value: number): object => ({ done: true, value });

/** Calls that look a buffer up, and may be stopped before they use it. */
const HOLDING: Readonly<Record<string, (shared: Shared) => Steps>> = {
  share: ({ kernel, client, handle }) => kernel.sharing.shareSteps(client, handle),
  import: ({ kernel, client, fd }) => kernel.sharing.importSteps(client, fd),
  send: ({ kernel, client, fd }) => kernel.sharing.sendSteps(client, fd, client),
  mmap: ({ kernel, client, fd }) => kernel.sharing.mmapSteps(client, fd, 0, 64),
  mapKernel: ({ kernel, client, handle }) => kernel.ion.mapKernelSteps(client, handle),
};

describe('calls that are interrupted', () => {
  for (const [name, begin] of Object.entries(HOLDING)) {
    it(`${name} holds the buffer while others run, and no longer`, () => {
      const each = shared();
      const { kernel, client, buffer } = each;
      const before = kernel.ion.buffers.refs.get(buffer);
      const steps = begin(each);
      expect(steps.next()).to.deep.equal(STOPPED);
      expect(kernel.ion.buffers.refs.get(buffer)).to.equal(before + 1);
      expect(Number(steps.next().value)).to.be.at.least(0);
      kernel.gpu.destroyClient(client);
      expect(kernel.ion.buffers.refs.get(buffer)).to.equal(0);
    });

    it(`${name} fails when its client goes meanwhile, and leaves nothing`, () => {
      const each = shared();
      const { kernel, client, buffer } = each;
      const steps = begin(each);
      steps.next();
      kernel.gpu.destroyClient(client);
      expect(kernel.ion.buffers.refs.get(buffer), 'it is held').to.equal(1);
      expect(steps.next()).to.deep.equal(ended(-EBADF));
      expect(kernel.ion.buffers.refs.get(buffer)).to.equal(0);
    });
  }

  it('an allocation is known to nobody before it is complete', () => {
    const { kernel, client, handle } = shared();
    const steps = kernel.ion.allocateSteps(client, 64, HEAP_IOMMU);
    expect(steps.next()).to.deep.equal(STOPPED);
    expect(kernel.ion.lookUp(client, handle + 1)).to.equal(-EINVAL);
    expect(steps.next()).to.deep.equal(ended(handle + 1));
    expect(kernel.ion.allocateSteps(client, 64, 0).next()).to.deep.equal(ended(-ENODEV));
  });

  it('an allocation gives its buffer back when others have taken the last handle, or the client is gone', () => {
    for (const isGone of [true, false]) {
      const { kernel, client } = shared();
      const before = kernel.freePages;
      const steps = kernel.ion.allocateSteps(client, 64, HEAP_IOMMU);
      steps.next();
      if (isGone) kernel.gpu.destroyClient(client);
      else while (kernel.ion.allocate(client, 64, HEAP_IOMMU) > 0);
      expect(steps.next()).to.deep.equal(ended(isGone ? -EBADF : -ENOSPC));
      kernel.gpu.destroyClient(client);
      kernel.pages.drain();
      expect(kernel.freePages).to.be.above(before);
    }
  });

  it('a free takes the handle away at once, and lets go of the buffer last', () => {
    const { kernel, client, handle, fd, buffer } = shared();
    kernel.sharing.close(client, fd);
    const steps = kernel.ion.freeSteps(client, handle);
    expect(steps.next()).to.deep.equal(STOPPED);
    expect(kernel.ion.free(client, handle)).to.equal(-EINVAL);
    expect(kernel.ion.buffers.refs.get(buffer)).to.equal(1);
    expect(steps.next()).to.deep.equal(ended(0));
    expect(kernel.ion.buffers.refs.get(buffer)).to.equal(0);
    expect(kernel.ion.freeSteps(client, handle).next()).to.deep.equal(ended(-EINVAL));
  });

  it('a free of a handle that was imported again only counts down', () => {
    const { kernel, client, handle, fd } = shared();
    kernel.sharing.import(client, fd);
    const steps = kernel.ion.freeSteps(client, handle);
    steps.next();
    expect(steps.next()).to.deep.equal(ended(0));
    expect(kernel.ion.free(client, handle)).to.equal(0);
    expect(kernel.ion.free(client, handle)).to.equal(-EINVAL);
  });

  it('two imports of one buffer end with one handle, that counts both', () => {
    const { kernel, fd, client } = shared();
    const other = kernel.ion.createClient();
    const sent = kernel.sharing.send(client, fd, other);
    const imports = [0, 1].map(() => kernel.sharing.importSteps(other, sent));
    for (const steps of imports) expect(steps.next()).to.deep.equal(STOPPED);
    for (const steps of imports) expect(steps.next()).to.deep.equal(ended(1));
    expect([1, 2, 3].map(() => kernel.ion.free(other, 1))).to.deep.equal([0, 0, -EINVAL]);
  });
});

describe('a flush that is interrupted', () => {
  /** A lazy domain in which so many ranges of one page, from page 1 on, await a flush. */
  function queued(count: number): { kernel: Kernel; domain: number; unmap(ioPage: number): void } {
    const kernel = boot({ flushEntries: 4 }, { invalidation: 'lazy' });
    const domain = kernel.iommu.create(2);
    const unmap = (ioPage: number): void => kernel.flushQueue.release(domain, ioPage, 1);
    for (let ioPage = 1; ioPage <= count; ioPage++) unmap(ioPage);
    return { kernel, domain, unmap };
  }

  it('covers what was queued when it began, and nothing else', () => {
    const { kernel, unmap } = queued(2);
    const { flushQueue } = kernel;
    const steps = flushQueue.flushSteps();
    expect(steps.next()).to.deep.equal(STOPPED);
    expect(flushQueue.length()).to.equal(2);
    unmap(3);
    expect(steps.next()).to.deep.equal(ended(1));
    expect(flushQueue.length()).to.equal(1);
    expect(flushQueue.flush()).to.equal(2);
    expect(flushQueue.length()).to.equal(0);
  });

  it('leaves nothing to do when a later one is done before it, or the domain is gone', () => {
    for (const isGone of [true, false]) {
      const { kernel, domain, unmap } = queued(2);
      const steps = kernel.flushQueue.flushSteps();
      steps.next();
      unmap(3);
      if (isGone) kernel.dma.freeDomain(domain);
      else expect(kernel.flushQueue.flush()).to.equal(2);
      expect(kernel.flushQueue.length()).to.equal(0);
      expect(steps.next()).to.deep.equal(ended(1));
    }
  });

  it('of an empty queue is none, and covers nothing that comes after', () => {
    const { kernel, unmap } = queued(0);
    const steps = kernel.flushQueue.flushSteps();
    steps.next();
    unmap(1);
    expect(steps.next()).to.deep.equal(ended(0));
    expect(kernel.flushQueue.length()).to.equal(1);
  });
});
