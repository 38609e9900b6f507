/** Buffers as users hold them: handles and descriptors of clients, mappings and bindings, each with one reference. */

import { addressOfMapped, unmapForCpu, userStart } from './mappings.ts';
import { dropReference, invalidatePages, pagesOf } from './memory.ts';
import type { Refusal } from './spec.ts';
import { unmapAll } from './translations.ts';
import { CONTEXT, type World } from './world.ts';

/** Arguments that name a client; refusals that all calls of users share. */
export interface OfClient {
  readonly client: number;
}
export interface OfHandle extends OfClient {
  readonly handle: number;
}
export const NO_CLIENT: Refusal<World, OfClient> = [
  'EBADF',
  (s, { client }) => !isClient(s, client),
  'C5',
  'there is no such client',
];
export const NO_HANDLE: Refusal<World, OfHandle> = [
  'EINVAL',
  (s, { client, handle }) => bufferOf(s, client, handle) === undefined,
  'C5',
  'the client has no such handle',
];

/** An id in use; ids come from users and may be anything. */
export const isClient = ({ client }: World, id: number): boolean => client.peek(id) === 1;

/** Page 0 of the buffer behind a handle of a client, or undefined. */
export function bufferOf(s: World, client: number, handle: number): number | undefined {
  if (!isClient(s, client) || !isHandleId(s, handle)) return undefined;
  const held = s.handle.get(handleAt(s, client, handle));
  return held === 0 ? undefined : held - 1;
}

/** Page 0 of the buffer behind a descriptor of a client, or undefined. */
export function bufferOfFd(s: World, client: number, fd: number): number | undefined {
  if (!isClient(s, client) || !Number.isSafeInteger(fd) || fd < 0 || fd >= s.machine.fds) return undefined;
  const held = s.fd.get(client * s.machine.fds + fd);
  return held === 0 ? undefined : held - 1;
}

/** Place of a handle in its columns; ids start at 1, place 0 of each client stays empty. */
export const handleAt = ({ machine }: World, client: number, handle: number): number =>
  client * (machine.handles + 1) + handle;

const handleIds = ({ machine }: World): number[] =>
  Array.from({ length: machine.handles }, (_, at) => at + 1);

const isHandleId = ({ machine }: World, handle: number): boolean =>
  Number.isSafeInteger(handle) && handle >= 1 && handle <= machine.handles;

/** Handles of a client, by id. */
export const handlesOf = (s: World, client: number): number[] =>
  handleIds(s).filter((handle) => s.handle.get(handleAt(s, client, handle)) !== 0);

/** The client's handle for a buffer: there is at most one. */
export const handleFor = (s: World, client: number, head: number): number | undefined =>
  handlesOf(s, client).find((handle) => s.handle.get(handleAt(s, client, handle)) === head + 1);

export const isFreeHandle = (s: World, client: number, handle: number): boolean =>
  isHandleId(s, handle) && s.handle.get(handleAt(s, client, handle)) === 0;

/** A handle id that the client has left, or undefined. */
export const freeHandle = (s: World, client: number): number | undefined =>
  isClient(s, client) ? handleIds(s).find((handle) => isFreeHandle(s, client, handle)) : undefined;

/** A new handle, with one user reference of its own and one to the buffer. */
export function openHandle(s: World, client: number, handle: number, head: number): void {
  s.handle.set(handleAt(s, client, handle), head + 1);
  s.handleCount.set(handleAt(s, client, handle), 1);
  takeReference(s, head);
}

export const takeReference = (s: World, head: number): void => s.refs.set(head, s.refs.get(head) + 1);

/** The handle goes, its kernel mappings first. */
export function closeHandle(s: World, client: number, handle: number): void {
  const at = handleAt(s, client, handle);
  const head = s.handle.get(at) - 1;
  s.kernelMaps.set(at, 0);
  endKernelMap(s, head);
  s.handle.set(at, 0);
  s.handleCount.set(at, 0);
  dropReference(s, head);
}

/** The kernel mapping of a buffer goes when no handle counts one any more. */
export function endKernelMap(s: World, head: number): void {
  const page = s.kernelMap.get(head);
  const isCounted = s.handle.values.some((held, at) => held === head + 1 && s.kernelMaps.get(at) > 0);
  if (page === 0 || isCounted) return;
  unmapForCpu(s, (page - 1) * s.machine.pageBytes);
  s.kernelMap.set(head, 0);
}

export function closeFd(s: World, client: number, fd: number): void {
  const at = client * s.machine.fds + fd;
  const head = s.fd.get(at) - 1;
  s.fd.set(at, 0);
  dropReference(s, head);
}

/** Ends a mapping of a client; it held a reference. */
export function endUserMap(s: World, mappedPage: number): void {
  const at = mappedPage - s.machine.vmallocPages;
  const head = s.userMap.get(at) - 1;
  s.userMap.set(at, 0);
  unmapForCpu(s, addressOfMapped(s, mappedPage));
  dropReference(s, head);
}

/** Everything that a client holds goes, its GPU contexts first. */
export function endClient(s: World, client: number): void {
  for (let context = 0; context < s.context.count; context++) {
    if (s.owner.get(context) === client + 1) endContext(s, context);
  }
  const start = userStart(s, client);
  for (let page = start; page < start + s.machine.userPages; page++) {
    if (s.area.get(page) !== 0) endUserMap(s, page);
  }
  for (const handle of handlesOf(s, client)) closeHandle(s, client, handle);
  for (let fd = 0; fd < s.machine.fds; fd++) {
    if (s.fd.get(client * s.machine.fds + fd) !== 0) closeFd(s, client, fd);
  }
  s.client.set(client, 0);
}

/** A job is over: nothing of it is left, so that states that differ in nothing else are equal. */
export function endJob(s: World, job: number): void {
  for (const column of [s.job, s.jobContext, s.jobIoPage, s.jobLine, s.jobTag]) column.set(job, 0);
}

/** Ends a GPU context: its jobs die, what it bound is dropped, nothing is reachable through it. */
export function endContext(s: World, context: number): void {
  for (let job = 0; job < s.job.count; job++) {
    if (s.job.get(job) !== 0 && s.jobContext.get(job) === context + 1) endJob(s, job);
  }
  unmapAll(s, context);
  for (let at = context * s.ioPages; at < (context + 1) * s.ioPages; at++) {
    const bound = s.bound.get(at);
    s.bound.set(at, 0);
    if (bound !== 0) endBinding(s, bound - 1);
  }
  s.context.set(context, CONTEXT.NONE);
  s.owner.set(context, 0);
}

/** The CPU owns the buffer's memory again, and the binding's reference goes. */
export function endBinding(s: World, head: number): void {
  invalidatePages(s, pagesOf(s, head));
  dropReference(s, head);
}
