/** Drivers of the synthetic kernel: each keeps what it has in flight and does one thing at a time. */
import type { Choices } from '../../properties/choices.ts';
import type { Direction } from '../../traces/event.ts';
import {
  type Coherent,
  type Context,
  type Device,
  type Kernel,
  PAGE,
  type Run,
  type Steps,
} from './kernel.ts';

export interface Driver {
  /** One thing, done by `task` or, where an interrupt brings it about, by `irq`. */
  work(task: Context, irq: Context): Steps;
  /** Unmaps and frees all that is left; nothing else runs by then. */
  remove(at: Context): Steps;
}

interface Sent {
  readonly dma: number;
  readonly size: number;
}

interface Listed {
  readonly iova: number;
  readonly list: readonly Run[];
  readonly dir: Direction;
}

/** A random element, taken out; undefined where there is none. */
function drawn<T>(choices: Choices, from: T[]): T | undefined {
  const at = choices.below(from.length);
  const last = from.pop();
  if (at >= from.length) return last;
  const chosen = from[at];
  if (last !== undefined) from[at] = last;
  return chosen;
}

const RECEIVE = 64;
const SEND = 64;
const HEADERS = 8;

/** A network card: receive buffers of a page each, headers to send that share pages, a ring that is reopened. */
export function network(kernel: Kernel, choices: Choices, boot: Context): Driver {
  const device = kernel.probe(boot, '0000:00:03.0');
  const headers = Array.from({ length: HEADERS }, () => kernel.allocPages(boot, 0, 'GFP_KERNEL'));
  const receiving: { readonly pfn: number; readonly dma: number }[] = [];
  const sending: Sent[] = [];
  const received: number[] = [];
  const rings: Coherent[] = [];

  function* refill(at: Context): Steps {
    const pfn = kernel.allocPages(at, 0, 'GFP_ATOMIC|__GFP_NOWARN');
    yield;
    receiving.push({ pfn, dma: yield* kernel.mapPage(at, device, pfn * PAGE, PAGE, 'FROM_DEVICE') });
  }

  function* receive(at: Context): Steps {
    const buffer = drawn(choices, receiving);
    if (buffer === undefined) return;
    yield* kernel.unmapPage(at, device, buffer.dma, PAGE, 'FROM_DEVICE');
    received.push(buffer.pfn);
  }

  function* send(at: Context): Steps {
    const header = headers[choices.below(HEADERS)] ?? 0;
    const size = 42 + choices.below(1400);
    const phys = header * PAGE + 2 * choices.below((PAGE - size) / 2);
    sending.push({ dma: yield* kernel.mapPage(at, device, phys, size, 'TO_DEVICE'), size });
  }

  function* complete(at: Context): Steps {
    const sent = drawn(choices, sending);
    if (sent !== undefined) yield* kernel.unmapPage(at, device, sent.dma, sent.size, 'TO_DEVICE');
  }

  function* reopen(at: Context): Steps {
    const ring = rings.pop();
    if (ring !== undefined) yield* kernel.freeCoherent(at, device, ring);
    else rings.push(yield* kernel.allocCoherent(at, device, choices.below(4)));
  }

  return {
    *work(task, irq) {
      if (receiving.length < RECEIVE) yield* refill(irq);
      if (received.length > 20) kernel.freeBatch(task, received.splice(0));
      const next = choices.pick([1, 32, 16, 16]);
      if (next === 0) yield* reopen(task);
      else if (next === 1) yield* receive(irq);
      else if (next === 2 && sending.length < SEND) yield* send(task);
      else yield* complete(irq);
    },
    *remove(at) {
      while (receiving.length > 0) yield* receive(at);
      while (sending.length > 0) yield* complete(at);
      while (rings.length > 0) yield* reopen(at);
      kernel.freeBatch(at, received.splice(0));
      for (const pfn of headers) kernel.freePages(at, pfn, 0);
    },
  };
}

const QUEUE = 32;
const LIST_MAX = 24;
const CACHE_MAX = 512;

