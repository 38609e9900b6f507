/** Buffers that drivers share: `dma_buf` events, probes on its functions, and what Android's allocators tell. */
import type { BufferEvent, Stamp, TraceEvent } from '../event.ts';
import type { Fields } from './fields.ts';
import { type KnownEvent, other, type Reader } from './reader.ts';

type Action = BufferEvent['action'];

/** What stands in parentheses, with names of two functions and of a module, is shorter. */
const LONGEST_PLACE = 400;

/** Return values from here on are negative error numbers. */
const ERRORS = /^(0x)?f{12,13}[0-9a-f]{3}$/;

/** `dma_buf` has events of its own in new kernels: buffers are named by their inode. */
const DMA_BUF: readonly KnownEvent[] = [
  { name: 'dma_buf:dma_buf_export', read: dmaBuf('export') },
  { name: 'dma_buf:dma_buf_fd', read: dmaBuf('fd') },
  { name: 'dma_buf:dma_buf_dynamic_attach', read: dmaBuf('attach'), owns: hasInode },
  { name: 'dma_buf:dma_buf_detach', read: dmaBuf('detach'), owns: hasInode },
  other('dma_buf:dma_buf_get'),
  other('dma_buf:dma_buf_put'),
  other('dma_buf:dma_buf_mmap'),
  other('dma_buf:dma_buf_mmap_internal'),
];

/** Vendors' events differ from one another: what has none of these fields is left to the unknown ones. */
const ANDROID: readonly KnownEvent[] = [
  { name: 'dmabuf_heap:dma_heap_stat', read: allocator('stat', 'inode=', 'len='), owns: hasSize },
  { name: 'ion:ion_stat', read: allocator('stat', 'buffer_id=', 'len='), owns: hasSize },
  { name: 'ion:ion_heap_grow', read: allocator('stat', '', 'len='), owns: hasSize },
  { name: 'ion:ion_heap_shrink', read: allocator('stat', '', 'len='), owns: hasSize },
  { name: 'ion:ion_buffer_create', read: allocator('create', 'addr=', 'len='), owns: hasSize },
  { name: 'ion:ion_buffer_destroy', read: allocator('destroy', 'addr=', 'len='), owns: hasSize },
];

export const BUFFER_EVENTS: readonly KnownEvent[] = [...DMA_BUF, ...ANDROID];

function hasInode(fields: Fields): boolean {
  return fields.has('ino=');
}

function hasSize(fields: Fields): boolean {
  return fields.has('len=');
}

function dmaBuf(action: Action): Reader {
  return (fields, stamp) => {
    const buffer = fields.word('ino=');
    const size = fields.count('size=');
    const attachment = fields.word('attachment:');
    const device = fields.word('dev_name=');
    if (buffer === '' || Number.isNaN(size)) return undefined;
    if ((action === 'attach' || action === 'detach') && attachment === '') return undefined;
    return { ...stamp, kind: 'buffer', action, buffer, attachment, device, size };
  };
}

function allocator(action: Action, key: string, length: string): Reader {
  return (fields, stamp) => {
    const buffer = key === '' ? '' : fields.word(key);
    const size = fields.signed(length);
    if (Number.isNaN(size) || (key !== '' && buffer === '')) return undefined;
    return { ...stamp, kind: 'buffer', action, buffer, attachment: '', device: '', size };
  };
}

/** What a probe at the entry of a function of dma-buf, or at its return, tells; arguments by name or by number. */
interface Probe {
  readonly entry?: (fields: Fields) => Partial<BufferEvent> & { readonly action: Action };
  readonly returned?: (value: string) => Partial<BufferEvent> & { readonly action: Action };
}

const PROBES: Readonly<Record<string, Probe>> = {
  dma_buf_export: { returned: (buffer) => ({ action: 'export', buffer }) },
  dma_buf_dynamic_attach: {
    entry: (fields) => ({ action: 'attach', buffer: bufferOf(fields), device: deviceOf(fields) }),
    returned: (attachment) => ({ action: 'attached', attachment }),
  },
  dma_buf_map_attachment: {
    entry: (fields) => ({ action: 'map', attachment: attachmentOf(fields, 'arg1=') }),
    returned: () => ({ action: 'mapped' }),
  },
  dma_buf_unmap_attachment: {
    entry: (fields) => ({ action: 'unmap', attachment: attachmentOf(fields, 'arg1=') }),
  },
  dma_buf_detach: {
    entry: (fields) => ({
      ...{ action: 'detach', buffer: bufferOf(fields), attachment: attachmentOf(fields, 'arg2=') },
    }),
  },
};

const bufferOf = (fields: Fields): string => fields.word('dmabuf=') || fields.word('arg1=');
const deviceOf = (fields: Fields): string => fields.word('dev=') || fields.word('arg2=');
const attachmentOf = (fields: Fields, numbered: string): string =>
  fields.word('attach=') || fields.word('attachment=') || fields.word(numbered);

/**
 * An event that a user defined with kprobes: its name is free, what it probes is in parentheses. `perf` prints an
 * address there, and names the event as the function. It depends on the name and on what is in parentheses alone.
 * @returns undefined where it probes something else, or does not record what is needed
 */
export function probeOf(fields: Fields, eventName: string): KnownEvent | undefined {
  const text = fields.rest.slice(0, LONGEST_PLACE);
  const place = /^\((?:[^)]* <- )?([\w.]+)/.exec(text)?.[1] ?? '';
  const perfName = /:(\w+?)(__return)?$/.exec(eventName);
  const known = Object.hasOwn(PROBES, place);
  const func = known ? place : (perfName?.[1] ?? '');
  const returned = known ? /^\([^)]* <- [^)]*\)/.test(text) : perfName?.[2] !== undefined;
  const probe = Object.hasOwn(PROBES, func) ? PROBES[func] : undefined;
  const name = `${returned ? 'kretprobe' : 'kprobe'}:${func}`;
  const read = returned ? returning(probe, name) : entering(probe);
  return read && { name, read };
}

function entering(probe: Probe | undefined): Reader | undefined {
  const read = probe?.entry;
  return read && ((fields, stamp) => eventOf(stamp, read(fields)));
}

function returning(probe: Probe | undefined, name: string): Reader | undefined {
  const read = probe?.returned;
  if (read === undefined) return undefined;
  return (fields, stamp) => {
    const value = fields.word('ret=') || fields.word('arg1=');
    if (ERRORS.test(value)) return { ...stamp, kind: 'other', name };
    return value === '' ? undefined : eventOf(stamp, read(value));
  };
}

function eventOf(
  stamp: Stamp,
  said: Partial<BufferEvent> & { readonly action: Action },
): TraceEvent | undefined {
  const { action, buffer = '', attachment = '', device = '' } = said;
  if (buffer === '' && attachment === '' && action !== 'mapped') return undefined;
  const { line, time, cpu, task, pid } = stamp;
  return { kind: 'buffer', line, time, cpu, task, pid, action, buffer, attachment, device };
}
