/**
 * Layer 4, a GPU driver as the review of 2012 wants it: the buffer is named by handle, mapped into the context of
 * the submitting client alone, and an engine reaches what its context translates, wherever its user points it.
 */

import { bufferOf, endBinding, endContext, NO_CLIENT, takeReference } from './buffers.ts';
import type { ArgsOf, ValueOf } from './calls.ts';
import { cleanPages, pagesOf } from './memory.ts';
import { showsPages } from './sg.ts';
import type { Rule } from './spec.ts';
import {
  addressEnd,
  boundPages,
  hasRoundedHole,
  hasTables,
  isHole,
  mapPages,
  unmapPages,
} from './translations.ts';
import { isTag, RIGHTS } from './units.ts';
import { CONTEXT, contextType, isFreeContext, type World } from './world.ts';

/** Lines of an access are counted from address 0; an access is at most so many pages long. */
export const ACCESS_PAGES_MAX = 8;

/** `gpu_context_create(client)`. Its top table is a page. Ids are shared with kernel domains. */
export const contextCreate: Rule<World, ArgsOf<'gpu_context_create'>, ValueOf<'gpu_context_create'>> = {
  require: [],
  refuse: [
    NO_CLIENT,
    ['ENOSPC', (s) => !s.context.values.includes(CONTEXT.NONE), 'P1', 'no context id is left'],
  ],
  may: [['ENOMEM', (s, _args, seen) => !showsPages(s, 1, seen)]],
  accept: [['an id that is not in use', (s, _args, { context }) => isFreeContext(s, context), 'C5']],
  effect(s, { client }, { context }) {
    s.context.set(context, CONTEXT.GPU);
    s.owner.set(context, client + 1);
  },
  owes: () => 'M1',
};

/** `gpu_context_destroy(context)`: jobs die, bindings are dropped, nothing is reachable through it. */
export const contextDestroy: Rule<World, ArgsOf<'gpu_context_destroy'>, ValueOf<'gpu_context_destroy'>> = {
  require: [],
  refuse: [['ENOENT', (s, { context }) => !isContext(s, context), 'C5', 'there is no such GPU context']],
  may: [],
  accept: [],
  effect: (s, { context }) => endContext(s, context),
  owes: () => 'P1',
};

/**
 * `gpu_bind(context, handle, access)`: the handle is looked up in the table of the context's client, and the whole
 * buffer mapped at consecutive addresses of the driver's choice. The binding holds a reference to the buffer. The
 * driver syncs: devices see what CPUs wrote, at the bind and at every submit.
 */
export const bind: Rule<World, ArgsOf<'gpu_bind'>, ValueOf<'gpu_bind'>> = {
  require: [],
  refuse: [
    ['ENOENT', (s, { context }) => !isContext(s, context), 'C5', 'there is no such GPU context'],
    [
      'EINVAL',
      (s, args) => buffer(s, args) === undefined,
      'C5',
      'the client of the context has no such handle',
    ],
  ],
  may: [
    ['ENOSPC', (s, args) => !hasRoundedHole(s, args.context, bufferSize(s, args))],
    ['ENOMEM', (s, args, seen) => !hasTables(s, bufferSize(s, args), seen)],
  ],
  accept: [['unused addresses', (s, args, value) => isUnusedRange(s, args, value), 'S3']],
  effect(s, args, { address }) {
    const head = buffer(s, args) ?? 0;
    const ioPage = address / s.machine.pageBytes;
    mapPages(s, args.context, ioPage, pagesOf(s, head), RIGHTS[args.access] ?? 0);
    cleanPages(s, pagesOf(s, head));
    s.bound.set(args.context * s.ioPages + ioPage, head + 1);
    takeReference(s, head);
  },
  owes: () => 'M3',
};

/**
 * `gpu_unbind(context, binding)`: after it returns no access lands, not even one of a job under way, and CPUs see what
 * devices wrote.
 */