/** A disk: lists of pages of the page cache, read into or written from, some of them several times. */
export function disk(kernel: Kernel, choices: Choices, boot: Context): Driver {
  const device = kernel.probe(boot, '0000:00:04.0');
  const queued: Listed[] = [];
  const cached: number[] = [];

  function* submit(at: Context): Steps {
    const list: Run[] = [];
    for (let left = 1 + choices.below(LIST_MAX); left > 0; left--) {
      const old = choices.below(3) === 0 ? drawn(choices, cached) : undefined;
      list.push({ pfn: old ?? kernel.allocPages(at, 0, 'GFP_HIGHUSER_MOVABLE|__GFP_COMP'), order: 0 });
      yield;
    }
    const dir = choices.below(2) === 0 ? 'FROM_DEVICE' : 'TO_DEVICE';
    queued.push({ iova: yield* kernel.mapSg(at, device, list, dir), list, dir });
  }

  function* complete(at: Context): Steps {
    const done = drawn(choices, queued);
    if (done === undefined) return;
    yield* kernel.unmapSg(at, device, done.iova, done.list, done.dir);
    for (const { pfn } of done.list) cached.push(pfn);
  }

  return {
    *work(task, irq) {
      if (cached.length > CACHE_MAX) kernel.freeBatch(task, cached.splice(0, 1 + choices.below(64)));
      else if (queued.length < QUEUE && choices.below(2) === 0) yield* submit(task);
      else yield* complete(irq);
    },
    *remove(at) {
      while (queued.length > 0) yield* complete(at);
      kernel.freeBatch(at, cached.splice(0));
    },
  };
}

interface Shared {
  readonly name: number;
  readonly list: readonly Run[];
  readonly imports: { readonly device: Device; readonly iova: number; readonly attachment: number }[];
}

/** Buffers that a display and a codec import, both at once: their pages are reached by two devices on purpose. */
export function importers(kernel: Kernel, choices: Choices, boot: Context): Driver {
  const devices = ['0000:00:02.0', '0000:00:05.0'].map((name) => kernel.probe(boot, name));
  const buffers: Shared[] = [];
  const pointer = (number: number): string => `0x${(0xff110000 + number * 0x40).toString(16)}00000000`;
  let names = 0;

  function* create(at: Context): Steps {
    const list: Run[] = [];
    for (const order of [8, 4, 4, 0, 0, 0].slice(choices.below(6))) {
      list.push({ pfn: kernel.allocPages(at, order, 'GFP_USER|__GFP_COMP|__GFP_ZERO'), order });
      yield;
    }
    names += 8;
    const name = names;
    const buffer: Shared = { name, list, imports: [] };
    for (const [index, device] of devices.entries()) {
      const attachment = name + 1 + index;
      const dma = pointer(0x10000 + device.domain);
      kernel.probed(at, `attach: (dma_buf_dynamic_attach+0x4/0x260) dmabuf=${pointer(name)} dev=${dma}`);
      kernel.probed(
        at,
        `attach_ret: (import+0x44/0x170 <- dma_buf_dynamic_attach) ret=${pointer(attachment)}`,
      );
      kernel.probed(
        at,
        `map_attachment: (dma_buf_map_attachment+0x4/0xe0) attach=${pointer(attachment)} dir=0`,
      );
      const iova = yield* kernel.mapSg(at, device, list, 'BIDIRECTIONAL');
      kernel.probed(at, `map_attachment_ret: (import+0x37/0x70 <- dma_buf_map_attachment) ret=${pointer(1)}`);
      buffer.imports.push({ device, iova, attachment });
    }
    buffers.push(buffer);
  }

  function* release(at: Context): Steps {
    const buffer = drawn(choices, buffers);
    if (buffer === undefined) return;
    for (const { device, iova, attachment } of buffer.imports) {
      const attach = `attach=${pointer(attachment)}`;
      kernel.probed(
        at,
        `unmap_attachment: (dma_buf_unmap_attachment+0x4/0x90) ${attach} sgt=${pointer(1)} dir=0`,
      );
      yield* kernel.unmapSg(at, device, iova, buffer.list, 'BIDIRECTIONAL');
      kernel.probed(at, `detach: (dma_buf_detach+0x4/0xd0) dmabuf=${pointer(buffer.name)} ${attach}`);
    }
    for (const { pfn, order } of buffer.list) {
      yield;
      kernel.freePages(at, pfn, order);
    }
  }

  return {
    *work(task) {
      if (buffers.length < 12 && choices.below(2) === 0) yield* create(task);
      else yield* release(task);
    },
    *remove(at) {
      while (buffers.length > 0) yield* release(at);
    },
  };
}
