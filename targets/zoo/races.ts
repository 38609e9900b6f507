/** Bugs that take two: what one call does between two of its critical sections, while another one runs. */
import type { Steps } from '../../impl/steps.ts';
import type { Bug } from './bug.ts';

const RACE = { needs: ['second actor'], property: 'schedule' } as const;

/** Looks a buffer up, lets others run, and goes on with what was found before, without a reference to it. */
function* lookUpEarly(lookUp: () => number): Steps {
  const buffer = lookUp();
  if (buffer >= 0) yield 1;
  return buffer;
}

export const RACE_BUGS: readonly Bug[] = [
  {
    ...RACE,
    name: 'late-reference',
    origin: 'ION-11',
    layer: 'gpu',
    catches: 'C1',
    text: 'bind looks the handle up, drops the lock, and takes its reference only when it maps',
    patch({ gpu }) {
      gpu.bindSteps = function* (context, handle, rights) {
        const buffer = yield* lookUpEarly(() => gpu.lookUp(context, handle));
        if (buffer < 0) return buffer;
        return gpu.isContext(context) ? gpu.bindBuffer(context, buffer, rights) : gpu.lookUp(context, handle);
      };
    },
  },
  {
    ...RACE,
    name: 'bind-into-what-was-a-context',
    origin: 'GP-09',
    layer: 'gpu',
    catches: 'I3',
    text: 'bind keeps the buffer alive while others run, and the context not: it maps into whatever has its id then',
    patch({ ion, gpu }) {
      gpu.bindSteps = function* (context, handle, rights) {
        const found = gpu.lookUp(context, handle);
        if (found < 0) return found;
        const client = gpu.clientOf(context);
        return yield* ion.whileHeld(
          () => ion.find(client, handle),
          (buffer) =>
            gpu.isContext(context) ? gpu.bindBuffer(context, buffer, rights) : gpu.lookUp(context, handle),
        );
      };
    },
  },
  {
    ...RACE,
    name: 'reference-dropped-before-the-flush',
    origin: 'GP-01',
    layer: 'gpu',
    catches: 'I2',
    text: 'unbind gives the buffer back first, and unmaps it when it comes round to it',
    patch({ ion, gpu }) {
      const unmap = gpu.unmapBuffer.bind(gpu);
      gpu.unbindSteps = function* (context, address) {
        const ioPage = gpu.findBinding(context, address);
        if (ioPage < 0) return ioPage;
        let unmapLater = (): void => {};
        gpu.unmapBuffer = (...range) => {
          unmapLater = () => unmap(...range);
        };
        ion.dropReference(gpu.unmapBinding(context, ioPage));
        gpu.unmapBuffer = unmap;
        yield 1;
        if (gpu.isContext(context)) unmapLater();
        return 0;
      };
    },
  },
  {
    ...RACE,
    name: 'freed-twice',
    origin: 'ION-11',
    layer: 'ion',
    catches: 'C2',
    text: 'two frees of one handle both find it, and both drop its reference',
    patch({ ion }) {
      ion.freeSteps = function* (client, handle) {
        const buffer = ion.find(client, handle);
        if (buffer < 0) return buffer;
        yield 1;
        const put = ion.lookUp(client, handle) === buffer ? ion.putHandle(client, handle) : buffer;
        if (put >= 0) ion.dropReference(put);
        return 0;
      };
    },
  },
  {
    ...RACE,
    name: 'known-before-it-is-counted',
    origin: 'DB-09',
    layer: 'ion',
    catches: 'C2',
    text: 'a new handle is known before the references of its buffer are set to one',
    patch({ ion }) {
      ion.allocateSteps = function* (client, bytes, heaps, flags = 0) {
        const buffer = ion.makeBuffer(client, bytes, heaps, flags);
        if (buffer < 0) return buffer;
        const handle = ion.publish(client, buffer);
        yield 1;
        if (handle > 0) ion.buffers.refs.set(buffer, 1);
        return handle;
      };
    },
  },
  {
    ...RACE,
    name: 'shared-without-a-reference',
    origin: 'ION-10',
    layer: 'ion',
    catches: 'C2',
    text: 'share finds the buffer, and nothing keeps it until the descriptor does',
    patch({ ion, sharing }) {
      sharing.shareSteps = function* (client, handle) {
        const buffer = yield* lookUpEarly(() => ion.find(client, handle));
        return buffer < 0 ? buffer : ion.fds.open(client, buffer);
      };
    },
  },
  {
    ...RACE,
    name: 'descriptor-before-its-reference',
    origin: 'DB-03',
    layer: 'fd',
    catches: 'C2',
    text: 'a descriptor is there for all to close before it has its reference',
    patch({ ion, sharing }) {
      sharing.sendSteps = function* (client, fd, to) {
        const buffer = sharing.lookUpFor(client, fd, to);
        if (buffer < 0) return buffer;
        const opened = ion.fds.newId(to);
        if (opened < 0) return opened;
        ion.fds.fd.set(ion.fds.placeOf(to, opened), buffer + 1);
        yield 1;
        ion.takeReference(buffer);
        return opened;
      };
    },
  },
  {
    ...RACE,
    name: 'two-handles-for-one-buffer',
    origin: 'DB-10',
    layer: 'fd',
    catches: 'C5',
    text: 'import asks whether there is a handle, drops the lock, and believes the answer',
    patch({ ion, sharing }) {
      sharing.importSteps = function* (client, fd) {
        const looked = sharing.lookUp(client, fd);
        const known = looked < 0 ? 0 : ion.findHandle(client, looked);
        const buffer = yield* ion.hold(() => sharing.lookUp(client, fd));
        if (buffer < 0) return buffer;
        if (known > 0) ion.getHandle(client, known);
        const handle = known > 0 ? known : sharing.importNew(client, buffer);
        ion.dropReference(buffer);
        return handle;
      };
    },
  },
  {
    ...RACE,
    name: 'mapped-twice-for-the-kernel',
    origin: 'ION-16',
    layer: 'ion',
    catches: 'P3',
    text: 'whether the kernel has addresses for a buffer is asked before the lock is taken',
    patch({ ion }) {
      const { kernelMaps } = ion;
      const isMapped = kernelMaps.isMapped.bind(kernelMaps);
      ion.mapKernelSteps = function* (client, handle) {
        const found = ion.find(client, handle);
        const wasMapped = found >= 0 && isMapped(found);
        const buffer = yield* ion.hold(() => ion.find(client, handle));
        if (buffer < 0) return buffer;
        kernelMaps.isMapped = () => wasMapped;
        const result = ion.mapKernel(client, handle);
        kernelMaps.isMapped = isMapped;
        ion.dropReference(buffer);
        return result;
      };
    },
  },
  {
    ...RACE,
    name: 'any-flush-will-do',
    origin: 'IO-19',
    layer: 'iommu',
    catches: 'I1',
    text: 'a flush that ends gives back addresses that were queued after it began',
    patch({ flushQueue }) {
      flushQueue.isCovered = () => true;
    },
  },
];
