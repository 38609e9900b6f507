/** Bugs that take two: what one call does between two of its critical sections, while another one runs. */
import type { Steps } from '../../impl/steps.ts';
import type { Bug } from './bug.ts';

const RACE = { needs: ['second actor'], property: 'schedule' } as const;

/** What it takes to bind a buffer, and to see where the device gets. */
const GPU_CALLS = [
  'ion_client_create',
  'ion_alloc',
  'gpu_context_create',
  'gpu_context_destroy',
  'gpu_bind',
  'gpu_unbind',
  'device_probe',
];
/** What it takes to map a table for a device, and to see where the device gets. */
const DMA_CALLS = [
  'alloc_pages',
  'sg_alloc_table_from_pages',
  'iommu_domain_alloc',
  'iommu_attach_device',
  'dma_map_sg',
  'dma_unmap_sg',
  'device_write',
  'device_probe',
];

/** Does something with one of its steps replaced. */
function replacing<Layer, Step extends keyof Layer>(
  layer: Layer,
  step: Step,
  by: Layer[Step],
  act: () => number,
): number {
  const own = layer[step];
  layer[step] = by;
  try {
    return act();
  } finally {
    layer[step] = own;
  }
}

/** A step that ends something in a range of I/O pages. */
type OfRange = (owner: number, ioPage: number, count: number) => void;

/** Does something without one of its steps, and returns that to be done later. */
function postponing<Step extends string>(
  layer: { [Name in Step]: OfRange },
  step: Step,
  act: () => number,
): { readonly result: number; readonly rest: () => void } {
  const ranges: Parameters<OfRange>[] = [];
  const result = replacing(layer, step, (...range: Parameters<OfRange>) => ranges.push(range), act);
  return {
    result,
    rest() {
      for (const range of ranges) layer[step](...range);
    },
  };
}

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
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'gpu_context_create', 'gpu_bind'],
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
    catches: 'C2',
    text: 'bind keeps the buffer alive while others run, and the context not: it maps into whatever has its id then',
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_context_destroy', 'gpu_bind'],
    patch({ ion, gpu }) {
      gpu.bindSteps = function* (context, handle, rights) {
        const found = gpu.lookUp(context, handle);
        if (found < 0) return found;
        const client = gpu.clientOf(context);
        return yield* ion.whileHeld(
          () => (gpu.isContext(context) ? ion.lookUp(client, handle) : gpu.lookUp(context, handle)),
          (buffer) => gpu.bindBuffer(context, buffer, rights),
        );
      };
    },
  },
  {
    ...RACE,
    name: 'reference-dropped-before-the-flush',
    origin: 'GP-01',
    layer: 'gpu',
    catches: 'I1',
    text: 'unbind gives the buffer back first, and unmaps it when it comes round to it',
    only: GPU_CALLS,
    patch({ ion, gpu }) {
      gpu.unbindSteps = function* (context, address) {
        const ioPage = gpu.findBinding(context, address);
        if (ioPage < 0) return ioPage;
        const { result, rest } = postponing(gpu, 'unmapBuffer', () => gpu.unmapBinding(context, ioPage));
        ion.dropReference(result);
        yield 1;
        if (gpu.isContext(context)) rest();
        return 0;
      };
    },
  },
  {
    ...RACE,
    name: 'freed-twice',
    origin: 'ION-11',
    layer: 'ion',
    catches: 'C5',
    text: 'two frees of one handle both find it, and both drop its reference',
    only: ['ion_client_create', 'ion_alloc', 'ion_free'],
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
    catches: 'C5',
    text: 'a new handle is known before the references of its buffer are set to one',
    only: ['ion_client_create', 'ion_alloc', 'ion_free'],
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
    catches: 'C1',
    text: 'share finds the buffer, and nothing keeps it until the descriptor does',
    only: ['ion_client_create', 'ion_alloc', 'ion_free', 'ion_share'],
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
    layer: 'dma-buf',
    catches: 'C1',
    text: 'a descriptor is there for all to close before it has its reference',
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'fd_dup', 'fd_close'],
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
    layer: 'dma-buf',
    catches: 'C5',
    text: 'import asks whether there is a handle, drops the lock, and believes the answer',
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'ion_import', 'fd_send'],
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
    only: ['ion_client_create', 'ion_alloc', 'ion_map_kernel'],
    patch({ ion }) {
      const { kernelMaps } = ion;
      ion.mapKernelSteps = function* (client, handle) {
        const found = ion.find(client, handle);
        const wasMapped = found >= 0 && kernelMaps.isMapped(found);
        return yield* ion.whileHeld(
          () => ion.find(client, handle),
          () =>
            replacing(
              kernelMaps,
              'isMapped',
              () => wasMapped,
              () => ion.mapKernel(client, handle),
            ),
        );
      };
    },
  },
  {
    ...RACE,
    name: 'lock-dropped-before-the-flush',
    origin: 'DM-13',
    layer: 'dma',
    catches: 'I1',
    text: 'unmap gives the addresses back, and drops the lock before it has the IOTLB forget them',
    only: DMA_CALLS,
    patch({ dma, iommu }) {
      dma.unmapSteps = function* (table) {
        const { result, rest } = postponing(iommu.iotlb, 'invalidate', () => dma.unmap(table));
        yield 1;
        rest();
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
    only: [...DMA_CALLS, 'tick_flush'],
    patch({ flushQueue }) {
      flushQueue.isCovered = () => true;
    },
  },
];
