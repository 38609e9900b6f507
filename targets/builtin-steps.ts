/** The calls of `impl/` that have more than one critical section, for actors that run at once. */
import type { Kernel } from '../impl/kernel.ts';
import type { Steps } from '../impl/steps.ts';
import type { ArgsOf, Op, ValueOf } from '../model/calls.ts';
import { allocated, done, field, flagsOf, heapsOf, mappedForKernel, rightsOf } from './builtin-calls.ts';

/** How a call is made in steps, with one switch point, and what its result means. */
export interface Interruptible<Args, Value> {
  steps(kernel: Kernel, args: Args): Steps;
  replyOf(result: number, kernel: Kernel, args: Args): Value | number;
}

type InterruptibleCalls = { readonly [Name in Op]?: Interruptible<ArgsOf<Name>, ValueOf<Name>> };

const asFd = (fd: number): number | { readonly fd: number } => field('fd', fd);

/** One entry a call that can be interrupted; what it does to a kernel is what `BUILTIN_CALLS` does at once. */
export const BUILTIN_STEPS: InterruptibleCalls = {
  dma_unmap_sg: {
    steps: ({ dma }, { mapping }) => dma.unmapSteps(mapping),
    replyOf: (flushes) => ({ flushes }),
  },
  tick_flush: {
    steps: ({ flushQueue }) => flushQueue.flushSteps(),
    replyOf: (flushes) => ({ flushes }),
  },
  ion_alloc: {
    steps: ({ ion }, { client, bytes, heaps, flags }) =>
      ion.allocateSteps(client, bytes, heapsOf(heaps), flagsOf(flags)),
    replyOf: (handle, kernel, { client }) => allocated(kernel, client, handle),
  },
  ion_free: {
    steps: ({ ion }, { client, handle }) => ion.freeSteps(client, handle),
    replyOf: done,
  },
  ion_share: {
    steps: ({ sharing }, { client, handle }) => sharing.shareSteps(client, handle),
    replyOf: asFd,
  },
  ion_import: {
    steps: ({ sharing }, { client, fd }) => sharing.importSteps(client, fd),
    replyOf: (handle) => field('handle', handle),
  },
  ion_map_kernel: {
    steps: ({ ion }, { client, handle }) => ion.mapKernelSteps(client, handle),
    replyOf: (address, _kernel, { handle }) => mappedForKernel(handle, address),
  },
  ion_mmap: {
    steps: ({ sharing }, { client, fd, offset, bytes }) => sharing.mmapSteps(client, fd, offset, bytes),
    replyOf: (address) => field('address', address),
  },
  fd_dup: {
    steps: ({ sharing }, { client, fd }) => sharing.sendSteps(client, fd, client),
    replyOf: asFd,
  },
  fd_send: {
    steps: ({ sharing }, { client, fd, to }) => sharing.sendSteps(client, fd, to),
    replyOf: asFd,
  },
  gpu_context_destroy: {
    steps: ({ gpu }, { context }) => gpu.destroyContextSteps(context),
    replyOf: done,
  },
  gpu_bind: {
    steps: ({ gpu }, { context, handle, access }) => gpu.bindSteps(context, handle, rightsOf(access)),
    replyOf: (address) => field('address', address),
  },
  gpu_unbind: {
    steps: ({ gpu }, { context, binding }) => gpu.unbindSteps(context, binding),
    replyOf: done,
  },
};