export const unbind: Rule<World, ArgsOf<'gpu_unbind'>, ValueOf<'gpu_unbind'>> = {
  require: [],
  refuse: [
    ['ENOENT', (s, { context }) => !isContext(s, context), 'C5', 'there is no such GPU context'],
    [
      'EINVAL',
      (s, { context, binding }) => boundAt(s, context, binding) === undefined,
      'C5',
      'no binding starts there',
    ],
  ],
  may: [],
  accept: [],
  effect(s, { context, binding }) {
    const head = boundAt(s, context, binding) ?? 0;
    const ioPage = binding / s.machine.pageBytes;
    unmapPages(s, context, ioPage, s.size.get(head));
    s.bound.set(context * s.ioPages + ioPage, 0);
    endBinding(s, head);
  },
  owes: () => 'P1',
};

/**
 * `gpu_submit(context, at, bytes, access, tag)`: queues a job. The address is the user's, and not checked here. The
 * driver syncs all that is bound in the context.
 */
export const submit: Rule<World, ArgsOf<'gpu_submit'>, ValueOf<'gpu_submit'>> = {
  require: [['the tag is a byte, and not 0', (_s, { tag }) => isTag(tag)]],
  refuse: [
    ['ENOENT', (s, { context }) => !isContext(s, context), 'C5', 'there is no such GPU context'],
    ['EINVAL', (s, { bytes }) => !isAccessSize(s, bytes), 'P2', 'no access has this size'],
    ['EBUSY', (s) => !s.job.values.includes(0), 'P1', 'no job id is left'],
  ],
  may: [],
  accept: [['an id that is not in use', (s, _args, { job }) => s.job.peek(job) === 0, 'C5']],
  effect(s, { context, at, bytes, access, tag }, { job }) {
    const { pageBytes, lineBytes } = s.machine;
    const isNowhere = at < 0 || at >= addressEnd(s.machine);
    cleanPages(s, boundPages(s, context));
    s.job.set(job, lineCount(s, at, bytes));
    s.jobContext.set(job, context + 1);
    s.jobIoPage.set(job, isNowhere ? -1 : Math.floor(at / pageBytes));
    s.jobLine.set(job, isNowhere ? 0 : Math.floor((at % pageBytes) / lineBytes));
    s.jobTag.set(job, access === 'write' ? tag : 0);
  },
  owes: () => 'P1',
};

/** A GPU context that exists; ids come from users and may be anything. */
export const isContext = (s: World, id: number): boolean => contextType(s, id) === CONTEXT.GPU;

export const isAccessSize = ({ machine }: World, bytes: number): boolean =>
  bytes > 0 && bytes <= ACCESS_PAGES_MAX * machine.pageBytes;

/** Lines that an access touches; where the address is none, as many as the size alone makes. */
function lineCount({ machine }: World, at: number, bytes: number): number {
  const from = at < 0 || at >= addressEnd(machine) ? 0 : at;
  return Math.ceil((from + bytes) / machine.lineBytes) - Math.floor(from / machine.lineBytes);
}

/** Page 0 of the buffer behind a handle of the context's client, or undefined. */
const buffer = (s: World, args: { readonly context: number; readonly handle: number }): number | undefined =>
  bufferOf(s, (s.owner.peek(args.context) ?? 0) - 1, args.handle);

/** Its pages; 0 without a buffer. */
const bufferSize = (s: World, args: Parameters<typeof buffer>[1]): number =>
  s.size.peek(buffer(s, args) ?? -1) ?? 0;

function isUnusedRange(s: World, args: ArgsOf<'gpu_bind'>, { address }: ValueOf<'gpu_bind'>): boolean {
  return isHole(s, args.context, address / s.machine.pageBytes, bufferSize(s, args));
}

function boundAt(s: World, context: number, address: number): number | undefined {
  const ioPage = address / s.machine.pageBytes;
  if (!isContext(s, context) || !Number.isSafeInteger(ioPage)) return undefined;
  if (ioPage < 0 || ioPage >= s.ioPages) return undefined;
  const bound = s.bound.get(context * s.ioPages + ioPage);
  return bound === 0 ? undefined : bound - 1;
}
